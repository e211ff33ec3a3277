/** Clipping: scales all gradients together to a norm. */
import { describe } from "../../errors/arguments.ts";
import { JobError } from "../../errors/index.ts";
import { map } from "../../graph/emit.ts";
import { fill } from "../../graph/fill.ts";
import { add } from "../../graph/ops/add.ts";
import { mul } from "../../graph/ops/mul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { sum } from "../../graph/ops/sum.ts";
import { dotColumns, dotRows } from "../../graph/rows.ts";
import { builderOf, expectFloat, type Value } from "../../graph/value.ts";
import { POSITIVE } from "../../repops/numbers/settings.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { floatOf, settingError } from "../settings.ts";

const NORM = defineProgram("f", (squares) => squares.sqrt());

/**
 * The square root of the sum of the squares of all gradients: f32 tensors of any shapes → an f32 scalar.
 * @throws {JobError} when there are no gradients
 */
export function globalNorm(gradients: readonly Value[]): Value {
  if (!Array.isArray(gradients))
    throw settingError("globalNorm", `the gradients are ${describe(gradients)}; pass a list of values`);
  const list: readonly Value[] = gradients;
  if (list.length === 0)
    throw new JobError("NO_PARAMETERS", "there are no gradients, so there is no norm; make a parameter in the job");
  builderOf("globalNorm", Object.fromEntries(Array.from(list, (gradient, i) => [`gradient ${i}`, gradient])));
  const squares = list.map((gradient) => {
    expectFloat(gradient, "globalNorm");
    if (gradient.rank === 0) return mul(gradient, gradient);
    if (gradient.rank === 1) return dotRows(gradient, gradient, "squares");
    const rows = reshape(gradient, [gradient.shape[0], -1]);
    return sum(dotColumns(rows, rows, "squares"), [0], "squares");
  });
  const total = squares.reduce((left, right) => add(left, right));
  return map(NORM, [total], { name: "gradient-norm", shape: [] });
}

/** min(1, limit/norm), the factor by which clipping scales every gradient. */
function clipFactor(norm: Value, limit: number): Value {
  const program = defineProgram("f", (value) => float(limit).div(value.max(limit)));
  return map(program, [norm], { name: "clip", shape: [] });
}

/**
 * Checks the option `clipNorm`; absent, gradients are not clipped.
 * @throws {JobError} when the norm to clip to is not above 0 once it is rounded
 */
export function clipNormOf(of: string, clipNorm: number | undefined): number | undefined {
  return clipNorm === undefined ? undefined : floatOf(of, "clipNorm", clipNorm, POSITIVE);
}

/**
 * The common factor of all gradients: an f32 scalar, 1 without clipping. With clipping, the norm is the
 * metric `gradient-norm`.
 * @param clipNorm has passed `clipNormOf`
 */
export function clipScale(context: Context, gradients: readonly Value[], clipNorm: number | undefined): Value {
  if (clipNorm === undefined) return fill(context.builder, [], 1, "clip");
  const norm = globalNorm(gradients);
  context.metric("gradient-norm", norm);
  return clipFactor(norm, clipNorm);
}
