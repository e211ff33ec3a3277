/** Steps that are not taken: those whose gradients have a norm that is an outlier. */
import { map } from "../../graph/emit.ts";
import type { Value } from "../../graph/value.ts";
import { POSITIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { MAX_VALUE } from "../../repops/numbers/vf32.ts";
import { type Context } from "../context.ts";
import { counted } from "../counter.ts";
import { zeros } from "../initializers.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";

/** When a training step is skipped. At least one of `norm` and `ratio` is given. */
export interface SkipOptions {
  /** The greatest norm of a step that is taken. */
  norm?: number;
  /** The greatest multiple of the running mean of the norms of earlier steps; above 1. */
  ratio?: number;
  /** The share of the running mean that each training step keeps; default 0.98. */
  decay?: number;
  /** The number of first steps that `ratio` never skips, while the mean is formed; default 20. */
  after?: number;
}

/**
 * Checks the option `skipAbove`, and gives the function that adds the operators.
 * @param of the optimizer's name
 * @throws {JobError} for an unknown option, or a value that is out of its range
 */
export function skipOf(
  of: string,
  option: number | SkipOptions | undefined,
): ((context: Context, norm: Value) => void) | undefined {
  if (option === undefined) return undefined;
  const what = `${of}: skipAbove`;
  if (typeof option === "number") return skipping({ norm: floatOf(of, "skipAbove", option, POSITIVE) });
  expectOptions(what, option, ["norm", "ratio", "decay", "after"]);
  const { norm, ratio, decay = 0.98, after = 20 } = option;
  if (norm === undefined && ratio === undefined)
    throw settingError(what, "neither norm nor ratio is given, so no step would be skipped; give one of them");
  if (norm !== undefined) floatOf(what, "norm", norm, POSITIVE);
  if (ratio !== undefined) floatOf(what, "ratio", ratio, { above: 1 });
  floatOf(what, "decay", decay, SHARE);
  countOf(what, "after", after, 1);
  return skipping({ norm, ratio, decay, after });
}

function skipping({ norm: limit = MAX_VALUE, ratio, decay = 0, after = 0 }: SkipOptions) {
  const fixed = defineProgram("f", (norm) => norm.lt(limit).or(norm.eq(limit)).select(0, 1));
  if (ratio === undefined)
    return (context: Context, norm: Value): void => {
      skip(context, map(fixed, [norm], { name: "skipped", shape: [] }));
    };
  const bound = defineProgram("fi", (usual, step) => step.lt(after + 1).select(limit, usual.mul(ratio).min(limit)));
  const above = defineProgram("ff", (norm, most) => most.lt(norm).select(1, 0));
  // A norm that is skipped counts as the bound: the mean can follow norms that have grown for good.
  const next = defineProgram("fffi", (usual, norm, most, step) => {
    const taken = norm.min(most);
    return step.eq(1).select(taken, usual.mul(decay).add(taken.mul(1 - decay)));
  });
  return (context: Context, norm: Value): void => {
    const name = "optimizer/usual-gradient-norm";
    const steps = counted(context, "optimizer/norms");
    const usual = context.state(name, { dtype: "f32", shape: [] }, zeros);
    const most = map(bound, [usual, steps.now], { name: "skip-above", shape: [] });
    context.update(usual, map(next, [usual, norm, most, steps.now], { name: "usual-gradient-norm", shape: [] }));
    skip(context, map(above, [norm, most], { name: "skipped", shape: [] }), [usual, steps.before]);
  };
}

function skip(context: Context, skipped: Value, except: readonly Value[] = []): void {
  context.metric("skipped", skipped);
  context.entries.holdWhere(skipped, except);
}
