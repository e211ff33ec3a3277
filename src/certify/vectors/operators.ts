/** The conformance vectors of a graph's operators (spec 5.2): each with its gradients, as jobs use them. */
import type { Tensor } from "../../encoding/tensor.ts";
import type { ConformanceCase } from "../../repops/conformance/case.ts";
import { conformanceCases } from "./all.ts";
import { floatTensor, intTensor } from "../../repops/conformance/data.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { elementwise } from "../../graph/ops/elementwise.ts";
import { toFloat, toInt } from "../../graph/ops/fill.ts";
import { gather } from "../../graph/ops/gather.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { crossEntropy, layerNorm, softmax } from "../../graph/ops/normalize.ts";
import { type Elementwise, ELEMENTWISE } from "../../graph/ops/operators.ts";
import { dropout, randomInt, randomNormal, type RandomSource, randomUniform } from "../../graph/ops/random.ts";
import { broadcastTo, maxRows, mean, sum } from "../../graph/ops/reduce.ts";
import type { Value } from "../../graph/value.ts";
import { concat, dense, pad, reshape, slice, transpose } from "../../graph/ops/views.ts";

/** A graph under construction with its operands and the outputs that are compared. */
class CaseBuilder {
  readonly builder = new GraphBuilder();
  private readonly tensors: Tensor[] = [];
  private readonly outputs: { name: string; value: Value }[] = [];

  input(tensor: Tensor): Value {
    this.tensors.push(tensor);
    return this.builder.input(`input ${this.tensors.length}`, tensor);
  }

  /** Compares an operator's result, and the gradients that flow to its operands for a gradient of the result. */
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

function elementwiseCase(): ConformanceCase {
  const shape = [1031];
  const build = new CaseBuilder();
  const [a, b, g] = [3000, 3001, 3002].map((seed) => build.input(floatTensor(seed, shape)));
  for (const [name, operator] of Object.entries<Elementwise>(ELEMENTWISE)) {
    const binary = operator.gradient.b !== undefined;
    build.operator(name, elementwise(name, operator, a, binary ? b : undefined), g);
  }
  return build.finish();
}

/** Operators over rows, matrices and indices. */
function structureCase(): ConformanceCase {
  const build = new CaseBuilder();
  const floats = (seed: number, ...shape: number[]): Value => build.input(floatTensor(seed, shape, "ordinary"));
  const x = floats(3010, 13, 37);
  const g = floats(3011, 13, 37);
  const classes = build.input(intTensor(3012, [13], 37));
  const scalar = (value: number): Value => build.input({ dtype: "i32", shape: [], data: Int32Array.of(value) });
  const source: RandomSource = { seed: scalar(20261120), step: scalar(7) };
  build.operator("matmul", matmul(x, floats(3013, 37, 11)), floats(3014, 13, 11));
  build.operator("softmax", softmax(x), g);
  build.operator("layer norm", layerNorm(x, floats(3015, 37), floats(3016, 37)), g);
  build.operator("cross-entropy", crossEntropy(x, classes), floats(3017, 13));
  build.operator("gather", gather(floats(3018, 21, 5), classes), floats(3019, 13, 5));
  build.operator("sum", sum(x, [0]), floats(3020, 37));
  build.operator("mean", mean(x, [1]), floats(3021, 13));
  build.operator("maximum of rows", maxRows(x));
  build.operator("broadcast", broadcastTo(floats(3022, 13, 1), [4, 13, 37]), floats(3023, 4, 13, 37));
  build.operator("transpose", transpose(x), floats(3024, 37, 13));
  build.operator("reshape", reshape(x, [37, 13]), floats(3025, 37, 13));
  build.operator("slice", slice(x, 1, 5, 30), floats(3026, 13, 25));
  build.operator("pad", pad(x, 0, 2, 3), floats(3027, 18, 37));
  build.operator("concat", concat([x, g], 1), floats(3028, 13, 74));
  build.operator("dropout", dropout(x, source, 0.3), g);
  build.operator("random uniform", randomUniform(source, [513]));
  build.operator("random normal", randomNormal(source, [513], 0.02));
  build.operator("random int", randomInt(source, [513], 1000));
  build.operator("to int", toInt(x));
  build.operator("to float", toFloat(build.input(intTensor(3029, [513]))));
  return build.finish();
}

/** Every vector there is: those of kernels, and those of the operators that graphs are made of. */
export function everyCase(): ConformanceCase[] {
  return [...conformanceCases(), elementwiseCase(), structureCase()];
}
