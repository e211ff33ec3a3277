/** The record of an instance: its plan, keys, statements, and what each leaf has computed. */
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { path } from "../encoding/node.ts";
import { formatType, stateRoot, type TensorRoot } from "../encoding/tensor.ts";
import { RoundsError } from "../errors/index.ts";
import { exists } from "../files/regular.ts";
import type { BeaconValue } from "./beacon.ts";
import { Blobs } from "./blobs.ts";
import { admitEvidence, admitReceipts } from "./evidence-log.ts";
import { readInstance } from "./instance-file.ts";
import type { SourceState } from "./leaf.ts";
import { type LeafNote, readNote, type ShownNote, writeNote } from "./leaf-note.ts";
import { type LogContent, readLog } from "./log.ts";
import type { RecordMark } from "./log-entry.ts";
import { type LeafPlace, type Plan, seatName } from "./plan.ts";
import { stateAt } from "./place.ts";
import { readPlan } from "./plan-file.ts";
import { sentencesBy, StoreSentences } from "./receipt.ts";
import { chosenBy, type ChosenReads, isRolled, type Roll, Rolls, standingIn, turnOf, type TurnPlace } from "./roll.ts";
import { beaconsBy, sameMark, type SeedParts } from "./seeds.ts";
import type { Instance, Statement } from "./statement.ts";

const key = ({ round, seat }: LeafPlace): string => `${round}/${seat}`;

/** Where the log of a record is. */
export const logFile = (folder: string): string => path.join(folder, "record.log");
/** Where the blobs of a record are. */
export const blobFolder = (folder: string): string => path.join(folder, "blobs");

/** A record as anyone reads it from its folder. */
export class RoundsRecord {
  readonly folder: string;
  readonly plan: Plan;
  readonly instance: Instance;
  readonly blobs: Blobs;
  private readonly places = new Map<string, Statement>();
  /** Statements for a place that has one already, which say something else. */
  readonly second: Statement[] = [];
  readonly rolls = new Rolls();
  readonly marks: RecordMark[];
  /** Values of the plan's beacon, by the plan's rounds. Nobody has checked them. */
  readonly beacons: Map<number, BeaconValue>;
  /** What stores have signed, as the record has it. Nobody has checked it. */
  readonly sentences: StoreSentences;
  /** What they have signed beside, as evidence shows it. */
  readonly shownSentences = new StoreSentences();
  /** Folders of participants, which may show what these have read (`LeafNote.read`). */
  readonly evidence: string[] = [];

  constructor(
    folder: string,
    plan: Plan,
    instance: Instance,
    blobs: Blobs,
    log?: Pick<LogContent, "statements" | "marks" | "rolls" | "beacons" | "sentences">,
  ) {
    this.folder = folder;
    this.plan = plan;
    this.instance = instance;
    this.blobs = blobs;
    this.marks = [...(log?.marks ?? [])];
    this.beacons = beaconsBy(plan, log?.beacons ?? [], folder);
    this.sentences = sentencesBy(plan, log?.sentences ?? [], folder);
    for (const statement of log?.statements ?? []) {
      const { round, seat } = statement;
      if (round > plan.rounds || seat >= plan.seats.length)
        throw new RoundsError("RECORD", `${folder} has a statement of seat ${seat} in round ${round}, which the plan does not have; restore it`, { round, seat }); // prettier-ignore
      this.admit(statement);
    }
    for (const roll of log?.rolls ?? []) {
      const { round, turn } = roll;
      if (round > plan.rounds || !isRolled(plan, roll))
        throw new RoundsError("RECORD", `${folder} has a roll of turn ${turn} in round ${round}, in which the plan misses nobody; restore it`, { round, turn }); // prettier-ignore
      this.rolls.admit(roll);
    }
  }

  /**
   * @param evidence folders of participants in this performance, whose leaves' files and receipts count
   *   beside the record's as what their owners show
   * @throws {RoundsError} when the folder is no record, a file of it is not what it should be, or a folder of
   *   evidence has no leaves
   */
  static async open(folder: string, evidence: readonly string[] = []): Promise<RoundsRecord> {
    const blobs = new Blobs(blobFolder(folder));
    const plan = await readPlan(folder, blobs);
    const instance = await readInstance(folder, plan);
    const record = new RoundsRecord(folder, plan, instance, blobs, await readLog(logFile(folder), plan.turns));
    await admitEvidence(record);
    for (const each of evidence) {
      const hasReceipts = await admitReceipts(record, each);
      if (!hasReceipts && !(await exists(path.join(each, "rounds"))))
        throw new RoundsError("RECORD", `${each} has no leaves, so it shows nothing; name the folder that a participant keeps of this performance`, { folder: each }); // prettier-ignore
      record.evidence.push(each);
    }
    return record;
  }

  /** Adds a statement. The first one for a place counts. */
  admit(statement: Statement): void {
    const known = this.places.get(key(statement));
    if (!known) this.places.set(key(statement), statement);
    else if (toHex(known.signature) !== toHex(statement.signature)) this.second.push(statement);
  }

  /** Replaces the statement of a place by the same one with another signature. */
  replace(statement: Statement): void {
    this.places.set(key(statement), statement);
  }

  /** Adds what the seeds of a round follow from. What is there already is not added again. */
  admitSeeds({ marks, beacon }: SeedParts): void {
    for (const mark of marks)
      if (!this.marks.some((each) => sameMark(each, mark) && bytesEqual(each.signature, mark.signature))) this.marks.push(mark); // prettier-ignore
    if (beacon) this.beacons.set(beacon.round, beacon);
  }

  /** The statement of a place, if it has one. */
  at(place: LeafPlace): Statement | undefined {
    return this.places.get(key(place));
  }

  /** All statements, in the order in which they were admitted. */
  get all(): Statement[] {
    return [...this.places.values()];
  }

  /** Whether a roll says that a seat's member was away. */
  isAbsent({ round, seat }: LeafPlace): boolean {
    const turn = turnOf(this.plan, { round, seat });
    return isRolled(this.plan, turn) && this.rolls.at(turn)?.present[this.plan.seats[seat].member] === false;
  }

  /**
   * The roll of a turn.
   * @throws {RoundsError} UNAVAILABLE when there is none yet
   */
  roll({ round, turn }: TurnPlace): Roll {
    const roll = this.rolls.at({ round, turn });
    if (roll) return roll;
    throw new RoundsError("UNAVAILABLE", `${this.folder} has no roll of ${this.plan.turns[turn].name} in round ${round}, so nothing can read it; run the plan further`, { round, turn }); // prettier-ignore
  }

  /** The leaf that stands in a place. @throws {RoundsError} UNAVAILABLE without the roll that says it */
  standing(place: LeafPlace): LeafPlace {
    return standingIn(this.plan, place, (turn) => this.roll(turn));
  }

  /** What a leaf has to read. @throws {RoundsError} UNAVAILABLE without the rolls that say it */
  reads(place: LeafPlace): ChosenReads {
    return chosenBy(this.plan, place, (turn) => this.roll(turn));
  }

  /** Whether a place has its leaf, or a roll says that its member was away. */
  private isSettled(place: LeafPlace): boolean {
    const turn = turnOf(this.plan, place);
    const isOpen = isRolled(this.plan, turn) && !this.rolls.at(turn);
    return !isOpen && (this.isAbsent(place) || this.at(place) !== undefined);
  }

  /** How many leaves there are. */
  get size(): number {
    return this.places.size;
  }

  /** How many rounds have all their leaves and rolls, with round 0. */
  get complete(): number {
    let rounds = 0;
    while (rounds <= this.plan.rounds && this.plan.seats.every((_, seat) => this.isSettled({ round: rounds, seat })))
      rounds++;
    return rounds;
  }

  /**
   * The statements that a leaf has to read.
   * @throws {RoundsError} when one of them is not there yet
   */
  sources(place: LeafPlace): Statement[] {
    return this.statements(this.reads(place).places);
  }

  /** The statements of places. @throws {RoundsError} UNAVAILABLE where a place has none */
  statements(places: readonly LeafPlace[]): Statement[] {
    return places.map((place) => {
      const statement = this.at(place);
      if (statement) return statement;
      throw new RoundsError("UNAVAILABLE", `${this.folder} has no leaf of ${seatName(this.plan, place.seat)} in round ${place.round}; run the plan further`, { ...place }); // prettier-ignore
    });
  }

  /** @throws {RoundsError} when the leaf's file is missing, or is none */
  async note(place: LeafPlace): Promise<LeafNote> {
    return readNote(this.folder, this.plan, place);
  }

  /**
   * What the files of a leaf say that it was computed from: the record's file, and those of the evidence.
   * Nobody has checked it.
   */
  async shown(place: LeafPlace): Promise<ShownNote[]> {
    const notes: ShownNote[] = [];
    for (const folder of [this.folder, ...this.evidence])
      notes.push(await readNote(folder, this.plan, place).catch(() => ({})));
    return notes;
  }

  /** Writes the file of a leaf. One that is there is replaced. */
  async writeNote(place: LeafPlace, note: LeafNote): Promise<void> {
    await writeNote(this.folder, this.plan, place, note);
  }

  /**
   * The final state that a statement commits to.
   * @throws {RoundsError} when a file of it is missing, or is not that of its root
   */
  async state(statement: Statement): Promise<SourceState> {
    const roots = await this.entries(statement);
    const tensors = await this.blobs.get(roots);
    const types = stateAt(this.plan, statement);
    const fits = tensors.length === types.length && tensors.every((tensor, i) => formatType(tensor) === formatType(types[i])); // prettier-ignore
    if (fits) return { roots, tensors };
    throw new RoundsError("UNAVAILABLE", `the state of ${seatName(this.plan, statement.seat)} in round ${statement.round} has other entries than its turn, so nothing can read it`, { round: statement.round }); // prettier-ignore
  }

  /** Whether the files of a leaf are there: a machine that stopped may have lost some. */
  async isAtHand(statement: Statement): Promise<boolean> {
    const types = stateAt(this.plan, statement);
    try {
      return await this.blobs.has(await this.entries(statement), types);
    } catch (error) {
      if (error instanceof RoundsError) return false;
      throw error;
    }
  }

  /**
   * The roots of the final state's entries.
   * @throws {RoundsError} when the leaf's file has not those that were signed
   */
  async entries(statement: Statement): Promise<readonly TensorRoot[]> {
    const { roots } = await this.note(statement);
    const isList = Array.isArray(roots) && roots.every((root) => root instanceof Uint8Array && root.length === 32);
    if (isList && bytesEqual(stateRoot(roots), statement.end)) return roots;
    throw new RoundsError("UNAVAILABLE", `the file of ${seatName(this.plan, statement.seat)} in round ${statement.round} has not the entries that were signed; restore it`, { round: statement.round }); // prettier-ignore
  }
}
