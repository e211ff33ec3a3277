/**
 * The recorder: it admits what the participants have performed, closes turns by rolls, and signs each round.
 */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { messageOf, RoundsError, RunError, UsageError } from "../errors/index.ts";
import { isAway } from "./away.ts";
import { beaconRound, isValueOf } from "./beacon.ts";
import type { Crew } from "./crew.ts";
import { sameClaim } from "./leaf.ts";
import { LogWriter, readLog } from "./log.ts";
import { roundRootIn } from "./machine.ts";
import type { Performed } from "./participant.ts";
import { type LeafPlace, namesOf, seatName } from "./plan.ts";
import { logFile, type RoundsRecord } from "./record.ts";
import { hasQuorum, isRolled, presentWord, type TurnPlace } from "./roll.ts";
import type { RunRoundsOptions } from "./run.ts";
import { valueFor } from "./seeds.ts";
import type { Signer } from "./signer.ts";
import { isOwners, recordRootOf } from "./statement.ts";

/** What a participant was asked for: its leaf, or why there is none. */
type Outcome = { readonly performed: Performed } | { readonly why: string };

const MINUTE = 60_000;
/** The longest time that a timer takes. */
const LONGEST = 2 ** 31 - 1;
/** Failures of a participant that a turn may miss. Others are of this machine, and end the run. */
const ABSENCE: ReadonlySet<string> = new Set(["VERDE_ROUNDS_PARTICIPANT", "VERDE_ROUNDS_LATE"]);
const isAbsence = (error: unknown): boolean => error instanceof RoundsError && ABSENCE.has(error.code);

/** Admits what the participants have performed, in the order of the seats. */
export class Recorder {
  private readonly record: RoundsRecord;
  private readonly crew: Crew;
  private readonly signer: Signer;
  private readonly options: RunRoundsOptions;
  private readonly rounds: Bytes[] = [];

  constructor(record: RoundsRecord, crew: Crew, signer: Signer, options: RunRoundsOptions) {
    this.record = record;
    this.crew = crew;
    this.signer = signer;
    this.options = options;
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
    const { crew } = this;
    const started = crew.together ? places.map((place) => crew.perform(place, this.faultOf(place))) : [];
    await Promise.allSettled(started);
    for (const [i, place] of places.entries()) {
      const performed = await (started[i] ?? crew.perform(place, this.faultOf(place)));
      await this.admit(log, place, performed);
      if (this.options.signal?.aborted) throw this.stopped(place);
    }
  }

  /** A turn that may miss members, until the roll that closes it. */
  private async rolled(log: LogWriter, at: TurnPlace): Promise<void> {
    const { record, crew, signer, options } = this;
    const { plan, instance } = record;
    const lacking = await this.lacking(at);
    // Whose statement is in the log was there, so what it has lost has to be made again.
    await this.whole(log, lacking.filter((place) => record.at(place))); // prettier-ignore
    const members = plan.seats.flatMap(({ turn }, seat) => (turn === at.turn ? [{ round: at.round, seat }] : []));
    const presence = (): boolean[] => members.map((place) => record.at(place) !== undefined);
    // A roll that was signed before this process was started is the one that counts: nobody is asked again.
    const signed = await signer.signedRoll(instance, at);
    const isClosed = signed !== undefined && bytesEqual(signed, presentWord(presence()));
    const asked = isClosed ? [] : lacking.filter((place) => !record.at(place));
    const least = plan.turns[at.turn].quorum! - (members.length - asked.length);
    const outcomes = crew.together ? await this.gathered(asked, least) : undefined;
    const absent = new Map<LeafPlace, string>(isClosed ? lacking.map((place) => [place, "it had not delivered"]) : []);
    for (const place of asked) {
      const outcome = outcomes?.get(place.seat) ?? (await this.attempt(place));
      const why = "why" in outcome ? outcome.why : await this.admitted(log, place, outcome.performed);
      if (why !== undefined) absent.set(place, why);
      if (options.signal?.aborted) throw this.stopped(place);
    }
    const present = presence();
    if (!hasQuorum(plan, { turn: at.turn, present })) throw this.tooFew(at, present, absent);
    const roll = { ...at, present, signature: await signer.roll(instance, { ...at, present }) };
    await log.roll(roll);
    record.rolls.admit(roll);
    crew.closed?.(roll);
    for (const [place, why] of absent) options.onAbsent?.({ ...this.infoOf(place), why });
  }

  /** Asks all at once. When as many as the turn needs have delivered, the others have some time left. */
  private async gathered(asked: readonly LeafPlace[], least: number): Promise<ReadonlyMap<number, Outcome>> {
    const { patience = MINUTE } = this.options;
    const outcomes = new Map<number, Outcome>();
    const waiting = new AbortController();
    let delivered = 0;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (outcomes.size === asked.length) resolve();
        else if (delivered >= least) timer ??= setTimeout(resolve, Math.min(patience, LONGEST));
      };
      for (const place of asked)
        this.attempt(place, waiting.signal).then((outcome) => {
          if (waiting.signal.aborted && "performed" in outcome) this.options.onLate?.(this.infoOf(place));
          outcomes.set(place.seat, outcome);
          if ("performed" in outcome) delivered++;
          check();
        }, reject);
      check();
    }).finally(() => clearTimeout(timer));
    const inTime = new Map(outcomes);
    waiting.abort();
    for (const { seat } of asked) if (!inTime.has(seat)) inTime.set(seat, { why: "it has not delivered in time" });
    return inTime;
  }

  private async attempt(place: LeafPlace, signal?: AbortSignal): Promise<Outcome> {
    const { crew, record, options } = this;
    if (isAway(record.plan, options.away ?? [], place)) return { why: "it stays away, as --away says" };
    try {
      const performed = await crew.perform(place, this.faultOf(place), signal);
      // What is not signed is no delivery, for which others would be cut short.
      this.expectSigned(place, performed);
      return { performed };
    } catch (error) {
      if (isAbsence(error)) return { why: messageOf(error) };
      throw error;
    }
  }

  /** Why a leaf is not admitted, if it is not. */
  private async admitted(log: LogWriter, place: LeafPlace, performed: Performed): Promise<string | undefined> {
    try {
      await this.admit(log, place, performed);
      return undefined;
    } catch (error) {
      if (isAbsence(error)) return messageOf(error);
      throw error;
    }
  }

  /** A leaf is admitted if its owner has signed it. Whether it is right is for those who dispute it. */
  private async admit(log: LogWriter, place: LeafPlace, { statement, metrics }: Performed): Promise<void> {
    const { plan } = this.record;
    const { round, seat } = place;
    const { participant, name } = this.infoOf(place);
    this.expectSigned(place, { statement });
    const known = this.record.at(place);
    if (known && !sameClaim(plan, place, known, statement))
      throw new RoundsError("PARTICIPANT", `${participant} computed other bits of ${name} in round ${round} than it has signed, so what was lost of it can't be made again`, { round, seat }); // prettier-ignore
    if (!known) await log.statement(statement);
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

  private faultOf({ round, seat }: LeafPlace) {
    return this.options.faults?.find((planted) => planted.round === round && planted.seat === seat)?.fault;
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
