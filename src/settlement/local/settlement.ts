/** The contracts on a chain in this process, to show a dispute, and to try out what a real chain would do. */
import { createPublicClient, custom, http, parseUnits, type PublicClient } from "viem";
import { type LocalAccount, privateKeyToAccount } from "viem/accounts";
import { type DeployOptions, deployContracts } from "../deploy.ts";
import { type Session, sessionOf } from "../session.ts";
import { Caller } from "../transactions/caller.ts";
import { openLocalChain, publicPrivateKey, serveLocalChain } from "./chain.ts";
import type { Hardfork } from "./hardfork.ts";

/** A deployment on a chain in this process. */
export interface LocalSettlement {
  readonly session: Session;
  close(): Promise<void>;
}

/** One of the accounts that start with some of the chain's currency. @param index from 0 to 11 */
export function localAccount(index: number): LocalAccount {
  return privateKeyToAccount(publicPrivateKey(index));
}

/**
 * A new chain with the contracts on it, deployed by account 0.
 * @param hardfork the chain's rules
 * @throws {ChainError} when Hardhat is not installed
 */
export async function openLocalSettlement(options: DeployOptions, hardfork?: Hardfork): Promise<LocalSettlement> {
  const { provider, close } = await openLocalChain(hardfork);
  try {
    const client: PublicClient = createPublicClient({ transport: custom(provider), cacheTime: 0, pollingInterval: 20 });
    const deployment = await deployContracts(client, localAccount(0), options);
    return { session: await sessionOf(client, deployment), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The same, served to this machine, so that other processes reach it.
 * @param port the chain's port; 0 for any free one
 * @throws {ChainError} when Hardhat is not installed, or the port is in use
 */
export async function serveLocalSettlement(
  port: number,
  options: DeployOptions,
): Promise<LocalSettlement & { readonly url: string }> {
  const { url, close } = await serveLocalChain(port);
  try {
    const client: PublicClient = createPublicClient({ transport: http(url), cacheTime: 0, pollingInterval: 100 });
    const deployment = await deployContracts(client, localAccount(0), options);
    return { session: await sessionOf(client, deployment), url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Mints test tokens for an account. @param tokens the number of whole tokens */
export async function mintTokens(session: Session, account: LocalAccount, tokens: string): Promise<void> {
  const amount = parseUnits(tokens, session.token.decimals);
  await Caller.shortLived(session, account).call({
    contract: "token",
    functionName: "mint",
    args: [account.address, amount],
  });
}
