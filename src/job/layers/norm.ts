/** Layer norm with trained parameters. */
import { layerNorm } from "../../graph/ops/layer-norm.ts";
import type { Value } from "../../graph/value.ts";
import { NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import type { Context } from "../context.ts";
import { ones, zeros } from "../initializers.ts";
import { floatOf, settingError } from "../settings.ts";
import { expectLayer } from "./arguments.ts";

/**
 * Layer norm over the last axis: f32 [..., n] → [..., n]. Parameters `weight` [n], initially ones, and `bias`
 * [n], initially zeros.
 * @param name the scope of its parameters and operators
 * @param epsilon added to the variance; default 1e-5
 * @throws {JobError} when x is a scalar, epsilon is negative or not a vf32, or the name is taken
 * @throws {ShapeError} when x is not f32
 */
export function norm(context: Context, name: string, x: Value, epsilon = 1e-5): Value {
  const path = expectLayer("norm", context, name, x);
  floatOf(path, "epsilon", epsilon, NOT_NEGATIVE);
  if (x.rank === 0) throw settingError(path, "a scalar can't be normalised; give it an axis");
  const extent = x.shape[x.rank - 1];
  return context.scope(name, () =>
    layerNorm(x, context.parameter("weight", [extent], ones), context.parameter("bias", [extent], zeros), epsilon),
  );
}
