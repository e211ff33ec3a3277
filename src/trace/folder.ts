/** Traces on a disk, with their data folders beside them. */
import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FormatError, messageOf } from "../errors/index.ts";
import { readTrace, type Trace } from "./open.ts";
import {
  type ByteSource,
  checkpointFile,
  checkTraceSize,
  dataFolder,
  DATASET_FILE,
  type TraceSource,
} from "./source.ts";

/** One read of a file gives at most 2 GiB. */
const MAX_READ = 2 ** 30;

export function checkpointPath(tracePath: string, step: number): string {
  return join(dataFolder(tracePath), checkpointFile(step));
}

export function datasetPath(tracePath: string): string {
  return join(dataFolder(tracePath), DATASET_FILE);
}

/** @throws {FormatError} naming the record, when the file is not a trace or contradicts itself */
export async function openTrace(path: string): Promise<Trace> {
  return readTrace(folderSource(path));
}

function folderSource(path: string): TraceSource {
  const folder = dataFolder(path);
  return {
    path,
    trace: async () => {
      try {
        const { size } = await stat(path);
        checkTraceSize(path, size);
        return await readFile(path);
      } catch (cause) {
        if (cause instanceof FormatError) throw cause;
        throw new FormatError(`the trace ${path} can't be read: ${messageOf(cause)}`, { path });
      }
    },
    names: () => readdir(folder).catch(() => []),
    open: (name) => openFile(join(folder, name)),
  };
}

/** @throws {FormatError} when there is no such file */
export async function openFile(path: string): Promise<ByteSource> {
  const file = await open(path).catch((cause: unknown) => {
    throw new FormatError(`${path} can't be read: ${messageOf(cause)}`, { path });
  });
  const info = await file.stat();
  if (!info.isFile()) {
    await file.close();
    throw new FormatError(`${path} can't be read: it is no file`, { path });
  }
  return {
    size: info.size,
    read: async (from, length) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await file.read(bytes, at, Math.min(length - at, MAX_READ), from + at);
        if (bytesRead === 0) return bytes.slice(0, at);
        at += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
