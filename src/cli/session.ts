/** What the commands of settlement have in common: a chain, a deployment on it, and perhaps an account. */
import { join } from "node:path";
import type { Hex, PublicClient } from "viem";
import { ChainError, messageOf, unreadable } from "../errors/index.ts";
import { cacheFolder } from "../files/places.ts";
import { readRegularText } from "../files/regular.ts";
import { parseDeployment } from "../settlement/deployment.ts";
import { LogReader } from "../settlement/logs/reader.ts";
import { LogFolder } from "../settlement/logs/store.ts";
import { endpointsAt } from "../settlement/nodes/endpoint.ts";
import { clientOf, type QuorumOptions } from "../settlement/nodes/quorum.ts";
import { KnownTerms, parsePosted, type Posted, postedBy } from "../settlement/posted.ts";
import { type Reading, type Session, sessionOf } from "../settlement/session.ts";
import { Progress } from "./progress.ts";
import type { ChainFlags } from "./session-options.ts";

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
