/** Contracts that may be of another kind than the one that is asked for. */
import { BaseError } from "viem";
import { isRevert } from "./nodes/endpoint.ts";

const UNREADABLE = /^(ContractFunctionZeroData|AbiDecoding|InvalidBytesBoolean|PositionOutOfBounds|SizeExceedsPadding)/;

/**
 * Whether the contract has answered, but not as one of the expected kind: it reverts, or returns something
 * else. All other errors are those of a node, and say nothing about the contract.
 */
export function isForeign(error: unknown): error is BaseError {
  if (!(error instanceof BaseError)) return false;
  return isRevert(error) || error.walk((cause) => UNREADABLE.test((cause as Error).name)) !== null;
}

/** A handler that returns a value for a contract of another kind, and throws all other errors. */
export function ifForeign<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isForeign(error)) return value;
    throw error;
  };
}
