/**
 * The conformance vectors of a graph's operators (spec 5.2): each operator with its gradients, as declared in
 * graph/ops/.
 */
import type { Tensor } from "../../encoding/tensor.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { dense } from "../../graph/dense.ts";
import { elementwise } from "../../graph/elementwise.ts";
import type { Given } from "../../graph/operator.ts";
import { OPERATORS } from "../../graph/operators.ts";
import type { Value } from "../../graph/value.ts";
import type { ConformanceCase } from "../../repops/conformance/case.ts";
import { floatTensor, intTensor } from "../../repops/conformance/data.ts";
import { conformanceCases } from "./all.ts";

/** A graph under construction with its operands and the outputs that are compared. */
class CaseBuilder {
  readonly builder = new GraphBuilder();
  private readonly tensors: Tensor[] = [];
  private readonly outputs: { name: string; value: Value }[] = [];

  input(tensor: Tensor): Value {
    this.tensors.push(tensor);
    return this.builder.input(`input ${this.tensors.length}`, tensor);
  }

  /**
   * Adds to the compared outputs an operator's result, and its operands' gradients for a gradient of the
   * result.
   */
  operator(name: string, y: Value, gradient?: Value): void {
    this.outputs.push({ name: `operator ${name}`, value: dense(y) });
    if (!gradient || !y.origin) return;
    y.origin.backward(gradient).forEach((value, i) => {
      if (value && value !== gradient)
        this.outputs.push({ name: `operator ${name}, gradient ${i}`, value: dense(value) });
    });
  }

  finish(): ConformanceCase {
    const graph = this.builder.finish(this.outputs);
    return { list: graph, inputs: this.tensors, outputs: graph.outputs };
  }
}

/** All element-wise operators, on operands of any magnitude. */
function elementwiseCase(): ConformanceCase {
  const build = new CaseBuilder();
  const [a, b, g] = [3000, 3001, 3002].map((seed) => build.input(floatTensor(seed, [1031])));
  for (const operator of OPERATORS)
    if ("elementwise" in operator) {
      const { name } = operator.check;
      build.operator(name, elementwise(name, operator.elementwise, a, operator.operands === 2 ? b : undefined), g);
    }
  return build.finish();
}

/** Operators over rows, matrices and indices. */
function structureCase(): ConformanceCase {
  const build = new CaseBuilder();
  const floats = (seed: number, ...shape: number[]): Value => build.input(floatTensor(seed, shape, "ordinary"));
  const scalar = (value: number): Value => build.input({ dtype: "i32", shape: [], data: Int32Array.of(value) });
  const given: Given = {
    x: floats(3010, 13, 37),
    g: floats(3011, 13, 37),
    classes: build.input(intTensor(3012, [13], 37)),
    random: { seed: scalar(20261120), step: scalar(7) },
    floats,
    ints: (seed, ...shape) => build.input(intTensor(seed, shape)),
  };
  for (const operator of OPERATORS)
    if ("vector" in operator.check) {
      const { y, gradient } = operator.check.vector(given);
      build.operator(operator.check.name, y, gradient);
    }
  return build.finish();
}

/** All vectors: those of kernels, and those of a graph's operators. */
export function everyCase(): ConformanceCase[] {
  return [...conformanceCases(), elementwiseCase(), structureCase()];
}
