/** Layers with parameters: each opens a scope, so that its parameters and nodes carry its name. */
import { JobError } from "../../errors/index.ts";
import { add } from "../../graph/ops/elementwise.ts";
import { gather } from "../../graph/ops/gather.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { layerNorm } from "../../graph/ops/normalize.ts";
import type { Value } from "../../graph/value.ts";
import { reshape } from "../../graph/ops/views.ts";
import type { Context } from "../context.ts";
import { type Initializer, normal, ones, zeros } from "../initializers.ts";

export interface LinearOptions {
  /** Normal with deviation 1/sqrt(inputs). */
  init?: Initializer;
  /** true */
  bias?: boolean;
}

/** x·W + b over the last axis: f32 [..., inputs] → [..., outputs]. Parameters `weight` [inputs, outputs] and `bias`. */
export function linear(context: Context, name: string, x: Value, outputs: number, options: LinearOptions = {}): Value {
  return context.scope(name, () => {
    const inputs = x.shape[x.rank - 1];
    const init = options.init ?? normal(1 / Math.sqrt(inputs));
    const weight = context.parameter("weight", [inputs, outputs], init);
    const product = matmul(reshape(x, [-1, inputs]), weight);
    const y = options.bias === false ? product : add(product, context.parameter("bias", [outputs], zeros));
    return reshape(y, [...x.shape.slice(0, -1), outputs]);
  });
}

/** A row of a trained table for every number: i32 [...] → f32 [..., dim]. Parameter `weight` [rows, dim]. */
export function embedding(
  context: Context,
  name: string,
  index: Value,
  rows: number,
  dim: number,
  init: Initializer = normal(0.02),
): Value {
  return context.scope(name, () => gather(context.parameter("weight", [rows, dim], init), index));
}

/** Layer norm over the last axis with trained `weight` and `bias`. */
export function norm(context: Context, name: string, x: Value, epsilon = 1e-5): Value {
  if (x.rank === 0)
    throw new JobError("SETTING", `${context.builder.label(name)}: a scalar can't be normalised; give it an axis`);
  const extent = x.shape[x.rank - 1];
  return context.scope(name, () =>
    layerNorm(x, context.parameter("weight", [extent], ones), context.parameter("bias", [extent], zeros), epsilon),
  );
}
