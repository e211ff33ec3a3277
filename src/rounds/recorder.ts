/**
 * The recorder: it admits what the participants have performed, closes turns by rolls, and signs each round.
 */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { messageOf, RoundsError, RunError, UsageError } from "../errors/index.ts";
import { Asking, isAbsence } from "./asking.ts";
import { isAway } from "./away.ts";
import { beaconRound, isValueOf } from "./beacon.ts";
import type { Crew } from "./crew.ts";
import { sameClaim } from "./leaf.ts";
import { ReceiptLog } from "./evidence-log.ts";
import { LogWriter, readLog } from "./log.ts";
import { roundRootIn } from "./machine.ts";
import type { Performed } from "./participant.ts";
import { type LeafPlace, namesOf, seatName } from "./plan.ts";
import type { StoreSentence } from "./receipt.ts";
import { logFile, type RoundsRecord } from "./record.ts";
import { hasQuorum, isRolled, presentWord, type TurnPlace } from "./roll.ts";
import type { RunRoundsOptions } from "./run.ts";
import { valueFor } from "./seeds.ts";
import type { Signer } from "./signer.ts";
import { isOwners, recordRootOf } from "./statement.ts";
import { Storing } from "./storing.ts";

/** Whether too few stores have signed. */
const isShort = (error: unknown): boolean => error instanceof RoundsError && error.code === "VERDE_ROUNDS_STORES";

/** Admits what the participants have performed, in the order of the seats. */
export class Recorder {
  private readonly record: RoundsRecord;
  private readonly crew: Crew;
  private readonly signer: Signer;
  private readonly options: RunRoundsOptions;
  private readonly asking: Asking;
  private readonly storing: Storing;
  private readonly rounds: Bytes[] = [];

  constructor(record: RoundsRecord, crew: Crew, signer: Signer, options: RunRoundsOptions) {
    this.record = record;
    this.crew = crew;
    this.signer = signer;
    this.options = options;
    this.asking = new Asking(record.plan, crew, options, (place, performed) => this.expectSigned(place, performed));
    this.storing = new Storing(record, crew.stores ?? [], options);
  }

  async run(): Promise<void> {
    const { record } = this;
    const { plan, instance, folder } = record;
    const log = await LogWriter.open(logFile(folder), await readLog(logFile(folder), plan.turns));
    for (let round = 0; round <= plan.rounds; round++) {
      await this.beacon(log, round);
      for (const turn of plan.turns.keys()) {
        const at = { round, turn };
        if (isRolled(plan, at) && !record.rolls.at(at)) await this.rolled(log, at);
        else await this.whole(log, await this.lacking(at));
      }
      this.rounds.push(roundRootIn(record, round));
      const root = recordRootOf(plan.id, this.rounds);
      if (record.marks.some((mark) => mark.rounds === round + 1 && bytesEqual(mark.root, root))) continue;
      const mark = { rounds: round + 1, root, signature: await this.signer.record(instance, round + 1, root) };
      await log.mark(mark);
      record.marks.push(mark);
    }
  }

  /** The value of the beacon for a round, before its first turn: nobody signs it, since only one passes. */
  private async beacon(log: LogWriter, round: number): Promise<void> {
    const { record, options } = this;
    const { beacon } = record.plan;
    if (!beacon || round === 0 || valueFor(record, round)) return;
    if (!options.beacon)
      throw new UsageError("CONFLICT", `the seeds of ${record.plan.name} need the values of a beacon; name a server that has them with --beacon`); // prettier-ignore
    const value = { round, signature: await options.beacon(beacon, round, options.signal) };
    if (!isValueOf(beacon, value))
      throw new RoundsError("UNAVAILABLE", `what was given as the beacon's round ${beaconRound(beacon, round)} is not its value; ask another server`, { round }); // prettier-ignore
    await log.beacon(value);
    record.beacons.set(round, value);
  }

  /** The places of a turn that have no leaf yet, or have lost its files. */
  private async lacking({ round, turn }: TurnPlace): Promise<LeafPlace[]> {
    const { record } = this;
    const places: LeafPlace[] = [];
    for (const [seat, each] of record.plan.seats.entries()) {
      const place = { round, seat };
      const known = record.at(place);
      if (each.turn === turn && !record.isAbsent(place) && !(known && (await record.isAtHand(known)))) places.push(place); // prettier-ignore
    }
    return places;
  }

  /** A turn, or what is left of it, that misses nobody. */
  private async whole(log: LogWriter, places: readonly LeafPlace[]): Promise<void> {
    const { crew, asking } = this;
    const started = crew.together ? places.map((place) => asking.perform(place)) : [];
    await Promise.allSettled(started);
    for (const [i, place] of places.entries()) {
      const performed = await (started[i] ?? asking.perform(place));
      await this.admit(log, place, performed);
      if (this.options.signal?.aborted) throw this.stopped(place);
    }
  }

  /** A turn that may miss members, until the roll that closes it. */
  private async rolled(log: LogWriter, at: TurnPlace): Promise<void> {
    const { record, crew, signer, options, asking, storing } = this;
    const { plan, instance } = record;
    const lacking = await this.lacking(at);
    // Whose statement is in the log was there, so what it has lost has to be made again.
    await this.whole(log, lacking.filter((place) => record.at(place))); // prettier-ignore
    const members = plan.seats.flatMap(({ turn }, seat) => (turn === at.turn ? [{ round: at.round, seat }] : []));
    const presence = (): boolean[] => members.map((place) => record.at(place) !== undefined);
    // A roll that was signed before this process was started is the one that counts: nobody is asked again.
    const signed = await signer.signedRoll(instance, at);
    const isClosed = signed !== undefined && bytesEqual(signed, presentWord(presence()));
    const open = lacking.filter((place) => !record.at(place));
    // Nor who is missed by the stores: they sign no receipt for it any more.
    const asked = isClosed ? [] : open.filter((place) => !storing.isMissed(place));
    const least = plan.turns[at.turn].quorum! - (members.length - open.length);
    const late = (place: LeafPlace): void => options.onLate?.(this.infoOf(place));
    const outcomes = crew.together ? await asking.gathered(asked, least, late) : undefined;
    const absent = new Map<LeafPlace, string>(open.flatMap((place) => (asked.includes(place) ? [] : [[place, "it had not delivered"]]))); // prettier-ignore
    for (const place of asked) {
      const outcome = outcomes?.get(place.seat) ?? (await asking.attempt(place));
      const why = "why" in outcome ? outcome.why : await this.admitted(log, place, outcome.performed);
      if (why !== undefined) absent.set(place, why);
      if (options.signal?.aborted) throw this.stopped(place);
    }
    if (!isClosed) {
      await this.recover(log, absent);
      // Nobody is asked for notes before.
      if (!hasQuorum(plan, { turn: at.turn, present: presence() })) throw this.tooFew(at, presence(), absent);
    }
    await this.miss(log, absent);
    const present = presence();
    const roll = { ...at, present, signature: await signer.roll(instance, { ...at, present }) };
    await log.roll(roll);
    record.rolls.admit(roll);
    crew.closed?.(roll);
    for (const [place, why] of absent) options.onAbsent?.({ ...this.infoOf(place), why });
  }

  /** Takes the leaves of absent members that stores hold: a member that has reached the stores is present. */
  private async recover(log: LogWriter, absent: Map<LeafPlace, string>): Promise<void> {
    for (const place of absent.keys()) if (!this.isCensored(place)) await this.found(log, place, absent);
  }

  /** Has the stores say of each absent member that they have no leaf of it. */
  private async miss(log: LogWriter, absent: Map<LeafPlace, string>): Promise<void> {
    const { storing, crew } = this;
    const places = [...absent.keys()];
    const notes = (place: LeafPlace): Promise<StoreSentence[]> => storing.notes(place, this.isCensored(place));
    const started = crew.together ? places.map(notes) : [];
    await Promise.allSettled(started);
    for (const [i, place] of places.entries())
      try {
        await storing.list(log, await (started[i] ?? notes(place)));
      } catch (error) {
        // It may have reached them after they were asked what they hold.
        if (!isShort(error) || !(await this.found(log, place, absent))) throw error;
      }
  }

  private async found(log: LogWriter, place: LeafPlace, absent: Map<LeafPlace, string>): Promise<boolean> {
    const statement = await this.storing.find(place);
    if (!statement) return false;
    const why = await this.admitted(log, place, { statement, metrics: {} });
    if (why !== undefined) absent.set(place, why);
    return why === undefined && absent.delete(place);
  }

  private isCensored(place: LeafPlace): boolean {
    return isAway(this.record.plan, this.options.censored ?? [], place);
  }

  /** Why a leaf is not admitted, if it is not. */
  private async admitted(log: LogWriter, place: LeafPlace, performed: Performed): Promise<string | undefined> {
    try {
      if (this.isCensored(place)) return await this.leaveOut(performed);
      await this.admit(log, place, performed);
      return undefined;
    } catch (error) {
      if (isAbsence(error) || isShort(error)) return messageOf(error);
      throw error;
    }
  }

  /** In a drill: the owner has its receipts, and the recorder calls it absent. */
  private async leaveOut({ statement, receipts }: Performed): Promise<string> {
    const { folder, plan } = this.record;
    const signed = await this.storing.receipts(statement, receipts);
    const log = await ReceiptLog.open(folder, plan.turns);
    await log.keep(statement, signed.filter(({ run }) => run !== undefined)); // prettier-ignore
    return "it is left out, as --censor says";
  }

  /**
   * A leaf is admitted if its owner has signed it, and stores hold it. Whether it is right is for those who
   * dispute it.
   */
  private async admit(log: LogWriter, place: LeafPlace, { statement, metrics, receipts }: Performed): Promise<void> {
    const { plan } = this.record;
    const { round, seat } = place;
    const { participant, name } = this.infoOf(place);
    this.expectSigned(place, { statement });
    const known = this.record.at(place);
    if (known && !sameClaim(plan, place, known, statement))
      throw new RoundsError("PARTICIPANT", `${participant} computed other bits of ${name} in round ${round} than it has signed, so what was lost of it can't be made again`, { round, seat }); // prettier-ignore
    if (!known) {
      await this.storing.list(log, await this.storing.receipts(statement, receipts));
      await log.statement(statement);
    }
    this.record.admit(statement);
    this.options.onLeaf?.({ ...this.infoOf(place), metrics });
  }

  private expectSigned(place: LeafPlace, { statement }: Pick<Performed, "statement">): void {
    const { plan, instance } = this.record;
    const { round, seat } = place;
    const { participant, name } = this.infoOf(place);
    if (statement.round !== round || statement.seat !== seat || !isOwners(plan, instance, statement))
      throw new RoundsError("PARTICIPANT", `${participant} sent a statement of ${name} in round ${round} that it has not signed; it is not admitted`, { round, seat }); // prettier-ignore
  }

  private infoOf(place: LeafPlace) {
    return namesOf(this.record.plan, place);
  }

  private tooFew({ round, turn }: TurnPlace, present: readonly boolean[], absent: ReadonlyMap<LeafPlace, string>) {
    const { plan } = this.record;
    const { name, quorum } = plan.turns[turn];
    const there = present.filter(Boolean).length;
    const who = [...absent].map(([place, why]) => `${this.infoOf(place).participant} (${why})`).join(", ");
    return new RoundsError("QUORUM", `in round ${round} ${there} of ${present.length} members of ${name} have delivered, and the plan needs ${quorum}; absent: ${who}; continue with --resume when they are back`, { round, turn, present: there }); // prettier-ignore
  }

  private stopped({ round, seat }: LeafPlace): RunError {
    const { plan, folder } = this.record;
    const message = `the rounds were stopped after ${seatName(plan, seat)} in round ${round} of ${plan.rounds}; ${folder} is kept: continue it with --resume`;
    const error = new RunError("STOPPED", message, { round, seat, out: folder });
    error.cause = this.options.signal?.reason;
    return error;
  }
}
