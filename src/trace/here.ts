/** The clock and the disk that a run measures. */
import { fs } from "../encoding/node.ts";

/** What a run measures with, for tests. */
export interface Surroundings {
  /** A clock, in milliseconds. */
  now(): number;
  /** The free bytes of a folder's disk. */
  freeBytes(folder: string): Promise<number>;
  /** Bytes from which on a state is not copied as a whole where the run can wait; default: 256 MiB. */
  large: number;
  /** Bytes from which on a checkpoint is written by a second thread; default: 16 MiB. */
  threaded?: number;
}

export const HERE: Surroundings = {
  now: () => performance.now(),
  // Some systems do not say it of all their disks.
  freeBytes: (folder) =>
    fs.statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Infinity,
    ),
  large: 2 ** 28,
};
