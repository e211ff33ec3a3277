/**
 * A participant on a network: it knows the plan, derives the jobs of its own leaves, fetches what they read,
 * executes them, and signs what it has computed.
 */
import { openBackend } from "../../certify/open-backend.ts";
import { type Bytes, bytesEqual, toHex } from "../../encoding/bytes.ts";
import { stateRoot } from "../../encoding/tensor.ts";
import { RoundsError } from "../../errors/index.ts";
import { beaconRound, isValueOf } from "../../rounds/beacon.ts";
import { misread } from "../../rounds/fault.ts";
import { contradict } from "../../rounds/judge.ts";
import { LeafRunner } from "../../rounds/leaf.ts";
import type { LeafNews } from "../../rounds/leaf-news.ts";
import { checkRoll, perform } from "../../rounds/participant.ts";
import { type LeafPlace, seatName, sourcesOf } from "../../rounds/plan.ts";
import { placeWords, stateAt } from "../../rounds/place.ts";
import type { StoreSentence } from "../../rounds/receipt.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isRolled, type Roll, turnOf, type TurnPlace } from "../../rounds/roll.ts";
import { isMarked, lacksSeeds, markBefore, needsMark } from "../../rounds/seeds.ts";
import { Signer } from "../../rounds/signer.ts";
import { isOwners, type Statement } from "../../rounds/statement.ts";
import type { Ending } from "../transport/transport.ts";
import { fetchAnywhere, haveKept } from "./asked-stores.ts";
import { Correspondent } from "./correspondent.ts";
import type { JoinOptions } from "./join-options.ts";
import { type AskedOfParticipant, messages, recorderSubject, type Reply, subjectOf } from "./messages.ts";
import { OwnRecords } from "./own-records.ts";
import { orWorking, pieceAmong, reasonOf } from "./replies.ts";

/** The leaves whose replies are kept. */
const MOST_KEPT = 64;

/**
 * @throws {RoundsError} when the recorder has not signed the roll of a turn, or had to wait for more members
 */
function expectRoll(record: RoundsRecord, roll: Roll, { round, turn }: TurnPlace): void {
  const { plan } = record;
  const isOf = roll.round === round && roll.turn === turn && isRolled(plan, roll) && round <= plan.rounds;
  if (!isOf || roll.present.length !== plan.turns[turn].members)
    throw new RoundsError("RECORD", `the recorder sent another roll than that of turn ${turn} in round ${round}`, { round, turn }); // prettier-ignore
  checkRoll(record, roll);
}

/** A participant that answers until it is closed. */
export class Joined {
  /** 20 bytes. */
  readonly address: Bytes;
  private readonly options: JoinOptions;
  private readonly signer: Signer;
  private readonly runner: LeafRunner;
  private readonly number: number;
  private readonly records: OwnRecords;
  private readonly leaves = new Map<string, Promise<Reply>>();
  private turn: Promise<unknown> = Promise.resolve();
  private readonly ending = new AbortController();
  private end: Ending = async () => {};

  private constructor(options: JoinOptions, signer: Signer, runner: LeafRunner) {
    this.options = options;
    this.signer = signer;
    this.runner = runner;
    this.address = signer.address;
    this.number = options.plan.participants.findIndex(({ name }) => name === options.participant);
    this.records = new OwnRecords(options, this.number, this.address);
  }

  /**
   * @throws {RoundsError} PARTICIPANT when the plan has nobody of that name
   * @throws {FileError} LOCKED when another participant has the folder
   */
  static async open(options: JoinOptions): Promise<Joined> {
    const { plan, participant, transport, state, backend, faults = [] } = options;
    if (!plan.participants.some(({ name }) => name === participant))
      throw new RoundsError("PARTICIPANT", `${plan.name} has no participant ${participant}; it has ${plan.participants.map(({ name }) => name).join(", ")}`, { participant }); // prettier-ignore
    const signer = options.staked?.signer ?? (await Signer.open(state, participant, faults.length > 0));
    const joined = new Joined(options, signer, new LeafRunner((await openBackend(backend)).backend));
    await joined.records.lock();
    const answer = async (message: Bytes): Promise<Bytes> => messages.reply(await joined.answer(message).catch(reasonOf)); // prettier-ignore
    joined.end = await transport.answer(subjectOf(plan.id, participant), answer).catch(async (error: unknown) => {
      await joined.records.release();
      throw error;
    });
    return joined;
  }

  async close(): Promise<void> {
    this.ending.abort();
    await this.end();
    await this.turn.catch(() => undefined);
    await this.runner.close();
    await this.records.release();
  }

  private async answer(message: Bytes): Promise<Reply> {
    const question = messages.askedOfParticipant(message);
    if (question.kind === "hello") return { kind: "here", address: this.address };
    if (question.kind === "perform") return this.performed(question);
    if (question.kind === "closed") return this.closed(question);
    return pieceAmong(await this.records.all(), question);
  }

  /** The leaf, or the word that it is still computed. What was asked before is not computed twice. */
  private async performed({
    instance: named,
    round,
    seat,
    stop,
  }: Extract<AskedOfParticipant, { kind: "perform" }>): Promise<Reply> {
    const { plan } = this.options;
    if (round > plan.rounds || plan.seats[seat]?.participant !== this.number)
      throw new RoundsError("FOREIGN", `seat ${seat} in round ${round} is not its own`, { round, seat });
    const record = await this.records.of(named);
    const key = `${toHex(record.instance.id)}/${round}/${seat}`;
    const known = this.leaves.get(key);
    const leaf = known ?? (this.turn = this.turn.catch(() => undefined).then(() => this.leaf(record, { round, seat }, stop))) as Promise<Reply>; // prettier-ignore
    if (!known) this.leaves.set(key, leaf);
    // Whatever has left is computed again, to the same bits.
    if (this.leaves.size > MOST_KEPT) this.leaves.delete(this.leaves.keys().next().value!);
    // What has failed may be asked for again.
    leaf.catch(() => this.leaves.delete(key));
    return orWorking(leaf);
  }

  /** The roll by which a turn was closed without it. */
  private async closed({ instance, roll }: Extract<AskedOfParticipant, { kind: "closed" }>): Promise<Reply> {
    const { plan, onClosed } = this.options;
    const record = await this.records.of(instance);
    expectRoll(record, roll, roll);
    record.rolls.admit(roll);
    for (const seat of plan.seats.keys()) {
      const place = { round: roll.round, seat };
      const isOwn = plan.seats[seat].participant === this.number && plan.seats[seat].turn === roll.turn;
      if (isOwn && record.isAbsent(place)) onClosed?.(place, seatName(plan, seat));
    }
    return { kind: "noted" };
  }

  private async leaf(record: RoundsRecord, place: LeafPlace, stop: boolean): Promise<Reply> {
    const { plan, faults = [], transport, patience, checkpointEvery: every, onNews } = this.options;
    const checkpoints = { every, onNews: (at: LeafPlace, news: LeafNews) => onNews?.(at, seatName(plan, at.seat), news) }; // prettier-ignore
    const fault = faults.find((planted) => planted.round === place.round && planted.seat === place.seat)?.fault;
    this.expectOpen(record, place);
    const recorder = new Correspondent(transport, recorderSubject(record.instance.id), { name: "the recorder", patience }); // prettier-ignore
    await this.fetchSeeds(record, recorder, place.round);
    for (const source of sourcesOf(plan, place)) await this.fetchRolls(record, recorder, source);
    const derived = record.reads(place);
    const { places } = fault ? misread(plan, { ...place, fault }, derived) : derived;
    for (const source of places) await this.fetch(record, recorder, await this.fetchRolls(record, recorder, source));
    const tools = { runner: this.runner, signer: this.signer, stop, checkpoints };
    const { statement } = await perform(record, tools, place, fault);
    const note = await record.note(place);
    // The record has what the recorder has signed. This folder shows that by which this leaf was computed.
    const rolls = fault ? [] : derived.asked;
    const mark = fault || !needsMark(plan, place.round) ? undefined : markBefore(record, place.round);
    if (rolls.length > 0 || mark) await record.writeNote(place, { ...note, ...(rolls.length > 0 && { rolls }), ...(mark && { mark }) }); // prettier-ignore
    const { roots, metrics, read = [] } = note;
    this.expectOpen(record, place);
    await this.records.keep(record, statement);
    const receipts = plan.storage ? await this.kept(record, statement) : undefined;
    this.options.onLeaf?.(place, seatName(plan, place.seat));
    return { kind: "performed", statement, roots: [...roots], metrics: [...metrics], read: [...read], ...(receipts && { receipts }), ...(fault && { fault }) }; // prettier-ignore
  }

  /**
   * The receipts of stores for a leaf, before the recorder has it: so a recorder can't keep them away. They
   * are in the folder, by which the owner shows them.
   */
  private kept(record: RoundsRecord, statement: Statement): Promise<StoreSentence[]> {
    const { transport, patience, onSilent } = this.options;
    const keep = (receipt: StoreSentence): Promise<void> => this.records.keepReceipt(record, statement, receipt);
    return haveKept(record, statement, { transport, patience, signal: this.ending.signal, keep, onSilent });
  }

  /** @throws {RoundsError} LATE where the recorder has closed the turn without this leaf */
  private expectOpen(record: RoundsRecord, place: LeafPlace): void {
    const { round, seat } = place;
    if (record.isAbsent(place))
      throw new RoundsError("LATE", `${seatName(record.plan, seat)} in round ${round} is too late: the recorder has closed its turn without it; it takes part again in the next round`, { round, seat }); // prettier-ignore
  }

  /** Has what the seeds of a round follow from, where they follow from the record. */
  private async fetchSeeds(record: RoundsRecord, recorder: Correspondent, round: number): Promise<void> {
    if (!lacksSeeds(record, round)) return;
    const { mark, beacon } = await recorder.ask({ kind: "mark", rounds: round }, "mark");
    if (mark.rounds !== round || !isMarked(record.instance, mark))
      throw new RoundsError("RECORD", `the recorder sent no signature of its own over the rounds before round ${round}, so its seeds are not known`, { round }); // prettier-ignore
    const value = beacon && { round, signature: beacon };
    if (record.plan.beacon && !(value && isValueOf(record.plan.beacon, value)))
      throw new RoundsError("RECORD", `the recorder sent no value of the beacon's round ${beaconRound(record.plan.beacon, round)}, so the seeds of round ${round} are not known`, { round }); // prettier-ignore
    // What was sent first counts.
    record.admitSeeds({ marks: markBefore(record, round) ? [] : [mark], ...(value && { beacon: value }) });
  }

  /** Has the rolls that say which leaf stands in a place. @returns the place of that leaf */
  private async fetchRolls(
    record: RoundsRecord,
    recorder: Correspondent,
    { round, seat }: LeafPlace,
  ): Promise<LeafPlace> {
    const { plan } = record;
    for (let at = { round, seat }; ; at = { round: at.round - 1, seat }) {
      const turn = turnOf(plan, at);
      if (!isRolled(plan, turn)) return at;
      if (!record.rolls.at(turn)) {
        const { roll } = await recorder.ask({ kind: "roll", ...turn }, "roll");
        expectRoll(record, roll, turn);
        record.rolls.admit(roll);
      }
      if (!record.isAbsent(at)) return at;
    }
  }

  /** Has a leaf that it reads, with its state. Nothing is kept that its owner has not signed. */
  private async fetch(record: RoundsRecord, recorder: Correspondent, { round, seat }: LeafPlace): Promise<void> {
    const { plan, instance } = record;
    const name = placeWords(plan, { round, seat });
    const known = record.at({ round, seat });
    if (known && (await record.isAtHand(known))) return;
    const { statement, roots } = await recorder.ask({ kind: "leaf", round, seat }, "leaf");
    if (statement.round !== round || statement.seat !== seat || !bytesEqual(stateRoot(roots), statement.end))
      throw new RoundsError("RECORD", `the recorder sent another leaf than that of ${name}`, { round, seat });
    if (!isOwners(plan, instance, statement))
      throw new RoundsError("RECORD", `the recorder sent a leaf of ${name} that its owner has not signed, so it is not read`, { round, seat }); // prettier-ignore
    if (known && contradict(plan, known, statement))
      throw new RoundsError("RECORD", `the recorder sent another leaf of ${name} than before, and its owner has signed both; the second one is not read`, { round, seat }); // prettier-ignore
    const types = stateAt(plan, { round, seat });
    const { transport, patience } = this.options;
    await fetchAnywhere(plan, recorder, { transport, patience, signal: this.ending.signal }, (from) => from.fetch(record.blobs, roots, types)); // prettier-ignore
    await record.writeNote({ round, seat }, { roots, metrics: [] });
    await this.records.keep(record, statement);
  }
}
