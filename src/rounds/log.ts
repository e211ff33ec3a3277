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
import { mayMiss, type Plan, type PlanTurn } from "./plan.ts";
import type { Roll } from "./roll.ts";
import type { Statement } from "./statement.ts";

/** The first bytes of a log. */
export const MAGIC = new TextEncoder().encode("VERDERL1");
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

/** A place between two entries of a log: the byte, and the hash of what stands before it. */
export interface LogPosition {
  readonly end: number;
  readonly hash: Bytes;
}

/** Where the first entry of a log begins. */
export const LOG_BEGIN: LogPosition = { end: MAGIC.length, hash: sha256(MAGIC) };

/** An entry of a log, and the place after it. It has one of the three. */
export interface LogEntry extends LogPosition {
  readonly statement?: Statement;
  readonly roll?: Roll;
  readonly mark?: RecordMark;
  readonly beacon?: BeaconValue;
}

/** What a log holds. */
export interface LogContent extends LogPosition {
  readonly statements: readonly Statement[];
  readonly marks: readonly RecordMark[];
  readonly rolls: readonly Roll[];
  /** The place after the last mark. */
  readonly marked: LogPosition;
  /** Values of the plan's beacon. Default: none. */
  readonly beacons?: readonly BeaconValue[];
}

const next = (hash: Bytes, kind: number, content: Bytes): Bytes =>
  sha256(new Writer().bytes(hash).u8(kind).bytes(content).finish());

/**
 * Reads a log.
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
    return { statements: [], marks: [], rolls: [], end: 0, hash: LOG_BEGIN.hash, marked: LOG_BEGIN };
  }
  const [statements, marks, rolls, beacons] = [[] as Statement[], [] as RecordMark[], [] as Roll[], [] as BeaconValue[]]; // prettier-ignore
  let [{ end, hash }, marked] = [LOG_BEGIN, LOG_BEGIN];
  for (const entry of logEntries(bytes.subarray(end), turns, file)) {
    ({ end, hash } = entry);
    if (entry.statement) statements.push(entry.statement);
    if (entry.roll) rolls.push(entry.roll);
    if (entry.beacon) beacons.push(entry.beacon);
    if (entry.mark) marks.push(entry.mark);
    if (entry.mark) marked = { end, hash };
  }
  return { statements, marks, rolls, beacons, end, hash, marked };
}

/**
 * The whole entries of a log from a place on. How long a roll is follows from the plan, so that no length in
 * the log is believed.
 * @param bytes of the log from that place on
 * @param file where they are from, for errors
 * @throws {RoundsError} when an entry does not follow from those before it
 */
export function* logEntries(
  bytes: Bytes,
  turns: readonly PlanTurn[],
  file: string,
  from: LogPosition = LOG_BEGIN,
): Generator<LogEntry> {
  let { hash } = from;
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at];
    const length = lengthAt(bytes, at, turns);
    if (length === undefined) throw altered(file, from.end + at);
    if (bytes.length < at + 1 + length + HASH) return;
    const content = bytes.subarray(at + 1, at + 1 + length);
    const own = next(hash, kind, content);
    if (!bytesEqual(own, bytes.subarray(at + 1 + length, at + 1 + length + HASH))) throw altered(file, from.end + at);
    const roll = kind === KIND.roll ? rollIn(content) : undefined;
    if (kind === KIND.roll && !roll) throw altered(file, from.end + at);
    [at, hash] = [at + 1 + length + HASH, own];
    const position = { end: from.end + at, hash };
    if (roll) yield { ...position, roll };
    else if (kind === KIND.leaf) yield { ...position, statement: statementIn(content) };
    else if (kind === KIND.beacon) yield { ...position, beacon: beaconIn(content) };
    else yield { ...position, mark: markIn(content) };
  }
}

/** The most bytes of the entries of a round that has its leaves, rolls, beacon's value and mark once. */
export function roundBytes({ turns, seats, beacon }: Pick<Plan, "turns" | "seats" | "beacon">): number {
  const rolls = turns.reduce((sum, turn) => sum + (mayMiss(turn) ? rollBytes(turn.members) + 1 + HASH : 0), 0);
  const value = beacon ? BYTES[KIND.beacon] + 1 + HASH : 0;
  return seats.length * (BYTES[KIND.leaf] + 1 + HASH) + rolls + value + BYTES[KIND.round] + 1 + HASH;
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
  static async open(file: string, known?: LogPosition): Promise<LogWriter> {
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

  /** Whole entries as they are, which were read with `logEntries` from the end of this log on. */
  async entries(bytes: Bytes, hash: Bytes): Promise<void> {
    await appendDurably(this.file, bytes);
    this.hash = hash;
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
