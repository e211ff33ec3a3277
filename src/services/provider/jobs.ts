/** The jobs that a provider can run: the job files in a folder, by the ids of their jobs. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { messageOf } from "../../errors/index.ts";
import { jobIdOf, type JobOutline, outlineOf, partsOf } from "../../job/closed.ts";
import { checkFits } from "../../trace/fits.ts";
import { readJobFile } from "../../trace/job-file.ts";

/** The name of a job file. */
const JOB_FILE = /\.verde$/;

/** A job in a file. */
export interface KnownJob {
  readonly file: string;
  readonly outline: JobOutline;
}

interface Known {
  readonly changed: number;
  readonly size: number;
  /** Absent when the file can't be used. */
  readonly job?: { readonly id: Hex; readonly outline: JobOutline };
}

export class JobFolder {
  private readonly folder: string;
  private readonly say: (sentence: string) => void;
  private readonly known = new Map<string, Known>();

  /** @param say is told once about each file that can't be used */
  constructor(folder: string, say: (sentence: string) => void) {
    this.folder = folder;
    this.say = say;
  }

  /**
   * A job that this machine can run. A file is read when it is new or has changed.
   * @returns `undefined` when no file in the folder holds the job, or it needs more memory than there is
   */
  async find(id: Hex): Promise<KnownJob | undefined> {
    await this.look();
    for (const [file, { job }] of this.known) if (job?.id === id) return { file, outline: job.outline };
    return undefined;
  }

  private async look(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => JOB_FILE.test(name)).sort();
    const files = new Set(names.map((name) => join(this.folder, name)));
    for (const file of this.known.keys()) if (!files.has(file)) this.known.delete(file);
    for (const file of files) {
      const info = await stat(file).catch(() => undefined);
      if (!info?.isFile()) continue;
      const before = this.known.get(file);
      if (before?.changed === info.mtimeMs && before.size === info.size) continue;
      const job = await this.jobIn(file);
      this.known.set(file, { changed: info.mtimeMs, size: info.size, ...(job && { job }) });
    }
  }

  private async jobIn(file: string): Promise<Known["job"]> {
    try {
      const outline = outlineOf(await readJobFile(file));
      checkFits(outline);
      return { id: toHex(jobIdOf(partsOf(outline))) as Hex, outline };
    } catch (error) {
      this.say(`${file} is not offered: ${messageOf(error)}`);
      return undefined;
    }
  }
}
