/**
 * What `verde doctor` looks at on disks: the folders in which Verde keeps things, and the working directory.
 */
import { mkdtemp, rmdir, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { cacheFolder } from "../../files/places.ts";
import { ClaimStore } from "../../claims/store.ts";
import { messageOf } from "../../errors/index.ts";
import { formatBytes } from "../output.ts";
import { type Check, ok, warn } from "./check.ts";

const LITTLE_SPACE = 2 ** 30;

export async function placeChecks(): Promise<Check[]> {
  return [
    await placeCheck("state", () => new ClaimStore().folder, "Name a folder that you may write to with VERDE_STATE."),
    await placeCheck("cache", cacheFolder, "Name a folder that you may write to with VERDE_CACHE."),
    await placeCheck("working directory", () => process.cwd(), "Change to a folder that you may write to."),
  ];
}

async function placeCheck(name: string, folderOf: () => string | undefined, remedy: string): Promise<Check> {
  let folder: string | undefined;
  try {
    folder = folderOf();
    if (folder === undefined) return warn(name, "none: this user has no home folder", remedy);
    const place = await existing(resolve(folder));
    // Permissions alone do not say it: the whole disk may be read-only.
    await rmdir(await mkdtemp(join(place, ".verde-doctor-")));
    const { bavail, bsize } = await statfs(place);
    const free = bavail * bsize;
    const found = `${folder}, ${formatBytes(free)} free`;
    return free < LITTLE_SPACE
      ? warn(name, found, "Free some space: checkpoints are as large as the model.")
      : ok(name, found);
  } catch (error) {
    return warn(name, `${folder === undefined ? "" : `${folder}: `}${messageOf(error)}`, remedy);
  }
}

/** The folder, or the lowest one above it that exists: the others are made when they are needed. */
export async function existing(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  const above = dirname(folder);
  return found !== undefined || above === folder ? folder : existing(above);
}
