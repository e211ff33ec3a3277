/** Classifiers of rows of numbers: a multilayer perceptron, and logistic regression. */
import { gelu } from "../../graph/ops/gelu.ts";
import { relu } from "../../graph/ops/relu.ts";
import { tanh } from "../../graph/ops/tanh.ts";
import type { Value } from "../../graph/value.ts";
import type { Context } from "../context.ts";
import { zeros } from "../initializers.ts";
import { expectLayer } from "../layers/arguments.ts";
import { linear } from "../layers/linear.ts";
import { countOf, expectOptions, settingError } from "../settings.ts";

const ACTIVATIONS = { relu, tanh, gelu: (x: Value): Value => gelu(x) } as const;

/** The size of a multilayer perceptron. */
export interface PerceptronOptions {
  /** The widths of the hidden layers. */
  hidden: readonly number[];
  /** The number of outputs: of classes, or of numbers. */
  outputs: number;
  /** What follows each hidden layer; default "relu". */
  activation?: keyof typeof ACTIVATIONS;
}

/**
 * A multilayer perceptron: f32 [..., n] → [..., outputs], by the linear layers `NAME.0`, `NAME.1` and so on.
 * @param name the scope of its layers
 * @throws {JobError} when x is a scalar, an option is unknown or out of its range, or the name is taken
 * @throws {ShapeError} when x is not f32
 */
export function perceptron(context: Context, name: string, x: Value, options: PerceptronOptions): Value {
  const path = expectLayer("perceptron", context, name, x);
  expectOptions(path, options, ["hidden", "outputs", "activation"]);
  const { hidden, outputs, activation = "relu" } = options;
  if (!Array.isArray(hidden)) throw settingError(path, "hidden has the widths of the hidden layers; give a list");
  if (!Object.hasOwn(ACTIVATIONS, activation))
    throw settingError(path, `there is no activation ${activation}; take ${Object.keys(ACTIVATIONS).join(", ")}`);
  countOf(path, "outputs", outputs);
  return context.scope(name, () => {
    let y = x;
    for (const [i, width] of (hidden as readonly number[]).entries())
      y = ACTIVATIONS[activation](linear(context, `${i}`, y, countOf(path, `hidden ${i}`, width)));
    return linear(context, `${hidden.length}`, y, outputs);
  });
}

/**
 * Logistic regression: f32 [..., n] → logits [..., classes], by the linear layer `NAME`, which begins with
 * zeros.
 * @throws {JobError} when x is a scalar, classes is not a whole number from 1, or the name is taken
 * @throws {ShapeError} when x is not f32
 */
export function logisticRegression(context: Context, name: string, x: Value, classes: number): Value {
  return linear(context, name, x, classes, { init: zeros });
}
