/**
 * Who is to blame about stores (spec 7.14): the recorder for what its record lacks, a store for two
 * sentences.
 */
import type { Blame } from "./judge.ts";
import type { LeafPlace } from "./plan.ts";
import { isMissed, isStored, secondSentences, storeName, type StoreSentence } from "./receipt.ts";
import type { RoundsRecord } from "./record.ts";
import { runOf } from "./statement.ts";

/**
 * What can be said of a record about a place: it lists a leaf without receipts of enough stores, or calls its
 * member absent without enough notes. What is shown beside the record does not count: the recorder had to
 * have it.
 */
export function blameStorage(record: RoundsRecord, place: LeafPlace): Blame | undefined {
  const { plan, instance, sentences } = record;
  if (!plan.storage) return undefined;
  const statement = record.at(place);
  const has = record.isAbsent(place)
    ? isMissed(plan, instance, sentences.at(place), place)
    : !statement || isStored(plan, instance, sentences.at(place), place, runOf(plan, statement));
  return has ? undefined : { participant: "recorder", reason: "receipts" };
}

/** The first, of a place and of all whom the roll of its turn calls absent, of which that can be said. */
export function unstoredIn(record: RoundsRecord, place: LeafPlace): LeafPlace | undefined {
  const { plan } = record;
  const others = plan.seats.flatMap(({ turn }, seat) => {
    const other = { round: place.round, seat };
    return turn === plan.seats[place.seat].turn && record.isAbsent(other) ? [other] : [];
  });
  return [place, ...others].find((each) => blameStorage(record, each));
}

/** The same, as a blame. */
export function blameTurnStorage(record: RoundsRecord, place: LeafPlace): Blame | undefined {
  const unstored = unstoredIn(record, place);
  return unstored && blameStorage(record, unstored);
}

/**
 * What stores have signed, in records and beside them. Nobody has checked it.
 * @param at the one place that is asked for; default: all
 */
export function signedIn(records: readonly RoundsRecord[], at?: LeafPlace): StoreSentence[] {
  const lists = records.flatMap(({ sentences, shownSentences }) => [sentences, shownSentences]);
  return lists.flatMap((list) => (at ? list.at(at) : list.all));
}

/**
 * Stores that have signed two different sentences of a place, in records of one instance or beside them.
 * @param at the one place that is asked for; default: all
 */
export function blameStores(records: readonly RoundsRecord[], at?: LeafPlace): (Blame & LeafPlace)[] {
  const [{ plan, instance }] = records;
  return secondSentences(plan, instance, signedIn(records, at)).map(([{ store, round, seat }]) => ({
    participant: storeName(plan, store),
    reason: "equivocation",
    round,
    seat,
  }));
}
