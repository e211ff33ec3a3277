/** What all calls need to know: a deployment on its chain, and the token of its stakes and rewards. */
import type { Address, PublicClient } from "viem";
import { ChainError, messageOf } from "../errors/index.ts";
import type { Token } from "./amount.ts";
import { ABIS } from "./contracts.ts";
import type { Deployment } from "./deployment.ts";
import type { TaskSource } from "./task.ts";

/** A deployment, and how to reach it. */
export interface Session {
  readonly client: PublicClient;
  readonly deployment: Deployment;
  readonly token: Token;
  /** Where to read its tasks. */
  readonly source: TaskSource;
}

/** @throws {ChainError} when the contracts are not there */
export async function sessionOf(client: PublicClient, deployment: Deployment): Promise<Session> {
  const { manager, block } = deployment;
  if ((await client.getCode({ address: manager })) === undefined)
    throw new ChainError(
      "CONTRACT_MISSING",
      `there is no contract at ${manager}, where the deployment has its manager. If the chain was restarted, deploy again; if not, name the right node with --rpc`,
      { manager },
    );
  const token = await readToken(client, deployment.token);
  return { client, deployment, token, source: { client, manager, fromBlock: BigInt(block) } };
}

async function readToken(client: PublicClient, address: Address): Promise<Token> {
  const contract = { address, abi: ABIS.token } as const;
  const [symbol, decimals] = await Promise.all([
    client.readContract({ ...contract, functionName: "symbol" }),
    client.readContract({ ...contract, functionName: "decimals" }),
  ]).catch((cause: unknown) => {
    throw new ChainError(
      "CONTRACT_KIND",
      `${address} is not a token with a symbol and decimals: ${messageOf(cause).split("\n")[0]}; give the address of an ERC-20 token`,
    );
  });
  return { symbol, decimals };
}
