/** Demands for chunks of stores, as an account that watches a performance has to do with them. */
import { type Address, isAddressEqual } from "viem";
import type { RoundsRecord } from "../../rounds/record.ts";
import type { ContractCall } from "../transactions/caller.ts";
import type { CopyDemand, PerformanceView } from "./performance.ts";
import { firstOf } from "./own-folders.ts";
import { isOver } from "./questions.ts";
import { copyCallFrom, lapseCopyCall } from "./store-calls.ts";
import type { PostedRounds } from "./terms-file.ts";

/** A call about a demand. It is made when it is sent. */
export interface CopyAct {
  readonly what: "showCopy" | "lapseCopy";
  readonly copy: CopyDemand;
  make(): Promise<ContractCall>;
}

/** The most chunks shown at a look. They are due one after the other, and other answers do not wait. */
const MOST_SHOWN = 4;

/** The demands that an account has to answer now, those first that are due first. */
const askedOf = (account: Address, { now }: PerformanceView, copies: readonly CopyDemand[]): CopyDemand[] =>
  copies
    .filter(({ owner, done, deadline }) => !done && now <= deadline && isAddressEqual(owner, account))
    .sort((a, b) => a.deadline - b.deadline);

/**
 * What an account does about demands now: as a store it shows chunks, and it ends demands that nobody has
 * answered. It leaves itself to others.
 * @param records that may have the files of leaves; without one nothing can be shown
 */
export function copyActs(
  account: Address,
  { terms }: PostedRounds,
  view: PerformanceView,
  copies: readonly CopyDemand[],
  records: readonly RoundsRecord[],
): CopyAct[] {
  const asked = records.length > 0 ? askedOf(account, view, copies).slice(0, MOST_SHOWN) : [];
  const isOut = ({ store }: CopyDemand): boolean => view.out[terms.participants.length - view.stores + store];
  const isOwn = ({ owner, by }: CopyDemand): boolean => isAddressEqual(owner, account) && !isAddressEqual(by, account);
  const lapsed = copies.filter((copy) => !isOwn(copy) && isOver(copy, account, view.now, isOut(copy)));
  return [
    ...asked.map(
      (copy) =>
        ({
          what: "showCopy",
          copy,
          make: () => firstOf(records, (record) => copyCallFrom(record, terms, copy)),
        }) as const,
    ),
    ...lapsed.map((copy) => ({ what: "lapseCopy", copy, make: async () => lapseCopyCall(terms, copy) }) as const),
  ];
}

/** What a store is told that has not answered in time: its stake waits until somebody takes it. */
export function heldBack(
  account: Address,
  { now }: PerformanceView,
  copies: readonly CopyDemand[],
): string | undefined {
  const late = copies.find(({ owner, done, deadline }) => !done && now > deadline && isAddressEqual(owner, account));
  if (!late) return undefined;
  const { round, seat, entry, chunk } = late;
  return `chunk ${chunk} of entry ${entry} of seat ${seat} in round ${round} was not shown in time: stake and reward of the store are held back, and whoever ends the demand takes the stake`;
}

/**
 * Whether an account still waits for something after the performance was closed: an answer that it has to
 * give, or one to its own demand; as the client one to any demand, since it gets the reward of a store that
 * does not answer.
 */
export const waitsForCopies = (
  account: Address,
  { terms }: PostedRounds,
  view: PerformanceView,
  copies: readonly CopyDemand[],
): boolean =>
  askedOf(account, view, copies).length > 0 ||
  copies.some(({ by, done }) => !done && [by, terms.client].some((each) => isAddressEqual(each, account)));
