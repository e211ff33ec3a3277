/** Writes trace files. */
import type { FileHandle } from "node:fs/promises";
import { type Bytes, Writer } from "../encoding/bytes.ts";
import { fs, path as paths } from "../encoding/node.ts";
import { unwritable } from "../errors/index.ts";
import { syncFolder } from "../files/replace.ts";
import type { RunRoot } from "./commitments.ts";
import { StepLayout } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { encodeStep, frame, KIND, openingOf, type StepRecord, type Tail } from "./records.ts";

/** Writes records one after the other, each in one piece. Whenever it is stopped, the file holds a prefix. */
export class TraceWriter {
  private readonly path: string;
  private readonly file: FileHandle;
  private readonly layout: StepLayout;
  private hash: Bytes;

  private constructor(path: string, file: FileHandle, manifest: Manifest, hash: Bytes) {
    this.path = path;
    this.file = file;
    this.layout = new StepLayout(manifest);
    this.hash = hash;
  }

  /**
   * Makes an empty file, for a run whose manifest is not known yet.
   * @throws {FileError} when it can't be written, as all methods here
   */
  static async reserve(path: string): Promise<void> {
    await naming(path, () => fs.writeFile(path, ""));
  }

  static async create(path: string, manifest: Manifest): Promise<TraceWriter> {
    const { bytes, hash } = openingOf(manifest);
    return naming(path, async () => {
      const file = await fs.open(path, "w");
      await file.writeFile(bytes);
      await file.sync();
      await syncFolder(paths.dirname(path));
      return new TraceWriter(path, file, manifest, hash);
    });
  }

  /** Cuts the file after a record and continues from there. */
  static async resume(path: string, manifest: Manifest, tail: Tail): Promise<TraceWriter> {
    return naming(path, async () => {
      const file = await fs.open(path, "a");
      await file.truncate(tail.offset);
      return new TraceWriter(path, file, manifest, tail.hash);
    });
  }

  /** The hash that ends the last record. */
  get tail(): Pick<Tail, "hash"> {
    return { hash: this.hash };
  }

  private async append(kind: number, ...contents: Bytes[]): Promise<void> {
    const writer = new Writer();
    let { hash } = this;
    for (const content of contents) {
      const framed = frame(hash, kind, content);
      hash = framed.hash;
      writer.bytes(framed.record);
    }
    await naming(this.path, () => this.file.appendFile(writer.finish()));
    this.hash = hash;
  }

  /** The records of several steps, in one piece. */
  async steps(records: readonly StepRecord[]): Promise<void> {
    await this.append(KIND.step, ...records.map((record) => encodeStep(record, this.layout)));
  }

  /**
   * @param durable wait until the disk has the record, because a resumed run starts from the records of
   * checkpoints
   * @throws {FormatError} when the record is not one of the manifest's job
   */
  async step(record: StepRecord, durable = false): Promise<void> {
    await this.append(KIND.step, encodeStep(record, this.layout));
    if (durable) await this.sync();
  }

  async end(root: RunRoot): Promise<void> {
    await this.append(KIND.end, root);
    await this.sync();
  }

  /** Returns when the disk has all records. */
  async sync(): Promise<void> {
    await naming(this.path, () => this.file.sync());
  }

  async close(): Promise<void> {
    await naming(this.path, () => this.file.close());
  }
}

async function naming<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
