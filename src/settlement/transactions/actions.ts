/** The actions that a journal's records describe: each with its attempts and its outcome. */
import type { Address, Hex } from "viem";
import type { JournalRecord, Signed } from "./journal.ts";

/** A call that should take effect once. */
export interface Call {
  what: string;
  /** The contract. Absent if the transaction creates one. */
  to?: Address;
  data: Hex;
  /** Wei that are sent with it. Default: none. */
  value?: bigint;
  /** Whether it has taken effect already. It is called if another transaction has used the nonce. */
  isDone?(): Promise<boolean>;
}

/** A call of an earlier command. */
export interface Settled {
  what: string;
  to?: Address;
  data: Hex;
  hash: Hex;
  status: "mined" | "reverted";
}

export interface Action {
  /** Its id in the journal. */
  readonly id: string;
  /** The name of the call, for people. */
  readonly what: string;
  readonly to?: Address;
  readonly data: Hex;
  /** Wei that are sent with it. */
  readonly value: bigint;
  /** All transactions that were signed for it, oldest first. */
  readonly signed: Signed[];
  /** Nonces that other transactions of the account have used. */
  readonly lost: Set<number>;
  /** The block in which it was last seen, with enough confirmations. */
  outcome?: { status: "mined" | "reverted"; hash: Hex; block: number; blockHash: Hex };
  closed: boolean;
}

/** The actions by id, in the order in which they were begun. */
export function actionsOf(records: readonly JournalRecord[]): Map<string, Action> {
  const actions = new Map<string, Action>();
  for (const record of records) {
    if (record.kind === "journal") continue;
    if (record.kind === "action") {
      const { action: id, what, to, data, value = "0" } = record;
      actions.set(id, { id, what, to, data, value: BigInt(value), signed: [], lost: new Set(), closed: false });
      continue;
    }
    const action = actions.get(record.action);
    if (action) apply(action, record);
  }
  return actions;
}

function apply(action: Action, record: Exclude<JournalRecord, { kind: "journal" | "action" }>): void {
  switch (record.kind) {
    case "signed":
      action.signed.push(record);
      return;
    case "mined":
    case "reverted": {
      const { kind: status, hash, block, blockHash } = record;
      action.outcome = { status, hash, block, blockHash };
      return;
    }
    case "reorganized":
      delete action.outcome;
      return;
    case "void":
      action.lost.add(record.nonce);
      return;
    case "closed":
      action.closed = true;
  }
}

/** Transactions that may still take effect: those with the last nonce, unless that nonce is lost. */
export function attemptsOf({ signed, lost }: Action): Signed[] {
  const last = signed[signed.length - 1];
  return last && !lost.has(last.nonce) ? signed.filter(({ nonce }) => nonce === last.nonce) : [];
}

/** Whether an action is for this call. */
export const isSame = (action: Action, { to, data, value = 0n }: Call): boolean =>
  action.to === to && action.data === data && action.value === value;

/** The newest transaction that was signed with a nonce, and its action. Closed actions are searched too. */
export function signedWith(actions: readonly Action[], nonce: number): { action: Action; last: Signed } | undefined {
  for (const action of actions) {
    const last = action.signed.findLast((one) => one.nonce === nonce);
    if (last) return { action, last };
  }
  return undefined;
}
