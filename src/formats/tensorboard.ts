/**
 * TensorBoard's event files: records in the framing of TFRecord, each a protobuf message `Event` that holds
 * the scalars of one training step.
 */
import type { FileHandle } from "node:fs/promises";
import { asBytes, type Bytes } from "../encoding/bytes.ts";
import { fs, os, path as paths } from "../encoding/node.ts";
import { unwritable } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";

/** What one event says. */
export type BoardEvent =
  /** The first of a file. */
  | { kind: "version" }
  /** The run begins again at this step: what older files say of it and of later steps does not count. */
  | { kind: "start"; step: number }
  | { kind: "scalars"; step: number; values: Readonly<Record<string, number>> };

const VERSION = "brain.Event:2";
/** The numbers of the fields, and how a field's content is written: the wire types of protobuf. */
const [VARINT, DOUBLE, TEXT, FLOAT] = [0, 1, 2, 5];
const EVENT = { wallTime: 1, step: 2, version: 3, summary: 5, session: 7 };
const START = 1;

/**
 * A record of an event file.
 * @param wallTime in seconds since 1970
 */
export function encodeEvent(event: BoardEvent, wallTime: number): Bytes {
  const time = field(EVENT.wallTime, DOUBLE, Float64Array.of(wallTime));
  if (event.kind === "version") return frame([...time, ...field(EVENT.version, TEXT, utf8(VERSION))]);
  const step = event.step === 0 ? [] : field(EVENT.step, VARINT, varint(event.step));
  if (event.kind === "start")
    return frame([...time, ...step, ...field(EVENT.session, TEXT, field(1, VARINT, varint(START)))]);
  const values = Object.entries(event.values).flatMap(([tag, value]) =>
    field(1, TEXT, [...field(1, TEXT, utf8(tag)), ...field(2, FLOAT, Float32Array.of(value))]),
  );
  return frame([...time, ...step, ...field(EVENT.summary, TEXT, values)]);
}

const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

/** Seven bits a byte, the lowest first; the highest bit says that more follow. @param value up to 2^53 */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return [...bytes, value];
}

function field(number: number, wire: number, content: number[] | Bytes | Float64Array | Float32Array): number[] {
  const bytes = Array.isArray(content) ? content : [...asBytes(content)];
  return [...varint(8 * number + wire), ...(wire === TEXT ? varint(bytes.length) : []), ...bytes];
}

/** The length and its checksum, the content and its checksum; all little-endian. */
function frame(content: readonly number[]): Bytes {
  const record = new Uint8Array(content.length + 16);
  const view = new DataView(record.buffer);
  view.setUint32(0, content.length, true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(content, 12);
  view.setUint32(12 + content.length, masked(crc32c(record.subarray(12, 12 + content.length))), true);
  return record;
}

/** The checksums are masked, because a checksum of data with checksums in it would be weak. */
const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** The cyclic redundancy check with the polynomial of Castagnoli (RFC 3720, appendix B.4). */
export function crc32c(bytes: Bytes): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Written at once when it is full or this old, so that TensorBoard can follow a run. */
const MOST_BYTES = 2 ** 16;
const MOST_MILLIS = 1000;

/** An event file that is being written. A run is never stopped by it: `close` says what went wrong. */
export class EventFile {
  readonly path: string;
  private readonly file: FileHandle;
  private waiting: Bytes[] = [];
  private size = 0;
  private written = performance.now();
  private writing: Promise<unknown> = Promise.resolve();
  private failure: unknown;
  private empty = true;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.file = file;
  }

  /**
   * Makes the folder if needed, and a new file in it. Each run has its own: TensorBoard joins the files of a
   * folder.
   * @throws {FileError} that names the folder, when no file can be made there
   */
  static async open(folder: string, now = Date.now() / 1000): Promise<EventFile> {
    try {
      await makeFolder(folder);
      const seconds = String(Math.floor(now)).padStart(10, "0");
      const name = `events.out.tfevents.${seconds}.${os.hostname()}.${process.pid}`;
      for (let number = 0; ; number++) {
        const path = paths.join(folder, `${name}.${number}`);
        const file = await fs.open(path, "wx").catch((cause: NodeJS.ErrnoException) => {
          if (cause.code !== "EEXIST") throw cause;
        });
        if (!file) continue;
        const events = new EventFile(path, file);
        events.put(encodeEvent({ kind: "version" }, now));
        return events;
      }
    } catch (cause) {
      throw unwritable(folder, cause);
    }
  }

  /** @param wallTime in seconds since 1970; default now */
  add(event: BoardEvent, wallTime = Date.now() / 1000): void {
    this.empty = false;
    this.put(encodeEvent(event, wallTime));
    if (this.size >= MOST_BYTES || performance.now() - this.written >= MOST_MILLIS) void this.flush();
  }

  private put(record: Bytes): void {
    this.waiting.push(record);
    this.size += record.length;
  }

  /** Resolves when all events so far are written, or could not be. */
  async flush(): Promise<void> {
    const bytes = new Uint8Array(this.size);
    let at = 0;
    for (const record of this.waiting) {
      bytes.set(record, at);
      at += record.length;
    }
    [this.waiting, this.size, this.written] = [[], 0, performance.now()];
    this.writing = this.writing.then(async () => {
      // After a failure the file ends with the last whole piece.
      if (this.failure === undefined)
        await this.file.writeFile(bytes).catch((cause: unknown) => (this.failure = cause));
    });
    await this.writing;
  }

  /**
   * Removes a file that has no events. @throws {FileError} that names the file, when not all could be written
   */
  async close(): Promise<void> {
    await this.flush();
    await this.file.close();
    if (this.failure !== undefined) throw unwritable(this.path, this.failure);
    if (this.empty) await fs.rm(this.path, { force: true });
  }
}
