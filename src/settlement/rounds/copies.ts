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

/** The demands that an account has to answer now. */
const askedOf = (account: Address, { now }: PerformanceView, copies: readonly CopyDemand[]): CopyDemand[] =>
  copies.filter(({ owner, done, deadline }) => !done && now <= deadline && isAddressEqual(owner, account));

/**
 * What an account does about demands now: as a store it shows chunks, and it ends its own demands that
 * nobody has answered.
 * @param records that may have the files of leaves; without one nothing can be shown
 */
export function copyActs(
  account: Address,
  { terms }: PostedRounds,
  view: PerformanceView,
  copies: readonly CopyDemand[],
  records: readonly RoundsRecord[],
): CopyAct[] {
  const asked = records.length > 0 ? askedOf(account, view, copies) : [];
  const isOut = ({ store }: CopyDemand): boolean => view.out[terms.participants.length - view.stores + store];
  const lapsed = copies.filter((copy) => isAddressEqual(copy.by, account) && isOver(copy, account, view.now, isOut(copy))); // prettier-ignore
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

/**
 * Whether an account still waits for something after the performance was closed: an answer that it has to
 * give, or one to its own demand.
 */
export const waitsForCopies = (account: Address, view: PerformanceView, copies: readonly CopyDemand[]): boolean =>
  askedOf(account, view, copies).length > 0 || copies.some(({ by, done }) => !done && isAddressEqual(by, account));
