/**
 * The salt of a commitment: the hash of a signature. Only the key can make the signature, and it is the same
 * each time (RFC 6979). So a claim can be revealed from any machine that has the key and the trace, and
 * nothing else has to be kept.
 */
import { type Address, type Hex, keccak256 } from "viem";
import type { LocalAccount } from "viem/accounts";
import { ABIS } from "./contracts.ts";
import type { Session } from "./session.ts";

/**
 * The commitment that a seat makes before anyone reveals.
 * @param root the run root that it will claim
 */
export async function commitmentOf(
  { client, deployment }: Session,
  task: Hex,
  owner: Address,
  root: Hex,
  salt: Hex,
): Promise<Hex> {
  const args = [task, owner, root, salt] as const;
  return client.readContract({ address: deployment.manager, abi: ABIS.manager, functionName: "commitmentOf", args });
}

/**
 * The salt of an account's commitment.
 * @param task the task's id, which also binds the chain and the contract
 */
export async function saltFor(account: LocalAccount, manager: Address, chainId: number, task: Hex): Promise<Hex> {
  const signature = await account.signTypedData({
    domain: { name: "Verde commitment salt", version: "1", chainId, verifyingContract: manager },
    types: { Salt: [{ name: "task", type: "bytes32" }] },
    primaryType: "Salt",
    message: { task },
  });
  return keccak256(signature);
}
