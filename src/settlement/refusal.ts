/** Explains why a chain refused a call, or did not answer a request. */
import { type Address, BaseError, ContractFunctionRevertedError, decodeErrorResult, type Hex } from "viem";
import { ChainError, messageOf } from "../errors/index.ts";
import { ETHER, formatAmount, type Token } from "./amount.ts";
import { ABIS } from "./contracts.ts";
import { sentenceFor } from "./sentences.ts";

/** A token without a name, for amounts in errors of calls that know no deployment. */
const UNITS: Token = { symbol: "units", decimals: 0 };

interface Reason {
  /** The name of the contract's error, or its text. */
  readonly name: string;
  readonly args: readonly unknown[];
}

/**
 * The error for a call that a chain refused, in a sentence.
 * @param what the name of the call
 * @param from the account that sent it
 * @param value the wei that were sent with it
 */
export function refusal(error: unknown, what: string, from: Address, token: Token, value = 0n): ChainError {
  const own = ownError(error);
  if (own) return own;
  const reason = reasonOf(error);
  if (reason) return refused(what, reason, token);
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

/** The error for any other request that failed. */
export function requestFailure(error: Error & { shortMessage: string; details?: string }): ChainError {
  const own = ownError(error);
  if (own) return own;
  const reason = reasonOf(error);
  if (reason) return refused("the call", reason, UNITS);
  const { shortMessage, details } = error;
  const known = details === undefined || details === "" || shortMessage.includes(details);
  return new ChainError(
    "FAILED",
    `the request to the node failed: ${shortMessage}${known ? "" : ` ${details.split("\n")[0]}`}`,
  );
}

/** An error of ours, such as that of nodes that differ, within one of the library that talks to chains. */
function ownError(error: unknown): ChainError | undefined {
  if (error instanceof ChainError) return error;
  const found = error instanceof BaseError ? error.walk((cause) => cause instanceof ChainError) : null;
  return (found as unknown as ChainError | null) ?? undefined;
}

function refused(what: string, { name, args }: Reason, token: Token): ChainError {
  const list = args.length > 0 ? ` (${args.map(String).join(", ")})` : "";
  const sentence = sentenceFor(name, args, token) ?? `${name}${list}`;
  return new ChainError("REFUSED", `${what} is refused: ${sentence}`, { error: name, args: args.map(String) });
}

/** What a contract gave as its reason, if a contract has refused. */
function reasonOf(error: unknown): Reason | undefined {
  if (!(error instanceof BaseError)) return undefined;
  const reverted = error.walk((inner) => inner instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError && reverted.data)
    return { name: reverted.data.errorName, args: reverted.data.args ?? [] };
  const decoded = decode(revertBytes(error));
  if (decoded) return decoded;
  if (!(reverted instanceof ContractFunctionRevertedError)) return undefined;
  return { name: reverted.reason ?? reverted.shortMessage, args: [] };
}

/**
 * The bytes with which a call was refused. Not every request knows the contract's interface: an estimate of
 * gas does not, and some nodes give the bytes only within their message.
 */
function revertBytes(error: BaseError): Hex | undefined {
  let found: Hex | undefined;
  error.walk((inner) => {
    const { raw, data, details, message } = inner as {
      raw?: unknown;
      data?: unknown;
      details?: string;
      message: string;
    };
    const own =
      raw !== undefined ? raw : typeof data === "object" && data !== null && "data" in data ? data.data : data;
    const [, selector, rest = ""] =
      /custom error (0x[0-9a-f]{8}):?\s*([0-9a-f]*)/i.exec(`${details ?? ""}\n${message}`) ?? [];
    if (typeof own === "string" && /^0x([0-9a-f]{2}){4,}$/i.test(own)) found = own as Hex;
    else if (selector !== undefined) found ??= `${selector}${rest}` as Hex;
    return false;
  });
  return found;
}

function decode(bytes: Hex | undefined): Reason | undefined {
  if (bytes === undefined) return undefined;
  try {
    // Every interface lists the errors of all contracts.
    const { errorName, args = [] } = decodeErrorResult({ abi: ABIS.manager, data: bytes });
    return { name: errorName, args };
  } catch {
    return { name: `an error that this version does not know, ${bytes.slice(0, 10)}`, args: [] };
  }
}
