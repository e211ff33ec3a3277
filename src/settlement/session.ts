/** What all calls need to know: a deployment on its chain, and the token of its stakes and rewards. */
import type { PublicClient } from "viem";
import { ChainError } from "../errors/index.ts";
import type { Token } from "./amount.ts";
import { checkCodes } from "./code.ts";
import type { Deployment } from "./deployment.ts";
import { LogReader } from "./logs/reader.ts";
import { KnownTerms } from "./posted.ts";
import type { TaskSource } from "./task.ts";
import { readToken } from "./token.ts";

/** A deployment, and how to reach it. */
export interface Session {
  readonly client: PublicClient;
  readonly deployment: Deployment;
  readonly token: Token;
  /** Where to read its tasks. */
  readonly source: TaskSource;
}

/** How events and terms are read. */
export interface Reading {
  readonly logs?: LogReader;
  readonly terms?: KnownTerms;
}

/** @throws {ChainError} when the contracts are not there */
export async function sessionOf(
  client: PublicClient,
  deployment: Deployment,
  { logs = new LogReader(client), terms = new KnownTerms() }: Reading = {},
): Promise<Session> {
  const { chainId, manager, block } = deployment;
  await checkCodes(client, deployment);
  const token = await readToken(client, deployment.token);
  if (deployment.decimals !== undefined && token.decimals !== deployment.decimals)
    throw new ChainError(
      "ANSWER_FALSE",
      `the node says that the token ${deployment.token} has ${token.decimals} decimals, and the deployment says ${deployment.decimals}; ` +
        "an amount would mean something else, so name another node with --rpc",
      { answer: "decimals", expected: deployment.decimals, found: token.decimals },
    );
  return {
    client,
    deployment,
    token,
    source: {
      client,
      chainId,
      manager,
      fromBlock: BigInt(block),
      logs,
      terms,
    },
  };
}
