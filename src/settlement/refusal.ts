/** Explains why a chain refused a call. */
import { type Address, BaseError, ContractFunctionRevertedError } from "viem";
import { ChainError, messageOf } from "../errors/index.ts";
import { ETHER, formatAmount, type Token } from "./amount.ts";
import { sentenceFor } from "./sentences.ts";

/**
 * The error for a call that a chain refused, in a sentence.
 * @param what the name of the call
 * @param from the account that sent it
 * @param value the wei that were sent with it
 */
export function refusal(error: unknown, what: string, from: Address, token: Token, value = 0n): ChainError {
  if (error instanceof ChainError) return error;
  const reverted = error instanceof BaseError && error.walk((e) => e instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError) {
    const { errorName, args = [] } = reverted.data ?? {};
    const name = errorName ?? reverted.reason ?? reverted.shortMessage;
    const sentence = sentenceFor(name, args, token) ?? `${name} (${args.map(String).join(", ")})`;
    return new ChainError("REFUSED", `${what} is refused: ${sentence}`, { error: name, args: args.map(String) });
  }
  const detail = error instanceof BaseError ? error.details || error.shortMessage : messageOf(error);
  const bond = value === 0n ? "" : ` and the bond of ${formatAmount(value, ETHER)} that it posts`;
  // Nodes have no error code for this.
  if (/insufficient funds|enough funds/i.test(detail))
    return new ChainError(
      "FUNDS",
      `${from} has too little of the chain's currency to pay the gas of ${what}${bond}; transfer more to it`,
      { from },
    );
  return new ChainError("FAILED", `${what} failed: ${detail.split("\n")[0]}`);
}
