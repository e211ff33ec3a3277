/** The clock and the disk that a run measures. */
import { fs } from "../encoding/node.ts";

/** What a run measures with, for tests. */
export interface Surroundings {
  /** A clock, in milliseconds. */
  now(): number;
  /** The free bytes of a folder's disk. */
  freeBytes(folder: string): Promise<number>;
  /** Bytes from which on a checkpoint is written by a second thread; default: 16 MiB. */
  large?: number;
}

export const HERE: Surroundings = {
  now: () => performance.now(),
  // Some systems do not say it of all their disks.
  freeBytes: (folder) =>
    fs.statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Infinity,
    ),
};
