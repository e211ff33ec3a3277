/**
 * Stores (spec 6.10): each keeps the final states of leaves, and signs that it has them, or that it has none.
 */
import { RoundsError } from "../errors/index.ts";
import type { RunRoot } from "../trace/commitments.ts";
import { type LeafPlace, type Plan, seatName } from "./plan.ts";
import { participantOfStore, storeName, type StoreSentence } from "./receipt.ts";
import type { RoundsRecord } from "./record.ts";
import type { Signer } from "./signer.ts";
import { isOwners, runOf, type Statement } from "./statement.ts";

/** A leaf that a store holds. */
export interface HeldLeaf {
  readonly statement: Statement;
  readonly receipt: StoreSentence;
}

/**
 * A store as the recorder asks it, wherever it is. A question that it does not answer fails: it is silent.
 */
export interface Store {
  /** Its receipt for a leaf whose files the record has. */
  receipt(statement: Statement): Promise<StoreSentence>;
  /** Its note of absence for a place; its receipt, if it has signed one. */
  absence(place: LeafPlace): Promise<StoreSentence>;
  /** The leaf of a place that it holds, if it has signed a receipt. It signs nothing. */
  held(place: LeafPlace): Promise<HeldLeaf | undefined>;
  /** Brings the files of a leaf that it holds into the record. */
  bring(statement: Statement): Promise<void>;
}

/**
 * A store in the recorder's process. What it holds are the record's own files, so it is no second copy of
 * them: it shows the signatures, for plans that are tried on one machine.
 */
class LocalStore implements Store {
  private readonly record: RoundsRecord;
  private readonly store: number;
  private readonly signer: Signer;
  private readonly second: Signer | undefined;

  constructor(record: RoundsRecord, store: number, signer: Signer, second?: Signer) {
    this.record = record;
    this.store = store;
    this.signer = signer;
    this.second = second;
  }

  async receipt(statement: Statement): Promise<StoreSentence> {
    const run = await checkHeld(this.record, statement);
    return this.receiptFor(statement, run);
  }

  async absence({ round, seat }: LeafPlace): Promise<StoreSentence> {
    const { signer, second, record, store } = this;
    const place = { round, seat };
    const signed = second ? undefined : await signer.signedSentence(record.instance, place);
    if (signed && signed !== "absence") return this.receiptFor(place, signed);
    return { ...place, store, signature: await (second ?? signer).absence(record.instance, place) };
  }

  /** What this store holds, the record has. */
  async held(): Promise<undefined> {}

  async bring(): Promise<void> {}

  private async receiptFor({ round, seat }: LeafPlace, run: RunRoot): Promise<StoreSentence> {
    const { record, store, signer } = this;
    return { round, seat, store, run, signature: await signer.receipt(record.instance, { round, seat }, run) };
  }
}

/**
 * What a store checks before it signs a receipt: the owner has signed the statement, and all entries of the
 * leaf's final state are at hand, by their roots.
 * @returns the run root that it signs
 * @throws {RoundsError} PARTICIPANT when the owner has not signed it, UNAVAILABLE when an entry is missing
 */
export async function checkHeld(record: RoundsRecord, statement: Statement): Promise<RunRoot> {
  const { plan, instance } = record;
  if (!isOwners(plan, instance, statement))
    throw new RoundsError("PARTICIPANT", `the leaf of ${seatName(plan, statement.seat)} in round ${statement.round} is not signed by its owner, so no store keeps it`, { round: statement.round, seat: statement.seat }); // prettier-ignore
  await record.state(statement);
  return runOf(plan, statement);
}

/**
 * The stores of a plan in the recorder's process.
 * @param signers of all participants, in the plan's order
 * @param second by the numbers of participants: the journals of stores that sign twice in a drill
 */
export function localStores(
  record: RoundsRecord,
  signers: readonly Signer[],
  second: ReadonlyMap<number, Signer> = new Map(),
): Store[] {
  const { plan } = record;
  return Array.from({ length: plan.storage?.members ?? 0 }, (_, store) => {
    const participant = participantOfStore(plan, store);
    return new LocalStore(record, store, signers[participant], second.get(participant));
  });
}

/** A store that says nothing, by its name, and why. */
export interface SilentStore extends LeafPlace {
  readonly store: number;
  readonly why: string;
}

/** The stores that say nothing, in words. */
export const silentWords = (plan: Plan, silent: readonly SilentStore[]): string =>
  silent.map(({ store, why }) => `${storeName(plan, store)} (${why})`).join(", ");
