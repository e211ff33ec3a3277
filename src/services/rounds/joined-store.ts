/**
 * A store of a plan on a network (spec 6.10): it keeps the leaves that their owners ask it to keep, and signs
 * that it has them. The recorder asks it for notes of absence. It serves what it keeps to everybody.
 */
import { type Bytes, bytesEqual, toHex } from "../../encoding/bytes.ts";
import { RoundsError } from "../../errors/index.ts";
import { bytesIn } from "../../files/size.ts";
import { isRequested } from "../../rounds/note-request.ts";
import { type LeafPlace, seatName } from "../../rounds/plan.ts";
import { placeWords } from "../../rounds/place.ts";
import type { StoreSentence } from "../../rounds/receipt.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isRolled, turnOf } from "../../rounds/roll.ts";
import { Signer } from "../../rounds/signer.ts";
import type { Instance } from "../../rounds/statement.ts";
import type { RunRoot } from "../../trace/commitments.ts";
import { sleep } from "../provider/sleep.ts";
import type { Ending } from "../transport/transport.ts";
import { Correspondent } from "./correspondent.ts";
import { expectOffered, expectPlace, Keeper, type OfferedLeaf } from "./kept-leaf.ts";
import { type AskedOfStore, messages, type Reply, subjectOf } from "./messages.ts";
import { OwnRecords } from "./own-records.ts";
import { orWorking, pieceAmong, reasonOf, WORKING_MILLIS } from "./replies.ts";
import { Room } from "./room.ts";
import type { JoinStoreOptions } from "./store-options.ts";

const NOTICE_MILLIS = 10_000;
/** The most leaves that are fetched at once. */
const MOST_FETCHED = 64;
/** The most performances whose leaves are kept. */
const MOST_INSTANCES = 64;
/** The most places of which it is known since when the recorder asks. */
const MOST_ASKED = 2 ** 12;

/** A leaf that is being fetched. */
interface Fetching {
  readonly run: RunRoot;
  readonly sentence: Promise<Reply>;
}

/** A store that answers until it is closed. */
export class JoinedStore {
  /** 20 bytes. */
  readonly address: Bytes;
  private readonly options: JoinStoreOptions;
  private readonly signer: Signer;
  private readonly store: number;
  private readonly records: OwnRecords;
  private readonly room: Room;
  private readonly keeper: Keeper;
  private readonly fetching = new Map<string, Fetching>();
  private readonly asked = new Map<string, number>();
  private readonly ending = new AbortController();
  private isFull = false;
  private end: Ending = async () => {};

  private constructor(options: JoinStoreOptions, number: number, signer: Signer) {
    const { plan, out, limit } = options;
    this.options = options;
    this.signer = signer;
    this.address = signer.address;
    this.store = plan.participants[number].member;
    this.records = new OwnRecords(options, number, signer.address);
    this.room = new Room(out, limit, "give the store a higher --limit");
    this.keeper = new Keeper(this.room);
  }

  /**
   * @throws {RoundsError} PARTICIPANT when the plan has no store of that name
   * @throws {FileError} LOCKED when another participant has the folder
   */
  static async open(options: JoinStoreOptions): Promise<JoinedStore> {
    const { plan, participant, transport, state, staked } = options;
    const number = plan.participants.findIndex((each) => each.name === participant && each.role === plan.storage?.by);
    if (number < 0) throw new RoundsError("PARTICIPANT", `${plan.name} has no store ${participant}`, { participant });
    const store = new JoinedStore(options, number, staked?.signer ?? (await Signer.open(state, participant)));
    await store.records.lock();
    try {
      await store.room.measure();
      await store.records.reopen(options.onSkipped);
      store.end = await transport.answer(subjectOf(plan.id, participant), async (message) =>
        messages.reply(await store.answer(message).catch(reasonOf)),
      );
    } catch (error) {
      await store.records.release();
      throw error;
    }
    return store;
  }

  async close(): Promise<void> {
    this.ending.abort();
    await this.end();
    await Promise.allSettled([...this.fetching.values()].map(({ sentence }) => sentence));
    await this.records.release();
  }

  private async answer(message: Bytes): Promise<Reply> {
    const question = messages.askedOfStore(message);
    if (question.kind === "hello") return { kind: "here", address: this.address };
    if (question.kind === "keep") return this.keep(question);
    if (question.kind === "absence") return this.absence(question);
    if (question.kind === "held") return this.held(question);
    return pieceAmong(await this.records.all(), question);
  }

  /** The receipt of a leaf, or the word that it is still fetched. */
  private async keep({ instance, ...leaf }: Extract<AskedOfStore, { kind: "keep" }>): Promise<Reply> {
    const { plan } = this.options;
    const record = await this.recordOf(instance);
    const run = expectOffered(record, leaf);
    const place = expectPlace(plan, leaf.statement);
    const key = keyOf(record, place);
    const signed = await this.signer.signedSentence(record.instance, place);
    const begun = this.fetching.get(key);
    if (signed === "absence") throw new RoundsError("SIGNED", `it has signed that it has no leaf of ${placeWords(plan, place)}, and signs no receipt for it any more`, { ...place }); // prettier-ignore
    if ([signed, begun?.run].some((other) => other && !bytesEqual(other, run)))
      throw new RoundsError("SIGNED", `it keeps another leaf of ${placeWords(plan, place)}, and signs no second receipt`, { ...place }); // prettier-ignore
    if (signed && (await record.isAtHand(leaf.statement))) return { kind: "sentence", sentence: await this.signed(record, place, run) }; // prettier-ignore
    // The owner asks again.
    if (!begun && this.fetching.size >= MOST_FETCHED) return { kind: "working" };
    if (begun) return orWorking(begun.sentence);
    const sentence = this.fetched(record, leaf, run).finally(() => this.fetching.delete(key));
    this.fetching.set(key, { run, sentence });
    return orWorking(sentence);
  }

  /** Everything is on the disk before the receipt is signed. */
  private async fetched(record: RoundsRecord, leaf: OfferedLeaf, run: RunRoot): Promise<Reply> {
    const { plan, transport, patience } = this.options;
    const { statement } = leaf;
    const { name } = plan.participants[plan.seats[statement.seat].participant];
    const owner = Correspondent.of(plan, name, { transport, patience, signal: this.ending.signal });
    try {
      await this.keeper.entries(record, leaf, owner);
    } catch (error) {
      if (error instanceof RoundsError && error.code === "VERDE_ROUNDS_LIMIT") this.sayFull(error.message);
      throw error;
    }
    await this.records.keep(record, statement);
    return { kind: "sentence", sentence: await this.signed(record, expectPlace(plan, statement), run) };
  }

  /** What it has signed of a place. Its note of absence, if that is nothing and the owner's time is over. */
  private async absence({ instance, signature, ...asked }: Extract<AskedOfStore, { kind: "absence" }>): Promise<Reply> {
    const { plan, notice = NOTICE_MILLIS } = this.options;
    const record = await this.recordOf(instance);
    const place = expectPlace(plan, asked);
    const name = placeWords(plan, place);
    if (!isRolled(plan, turnOf(plan, place)))
      throw new RoundsError("FOREIGN", `${name} can't be absent, so no note of absence is signed`, { ...place });
    if (!isRequested(record.instance, place, signature))
      throw new RoundsError("FOREIGN", `the recorder has not signed that it asks for a note of absence of ${name}`, { ...place }); // prettier-ignore
    if ((await this.signer.signedSentence(record.instance, place)) === undefined) {
      // Otherwise a recorder could have the notes of all rounds before the first.
      if (!record.all.some(({ round }) => round >= place.round - 1))
        throw new RoundsError("UNAVAILABLE", `it has no leaf of round ${place.round - 1} or later, so it can't be time for ${name}`, { ...place }); // prettier-ignore
      const left = this.since(keyOf(record, place)) + notice - performance.now();
      if (left > 0) await sleep(Math.min(left, WORKING_MILLIS), this.ending.signal);
      if (left > WORKING_MILLIS || this.ending.signal.aborted) return { kind: "working" };
    }
    return { kind: "sentence", sentence: await this.either(record, place) };
  }

  /** Its receipt for a place, or its note of absence. A receipt may be signed meanwhile. */
  private async either(record: RoundsRecord, place: LeafPlace): Promise<StoreSentence> {
    try {
      return await this.signed(record, place, undefined);
    } catch (error) {
      const run = await this.signer.signedSentence(record.instance, place);
      if (!run || run === "absence") throw error;
      return this.signed(record, place, run);
    }
  }

  /** The leaf of a place for which it has signed a receipt. */
  private async held({ instance, ...asked }: Extract<AskedOfStore, { kind: "held" }>): Promise<Reply> {
    const { plan } = this.options;
    const record = await this.recordOf(instance);
    const place = expectPlace(plan, asked);
    const run = await this.signer.signedSentence(record.instance, place);
    const statement = record.at(place);
    if (!statement || run === undefined || run === "absence")
      throw new RoundsError("UNAVAILABLE", `it holds no leaf of ${placeWords(plan, place)}`, { ...place });
    const { roots } = await record.note(place);
    return { kind: "held", statement, roots: [...roots], sentence: await this.signed(record, place, run) };
  }

  /** Signs, unless something else is signed for the place: the journal knows it, also after a crash. */
  private async signed(record: RoundsRecord, place: LeafPlace, run: RunRoot | undefined): Promise<StoreSentence> {
    const { signer, store, options } = this;
    const { instance, plan } = record;
    const signature = await (run ? signer.receipt(instance, place, run) : signer.absence(instance, place));
    const sentence: StoreSentence = { ...place, store, ...(run && { run }), signature };
    if (await this.records.keepSentence(record, sentence)) options.onSigned?.(sentence, seatName(plan, place.seat));
    return sentence;
  }

  /** Since when the recorder has asked for a note of a place, by the clock of this process. */
  private since(key: string): number {
    const now = performance.now();
    if (!this.asked.has(key)) this.asked.set(key, now);
    if (this.asked.size > MOST_ASKED) this.asked.delete(this.asked.keys().next().value!);
    return this.asked.get(key) ?? now;
  }

  private async recordOf(named: Omit<Instance, "id">): Promise<RoundsRecord> {
    const isKnown = this.records.has(named);
    if (!isKnown && this.records.count >= MOST_INSTANCES)
      throw new RoundsError(
        "LIMIT",
        `it keeps leaves of ${MOST_INSTANCES} performances already, and takes no other`,
        {},
      );
    const record = await this.records.of(named);
    if (!isKnown) this.room.spend(await bytesIn(record.folder));
    return record;
  }

  private sayFull(why: string): void {
    if (!this.isFull) this.options.onFull?.(why);
    this.isFull = true;
  }
}

const keyOf = ({ instance }: RoundsRecord, { round, seat }: LeafPlace): string =>
  `${toHex(instance.id)}/${round}/${seat}`;
