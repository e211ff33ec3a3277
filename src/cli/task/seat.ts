/** The seat of an account in a task, and what its owner has to know before it reveals its claim. */
import { type Address, isAddressEqual } from "viem";
import { ChainError } from "../../errors/index.ts";
import type { Challenger, Seat, TaskView } from "../../settlement/task.ts";
import { reportLine } from "../output.ts";

/** @throws {ChainError} when the account has no seat, or has lost it */
export function seatOf({ seats }: TaskView, address: Address): Seat {
  const own = seats.find(({ owner }) => isAddressEqual(owner, address));
  if (!own)
    throw new ChainError("NO_SEAT", `${address} has no seat in this task; use the account that has one`, { address });
  if (own.out)
    throw new ChainError("SEAT_OUT", `seat ${own.seat} is out: it has lost its stake and can't move any more`, {
      seat: own.seat,
    });
  return own;
}

/** The account's challenge that is not revealed, if it has one. */
export function challengeOf({ challengers }: TaskView, address: Address): Challenger | undefined {
  return challengers.find(({ owner }) => isAddressEqual(owner, address));
}

/** A node of the user's own machine is the user's own. */
const OWN = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Tells the user that a claim is shown because one node says that it is time. No other node confirms that all
 * others have committed, or that the own commitment is in a block.
 * @param rpc the nodes' addresses
 */
export function warnOfOneNode(rpc: readonly string[]): void {
  if (rpc.length > 1 || OWN.test(new URL(rpc[0]).hostname)) return;
  reportLine(
    `verde: only ${new URL(rpc[0]).origin} says that all have committed. If it lies, others can still copy the root that is shown now; ` +
      "name a second node with another --rpc",
  );
}
