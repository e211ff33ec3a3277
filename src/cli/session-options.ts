/** The options of commands that reach a chain. What opens a session is in session.ts, which loads much. */
import { type Command, Option } from "commander";
import { UsageError } from "../errors/index.ts";
import type { KeyFlags } from "./account.ts";
import { addProgressOption } from "./progress.ts";
import { addRpcOption } from "./rpc.ts";
import type { JournalFlags } from "./transactor.ts";

/**
 * The most to offer for each unit of gas, in gwei, unless the user says otherwise: a node whose estimate is a
 * thousand times too high would else make the account pay that.
 */
const MOST_FEE = "2000";

export interface ChainFlags {
  /** The addresses of nodes. If there are several, their answers are compared. */
  rpc: readonly string[];
  deployment: string;
  /** A file, or the hash of a transaction. */
  terms?: string;
  json?: boolean;
}

export interface SendFlags extends ChainFlags, KeyFlags, JournalFlags {
  dryRun?: boolean;
}

/** The options of commands that only read. */
export function addChainOptions(command: Command): Command {
  const file = process.env.VERDE_DEPLOYMENT || "deployment.json";
  return addRpcOption(command)
    .option("--deployment <file>", "the file with the contracts' addresses; VERDE_DEPLOYMENT sets the default", file)
    .option("--json", "one JSON object");
}

/** The option of commands about one task. */
export function addPostedOption(command: Command): Command {
  return command.option(
    "--terms <source>",
    "the task's terms, so that no events are read for them: what `verde task post --json` printed, in a file, or the hash of the transaction that posted the task",
  );
}

/** The options of commands that send transactions. */
export function addSendOptions(command: Command): Command {
  return addJournalOptions(addKeyOptions(addChainOptions(command)));
}

/** The options of how transactions are kept and paid. */
export function addJournalOptions(command: Command): Command {
  return addProgressOption(command)
    .option(
      "--journal <folder>",
      "where signed transactions are kept, for each account; default: VERDE_JOURNAL, or the user's state folder",
    )
    .option("--confirmations <n>", "blocks that make a transaction final", parseConfirmations, 1)
    .addOption(
      new Option("--max-fee <gwei>", "the most to offer for each unit of gas, whatever the node estimates")
        .argParser(parseMaxFee)
        .default(parseMaxFee(MOST_FEE), MOST_FEE),
    )
    .option("--replace", "replace waiting transactions of another wallet of the account by some that do nothing")
    .option("--dry-run", "show what would be sent, and sign nothing");
}

function parseConfirmations(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(
    "VALUE",
    `--confirmations ${JSON.stringify(text)} is not a number of blocks from 1 to 9999; write only digits`,
    { found: text },
  );
}

function parseMaxFee(text: string): bigint {
  const [, whole, part = ""] = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  const fee = whole === undefined ? 0n : BigInt(whole + part.padEnd(9, "0"));
  if (fee > 0n) return fee;
  throw new UsageError(
    "VALUE",
    `--max-fee ${JSON.stringify(text)} is not an amount in gwei; write a number, for example 2.5`,
    { found: text },
  );
}

export function addKeyOptions(command: Command): Command {
  return command
    .option("--keystore <file>", "the key that signs; default: VERDE_KEYSTORE (a file) or VERDE_PRIVATE_KEY (a key)")
    .option(
      "--password-file <file>",
      "a file with the keystore's password; without it VERDE_PASSWORD is used, or you are asked",
    );
}
