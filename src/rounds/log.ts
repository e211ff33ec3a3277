/**
 * `record.log`: statements, rolls and other entries in the order in which they were admitted. A cut last
 * entry is as if it had not been written.
 */
import { type Bytes, bytesEqual, Reader, Writer } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { fs } from "../encoding/node.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { isMissing, RoundsError, unwritable } from "../errors/index.ts";
import { appendDurably } from "../files/append.ts";
import type { JobId } from "../job/closed.ts";
import { type BeaconValue, VALUE_BYTES } from "./beacon.ts";
import type { PlanTurn } from "./plan.ts";
import type { Roll } from "./roll.ts";
import type { Statement } from "./statement.ts";

const MAGIC = new TextEncoder().encode("VERDERL1");
const KIND = { leaf: 1, round: 2, roll: 3, beacon: 4 } as const;
/** The bytes of an entry's content, by its kind. */
const BYTES = { [KIND.leaf]: 8 + 3 * 32 + 65, [KIND.round]: 4 + 32 + 65, [KIND.beacon]: 4 + VALUE_BYTES } as const;
/** The bytes of a roll before its members, and in all. */
const ROLL_HEAD = 12;
const rollBytes = (members: number): number => ROLL_HEAD + members + 65;
const HASH = 32;

/** What the recorder signed after a round. */
export interface RecordMark {
  /** How many rounds the record had, with round 0. */
  readonly rounds: number;
  readonly root: Bytes;
  readonly signature: Bytes;
}

/** What a log holds. */
export interface LogContent {
  readonly statements: readonly Statement[];
  readonly marks: readonly RecordMark[];
  readonly rolls: readonly Roll[];
  /** Values of the plan's beacon. Default: none. */
  readonly beacons?: readonly BeaconValue[];
  /** The place after the last whole entry, and its hash. */
  readonly end: number;
  readonly hash: Bytes;
}

const next = (hash: Bytes, kind: number, content: Bytes): Bytes =>
  sha256(new Writer().bytes(hash).u8(kind).bytes(content).finish());

/**
 * Reads a log. How long a roll is follows from the plan, so that no length in the file is believed.
 * @throws {RoundsError} when there is no log, or an entry does not follow from those before it
 */
export async function readLog(file: string, turns: readonly PlanTurn[]): Promise<LogContent> {
  const read = await fs.readFile(file).catch((cause: unknown) => {
    if (!isMissing(cause)) throw cause;
    throw new RoundsError("RECORD", `${file} is missing, so there is no record; name the folder of a record`, { file });
  });
  // Slices of Node's own buffers would share their memory.
  const bytes: Bytes = new Uint8Array(read);
  if (!bytesEqual(bytes.subarray(0, MAGIC.length), MAGIC)) {
    if (bytes.length >= MAGIC.length)
      throw new RoundsError("RECORD", `${file} is no log of a record; restore it`, { file });
    return { statements: [], marks: [], rolls: [], end: 0, hash: sha256(MAGIC) };
  }
  const [statements, marks, rolls, beacons] = [[] as Statement[], [] as RecordMark[], [] as Roll[], [] as BeaconValue[]]; // prettier-ignore
  let [end, hash] = [MAGIC.length, sha256(MAGIC)];
  while (end < bytes.length) {
    const kind = bytes[end];
    const length = lengthAt(bytes, end, turns);
    if (length === undefined) throw altered(file, end);
    if (bytes.length < end + 1 + length + HASH) break;
    const content = bytes.subarray(end + 1, end + 1 + length);
    const own = next(hash, kind, content);
    if (!bytesEqual(own, bytes.subarray(end + 1 + length, end + 1 + length + HASH))) throw altered(file, end);
    if (kind === KIND.leaf) statements.push(statementIn(content));
    else if (kind === KIND.roll) rolls.push(rollIn(content) ?? fail(file, end));
    else if (kind === KIND.beacon) beacons.push(beaconIn(content));
    else marks.push(markIn(content));
    [end, hash] = [end + 1 + length + HASH, own];
  }
  return { statements, marks, rolls, beacons, end, hash };
}

/**
 * The bytes of the content of the entry at a place; infinitely many where it is cut before they are known.
 */
function lengthAt(bytes: Bytes, at: number, turns: readonly PlanTurn[]): number | undefined {
  const kind = bytes[at];
  if (kind !== KIND.roll) return BYTES[kind as keyof typeof BYTES];
  if (bytes.length < at + 1 + ROLL_HEAD) return Infinity;
  const head = new Reader(bytes.subarray(at + 1, at + 1 + ROLL_HEAD), "a roll");
  head.u32();
  const [turn, members] = [head.u32(), head.u32()];
  return turns[turn]?.members === members ? rollBytes(members) : undefined;
}

function fail(file: string, at: number): never {
  throw altered(file, at);
}

function altered(file: string, at: number): RoundsError {
  return new RoundsError("RECORD", `${file} was altered at byte ${at}: its hash does not follow; restore it`, {
    file,
    at,
  });
}

function statementIn(content: Bytes): Statement {
  const reader = new Reader(content, "a statement");
  const [round, seat] = [reader.u32(), reader.u32()];
  const [job, start, end] = [reader.bytes(32), reader.bytes(32), reader.bytes(32)].map((each) => each.slice());
  return {
    round,
    seat,
    job: job as JobId,
    start: start as StateRoot,
    end: end as StateRoot,
    signature: reader.bytes(65).slice(),
  };
}

function markIn(content: Bytes): RecordMark {
  const reader = new Reader(content, "a record's mark");
  return { rounds: reader.u32(), root: reader.bytes(32).slice(), signature: reader.bytes(65).slice() };
}

function beaconIn(content: Bytes): BeaconValue {
  const reader = new Reader(content, "a beacon's value");
  return { round: reader.u32(), signature: reader.bytes(VALUE_BYTES).slice() };
}

/** A roll, if each of its members is a 0 or a 1. */
function rollIn(content: Bytes): Roll | undefined {
  const reader = new Reader(content, "a roll");
  const [round, turn] = [reader.u32(), reader.u32()];
  const members = Array.from(reader.bytes(reader.u32()));
  if (members.some((each) => each > 1)) return undefined;
  return { round, turn, present: members.map((each) => each === 1), signature: reader.bytes(65).slice() };
}

/** Appends to a log. Each entry is on the disk when its promise is fulfilled. */
export class LogWriter {
  private readonly file: string;
  private hash: Bytes;

  private constructor(file: string, hash: Bytes) {
    this.file = file;
    this.hash = hash;
  }

  /** Begins a log, or continues one after its last whole entry. */
  static async open(file: string, known?: LogContent): Promise<LogWriter> {
    try {
      if (!known || known.end === 0) await fs.writeFile(file, MAGIC);
      else await fs.truncate(file, known.end);
    } catch (cause) {
      throw unwritable(file, cause);
    }
    return new LogWriter(file, known && known.end > 0 ? known.hash : sha256(MAGIC));
  }

  async statement({ round, seat, job, start, end, signature }: Statement): Promise<void> {
    const content = new Writer().u32(round).u32(seat).bytes(job).bytes(start).bytes(end).bytes(signature);
    await this.append(KIND.leaf, content.finish());
  }

  async mark({ rounds, root, signature }: RecordMark): Promise<void> {
    await this.append(KIND.round, new Writer().u32(rounds).bytes(root).bytes(signature).finish());
  }

  async roll({ round, turn, present, signature }: Roll): Promise<void> {
    const members = Uint8Array.from(present, Number);
    const content = new Writer().u32(round).u32(turn).u32(members.length).bytes(members).bytes(signature);
    await this.append(KIND.roll, content.finish());
  }

  async beacon({ round, signature }: BeaconValue): Promise<void> {
    await this.append(KIND.beacon, new Writer().u32(round).bytes(signature).finish());
  }

  private async append(kind: number, content: Bytes): Promise<void> {
    const hash = next(this.hash, kind, content);
    await appendDurably(this.file, new Writer().u8(kind).bytes(content).bytes(hash).finish());
    this.hash = hash;
  }
}
