/**
 * What the owner of a seat should do in a task, apart from its moves in the game: reveal, deliver demanded
 * chunks, escalate a wrong ruling, and take the steps that anyone may take and somebody has to.
 */
import type { Hex } from "viem";
import { awaitsReveals, type Challenger, isUnchallenged, type OpenDemand, type Seat, type TaskView } from "./task.ts";
import type { ContractCall } from "./transactions/caller.ts";

/** What the owner of a seat has at hand. */
export interface SeatMeans {
  /** Whether to escalate a ruling against the claim to the game. */
  readonly escalate: boolean;
  /** The root and the salt that the seat has committed to. Absent if it should not reveal by itself. */
  readonly reveal?: () => Promise<{ readonly root: Hex; readonly salt: Hex } | undefined>;
  /** What bringing the task before its game posts, in wei. Default: nothing. */
  readonly bond?: () => Promise<bigint>;
  /** The call that delivers a chunk of the claim's final state. Absent if it should not deliver by itself. */
  readonly deliver?: (demand: OpenDemand) => Promise<ContractCall>;
}

/** A call of the task manager that is due. */
export interface Duty {
  readonly what: "reveal" | "compare" | "deliver" | "escalate" | "enforce" | "expire" | "finalize";
  /** Tells it from the task's other duties. */
  readonly key: string;
  /** `undefined` if it can't be made. */
  call(): Promise<ContractCall | undefined>;
}

/** Whether the committee has ruled against a claim. */
function losesBy({ ruling }: TaskView, root: Hex | undefined): boolean {
  const claim = ruling?.claims.findIndex((other) => other === root) ?? -1;
  return claim >= 0 && ((ruling!.losers >> BigInt(claim)) & 1n) === 1n;
}

/** Whether providers may reveal now: all have committed. */
function mayReveal({ state, committed, seats }: TaskView): boolean {
  return state === "Committed" || (state === "Accepted" && committed === seats.length);
}

/**
 * The duties of an account that has challenged and not revealed.
 * @param now the chain's time, in seconds
 */
export function challengerDuties(view: TaskView, { owner }: Challenger, now: number, means: SeatMeans): Duty[] {
  const { terms, phase, deadline } = view;
  if (awaitsReveals(view) && now > deadline)
    return [{ what: "expire", key: "expire", call: async () => managerCall("expire", [terms]) }];
  if (phase !== "Revealing" || !means.reveal) return [];
  const call = async (): Promise<ContractCall | undefined> => {
    const shown = await means.reveal!();
    return shown && managerCall("revealChallenge", [terms, owner, shown.root, shown.salt]);
  };
  return [{ what: "reveal", key: "reveal", call }];
}

const managerCall = (functionName: string, args: readonly unknown[]): ContractCall => ({
  contract: "manager",
  functionName,
  args,
});

/**
 * The duties of a seat that is not out, the most urgent first.
 * @param now the chain's time, in seconds
 */
export function dutiesOf(view: TaskView, { seat, root, commitment }: Seat, now: number, means: SeatMeans): Duty[] {
  const { id, terms, state, phase, ruling, waiting, deadline } = view;
  const late = now > deadline;
  const duties: Duty[] = [];
  const manager = (what: Duty["what"], args: readonly unknown[], value?: () => Promise<bigint>): void =>
    void duties.push({
      what,
      key: what,
      call: async () => ({ ...managerCall(what, args), ...(value && { value: await value() }) }),
    });
  if (means.reveal && root === undefined && commitment !== undefined && mayReveal(view))
    duties.push({
      what: "reveal",
      key: "reveal",
      call: async () => {
        const shown = await means.reveal!();
        return shown && managerCall("reveal", [id, BigInt(seat), shown.root, shown.salt]);
      },
    });
  if (means.deliver && (state === "Challengeable" || state === "Disputed" || state === "Settled"))
    for (const open of waiting)
      if (open.demand.root === root)
        duties.push({ what: "deliver", key: `deliver ${open.index}`, call: () => means.deliver!(open) });
  if (phase === "Ruled" && means.escalate && losesBy(view, root))
    manager("escalate", [terms, ruling, BigInt(seat)], means.bond);
  if (state === "Revealed") manager("compare", [id]);
  if (!late) return duties;
  // A seat that has not made its own move would slash itself.
  const done = state === "Open" || (state === "Accepted" ? commitment !== undefined : root !== undefined);
  const reveals = awaitsReveals(view);
  if (done && (state === "Open" || state === "Accepted" || state === "Committed" || phase === "Revealing" || reveals))
    manager("expire", [terms]);
  if (ruling && !losesBy(view, root)) manager("enforce", [terms, ruling]);
  if (isUnchallenged(view) && waiting.length === 0) manager("finalize", [terms]);
  return duties;
}
