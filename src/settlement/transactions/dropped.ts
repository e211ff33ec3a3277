/**
 * Transactions of ours that the chain has dropped after they were in a block. Those with higher nonces wait
 * for them, so they are sent again, whatever has become of their calls.
 */
import type { Address } from "viem";
import { type Action, signedWith } from "./actions.ts";
import type { Signed } from "./journal.ts";
import type { Node } from "./node.ts";

/** What waits before a nonce. */
interface Gap {
  /** How many nonces before it belong to no transaction that we have signed. */
  readonly foreign: number;
  /** A transaction of ours that the node refuses, because it offers too little. */
  readonly tooCheap?: { readonly action: Action; readonly last: Signed };
}

/**
 * Sends the dropped transactions before a nonce again.
 * @param actions all that the journal knows of
 */
export async function resendDropped(
  nonce: number,
  account: Address,
  node: Node,
  actions: readonly Action[],
): Promise<Gap> {
  let foreign = 0;
  for (let missing = await node.noncesUsed(account); missing < nonce; missing++) {
    const found = signedWith(actions, missing);
    if (!found) foreign++;
    else if (!(await node.knows(found.last.hash))) {
      const reception = await node.broadcast(found.last.raw, found.last.hash, found.action.to);
      if (reception === "too cheap") return { foreign, tooCheap: found };
    }
  }
  return { foreign };
}
