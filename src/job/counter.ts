/** Counters of training steps that begin at 0 with the entries that they belong to, and not with the job. */
import { map } from "../graph/emit.ts";
import { fillInt } from "../graph/fill.ts";
import type { Value } from "../graph/value.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import type { Context } from "./context.ts";
import type { Initializer } from "./initializers.ts";

/** i32 zeros. */
export const intZeros: Initializer = (source, shape) => fillInt(source.seed.builder, shape, 0, "zeros");

const NEXT = defineProgram("i", (count) => count.add(1));

/**
 * A counter, an entry of the state: how many training steps had it before this one, and with this one. A job
 * that begins with the weights and the step of another run has a step above 1 and no moments yet.
 */
export function counted(context: Context, name: string): { before: Value; now: Value } {
  const type = { dtype: "i32", shape: [] } as const;
  const entry = { name, type, init: intZeros, parameter: false, frozen: false };
  const before = context.entries.find(name)?.value ?? context.entries.add(entry);
  const now = map(NEXT, [before], { name: "count", shape: [] });
  context.entries.setNext(before, now);
  return { before, now };
}
