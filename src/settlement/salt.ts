/**
 * The salt of a commitment: a hash of a signature, which only the key can make and which it makes again the same (RFC 6979). So a
 * claim can be revealed from any machine that has the key and the trace; there is nothing else to lose.
 */
import { type Address, type Hex, keccak256 } from "viem";
import type { LocalAccount } from "viem/accounts";
import { ABIS } from "./contracts.ts";
import type { Session } from "./session.ts";

/**
 * What a seat commits to before anyone reveals.
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

/** @param task the id, which binds chain and contract too */
export async function saltFor(account: LocalAccount, manager: Address, chainId: number, task: Hex): Promise<Hex> {
  const signature = await account.signTypedData({
    domain: { name: "Verde commitment salt", version: "1", chainId, verifyingContract: manager },
    types: { Salt: [{ name: "task", type: "bytes32" }] },
    primaryType: "Salt",
    message: { task },
  });
  return keccak256(signature);
}
