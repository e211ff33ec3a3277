/** What the game needs to know of a task. */
import { type Address, type Hex, zeroAddress } from "viem";
import type { TaskView, Terms } from "../task.ts";

/** A task whose dispute is played in the game. */
export interface Case {
  task: Hex;
  /** The number of the task's dispute. */
  dispute: number;
  terms: Terms;
  /** Whether the task can be neither challenged nor disputed any more. */
  settled?: boolean;
  /**
   * If challengers have brought the dispute before the game: their owners, and since when it is there, in
   * seconds since 1970. One of them has to open the bracket.
   */
  challenged?: { readonly by: readonly Address[]; readonly since: number };
}

const SETTLED: ReadonlySet<string> = new Set(["Settled", "Final", "Refunded"]);

/** Whether a task can be neither challenged nor disputed any more: then it needs no bonds. */
export const isSettled = ({ state }: Pick<TaskView, "state">): boolean => SETTLED.has(state);

/** What the game needs to know of a task that is before it, or was. */
export function caseOf(view: TaskView): Case {
  const { id: task, dispute, terms, seats, deadline, phase } = view;
  const by = seats.flatMap(({ owner, role }) => (role === "challenger" ? [owner] : []));
  const byChallenge = phase === "Playing" && terms.committee === zeroAddress && by.length > 0;
  const challenged = { by, since: deadline - terms.periods.toPlay };
  return { task, dispute, terms, settled: isSettled(view), ...(byChallenge && { challenged }) };
}
