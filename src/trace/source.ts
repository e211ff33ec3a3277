/** Where a trace and its data folder come from: a disk, a server, or files that a user chose in a browser. */
import { FormatError, messageOf } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";

/** Where a trace and the files of its data folder are read from. */
export interface TraceSource {
  /** The name of the trace in errors. */
  readonly path: string;
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

export const DATASET_FILE = "dataset.safetensors";
const CHECKPOINT_FILE = /^step-(\d+)\.safetensors$/;

export function checkpointFile(step: number): string {
  return `step-${String(step).padStart(8, "0")}.safetensors`;
}

/** The step whose state a file of the data folder holds, according to its name. */
export function stepOfCheckpoint(name: string): number | undefined {
  const digits = CHECKPOINT_FILE.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Whether a file of this name belongs in a data folder. */
export function isDataFile(name: string): boolean {
  return name === DATASET_FILE || CHECKPOINT_FILE.test(name);
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
