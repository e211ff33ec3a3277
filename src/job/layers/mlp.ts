/** The feed-forward half of a transformer's block. */
import { geluTanh } from "../../graph/ops/gelu.ts";
import type { Value } from "../../graph/value.ts";
import type { Context } from "../context.ts";
import { normal } from "../initializers.ts";
import { countOf } from "../settings.ts";
import { expectLayer } from "./arguments.ts";
import { linear } from "./linear.ts";

const DEVIATION = 0.02;

/**
 * Two affine layers with a GELU in its tanh form between them, as in GPT-2: f32 [..., n] → [..., 4n] → [...,
 * n]. The layers are `NAME.in` and `NAME.out`.
 * @param residual the initial weight of `NAME.out`; default normal with deviation 0.02
 * @throws {JobError} when x is a scalar, or the name is taken
 */
export function mlp(context: Context, name: string, x: Value, residual = normal(DEVIATION)): Value {
  const path = expectLayer("mlp", context, name, x);
  const dim = countOf(path, "the width, the last extent of x,", x.shape[x.rank - 1]);
  const hidden = geluTanh(linear(context, `${name}.in`, x, 4 * dim, { init: normal(DEVIATION) }));
  return linear(context, `${name}.out`, hidden, dim, { init: residual });
}
