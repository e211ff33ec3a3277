/**
 * The key of a sale: the hash of a signature, which only the seller's key can make, and makes the same each
 * time (RFC 6979). So nothing has to be kept, and no two sales have the same key.
 */
import { type Address, type Hex, keccak256, type LocalAccount } from "viem";
import { ChainError } from "../../errors/index.ts";
import type { Deployment } from "../deployment.ts";

/**
 * The exchange of a deployment.
 * @throws {ChainError} when the deployment has none
 */
export function exchangeOf({ exchange }: Deployment): Address {
  if (exchange !== undefined) return exchange;
  throw new ChainError(
    "CONTRACT_MISSING",
    "this deployment has no exchange; name a deployment that has one with --deployment",
    { contract: "exchange" },
  );
}

/**
 * The key with which an account seals a checkpoint for a sale.
 * @param sale the sale's id
 * @returns 32 bytes
 */
export async function saleKeyFor(account: LocalAccount, deployment: Deployment, sale: Hex): Promise<Hex> {
  const { chainId } = deployment;
  const signature = await account.signTypedData({
    domain: { name: "Verde sale key", version: "1", chainId, verifyingContract: exchangeOf(deployment) },
    types: { Key: [{ name: "sale", type: "bytes32" }] },
    primaryType: "Key",
    message: { sale },
  });
  return keccak256(signature);
}
