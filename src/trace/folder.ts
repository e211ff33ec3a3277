/** Traces on a disk, with their data folders beside them. */
import { fs, path as paths } from "../encoding/node.ts";
import { FormatError, unreadable } from "../errors/index.ts";
import { openFile } from "../formats/file.ts";
import { readTrace, type Trace } from "./open.ts";
import { checkpointFile, checkTraceSize, dataFolder, DATASET_FILE, type TraceSource } from "./source.ts";

export function checkpointPath(tracePath: string, step: number): string {
  return paths.join(dataFolder(tracePath), checkpointFile(step));
}

export function datasetPath(tracePath: string): string {
  return paths.join(dataFolder(tracePath), DATASET_FILE);
}

/** @throws {FormatError} when the file is not a trace or contradicts itself; the message names the record */
export async function openTrace(path: string): Promise<Trace> {
  return readTrace(folderSource(path));
}

function folderSource(path: string): TraceSource {
  const folder = dataFolder(path);
  return {
    path,
    trace: async () => {
      try {
        const { size } = await fs.stat(path);
        checkTraceSize(path, size);
        return await fs.readFile(path);
      } catch (cause) {
        if (cause instanceof FormatError) throw cause;
        throw unreadable(`the trace ${path}`, path, cause);
      }
    },
    names: () => fs.readdir(folder).catch(() => []),
    open: (name) => openFile(paths.join(folder, name)),
  };
}
