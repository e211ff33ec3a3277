/** The record of an instance: its plan, keys, statements, and what each leaf has computed. */
import { decode, encode } from "cborg";
import { type Bytes, bytesEqual, fromHex, toHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { fs, path } from "../encoding/node.ts";
import { formatType, stateRoot, type TensorRoot } from "../encoding/tensor.ts";
import { messageOf, RoundsError } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { replaceFile } from "../files/replace.ts";
import { Blobs } from "./blobs.ts";
import type { LeafFault } from "./fault.ts";
import type { SourceState } from "./leaf.ts";
import { type LogContent, type RecordMark, readLog } from "./log.ts";
import { type LeafPlace, type Plan, seatName, sourcesOf } from "./plan.ts";
import { readPlan, writePlan } from "./plan-file.ts";
import { stateOf } from "./template.ts";
import { type Instance, instanceOf, type Statement } from "./statement.ts";

/** What a leaf's file holds beside its statement. Its run root binds the entries; the rest is a note. */
export interface LeafNote {
  /** The roots of the final state's entries. */
  readonly roots: readonly TensorRoot[];
  readonly metrics: readonly Record<string, number>[];
  /** The fault of a drill, so that its prover can execute the leaf again. */
  readonly fault?: LeafFault;
  /** The statements that the leaf was computed from, where they are others than the record's. */
  readonly read?: readonly Statement[];
}

const key = ({ round, seat }: LeafPlace): string => `${round}/${seat}`;
const leafFile = (folder: string, plan: Plan, { round, seat }: LeafPlace): string =>
  path.join(folder, "rounds", String(round).padStart(4, "0"), `${seatName(plan, seat)}.leaf`);
const instanceFile = (folder: string): string => path.join(folder, "instance.json");

/** Where the log of a record is. */
export const logFile = (folder: string): string => path.join(folder, "record.log");
/** Where the blobs of a record are. */
const blobFolder = (folder: string): string => path.join(folder, "blobs");

/** A record as anyone reads it from its folder. */
export class RoundsRecord {
  readonly folder: string;
  readonly plan: Plan;
  readonly instance: Instance;
  readonly blobs: Blobs;
  private readonly places = new Map<string, Statement>();
  /** Statements for a place that has one already, which say something else. */
  readonly second: Statement[] = [];
  readonly marks: RecordMark[];

  constructor(folder: string, plan: Plan, instance: Instance, blobs: Blobs, log?: LogContent) {
    this.folder = folder;
    this.plan = plan;
    this.instance = instance;
    this.blobs = blobs;
    this.marks = [...(log?.marks ?? [])];
    for (const statement of log?.statements ?? []) {
      const { round, seat } = statement;
      if (round > plan.rounds || seat >= plan.seats.length)
        throw new RoundsError("RECORD", `${folder} has a statement of seat ${seat} in round ${round}, which the plan does not have; restore it`, { round, seat }); // prettier-ignore
      this.admit(statement);
    }
  }

  /** @throws {RoundsError} when the folder is no record, or a file of it is not what it should be */
  static async open(folder: string): Promise<RoundsRecord> {
    const blobs = new Blobs(blobFolder(folder));
    const plan = await readPlan(folder, blobs);
    const instance = await readInstance(folder, plan);
    return new RoundsRecord(folder, plan, instance, blobs, await readLog(logFile(folder)));
  }

  /** Adds a statement. The first one for a place counts. */
  admit(statement: Statement): void {
    const known = this.places.get(key(statement));
    if (!known) this.places.set(key(statement), statement);
    else if (toHex(known.signature) !== toHex(statement.signature)) this.second.push(statement);
  }

  /** The statement of a place, if it has one. */
  at(place: LeafPlace): Statement | undefined {
    return this.places.get(key(place));
  }

  /** All statements, in the order in which they were admitted. */
  get all(): Statement[] {
    return [...this.places.values()];
  }

  /** How many leaves there are. */
  get size(): number {
    return this.places.size;
  }

  /** How many rounds have all their leaves, with round 0. */
  get complete(): number {
    let rounds = 0;
    while (rounds <= this.plan.rounds && this.plan.seats.every((_, seat) => this.at({ round: rounds, seat }))) rounds++;
    return rounds;
  }

  /**
   * The statements that a leaf has to read.
   * @throws {RoundsError} when one of them is not there yet
   */
  sources(place: LeafPlace): Statement[] {
    return this.statements(sourcesOf(this.plan, place));
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
    const file = leafFile(this.folder, this.plan, place);
    try {
      return decode(new Uint8Array(await fs.readFile(file))) as LeafNote;
    } catch (cause) {
      throw new RoundsError("UNAVAILABLE", `${file} can't be used: ${messageOf(cause)}; restore it`, { file });
    }
  }

  /** Writes the file of a leaf. One that is there is replaced. */
  async writeNote(place: LeafPlace, { roots, ...note }: LeafNote): Promise<void> {
    const file = leafFile(this.folder, this.plan, place);
    await makeFolder(path.dirname(file));
    await replaceFile(file, encode(plain({ ...note, roots })));
  }

  /**
   * The final state that a statement commits to.
   * @throws {RoundsError} when a file of it is missing, or is not that of its root
   */
  async state(statement: Statement): Promise<SourceState> {
    const roots = await this.entries(statement);
    const tensors = await this.blobs.get(roots);
    const types = stateOf(this.plan.templates[this.plan.seats[statement.seat].template]);
    const fits = tensors.length === types.length && tensors.every((tensor, i) => formatType(tensor) === formatType(types[i])); // prettier-ignore
    if (fits) return { roots, tensors };
    throw new RoundsError("UNAVAILABLE", `the state of ${seatName(this.plan, statement.seat)} in round ${statement.round} has other entries than its turn, so nothing can read it`, { round: statement.round }); // prettier-ignore
  }

  /** Whether the files of a leaf are there: a machine that stopped may have lost some. */
  async isAtHand(statement: Statement): Promise<boolean> {
    const types = stateOf(this.plan.templates[this.plan.seats[statement.seat].template]);
    try {
      return await this.blobs.has(await this.entries(statement), types);
    } catch (error) {
      if (error instanceof RoundsError) return false;
      throw error;
    }
  }

  private async entries(statement: Statement): Promise<readonly TensorRoot[]> {
    const { roots } = await this.note(statement);
    const isList = Array.isArray(roots) && roots.every((root) => root instanceof Uint8Array && root.length === 32);
    if (isList && bytesEqual(stateRoot(roots), statement.end)) return roots;
    throw new RoundsError("UNAVAILABLE", `the file of ${seatName(this.plan, statement.seat)} in round ${statement.round} has not the entries that were signed; restore it`, { round: statement.round }); // prettier-ignore
  }
}

/** Byte arrays of Node's own class would be encoded in another way. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (each === undefined ? [] : [[name, plain(each)]])),
  );
}

/** Begins the folder of a record. */
export async function beginRecord(folder: string, plan: Plan, instance: Instance): Promise<RoundsRecord> {
  const blobs = new Blobs(blobFolder(folder));
  await makeFolder(folder);
  await writePlan(folder, plan, blobs);
  const owners = plan.participants.map(({ name }, i) => [name, toHex(instance.owners[i])]);
  const text = { plan: toHex(plan.id), salt: toHex(instance.salt), owners: Object.fromEntries(owners), recorder: toHex(instance.recorder) }; // prettier-ignore
  await replaceFile(instanceFile(folder), `${JSON.stringify(text, null, 2)}\n`);
  return new RoundsRecord(folder, plan, instance, blobs);
}

async function readInstance(folder: string, plan: Plan): Promise<Instance> {
  const file = instanceFile(folder);
  try {
    const text = parseJson(await fs.readFile(file, "utf8"), file) as { plan: string; salt: string; owners: Record<string, string>; recorder: string }; // prettier-ignore
    const bytes = (hex: string, length: number): Bytes => fromHex(hex, length);
    if (!bytesEqual(bytes(text.plan, 32), plan.id)) throw new Error("it is of another plan");
    const owners = plan.participants.map(({ name }) => bytes(text.owners[name], 20));
    return instanceOf({ plan: plan.id, salt: bytes(text.salt, 32), owners, recorder: bytes(text.recorder, 20) });
  } catch (cause) {
    throw new RoundsError("RECORD", `${file} can't be used: ${messageOf(cause)}; restore it`, { file });
  }
}

/** A record without its statements, for a participant that is sent those that it needs. */
export async function openEmpty(folder: string): Promise<RoundsRecord> {
  const blobs = new Blobs(blobFolder(folder));
  const plan = await readPlan(folder, blobs);
  return new RoundsRecord(folder, plan, await readInstance(folder, plan), blobs);
}
