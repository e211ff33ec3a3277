/** The JOB of a command line: a module that exports a job, or a job file, which holds a closed one. */
import { extname } from "node:path";
import { FormatError, UsageError } from "../errors/index.ts";
import { openFile } from "../formats/file.ts";
import { fileKind, KIND_BYTES } from "../formats/file-kind.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Overrides } from "../job/options.ts";
import { isJobFile, readJobFile } from "../trace/job-file.ts";
import { loadJobFor } from "./job-options.ts";

/**
 * A module is executed; a job file is only read.
 * @param own the names of the command's options, one of which may be meant by an option that the job does not
 *   have
 * @throws {UsageError} for options of a job file: they are fixed
 * @throws {JobError | FormatError} when it can't be loaded
 */
export async function openJob(path: string, overrides: Overrides, own: readonly string[] = []): Promise<ClosedJob> {
  const head = await beginning(path);
  if (!isJobFile(head) && extname(path) !== ".verde") {
    const kind = fileKind(head);
    if (kind)
      throw new FormatError("KIND", `${path} is ${kind.what}, not a job; name a job module or a job file`, { path });
    return loadJobFor(path, overrides, own);
  }
  const [name] = Object.keys(overrides);
  if (name !== undefined)
    throw new UsageError(
      "CONFLICT",
      `${path} is a closed job: its options are part of its graphs and of its id, so --${name} can't be changed any more; ` +
        "export the job again from its module with this option",
      { path, name },
    );
  return readJobFile(path);
}

/** Nothing, if there is no such file: what should have been there is said by whoever loads it. */
async function beginning(path: string): Promise<Uint8Array> {
  const file = await openFile(path).catch(() => undefined);
  if (!file) return new Uint8Array();
  try {
    return await file.read(0, Math.min(file.size, KIND_BYTES));
  } finally {
    await file.close();
  }
}
