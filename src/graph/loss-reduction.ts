/** What a loss makes of the losses of its elements. */
import { describe, type Refuse } from "../errors/arguments.ts";
import { mean } from "./ops/mean.ts";
import { sum } from "./ops/sum.ts";
import type { Value } from "./value.ts";

/** `mean` and `sum` give a scalar, `none` one loss for each element. */
export type Reduction = "mean" | "sum" | "none";

/** The option that losses have. */
export interface LossOptions {
  /** Default `mean`. */
  reduction?: Reduction;
}

/** @throws what `refuse` makes, for anything but a reduction */
export function expectReduction(reduction: unknown, refuse: Refuse, known = ["mean", "sum", "none"]): void {
  if (!known.includes(reduction as string))
    throw refuse(`the reduction is ${describe(reduction)}; take ${known.join(", ").replace(/, (\w+)$/, " or $1")}`);
}

/** Reduces losses: f32 [...] → a scalar, or the same. */
export function reduced(losses: Value, reduction: Reduction, name: string): Value {
  if (reduction === "none") return losses;
  return reduction === "sum" ? sum(losses, undefined, name) : mean(losses, undefined, name);
}
