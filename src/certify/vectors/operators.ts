/**
 * The conformance vectors of a graph's operators (spec 5.2): each operator with its gradients, as declared in
 * graph/ops/.
 */
import type { Tensor } from "../../encoding/tensor.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { dense } from "../../graph/dense.ts";
import { elementwise, ofOneType } from "../../graph/elementwise.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Given } from "../../graph/operator.ts";
import { OPERATORS } from "../../graph/operators.ts";
import type { Value } from "../../graph/value.ts";
import type { ConformanceCase } from "../../repops/conformance/case.ts";
import { floatTensor, intTensor } from "../../repops/conformance/data.ts";
import { conformanceCases } from "./all.ts";

type Declared = (typeof OPERATORS)[number];

/** A vector of a graph, whose kernels have labels. */
interface GraphCase extends ConformanceCase {
  list: Graph;
}

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

  finish(): GraphCase {
    const graph = this.builder.finish(this.outputs);
    return { list: graph, inputs: this.tensors, outputs: graph.outputs };
  }
}

/** Element-wise operators, on operands of any magnitude. */
function elementwiseCase(operators: readonly Declared[], elements = 1031): GraphCase {
  const build = new CaseBuilder();
  const [a, b, g] = [3000, 3001, 3002].map((seed) => build.input(floatTensor(seed, [elements])));
  const [i, j] = [3003, 3004].map((seed) => build.input(intTensor(seed, [elements])));
  for (const operator of operators)
    if ("elementwise" in operator) {
      const { name } = operator.check;
      const two = operator.operands === 2;
      build.operator(name, elementwise(name, operator.elementwise, a, two ? b : undefined), g);
      const { integers } = operator;
      if (integers) build.operator(`${name}, integers`, ofOneType(name, two ? { a: i, b: j } : { a: i }, { integers }));
    }
  return build.finish();
}

/** The operators up to this number share a graph, and so their random streams. */
const SHARED = 39;

/** Operators over rows, matrices and indices. */
function structureCase(operators: readonly Declared[]): GraphCase {
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
  for (const operator of operators)
    if ("vector" in operator.check) {
      const { y, gradient } = operator.check.vector(given);
      build.operator(operator.check.name, y, gradient);
    }
  return build.finish();
}

/** The vector of one operator, in a graph of its own; of an element-wise one on few elements. */
export function operatorCase(operator: Declared): GraphCase {
  return "elementwise" in operator ? elementwiseCase([operator], 7) : structureCase([operator]);
}

/** All vectors: those of kernels, and those of a graph's operators. */
export function everyCase(): ConformanceCase[] {
  const others = OPERATORS.filter((operator) => "vector" in operator.check);
  const shared = others.filter(({ check }) => check.number <= SHARED);
  // Each later one has a graph of its own: then one that fails is run again alone, whatever their number.
  const own = others.filter(({ check }) => check.number > SHARED);
  return [
    ...conformanceCases(),
    elementwiseCase(OPERATORS),
    structureCase(shared),
    ...own.map((one) => structureCase([one])),
  ];
}
