/** Amounts of tokens and lengths of time, as people write them. */
import { formatUnits, parseUnits } from "viem";
import { UsageError } from "../errors/index.ts";

/** The token, or currency, of an amount. */
export interface Token {
  symbol: string;
  decimals: number;
}

/**
 * `10.5` whole tokens in the token's smallest units.
 * @throws {UsageError} if the text is not an amount, or has more decimals than the token
 */
export function parseAmount(text: string, { symbol, decimals }: Token): bigint {
  const [, fraction] = /^\d+(?:\.(\d+))?$/.exec(text) ?? fail(`${JSON.stringify(text)} is not an amount`);
  if ((fraction ?? "").replace(/0+$/, "").length > decimals)
    fail(`${text} ${symbol} has more than the token's ${decimals} decimals`);
  return parseUnits(text, decimals);
}

function fail(problem: string): never {
  throw new UsageError("VALUE", `${problem}; write an amount like 10 or 10.5`);
}

/** `1,250.5 VTT` */
export function formatAmount(amount: bigint, { symbol, decimals }: Token): string {
  const [whole, fraction] = formatUnits(amount, decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${grouped}${fraction === undefined ? "" : `.${fraction}`} ${symbol}`;
}

/** `+10 VTT`, `-60 VTT`, `0 VTT` */
export function formatChange(amount: bigint, token: Token): string {
  return `${amount > 0n ? "+" : ""}${formatAmount(amount, token)}`;
}

/** The chain's own currency, in which gas and the game's bonds are paid. */
export const ETHER: Token = { symbol: "ETH", decimals: 18 };

/**
 * The cost of gas, with six significant digits: `0.000139633 ETH`.
 * @param wei an amount of the chain's currency
 */
export function formatFee(wei: bigint): string {
  const [digits] = /^(0\.0*\d{1,6}|\d{6,}|\d+\.\d{1,5}|\d+)/.exec(formatUnits(wei, ETHER.decimals))!;
  return `${digits} ${ETHER.symbol}`;
}

/** `2026-11-21 01:33:14 UTC` */
export function formatTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
