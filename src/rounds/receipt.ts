/**
 * What stores sign about a place (spec 6.10): a receipt, that they hold its leaf, or a note of absence, that
 * they hold none and will sign no receipt. A store signs one of the two, once.
 */
import { isSignedBy } from "../claims/signature.ts";
import { digestOf } from "../claims/typed-data.ts";
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { RoundsError } from "../errors/index.ts";
import type { RunRoot } from "../trace/commitments.ts";
import type { LeafPlace, Plan } from "./plan.ts";
import { type Instance, roundsSentence } from "./statement.ts";
import { notesNeeded } from "./storage.ts";

/** What a store has signed about a place. */
export interface StoreSentence extends LeafPlace {
  /** The number of the store among the plan's stores, from 0. */
  readonly store: number;
  /** The run root of the leaf that it holds. Absent: the sentence is a note of absence. */
  readonly run?: RunRoot;
  /** 65 bytes. */
  readonly signature: Bytes;
}

const STORED = roundsSentence("Stored(bytes32 instance,uint32 round,uint32 seat,bytes32 run)");
const MISSING = roundsSentence("Missing(bytes32 instance,uint32 round,uint32 seat)");

/** The 32 bytes that a store signs of a leaf whose final state it holds (EIP-712). */
export function storedDigest({ id }: Instance, { round, seat }: LeafPlace, run: RunRoot): Bytes {
  return digestOf(STORED, [id, round, seat, run]);
}

/** The 32 bytes that a store signs of a place for which it has signed no receipt, and will sign none. */
export function missingDigest({ id }: Instance, { round, seat }: LeafPlace): Bytes {
  return digestOf(MISSING, [id, round, seat]);
}

/** The 32 bytes of a sentence. */
export const sentenceDigest = (instance: Instance, sentence: Omit<StoreSentence, "signature">): Bytes =>
  sentence.run ? storedDigest(instance, sentence, sentence.run) : missingDigest(instance, sentence);

/** The number of a store among the participants, which stand before it. */
export const participantOfStore = ({ participants, storage }: Pick<Plan, "participants" | "storage">, store: number) =>
  participants.length - (storage?.members ?? 0) + store;

/** The name of a store: `store-1`. */
export const storeName = (plan: Pick<Plan, "participants" | "storage">, store: number): string =>
  plan.participants[participantOfStore(plan, store)].name;

/** Whether the store has signed a sentence, in this instance. A store that the plan does not have has not. */
export function isStores(plan: Plan, instance: Instance, sentence: StoreSentence): boolean {
  const { store, run, signature } = sentence;
  // On a chain such a receipt would stand for a note.
  if (run?.every((byte) => byte === 0)) return false;
  if (!plan.storage || !(Number.isInteger(store) && store >= 0 && store < plan.storage.members)) return false;
  return isSignedBy(instance.owners[participantOfStore(plan, store)], sentenceDigest(instance, sentence), signature);
}

/** Whether two sentences are of one store, about one place. */
const areBeside = (a: StoreSentence, b: StoreSentence): boolean =>
  a.store === b.store && a.round === b.round && a.seat === b.seat;

/** Whether two sentences of one store say the same of one place. */
export const sameSentence = (a: StoreSentence, b: StoreSentence): boolean =>
  areBeside(a, b) && (a.run && b.run ? bytesEqual(a.run, b.run) : a.run === b.run);

/** The signed receipts of a run among sentences, one of each store. */
export function receiptsOf(
  plan: Plan,
  instance: Instance,
  sentences: readonly StoreSentence[],
  { round, seat }: LeafPlace,
  run: RunRoot,
): StoreSentence[] {
  return ofEach(plan, instance, sentences, (each) => each.run !== undefined && sameSentence(each, { ...each, round, seat, run })); // prettier-ignore
}

/** The signed notes of absence of a place among sentences, one of each store. */
export function notesOf(
  plan: Plan,
  instance: Instance,
  sentences: readonly StoreSentence[],
  { round, seat }: LeafPlace,
): StoreSentence[] {
  return ofEach(plan, instance, sentences, (each) => !each.run && each.round === round && each.seat === seat);
}

/** What counts is signed, and one of each store: a store does not count twice. */
function ofEach(
  plan: Plan,
  instance: Instance,
  sentences: readonly StoreSentence[],
  isMeant: (sentence: StoreSentence) => boolean,
): StoreSentence[] {
  const found = new Map<number, StoreSentence>();
  for (const each of sentences)
    if (isMeant(each) && !found.has(each.store) && isStores(plan, instance, each)) found.set(each.store, each);
  return [...found.values()];
}

/**
 * Whether as many stores hold a leaf as the plan asks for. A plan without storage asks for none.
 * @param run that of the leaf
 */
export const isStored = (
  plan: Plan,
  instance: Instance,
  sentences: readonly StoreSentence[],
  place: LeafPlace,
  run: RunRoot,
): boolean => receiptsOf(plan, instance, sentences, place, run).length >= (plan.storage?.copies ?? 0);

/**
 * Whether so many stores say that they have no leaf of a place that not enough can ever hold one. A plan
 * without storage asks for none.
 */
export const isMissed = (
  plan: Plan,
  instance: Instance,
  sentences: readonly StoreSentence[],
  place: LeafPlace,
): boolean => !plan.storage || notesOf(plan, instance, sentences, place).length >= notesNeeded(plan.storage);

/**
 * The signed sentences of stores that have signed two different ones of a place: a pair for each store and
 * place.
 */
export function secondSentences(
  plan: Plan,
  instance: Instance,
  sentences: readonly StoreSentence[],
): (readonly [StoreSentence, StoreSentence])[] {
  const found: (readonly [StoreSentence, StoreSentence])[] = [];
  const known = Map.groupBy(sentences, ({ store, round, seat }) => `${store}/${round}/${seat}`);
  for (const those of known.values()) {
    if (those.every((each) => sameSentence(each, those[0]))) continue;
    const signed = those.filter((each) => isStores(plan, instance, each));
    const second = signed.find((each) => !sameSentence(each, signed[0]));
    if (second) found.push([signed[0], second]);
  }
  return found;
}

/** Sentences of stores, each once, by their places. */
export class StoreSentences {
  private readonly known = new Map<string, StoreSentence[]>();

  /** @returns whether it was not there yet */
  admit(sentence: StoreSentence): boolean {
    const key = `${sentence.round}/${sentence.seat}`;
    const those = this.known.get(key) ?? [];
    if (those.some((each) => sameSentence(each, sentence) && bytesEqual(each.signature, sentence.signature))) return false; // prettier-ignore
    this.known.set(key, [...those, sentence]);
    return true;
  }

  /** Those about a place, in the order in which they were admitted. */
  at({ round, seat }: LeafPlace): readonly StoreSentence[] {
    return this.known.get(`${round}/${seat}`) ?? [];
  }

  /** All, by their places. */
  get all(): StoreSentence[] {
    return [...this.known.values()].flat();
  }
}

/**
 * The sentences of a log. Nobody has checked their signatures.
 * @throws {RoundsError} RECORD for a place or a store that the plan does not have
 */
export function sentencesBy({ rounds, seats, storage }: Plan, given: readonly StoreSentence[], folder: string) {
  const found = new StoreSentences();
  for (const sentence of given) {
    const { round, seat, store } = sentence;
    if (round > rounds || seat >= seats.length || store >= (storage?.members ?? 0))
      throw new RoundsError("RECORD", `${folder} has what store ${store} has signed of seat ${seat} in round ${round}, which the plan does not have; restore it`, { round, seat, store }); // prettier-ignore
    found.admit(sentence);
  }
  return found;
}
