/**
 * Transactions that another wallet of the account has sent, and that wait for a block. Those of the account
 * with higher nonces wait for them, however much they offer.
 */
import { type Address, keccak256, type LocalAccount } from "viem";
import { ChainError } from "../../errors/index.ts";
import { type Action, attemptsOf, signedWith } from "./actions.ts";
import { type Fees, nextFees } from "./fees.ts";
import type { Node } from "./node.ts";

/** What to do about them. */
export interface ForeignOptions {
  /** The most to pay for each unit of gas, in wei. */
  maxFeePerGas?: bigint;
  /** Whether to replace them. */
  replaceForeign?: boolean;
  /** Called when there are some that are not replaced. */
  onForeign?(count: number): void;
}

/** An account that sends transactions. */
interface Sending {
  readonly node: Node;
  readonly account: LocalAccount;
  readonly chainId: number;
  readonly options: ForeignOptions;
}

/**
 * Looks for transactions of another wallet that wait before one of ours. All of ours that the chain has
 * dropped have been sent again.
 * @param actions all that the journal knows
 * @throws {ChainError} when they are to be replaced, and that costs more than is allowed
 */
export async function clearWay(action: Action, actions: ReadonlyMap<string, Action>, sending: Sending): Promise<void> {
  const { node, account, options } = sending;
  const [{ nonce }] = attemptsOf(action);
  const known = [...actions.values()];
  const isForeign = (other: number): boolean => signedWith(known, other) === undefined;
  let waiting = 0;
  for (let other = await node.noncesUsed(account.address); other < nonce; other++) if (isForeign(other)) waiting++;
  if (waiting === 0) return;
  if (options.replaceForeign) await replaceBefore(nonce, isForeign, action.to, sending);
  else options.onForeign?.(waiting);
}

/**
 * Replaces each transaction that waits before a nonce by one that sends nothing to the account itself. None
 * of them is in a journal: they have no effect. Ours are waited for.
 */
async function replaceBefore(
  nonce: number,
  isForeign: (nonce: number) => boolean,
  contract: Address | undefined,
  { node, account, chainId, options }: Sending,
): Promise<void> {
  const { maxFeePerGas } = options;
  const { address } = account;
  let offered: { nonce: number; fees: Fees } | undefined;
  for (;;) {
    const waiting = await node.noncesUsed(address);
    if (waiting >= nonce) return;
    if (!isForeign(waiting)) {
      await node.pause();
      continue;
    }
    const before = offered?.nonce === waiting ? offered.fees : undefined;
    const fees = nextFees(await node.reach((client) => client.estimateFeesPerGas()), before, maxFeePerGas);
    if (!fees)
      throw new ChainError(
        "FEE",
        `to replace the waiting transaction ${waiting} of ${address} needs a fee above ${maxFeePerGas} wei for each unit of gas; allow more with --max-fee, or wait`,
        { expected: `at most ${maxFeePerGas}`, nonce: waiting },
      );
    // An account may have code that is executed then (EIP-7702).
    const gas = await node.reach((client) => client.estimateGas({ account: address, to: address }));
    const request = { type: "eip1559", chainId, to: address, nonce: waiting, gas, ...fees } as const;
    const raw = await account.signTransaction(request);
    offered = { nonce: waiting, fees };
    if ((await node.broadcast(raw, keccak256(raw), contract)) !== "taken") continue;
    while ((await node.noncesUsed(address)) <= waiting) await node.pause();
  }
}
