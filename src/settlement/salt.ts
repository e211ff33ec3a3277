/**
 * The salt of a commitment: the hash of a signature. Only the key can make the signature, and it is the same
 * each time (RFC 6979). So a claim can be revealed from any machine that has the key and the trace, and
 * nothing else has to be kept. `secrets.ts` has what a client hides in the salt of its terms.
 */
import { type Address, type Hex, keccak256 } from "viem";
import type { LocalAccount } from "viem/accounts";

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
