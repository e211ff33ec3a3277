/**
 * The salt of a commitment: a hash of a signature, which only the key can make and which it makes again the same (RFC 6979). So a
 * claim can be revealed from any machine that has the key and the trace; there is nothing else to lose.
 */
import { type Address, type Hex, keccak256 } from "viem";
import type { LocalAccount } from "viem/accounts";

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
