/** What a transaction offers for its gas. */
import type { Signed } from "./journal.ts";

/** In wei for each unit of gas. */
export interface Fees {
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

/**
 * Nodes accept a replacement that offers an eighth more in both parts. The extra wei is for their rounding.
 */
const raised = (fee: bigint | string): bigint => (BigInt(fee) * 9n) / 8n + 1n;
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Whether a transaction offers less than an estimate, in either part. */
export function isLess(signed: Signed, { maxFeePerGas, maxPriorityFeePerGas }: Fees): boolean {
  return BigInt(signed.maxFeePerGas) < maxFeePerGas || BigInt(signed.maxPriorityFeePerGas) < maxPriorityFeePerGas;
}

/** What a transaction has offered, as numbers or as a journal has them. */
type Offer = Readonly<Record<keyof Fees, bigint | string>>;

/**
 * The fees to offer next.
 * @param estimate what the node estimates to be enough now
 * @param replaced the transaction that has to be replaced
 * @param cap the most that may be offered
 * @returns `undefined` if more is needed than may be offered
 */
export function nextFees(estimate: Fees, replaced?: Offer, cap?: bigint): Fees | undefined {
  const least = replaced ? raised(replaced.maxFeePerGas) : 0n;
  const tip = larger(estimate.maxPriorityFeePerGas, replaced ? raised(replaced.maxPriorityFeePerGas) : 0n);
  const wanted = larger(larger(estimate.maxFeePerGas, least), tip);
  if (cap === undefined || wanted <= cap) return { maxFeePerGas: wanted, maxPriorityFeePerGas: tip };
  // The estimate leaves room for a rising base fee; the cap may leave less.
  const enough = larger(least, tip);
  return enough <= cap ? { maxFeePerGas: cap, maxPriorityFeePerGas: tip } : undefined;
}
