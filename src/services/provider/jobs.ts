/** The jobs that a provider can run: the job files in a folder, by the ids of their jobs. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Hex } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { messageOf } from "../../errors/index.ts";
import { jobIdOf, outlineOf, partsOf } from "../../job/closed.ts";
import { checkFits } from "../../trace/fits.ts";
import { readJobFile } from "../../trace/job-file.ts";

/** The name of a job file. */
const JOB_FILE = /\.verde$/;

interface Known {
  readonly changed: number;
  readonly size: number;
  /** Absent when the file can't be used. */
  readonly id?: Hex;
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
   * The file of a job that this machine can run. A file is read when it is new or has changed.
   * @returns `undefined` when no file in the folder holds the job, or it needs more memory than there is
   */
  async fileOf(job: Hex): Promise<string | undefined> {
    await this.look();
    return [...this.known].find(([, { id }]) => id === job)?.[0];
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
      const id = await this.idOf(file);
      this.known.set(file, { changed: info.mtimeMs, size: info.size, ...(id !== undefined && { id }) });
    }
  }

  private async idOf(file: string): Promise<Hex | undefined> {
    try {
      const outline = outlineOf(await readJobFile(file));
      checkFits(outline);
      return toHex(jobIdOf(partsOf(outline))) as Hex;
    } catch (error) {
      this.say(`${file} is not offered: ${messageOf(error)}`);
      return undefined;
    }
  }
}
