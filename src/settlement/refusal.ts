/** Why a chain refused a call. */
import { type Address, BaseError, ContractFunctionRevertedError } from "viem";
import { ChainError, messageOf } from "../errors/index.ts";
import { ETHER, formatAmount, type Token } from "./amount.ts";
import { sentenceFor } from "./sentences.ts";

/**
 * @param what was asked for, for the sentence
 * @param from whose transaction it is
 * @param value wei that it brings
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
  const bond = value === 0n ? "" : ` and the ${formatAmount(value, ETHER)} that it brings`;
  // Nodes have no code of their own for this.
  if (/insufficient funds|enough funds/i.test(detail))
    return new ChainError(
      "FUNDS",
      `${from} has too little of the chain's currency to pay the gas of ${what}${bond}; transfer more to it`,
      { from },
    );
  return new ChainError("FAILED", `${what} failed: ${detail.split("\n")[0]}`);
}
