/** What the commands of settlement have in common: a chain, a deployment on it, and perhaps an account. */
import { join } from "node:path";
import { type Command, Option } from "commander";
import { type Hex, parseGwei, type PublicClient } from "viem";
import { ChainError, messageOf, unreadable, UsageError } from "../errors/index.ts";
import { cacheFolder } from "../files/places.ts";
import { readRegularText } from "../files/regular.ts";
import { parseDeployment } from "../settlement/deployment.ts";
import { LogReader } from "../settlement/logs/reader.ts";
import { LogFolder } from "../settlement/logs/store.ts";
import { endpointsAt } from "../settlement/nodes/endpoint.ts";
import { clientOf, type QuorumOptions } from "../settlement/nodes/quorum.ts";
import { KnownTerms, parsePosted, type Posted, postedBy } from "../settlement/posted.ts";
import { type Reading, type Session, sessionOf } from "../settlement/session.ts";
import type { KeyFlags } from "./account.ts";
import { addProgressOption, Progress } from "./progress.ts";
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
        .default(parseGwei(MOST_FEE), MOST_FEE),
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
  if (/^\d+(\.\d{1,9})?$/.test(text) && parseGwei(text) > 0n) return parseGwei(text);
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

/** @throws {ChainError} when nobody answers, or the nodes serve different chains */
export async function connect(
  rpc: readonly string[],
  options?: QuorumOptions,
): Promise<{ client: PublicClient; chainId: number }> {
  const endpoints = endpointsAt(rpc);
  const client = clientOf(endpoints, options);
  const chainId = await client.getChainId().catch((cause: unknown) => {
    if (cause instanceof ChainError) throw cause;
    const { shortMessage, details } = cause as { shortMessage?: string; details?: string };
    const detail = endpoints.length > 1 && details ? details : (shortMessage ?? messageOf(cause).split("\n")[0]);
    const names = endpoints.map(({ name }) => name).join(", ");
    throw new ChainError(
      "UNREACHABLE",
      `no chain answers at ${names} (${detail}); name a node with --rpc, or start a local one with \`verde chain node\``,
      { rpc: names },
    );
  });
  return { client, chainId };
}

/**
 * @param options how the answers of several nodes are compared
 * @throws {FormatError | ChainError} when the file is no deployment, or the node serves another chain
 */
export async function openSession(flags: ChainFlags, options?: QuorumOptions): Promise<Session> {
  const { rpc, deployment: file } = flags;
  const text = await readRegularText(file).catch((cause: unknown) => {
    throw unreadable(
      `the deployment ${file}`,
      file,
      cause,
      "name it with --deployment, or make one with `verde chain deploy`",
    );
  });
  const deployment = parseDeployment(text, file);
  const { client, chainId } = await connect(rpc, options);
  if (chainId !== deployment.chainId)
    throw new ChainError(
      "WRONG_CHAIN",
      `${file} is for chain ${deployment.chainId}, but ${rpc.length > 1 ? "the nodes serve" : `the node at ${rpc[0]} serves`} chain ${chainId}; name a node of that chain with --rpc, or another deployment`,
      { expected: deployment.chainId, found: chainId },
    );
  const session = await sessionOf(client, deployment, readingOf(client, rpc, chainId));
  if (flags.terms !== undefined) await giveTerms(session, flags.terms);
  return session;
}

/** Events and terms are kept on the disk, so that the next command need not read them again. */
function readingOf(client: PublicClient, rpc: readonly string[], chainId: number): Reading {
  const progress = new Progress();
  const folder = cacheFolder();
  const onProgress = (block: bigint, last: bigint): void => {
    if (block < last) progress.show(`reading events: block ${block} of ${last}`);
    else progress.clear();
  };
  if (folder === undefined) return { logs: new LogReader(client, { onProgress }) };
  const store = new LogFolder(join(folder, "events"), [`${chainId}`, ...rpc]);
  return { logs: new LogReader(client, { onProgress, store }), terms: new KnownTerms(join(folder, "terms")) };
}

/** @throws {FormatError | ChainError | FileError} when there are no terms */
async function giveTerms({ client, deployment, source }: Session, from: string): Promise<void> {
  const isHash = /^0x[0-9a-f]{64}$/i.test(from);
  const { terms, block } = isHash ? await postedBy(client, deployment, from as Hex) : await postedIn(from);
  source.terms?.give(deployment, terms, from);
  // There are no events of the task before it was posted.
  if (block !== undefined && block > source.fromBlock) source.fromBlock = block;
}

async function postedIn(file: string): Promise<Posted> {
  const text = await readRegularText(file).catch((cause: unknown) => {
    throw unreadable(
      `the terms ${file}`,
      file,
      cause,
      "name a file, or the hash of the transaction that posted the task",
    );
  });
  return parsePosted(text, file);
}
