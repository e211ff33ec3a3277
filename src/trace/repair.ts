/**
 * Repairs a trace that was cut or damaged, as a crash or a disk leaves it: what follows the last good record
 * is cut off, and a dataset and checkpoints that are not the run's are moved aside. So the run can be
 * continued. Copies of everything are kept.
 */
import { fs, path as paths } from "../encoding/node.ts";
import { type FormatError, unwritable } from "../errors/index.ts";
import { syncFolder } from "../files/replace.ts";
import { type DamagedState, damagedStates } from "./damaged.ts";
import { folderSource, lockTrace } from "./folder.ts";
import { scanTrace } from "./open.ts";

/** A state that is damaged, and where it is now. */
export interface MovedState extends DamagedState {
  /** Absent when nothing was changed. */
  movedTo?: string;
}

/** What was found in a trace, and what was done about it. */
export interface Repair {
  /** What is wrong with the first bad record; absent when the file is whole, or ends inside a record. */
  problem?: FormatError;
  /** The bytes of the good records, and of what was cut off after them. */
  kept: number;
  cut: number;
  /** The last step with a good record; -1 when only the manifest is good. */
  lastStep: number;
  steps: number;
  /** Whether the run was finished and stays so. */
  complete: boolean;
  /** The copy of the file as it was. */
  copy?: string;
  states: MovedState[];
  /** The newest state from which the run continues. Absent: it begins again. */
  continuesFrom?: number;
}

/**
 * @param options.dryRun find out what is damaged, and change nothing
 * @throws {FormatError} when the file is no trace, or its manifest is damaged: then nothing can be kept
 * @throws {FileError} when another process writes the trace, or a copy can't be made; then nothing is changed
 */
export async function repairTrace(path: string, options: { dryRun?: boolean } = {}): Promise<Repair> {
  const { dryRun = false } = options;
  if (dryRun) return inspectDamage(path);
  const locks = await lockTrace(path);
  try {
    const repair = await inspectDamage(path);
    if (repair.cut > 0) repair.copy = await cutAfter(path, repair.kept);
    for (const state of repair.states) state.movedTo = await moveAside(state.file);
    return repair;
  } finally {
    for (const lock of locks) lock.release();
  }
}

async function inspectDamage(path: string): Promise<Repair> {
  const { trace, problem, size } = await scanTrace(folderSource(path));
  const { tail, recorded, complete, manifest } = trace;
  const { states, newest } = await damagedStates(trace);
  return {
    kept: tail.offset,
    cut: size - tail.offset,
    lastStep: recorded - 1,
    steps: manifest.outline.steps,
    complete,
    states,
    ...(problem && { problem }),
    ...(newest !== undefined && { continuesFrom: newest }),
  };
}

/** @returns the copy of the whole file */
async function cutAfter(path: string, bytes: number): Promise<string> {
  const { COPYFILE_EXCL, COPYFILE_FICLONE } = fs.constants;
  const copy = await firstFree(path, async (name) => {
    await fs.copyFile(path, name, COPYFILE_EXCL | COPYFILE_FICLONE);
    // The disk has the copy before the file is cut.
    await synced(name);
    await syncFolder(paths.dirname(name));
  });
  await synced(path, bytes);
  return copy;
}

async function synced(path: string, length?: number): Promise<void> {
  try {
    const file = await fs.open(path, "r+");
    try {
      if (length !== undefined) await file.truncate(length);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

async function moveAside(file: string): Promise<string> {
  return firstFree(file, async (name) => {
    // A rename would replace a file of this name.
    await fs.link(file, name);
    await fs.rm(file);
  });
}

/** `a.trace.damaged-1`, or the first number for which there is no file. */
async function firstFree(path: string, make: (name: string) => Promise<void>): Promise<string> {
  for (let number = 1; ; number++) {
    const name = `${path}.damaged-${number}`;
    try {
      await make(name);
      return name;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw unwritable(name, cause);
    }
  }
}
