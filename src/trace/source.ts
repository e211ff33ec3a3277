/** Where a trace and its data folder come from: a disk, a server, or files that a user chose in a browser. */
import { toHex, Writer } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { FormatError, messageOf } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { Tail } from "./records.ts";

/** Where a trace and the files of its data folder are read from. */
export interface TraceSource {
  /** The name of the trace in errors. */
  readonly path: string;
  /** The process that writes the trace at present, if there is one and this can be known. */
  writer?(): Promise<string | undefined>;
  /**
   * Opens the trace's own file. It is read in pieces, and more than once.
   * @throws {FormatError} when there is no such file
   */
  trace(): Promise<ByteSource>;
  /** The names of the files in the trace's data folder. */
  names(): Promise<string[]>;
  /**
   * Opens a file of the data folder.
   * @throws {FormatError} when there is none of this name
   */
  open(name: string): Promise<ByteSource>;
}

/** The folder of a trace's checkpoints and dataset: `a.data` next to `a.trace`. */
export function dataFolder(tracePath: string): string {
  return `${tracePath.replace(/\.trace$/, "")}.data`;
}

/** The other name that has the same data folder: `a` for `a.trace`, and the reverse. */
export function otherTrace(tracePath: string): string {
  return tracePath.endsWith(".trace") ? tracePath.slice(0, -".trace".length) : `${tracePath}.trace`;
}

export const DATASET_FILE = "dataset.safetensors";
const CHECKPOINT_FILE = /^step-(\d+)\.safetensors$/;

export function checkpointFile(step: number): string {
  return `step-${String(step).padStart(8, "0")}.safetensors`;
}

/**
 * The step whose state a file of the data folder holds, according to its name. `undefined` for a name that no
 * run gives to a checkpoint.
 */
export function stepOfCheckpoint(name: string): number | undefined {
  const digits = CHECKPOINT_FILE.exec(name)?.[1];
  return digits !== undefined && checkpointFile(Number(digits)) === name ? Number(digits) : undefined;
}

const STOPPED_FILE = /^stopped-(\d{8,10})-([0-9a-f]{64})\.safetensors$/;

/**
 * The file for the state after the last step of a run that was stopped. Its name binds the state to the
 * trace, because a trace need not commit to the state after each step.
 */
export function stoppedFile(step: number, { hash }: Pick<Tail, "hash">, root: StateRoot): string {
  const bound = toHex(sha256(new Writer().bytes(hash).bytes(root).finish())).slice(2);
  return `stopped-${String(step).padStart(8, "0")}-${bound}.safetensors`;
}

export function stepOfStopped(name: string): number | undefined {
  const digits = STOPPED_FILE.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export const isStopped = (name: string): boolean => STOPPED_FILE.test(name);

/** Whether a file of this name belongs in a data folder. */
export function isDataFile(name: string): boolean {
  return name === DATASET_FILE || stepOfCheckpoint(name) !== undefined;
}

/**
 * A trace whose files are all given as blobs, which browsers keep outside of the page's memory.
 * @param load fetches a blob when it is first needed, by a name from `names`
 */
export function blobSource(
  path: string,
  trace: Blob,
  names: readonly string[],
  load: (name: string) => Promise<Blob>,
): TraceSource {
  const folder = dataFolder(path);
  const known = new Set(names);
  return {
    path,
    trace: async () => byteSource(trace, path),
    names: async () => [...names],
    open: async (name) => {
      if (!known.has(name))
        throw new FormatError(
          "MISSING",
          `${folder}/${name} is missing; choose the folder ${folder} together with the trace`,
          {
            path,
            name,
          },
        );
      return byteSource(await load(name), `${folder}/${name}`);
    },
  };
}

function byteSource(blob: Blob, path: string): ByteSource {
  return {
    size: blob.size,
    read: (from, length) => bytesOf(blob.slice(from, from + length), path),
    close: async () => undefined,
  };
}

async function bytesOf(blob: Blob, path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new FormatError(
      "UNREADABLE",
      `${path} can't be read: ${messageOf(cause)}; choose it again if it has changed`,
      { path },
    );
  }
}
