/** Traces on a disk, with their data folders beside them. */
import { bytesEqual } from "../encoding/bytes.ts";
import { fs, path as paths } from "../encoding/node.ts";
import { unwritable } from "../errors/index.ts";
import { type FileLock, holderOf, takeLock } from "../files/lock.ts";
import { fileInside, openFile } from "../formats/file.ts";
import { readTrace, type Trace } from "./open.ts";
import { MAGIC } from "./records.ts";
import { checkpointFile, dataFolder, DATASET_FILE, type TraceSource } from "./source.ts";

export function checkpointPath(tracePath: string, step: number): string {
  return paths.join(dataFolder(tracePath), checkpointFile(step));
}

export function datasetPath(tracePath: string): string {
  return paths.join(dataFolder(tracePath), DATASET_FILE);
}

/**
 * Takes the lock on a trace and its data folder. It is named after the folder, since two traces may be given
 * the same one.
 * @throws {FileError} when another process holds it
 */
export async function lockTrace(path: string): Promise<FileLock[]> {
  const locks: FileLock[] = [];
  try {
    for (const file of await lockFiles(path)) locks.push(takeLock(file, path));
    return locks;
  } catch (error) {
    for (const lock of locks) lock.release();
    throw error;
  }
}

/** More than one where the trace or its folder is a link: what they lead to is locked, too. */
async function lockFiles(path: string): Promise<string[]> {
  const folder = dataFolder(path);
  const real = async (file: string): Promise<string> =>
    fs.realpath(file).catch(async () => {
      const above = await fs.realpath(paths.dirname(file)).catch(() => paths.resolve(paths.dirname(file)));
      return paths.join(above, paths.basename(file));
    });
  const own = paths.join(await real(paths.dirname(folder)), paths.basename(folder));
  const files = [own, await real(folder), dataFolder(await real(path))].map((name) => `${name}.lock`);
  return [...new Set(files)].sort();
}

/** Whether there is a file that begins as a trace does. */
export async function isTrace(path: string): Promise<boolean> {
  const file = await openFile(path).catch(() => undefined);
  if (!file) return false;
  try {
    return bytesEqual(await file.read(0, MAGIC.length), MAGIC);
  } finally {
    await file.close();
  }
}

/** @throws {FormatError} when the file is not a trace or contradicts itself; the message names the record */
export async function openTrace(path: string): Promise<Trace> {
  return readTrace(watchedSource(path));
}

/** A trace that another process may be writing. */
export function watchedSource(path: string): TraceSource {
  return { ...folderSource(path), writer: () => writerOf(path) };
}

/** The process that writes a trace at present, for people. */
export async function writerOf(path: string): Promise<string | undefined> {
  for (const file of await lockFiles(path)) {
    const holder = holderOf(file);
    if (holder !== undefined) return holder;
  }
  return undefined;
}

/** A trace for whoever holds its lock: nobody else writes it. */
export function folderSource(path: string): TraceSource {
  const folder = dataFolder(path);
  return {
    path,
    trace: () => openFile(path),
    names: () => fs.readdir(folder).catch(() => []),
    open: async (name) => openFile(await fileInside(folder, name)),
  };
}

/** Removes the files of a data folder that are of a kind; what is not Verde's stays. */
export async function empty(folder: string, kind: (name: string) => boolean): Promise<void> {
  const names = await fs.readdir(folder).catch(() => []);
  for (const name of names.filter(kind))
    await fs.rm(paths.join(folder, name), { force: true }).catch((cause: unknown) => {
      throw unwritable(paths.join(folder, name), cause);
    });
}
