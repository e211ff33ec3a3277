/** The one trace that a server was started with: the file itself, and the files of its data folder. */
import { readdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import { FormatError, unreadable } from "../errors/index.ts";
import { fileInside } from "../formats/file.ts";
import { dataFolder, isDataFile } from "../trace/source.ts";

/** What the page learns about the trace. */
export interface TraceListing {
  /** The name of its file. */
  path: string;
  /** The names of the files in the data folder. */
  files: string[];
}

export interface TraceFiles {
  list(): Promise<TraceListing>;
  /** The file on disk for `trace` or `data/NAME`. `undefined` for anything else. */
  find(name: string): Promise<{ path: string; size: number } | undefined>;
}

/** @throws {FormatError} when there is no such file */
export async function traceFiles(path: string): Promise<TraceFiles> {
  const info = await stat(path).catch((cause: unknown) => {
    throw unreadable(`the trace ${path}`, path, cause);
  });
  if (!info.isFile())
    throw new FormatError("KIND", `${path} is not a file; give a trace that \`verde run\` has written`, { path });
  const folder = dataFolder(path);
  const find = async (name: string): Promise<{ path: string; size: number } | undefined> => {
    const data = /^data\/([\w.-]+)$/.exec(name)?.[1];
    if (name !== "trace" && (data === undefined || !isDataFile(data))) return undefined;
    // The folder may be another's: a link in it must not show the browser a file from elsewhere.
    const file = data === undefined ? path : await fileInside(folder, data).catch(() => undefined);
    const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
    return file !== undefined && found?.isFile() ? { path: file, size: found.size } : undefined;
  };
  return {
    find,
    list: async () => {
      const names = await readdir(folder).catch(() => []);
      const found = await Promise.all(names.map(async (name) => ((await find(`data/${name}`)) ? [name] : [])));
      return { path: basename(path), files: found.flat().sort() };
    },
  };
}
