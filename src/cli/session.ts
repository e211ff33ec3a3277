/** What the commands of settlement have in common: a chain, a deployment on it, and perhaps an account. */
import type { Command } from "commander";
import { createPublicClient, http, parseGwei, type PublicClient } from "viem";
import { ChainError, messageOf, unreadable, UsageError } from "../errors/index.ts";
import { readRegularText } from "../files/regular.ts";
import { parseDeployment } from "../settlement/deployment.ts";
import { type Session, sessionOf } from "../settlement/session.ts";
import type { KeyFlags } from "./account.ts";
import { addProgressOption } from "./progress.ts";

export interface ChainFlags {
  rpc: string;
  deployment: string;
  json?: boolean;
}

export interface SendFlags extends ChainFlags, KeyFlags {
  /** A folder. */
  journal?: string;
  confirmations: number;
  /** In wei for each unit of gas. */
  maxFee?: bigint;
  dryRun?: boolean;
}

export function addRpcOption(command: Command): Command {
  const url = process.env.VERDE_RPC || "http://127.0.0.1:8545";
  return command.option("--rpc <url>", "a node of the chain; VERDE_RPC sets the default", url);
}

/** The options of commands that only read. */
export function addChainOptions(command: Command): Command {
  const file = process.env.VERDE_DEPLOYMENT || "deployment.json";
  return addRpcOption(command)
    .option("--deployment <file>", "the file with the contracts' addresses; VERDE_DEPLOYMENT sets the default", file)
    .option("--json", "one JSON object");
}

/** The options of commands that send transactions. */
export function addSendOptions(command: Command): Command {
  return addProgressOption(addKeyOptions(addChainOptions(command)))
    .option(
      "--journal <folder>",
      "where signed transactions are kept, for each account; default: VERDE_JOURNAL, or the user's state folder",
    )
    .option("--confirmations <n>", "blocks that make a transaction final", parseConfirmations, 1)
    .option("--max-fee <gwei>", "the most to offer for each unit of gas", parseMaxFee)
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

/** @throws {ChainError} when nobody answers */
export async function connect(rpc: string): Promise<{ client: PublicClient; chainId: number }> {
  if (!URL.canParse(rpc) || !/^https?:$/.test(new URL(rpc).protocol))
    throw new ChainError(
      "RPC",
      `--rpc ${JSON.stringify(rpc)} is not the address of a node; write one that begins with http:// or https://`,
      { found: rpc },
    );
  const client = createPublicClient({ transport: http(rpc, { retryCount: 2 }), cacheTime: 0, pollingInterval: 500 });
  const chainId = await client.getChainId().catch((cause: unknown) => {
    const detail = messageOf(cause).split("\n")[0];
    throw new ChainError(
      "UNREACHABLE",
      `no chain answers at ${rpc} (${detail}); name a node with --rpc, or start a local one with \`verde chain node\``,
      { rpc },
    );
  });
  return { client, chainId };
}

/** @throws {FormatError | ChainError} when the file is no deployment, or the node serves another chain */
export async function openSession(flags: ChainFlags): Promise<Session> {
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
  const { client, chainId } = await connect(rpc);
  if (chainId !== deployment.chainId)
    throw new ChainError(
      "WRONG_CHAIN",
      `${file} is for chain ${deployment.chainId}, but the node at ${rpc} serves chain ${chainId}; name a node of that chain with --rpc, or another deployment`,
      { expected: deployment.chainId, found: chainId },
    );
  return sessionOf(client, deployment);
}
