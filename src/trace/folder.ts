/** Traces on a disk, with their data folders beside them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FormatError, unreadable } from "../errors/index.ts";
import { openFile } from "../formats/file.ts";
import { readTrace, type Trace } from "./open.ts";
import { checkpointFile, checkTraceSize, dataFolder, DATASET_FILE, type TraceSource } from "./source.ts";

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
        throw unreadable(`the trace ${path}`, path, cause);
      }
    },
    names: () => readdir(folder).catch(() => []),
    open: (name) => openFile(join(folder, name)),
  };
}
