/** Opens the journal of an account, and finishes what an earlier command has begun. */
import type { LocalAccount, PublicClient } from "viem";
import type { Settled } from "../settlement/transactions/actions.ts";
import { STUCK_MILLIS } from "../settlement/transactions/caller.ts";
import { Node } from "../settlement/transactions/node.ts";
import { Transactor } from "../settlement/transactions/transactor.ts";
import { journalFolder, openJournal } from "./journals.ts";
import { reportLine } from "./output.ts";
import { Progress } from "./progress.ts";

const OUTCOMES = { mined: "it has taken effect", reverted: "it was refused" } as const;

/** How transactions are kept and paid. */
export interface JournalFlags {
  /** A folder. */
  journal?: string;
  confirmations: number;
  /** In wei for each unit of gas. */
  maxFee: bigint;
  replace?: boolean;
}

export interface OpenedTransactor {
  readonly transactor: Transactor;
  /** Calls of an earlier process that have been found on the chain. */
  readonly found: readonly Settled[];
  readonly progress: Progress;
  /** Ends without reporting outcomes, so that the next command continues. */
  abandon(): void;
}

/**
 * @param awayMillis how long the node may be away before a call fails, in milliseconds
 * @throws {ChainError} when another command sends for the account, or what was begun can't be finished
 */
export async function openTransactor(
  client: PublicClient,
  chainId: number,
  account: LocalAccount,
  flags: JournalFlags,
  awayMillis: number,
): Promise<OpenedTransactor> {
  const journal = await openJournal(flags.journal ?? journalFolder(), client, chainId, account.address);
  const progress = new Progress();
  const node = new Node(client, chainId, { pollMillis: client.pollingInterval, awayMillis });
  const transactor = new Transactor(node, account, chainId, journal, {
    confirmations: flags.confirmations,
    stuckMillis: STUCK_MILLIS,
    maxFeePerGas: flags.maxFee,
    replaceForeign: flags.replace ?? false,
    onForeign: (count) =>
      reportLine(
        `verde: ${count} transactions of another wallet of ${account.address} wait for a block, and this one waits for them. ` +
          "If they are stuck, stop this command and run it again with --replace",
      ),
    onProgress: (text) => progress.show(text, true),
  });
  // The lock is released however the command ends, unless it is killed.
  const close = (): void => transactor.close();
  process.once("exit", close);
  const abandon = (): void => {
    process.off("exit", close);
    transactor.abandon();
  };
  // A caller that opens it again must not find the journal locked.
  const found = await transactor.reconcile().catch((error: unknown) => {
    abandon();
    throw error;
  });
  progress.clear();
  for (const { what, hash, status } of found)
    reportLine(`verde: an earlier ${what} was already sent as ${hash}: ${OUTCOMES[status]}`);
  return { transactor, found, progress, abandon };
}
