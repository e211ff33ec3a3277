/** What a provider needs of its account: it signs, sends, and keeps salts. */
import type { Address, Hex, TransactionReceipt } from "viem";
import type { FinishedTrace } from "../../referee/trace-memory.ts";
import type { ContractCall } from "../../settlement/transactions/caller.ts";

export interface ProviderAccount {
  readonly address: Address;
  /** Sends a call, and waits until it is in a block. Calls are made one after the other. */
  send(call: ContractCall): Promise<TransactionReceipt | undefined>;
  /** The salt of the account's commitment in a task. */
  salt(task: Hex): Promise<Hex>;
  /** Records a finished trace as the account's claim: its key signs what is said about the run. */
  claimRun(trace: FinishedTrace): Promise<void>;
}

/** The same account, whose calls wait for each other: many tasks share one number of transactions. */
export function inTurn(account: ProviderAccount): ProviderAccount {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    address: account.address,
    salt: (task) => account.salt(task),
    claimRun: (trace) => account.claimRun(trace),
    send: (call) => {
      const sent = turn.then(() => account.send(call));
      turn = sent.catch(() => undefined);
      return sent;
    },
  };
}
