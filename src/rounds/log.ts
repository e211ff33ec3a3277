/**
 * `record.log`: statements, rolls and other entries in the order in which they were admitted. A cut last
 * entry is as if it had not been written.
 */
import { type Bytes, bytesEqual, Writer } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { fs } from "../encoding/node.ts";
import { isMissing, RoundsError, unwritable } from "../errors/index.ts";
import { appendDurably } from "../files/append.ts";
import type { BeaconValue } from "./beacon.ts";
import {
  beaconEntry,
  decodeEntry,
  type EncodedEntry,
  type EntryContent,
  HASH,
  lengthAt,
  markEntry,
  type RecordMark,
  rollEntry,
  sentenceEntry,
  statementEntry,
} from "./log-entry.ts";
import type { PlanTurn } from "./plan.ts";
import type { StoreSentence } from "./receipt.ts";
import type { Roll } from "./roll.ts";
import type { Statement } from "./statement.ts";

/** The first bytes of a log. */
export const MAGIC = new TextEncoder().encode("VERDERL1");

/** A place between two entries of a log: the byte, and the hash of what stands before it. */
export interface LogPosition {
  readonly end: number;
  readonly hash: Bytes;
}

/** Where the first entry of a log begins. */
export const LOG_BEGIN: LogPosition = { end: MAGIC.length, hash: sha256(MAGIC) };

/** An entry of a log, and the place after it. */
export interface LogEntry extends LogPosition, EntryContent {}

/** What a log holds. */
export interface LogContent extends LogPosition {
  readonly statements: readonly Statement[];
  readonly marks: readonly RecordMark[];
  readonly rolls: readonly Roll[];
  /** The place after the last mark. */
  readonly marked: LogPosition;
  /** Values of the plan's beacon. Default: none. */
  readonly beacons?: readonly BeaconValue[];
  /** Receipts of stores, and their notes of absence. Default: none. */
  readonly sentences?: readonly StoreSentence[];
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
  const sentences: StoreSentence[] = [];
  let [{ end, hash }, marked] = [LOG_BEGIN, LOG_BEGIN];
  for (const entry of logEntries(bytes.subarray(end), turns, file)) {
    ({ end, hash } = entry);
    if (entry.statement) statements.push(entry.statement);
    if (entry.roll) rolls.push(entry.roll);
    if (entry.beacon) beacons.push(entry.beacon);
    if (entry.sentence) sentences.push(entry.sentence);
    if (entry.mark) marks.push(entry.mark);
    if (entry.mark) marked = { end, hash };
  }
  return { statements, marks, rolls, beacons, sentences, end, hash, marked };
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
    const entry = decodeEntry(kind, content);
    if (!entry) throw altered(file, from.end + at);
    [at, hash] = [at + 1 + length + HASH, own];
    yield { end: from.end + at, hash, ...entry };
  }
}

function altered(file: string, at: number): RoundsError {
  return new RoundsError("RECORD", `${file} was altered at byte ${at}: its hash does not follow; restore it`, {
    file,
    at,
  });
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

  async statement(statement: Statement): Promise<void> {
    await this.append(statementEntry(statement));
  }

  async mark(mark: RecordMark): Promise<void> {
    await this.append(markEntry(mark));
  }

  async roll(roll: Roll): Promise<void> {
    await this.append(rollEntry(roll));
  }

  async beacon(value: BeaconValue): Promise<void> {
    await this.append(beaconEntry(value));
  }

  async sentence(sentence: StoreSentence): Promise<void> {
    await this.append(sentenceEntry(sentence));
  }

  /** Whole entries as they are, which were read with `logEntries` from the end of this log on. */
  async entries(bytes: Bytes, hash: Bytes): Promise<void> {
    await appendDurably(this.file, bytes);
    this.hash = hash;
  }

  private async append({ kind, content }: EncodedEntry): Promise<void> {
    const hash = next(this.hash, kind, content);
    await appendDurably(this.file, new Writer().u8(kind).bytes(content).bytes(hash).finish());
    this.hash = hash;
  }
}
