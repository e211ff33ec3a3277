/** What the game needs to know of a task. */
import { type Address, type Hex, zeroAddress } from "viem";
import type { TaskView, Terms } from "../task.ts";

/** A task whose dispute is played in the game. */
export interface Case {
  task: Hex;
  /** The number of the task's dispute. */
  dispute: number;
  terms: Terms;
  /**
   * If challengers have brought the dispute before the game: their owners, and since when it is there, in
   * seconds since 1970. One of them has to open the bracket.
   */
  challenged?: { readonly by: readonly Address[]; readonly since: number };
}

/** What the game needs to know of a task that is before it, or was. */
export function caseOf({ id: task, dispute, terms, seats, deadline, phase }: TaskView): Case {
  const by = seats.flatMap(({ owner, role }) => (role === "challenger" ? [owner] : []));
  const byChallenge = phase === "Playing" && terms.committee === zeroAddress && by.length > 0;
  const challenged = { by, since: deadline - terms.periods.toPlay };
  return { task, dispute, terms, ...(byChallenge && { challenged }) };
}
