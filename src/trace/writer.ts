/** Writes trace files. */
import type { FileHandle } from "node:fs/promises";
import type { Bytes } from "../encoding/bytes.ts";
import { fs } from "../encoding/node.ts";
import type { RunRoot } from "./commitments.ts";
import { StepLayout } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { encodeStep, frame, KIND, openingOf, type StepRecord, type Tail } from "./records.ts";

/** Writes records one after the other, each in one piece. Whenever it is stopped, the file holds a prefix. */
export class TraceWriter {
  private readonly file: FileHandle;
  private readonly layout: StepLayout;
  private hash: Bytes;

  private constructor(file: FileHandle, manifest: Manifest, hash: Bytes) {
    this.file = file;
    this.layout = new StepLayout(manifest);
    this.hash = hash;
  }

  static async create(path: string, manifest: Manifest): Promise<TraceWriter> {
    const { bytes, hash } = openingOf(manifest);
    const file = await fs.open(path, "w");
    await file.writeFile(bytes);
    await file.sync();
    return new TraceWriter(file, manifest, hash);
  }

  /** Cuts the file after a record and continues from there. */
  static async resume(path: string, manifest: Manifest, tail: Tail): Promise<TraceWriter> {
    const file = await fs.open(path, "a");
    await file.truncate(tail.offset);
    return new TraceWriter(file, manifest, tail.hash);
  }

  private async append(kind: number, content: Bytes): Promise<void> {
    const { record, hash } = frame(this.hash, kind, content);
    await this.file.appendFile(record);
    this.hash = hash;
  }

  /**
   * @param durable wait until the disk has the record, because a resumed run starts from the records of
   * checkpoints
   * @throws {FormatError} when the record is not one of the manifest's job
   */
  async step(record: StepRecord, durable = false): Promise<void> {
    await this.append(KIND.step, encodeStep(record, this.layout));
    if (durable) await this.file.sync();
  }

  async end(root: RunRoot): Promise<void> {
    await this.append(KIND.end, root);
    await this.file.sync();
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
