/** Files that are written in one piece: a reader finds the old content or the new one, also after a crash. */
import type { FileHandle } from "node:fs/promises";
import { fs, path as paths } from "../encoding/node.ts";
import { unwritable, UsageError } from "../errors/index.ts";

/** The whole content, or a function that writes it. */
export type Content = string | Uint8Array | ((file: FileHandle) => Promise<void>);

interface WriteOptions {
  /** The permissions of a new file. */
  mode?: number;
}

/**
 * Writes to a file beside `path`, and renames it when the disk has it. A link with this name is replaced, and
 * not followed: this is for files of Verde's own. A device or a pipe stays, and is written to.
 * @throws {FileError} that names the file, when it can't be written; then the old content is still there
 */
export async function replaceFile(path: string, content: Content, options: WriteOptions = {}): Promise<void> {
  const info = await fs.lstat(path).catch(() => undefined);
  if (info && !info.isFile() && !info.isSymbolicLink()) return writeThrough(path, content);
  await viaDraft(path, content, options, (draft) => fs.rename(draft, path));
}

/**
 * Writes a new file.
 * @throws {UsageError} when there is a file of this name, which stays as it is
 * @throws {FileError} that names the file, when it can't be written; then there is none
 */
export async function writeNewFile(path: string, content: string, options: WriteOptions = {}): Promise<void> {
  const taken = (): never => {
    throw new UsageError("EXISTS", `${path} exists; choose another name`, { path });
  };
  await viaDraft(path, content, options, async (draft) => {
    try {
      await fs.link(draft, path);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "EEXIST") taken();
      // There are disks without links. Between the two calls another process could make the file.
      if (await exists(path)) taken();
      await fs.rename(draft, path);
    }
    await fs.rm(draft, { force: true });
  });
}

/**
 * Writes a result where the user wants it: into a device or a pipe, through a link, or else as a file that is
 * replaced in one piece.
 * @throws {FileError} that names the file, when it can't be written
 */
export async function writeResult(path: string, content: string | Uint8Array): Promise<void> {
  const info = await fs.lstat(path).catch(() => undefined);
  await (info?.isSymbolicLink() ? writeThrough : replaceFile)(path, content);
}

async function writeThrough(path: string, content: Content): Promise<void> {
  try {
    const file = await fs.open(path, "w");
    await fill(file, content).finally(() => file.close());
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

async function fill(file: FileHandle, content: Content): Promise<void> {
  if (typeof content === "function") await content(file);
  else await file.writeFile(content);
}

async function viaDraft(
  path: string,
  content: Content,
  { mode }: WriteOptions,
  name: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${crypto.randomUUID().slice(0, 8)}.new`;
  try {
    // A file keeps its permissions.
    const old = await fs.lstat(path).catch(() => undefined);
    const file = await fs.open(draft, "wx", mode ?? (old?.isFile() ? old.mode & 0o777 : 0o666));
    try {
      await fill(file, content);
      await file.sync();
    } finally {
      await file.close();
    }
    await name(draft);
  } catch (cause) {
    await fs.rm(draft, { force: true }).catch(() => undefined);
    throw unwritable(path, cause);
  }
  await syncFolder(paths.dirname(path));
}

/** Returns when the disk has the folder's list of names, on systems that can say so. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

const exists = (path: string): Promise<boolean> =>
  fs.lstat(path).then(
    () => true,
    () => false,
  );
