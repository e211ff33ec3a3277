/** Layer norm with trained parameters. */
import { JobError } from "../../errors/index.ts";
import { layerNorm } from "../../graph/ops/layer-norm.ts";
import type { Value } from "../../graph/value.ts";
import type { Context } from "../context.ts";
import { ones, zeros } from "../initializers.ts";

/**
 * Layer norm over the last axis: f32 [..., n] → [..., n]. Parameters `weight` [n], initially ones, and `bias`
 * [n], initially zeros.
 * @param name the scope of its parameters and operators
 * @param epsilon added to the variance; default 1e-5
 * @throws {JobError} when x is a scalar, or the name is taken
 * @throws {ShapeError} when x is not f32
 */
export function norm(context: Context, name: string, x: Value, epsilon = 1e-5): Value {
  if (x.rank === 0)
    throw new JobError("SETTING", `${context.builder.label(name)}: a scalar can't be normalised; give it an axis`);
  const extent = x.shape[x.rank - 1];
  return context.scope(name, () =>
    layerNorm(x, context.parameter("weight", [extent], ones), context.parameter("bias", [extent], zeros), epsilon),
  );
}
