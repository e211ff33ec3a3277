/**
 * What the recorder has from the stores of a plan before it lists a leaf, or calls a member absent (spec
 * 6.10): receipts of enough stores, or notes of absence of so many that not enough can have the leaf.
 */
import { messageOf, RoundsError, VerdeError } from "../errors/index.ts";
import { type Away, isParticipantAway } from "./away.ts";
import type { LogWriter } from "./log.ts";
import type { LeafPlace } from "./plan.ts";
import { placeWords } from "./place.ts";
import { isMissed, isStored, isStores, notesOf, participantOfStore, receiptsOf, sameSentence, storeName, type StoreSentence } from "./receipt.ts"; // prettier-ignore
import type { RoundsRecord } from "./record.ts";
import { isOwners, runOf, type Statement } from "./statement.ts";
import { notesNeeded } from "./storage.ts";
import { type SilentStore, silentWords, type Store } from "./store.ts";

/** What is different in drills, and who hears of stores that say nothing. */
export interface StoringOptions {
  /** Stores that say nothing in some rounds. */
  readonly away?: readonly Away[];
  /** Stores that sign both sentences in some rounds. */
  readonly twice?: readonly Away[];
  onSilent?(silent: SilentStore & { readonly name: string }): void;
}

/** Asks the stores of a plan for the recorder. In a plan without storage it has nothing to do. */
export class Storing {
  private readonly record: RoundsRecord;
  private readonly stores: readonly Store[];
  private readonly options: StoringOptions;

  constructor(record: RoundsRecord, stores: readonly Store[], options: StoringOptions = {}) {
    this.record = record;
    this.stores = stores;
    this.options = options;
  }

  /**
   * The receipts of a leaf, whose files the record has.
   * @param given those that its owner has sent; others are asked for
   * @throws {RoundsError} STORES when there are too few
   */
  async receipts(statement: Statement, given: readonly StoreSentence[] = []): Promise<StoreSentence[]> {
    const { record } = this;
    const { plan, instance } = record;
    if (!plan.storage) return [];
    const run = runOf(plan, statement);
    const place = { round: statement.round, seat: statement.seat };
    const known = receiptsOf(plan, instance, [...record.sentences.at(place), ...given], place, run);
    // An owner that brings enough has asked the others too: a silent one is not waited for again.
    const hasEnough = given.length > 0 && isStored(plan, instance, known, place, run);
    const lacking = hasEnough ? [] : this.lacking(known);
    const { sentences, silent } = await this.ask(place, lacking, (store) => store.receipt(statement));
    const found = receiptsOf(plan, instance, [...known, ...sentences], place, run);
    if (!isStored(plan, instance, found, place, run)) throw this.tooFew(place, silent, `${found.length} of ${plan.storage.members} stores hold it, and the plan asks for ${plan.storage.copies}`); // prettier-ignore
    return [...found, ...(await this.second(place))];
  }

  /** Whether the record has enough notes of absence for a place. In a plan without storage it needs none. */
  isMissed(place: LeafPlace): boolean {
    const { plan, instance, sentences } = this.record;
    return plan.storage !== undefined && isMissed(plan, instance, sentences.at(place), place);
  }

  /**
   * The notes of absence that the stores sign for a place. A store that has signed a receipt signs none.
   * @throws {RoundsError} STORES when there are too few, without `isForced`
   */
  async notes(place: LeafPlace, isForced = false): Promise<StoreSentence[]> {
    const { record } = this;
    const { plan, instance } = record;
    if (!plan.storage) return [];
    const known = notesOf(plan, instance, record.sentences.at(place), place);
    const { sentences, silent } = await this.ask(place, this.lacking(known), (store) => store.absence(place));
    const found = notesOf(plan, instance, [...known, ...sentences], place);
    if (isForced || isMissed(plan, instance, found, place)) return found;
    const holding = sentences.filter(({ run }) => run !== undefined).map(({ store }) => storeName(plan, store));
    const held = holding.length > 0 ? `${holding.join(", ")} signed a receipt; ` : "";
    throw this.tooFew(place, silent, `${held}${found.length} of ${plan.storage.members} stores say that they have none, and the plan needs ${notesNeeded(plan.storage)} of them for an absence`); // prettier-ignore
  }

  /** The leaf of a place that a store holds, with its files, if one does. */
  async find(place: LeafPlace): Promise<Statement | undefined> {
    const { record, stores } = this;
    const { plan, instance } = record;
    const silent = (store: number, error: unknown): undefined => {
      if (!(error instanceof VerdeError)) throw error;
      this.options.onSilent?.({ ...place, store, why: messageOf(error), name: storeName(plan, store) });
    };
    const asked = [...stores.entries()].filter(([store]) => !this.isAway(store, place));
    const answers = await Promise.all(asked.map(([store, each]) => each.held(place).catch((error: unknown) => silent(store, error)))); // prettier-ignore
    for (const [i, held] of answers.entries()) {
      if (held?.statement.round !== place.round || held.statement.seat !== place.seat || !isOwners(plan, instance, held.statement)) continue; // prettier-ignore
      if (receiptsOf(plan, instance, [held.receipt], place, runOf(plan, held.statement)).length === 0) continue;
      try {
        await asked[i][1].bring(held.statement);
        if (await record.isAtHand(held.statement)) return held.statement;
      } catch (error) {
        silent(asked[i][0], error);
      }
    }
    return undefined;
  }

  /** Lists sentences in the record, by the numbers of the stores. */
  async list(log: LogWriter, sentences: readonly StoreSentence[]): Promise<void> {
    const inOrder = [...sentences].sort((a, b) => a.store - b.store);
    for (const each of inOrder) {
      const isKnown = this.record.sentences.at(each).some((known) => sameSentence(known, each));
      if (isKnown) continue;
      await log.sentence(each);
      this.record.sentences.admit(each);
    }
  }

  private lacking(known: readonly StoreSentence[]): number[] {
    const { members = 0 } = this.record.plan.storage ?? {};
    const has = new Set(known.map(({ store }) => store));
    return Array.from({ length: members }, (_, store) => store).filter((store) => !has.has(store));
  }

  private isAway(store: number, { round }: LeafPlace): boolean {
    return isParticipantAway(this.options.away ?? [], participantOfStore(this.record.plan, store), round);
  }

  /** What stores answer that sign both in a drill: the sentence beside their receipts. */
  private async second(place: LeafPlace): Promise<StoreSentence[]> {
    const { options, record, stores } = this;
    const signing = [...stores.entries()].filter(([store]) =>
      isParticipantAway(options.twice ?? [], participantOfStore(record.plan, store), place.round),
    );
    return Promise.all(signing.map(([, store]) => store.absence(place)));
  }

  /** Asks stores at once. What one has not signed is as if it had said nothing. */
  private async ask(place: LeafPlace, asked: readonly number[], question: (store: Store) => Promise<StoreSentence>) {
    const { record, stores, options } = this;
    const { plan, instance } = record;
    const one = async (store: number): Promise<StoreSentence | string> => {
      if (this.isAway(store, place)) return "it stays away, as --away says";
      if (!stores[store]) return "nobody reaches it";
      const sentence = await question(stores[store]);
      const isIts = sentence.store === store && isStores(plan, instance, sentence);
      return isIts ? sentence : "it sent what it has not signed";
    };
    const answers = await Promise.all(
      asked.map((store) =>
        one(store).catch((error: unknown) => {
          if (error instanceof VerdeError) return messageOf(error);
          throw error;
        }),
      ),
    );
    const [sentences, silent] = [[] as StoreSentence[], [] as SilentStore[]];
    for (const [i, answer] of answers.entries())
      if (typeof answer !== "string") sentences.push(answer);
      else silent.push({ ...place, store: asked[i], why: answer });
    for (const each of silent) options.onSilent?.({ ...each, name: storeName(plan, each.store) });
    return { sentences, silent };
  }

  private tooFew({ round, seat }: LeafPlace, silent: readonly SilentStore[], problem: string): RoundsError {
    const { plan } = this.record;
    const said = silent.length === 0 ? "" : `; silent: ${silentWords(plan, silent)}`;
    return new RoundsError("STORES", `${placeWords(plan, { round, seat })}: ${problem}${said}; continue with --resume when they are back`, { round, seat }); // prettier-ignore
  }
}
