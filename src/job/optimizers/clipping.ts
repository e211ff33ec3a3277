/** Clipping: scales all gradients together to a norm. */
import { JobError } from "../../errors/index.ts";
import { map } from "../../graph/emit.ts";
import { fill } from "../../graph/fill.ts";
import { add } from "../../graph/ops/add.ts";
import { mul } from "../../graph/ops/mul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { sum } from "../../graph/ops/sum.ts";
import { dotColumns, dotRows } from "../../graph/rows.ts";
import type { Value } from "../../graph/value.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";

const NORM = defineProgram("f", (squares) => squares.sqrt());

/**
 * The square root of the sum of the squares of all gradients: f32 tensors of any shapes → an f32 scalar.
 * @throws {JobError} when there are no gradients
 */
export function globalNorm(gradients: readonly Value[]): Value {
  if (gradients.length === 0)
    throw new JobError("NO_PARAMETERS", "there are no gradients, so there is no norm; make a parameter in the job");
  const squares = gradients.map((gradient) => {
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
 * The common factor of all gradients: an f32 scalar, 1 without clipping. With clipping, the norm is the
 * metric `gradient-norm`.
 * @throws {JobError} when the norm to clip to is not above 0
 */
export function clipScale(context: Context, gradients: readonly Value[], clipNorm: number | undefined): Value {
  if (clipNorm === undefined) return fill(context.builder, [], 1, "clip");
  if (!(clipNorm > 0))
    throw new JobError("SETTING", `gradients can't be clipped to a norm of ${clipNorm}; take a norm above 0`);
  const norm = globalNorm(gradients);
  context.metric("gradient-norm", norm);
  return clipFactor(norm, clipNorm);
}
