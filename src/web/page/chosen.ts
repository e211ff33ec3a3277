/** Finds a trace and its data folder among the files that a user chose or dropped. */
import { UsageError } from "../../errors/index.ts";
import { dataFolder, isDataFile } from "../../trace/source.ts";
import type { TraceInput } from "./protocol.ts";

/** A file, with its path if the browser gives one: `out/a.data/step-00000000.safetensors`, or only a name. */
export interface ChosenFile {
  path: string;
  blob: Blob;
}

type Chosen = TraceInput & { kind: "chosen" };

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const folderOf = (path: string): string => nameOf(path.slice(0, Math.max(path.lastIndexOf("/"), 0)));

/**
 * The trace among the files, with its data.
 * @param before what was chosen earlier: a data folder may be chosen after its trace
 * @throws {UsageError} when there is no trace among the files, or more than one
 */
export function gather(files: readonly ChosenFile[], before?: Chosen): Chosen {
  const data = files.filter(({ path }) => isDataFile(nameOf(path)));
  const others = files.filter(({ path }) => !isDataFile(nameOf(path)));
  const named = others.filter(({ path }) => path.endsWith(".trace"));
  const traces = named.length > 0 ? named : others;
  if (traces.length > 1)
    throw new UsageError("AMBIGUOUS", `${traces.length} files could be the trace: ${list(traces)}; choose one`, {});
  if (traces.length === 0 && (!before || data.length === 0))
    throw new UsageError(
      "NOTHING_CHOSEN",
      files.length === 0
        ? "no files were chosen; choose a trace"
        : "these files belong to a data folder; choose the trace first, or together with them",
      {},
    );
  const path = traces.length > 0 ? nameOf(traces[0].path) : before!.path;
  const own = ownData(path, data);
  const kept = traces.length > 0 ? [] : before!.data.filter(({ name }) => !own.some((one) => one.name === name));
  return { kind: "chosen", path, trace: traces[0]?.blob ?? before!.trace, data: [...kept, ...own] };
}

/**
 * The files of the trace's own data folder. Of several folders, it is the one with the trace's name. A single
 * folder may have been renamed: the roots tell whether it fits.
 */
function ownData(trace: string, data: readonly ChosenFile[]): { name: string; blob: Blob }[] {
  const folders = new Set(data.map(({ path }) => folderOf(path)));
  const wanted = nameOf(dataFolder(trace));
  return data
    .filter(({ path }) => folders.size === 1 || folderOf(path) === wanted)
    .map(({ path, blob }) => ({ name: nameOf(path), blob }));
}

function list(files: readonly ChosenFile[]): string {
  const names = files.slice(0, 4).map(({ path }) => nameOf(path));
  return files.length > names.length ? `${names.join(", ")} …` : names.join(", ");
}

/** The files that were chosen with an input, or the files in a folder that was chosen. */
export function filesOfInput(input: HTMLInputElement): ChosenFile[] {
  return [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));
}

/** The files that were dropped, with all files in dropped folders. Call it while the event is handled. */
export async function filesOfDrop(transfer: DataTransfer): Promise<ChosenFile[]> {
  const found = [...transfer.items].map((item) => {
    const entry = item.kind === "file" ? item.webkitGetAsEntry() : null;
    const file = item.kind === "file" ? item.getAsFile() : null;
    return entry ? filesOfEntry(entry) : Promise.resolve(file ? [{ path: file.name, blob: file }] : []);
  });
  return (await Promise.all(found)).flat();
}

async function filesOfEntry(entry: FileSystemEntry): Promise<ChosenFile[]> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const blob = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, (cause) =>
        reject(new UsageError("UNREADABLE", `${path} can't be read: ${cause.message}; choose it again`, { path })),
      ),
    );
    return [{ path, blob }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: ChosenFile[] = [];
  // For a large folder, a reader returns only some entries at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    for (const one of some) all.push(...(await filesOfEntry(one)));
  }
}
