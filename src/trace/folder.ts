/** Traces on a disk, with their data folders beside them. */
import { fs, path as paths } from "../encoding/node.ts";
import { fileInside, openFile } from "../formats/file.ts";
import { readTrace, type Trace } from "./open.ts";
import { checkpointFile, dataFolder, DATASET_FILE, type TraceSource } from "./source.ts";

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
    trace: () => openFile(path),
    names: () => fs.readdir(folder).catch(() => []),
    open: async (name) => openFile(await fileInside(folder, name)),
  };
}
