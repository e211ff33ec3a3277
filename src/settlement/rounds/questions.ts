/** What has to be answered in a performance: by whom, and how each kind is asked, answered and ended. */
import { type Address, type Hex, isAddressEqual } from "viem";
import type { LeafPlace } from "../../rounds/plan.ts";
import type { PostedRounds } from "./terms-file.ts";

/** Of each kind: the event, where the contract has it, and the functions that answer it and end it. */
export const QUESTIONS = {
  /** A leaf's owner has to show what it has read. */
  accusation: { event: "Accused", waiting: "accusationOf", answer: "answer", end: "convict" },
  /** The recorder has to show a leaf. */
  demand: { event: "LeafDemanded", waiting: "demandOf", answer: "show", end: "lapse" },
  /** The recorder has to show why stores hold no leaf of a member that it has called absent. */
  censorship: { event: "Censored", waiting: "censorshipOf", answer: "showNotes", end: "convictCensor" },
} as const;

/** Something that has to be answered, and until when. */
export interface Waiting {
  readonly by: Address;
  /** The last second for the answer. */
  readonly deadline: number;
  /** Whether it has ended: it was answered, or its time is over and somebody has lost. */
  readonly done: boolean;
}

/** A question about a place. */
export interface Question extends LeafPlace, Waiting {
  readonly kind: keyof typeof QUESTIONS;
  /** The transaction that has made it. */
  readonly transaction: Hex;
}

/** Seconds after which an account ends what somebody else has asked too, if it has not been ended. */
const OTHERS_TURN = 600;

/**
 * Whether it is on an account to end something that nobody has answered.
 * @param isOut whether the party that has to answer has lost already: then nobody waits for it
 */
export function isOver({ by, deadline, done }: Waiting, account: Address, now: number, isOut: boolean): boolean {
  const since = now - deadline;
  if (done || (!isAddressEqual(by, account) && since <= OTHERS_TURN)) return false;
  return since > 0 || isOut;
}

/** The number of a seat's participant. @throws {RangeError} for a seat that the terms do not have */
export function ownerOfSeat({ terms }: PostedRounds, seat: number): number {
  let left = seat;
  for (const { members, first } of terms.turns) {
    if (left < members) return first + left;
    left -= members;
  }
  throw new RangeError(`the terms have no seat ${seat}`);
}

/** Whether the leaf of a place is an account's. */
export const ownsSeat = (posted: PostedRounds, account: Address, { seat }: LeafPlace): boolean =>
  isAddressEqual(posted.terms.participants[ownerOfSeat(posted, seat)], account);

/** The number of the party that has to answer. */
export const askedIn = (posted: PostedRounds, { kind, seat }: Pick<Question, "kind" | "seat">): number =>
  kind === "accusation" ? ownerOfSeat(posted, seat) : posted.terms.participants.length;
