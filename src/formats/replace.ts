/** Files that are written in one piece. */
import type { FileHandle } from "node:fs/promises";
import { fs } from "../encoding/node.ts";

/** Writes to a file beside `path` and renames it, so that a file of this name is always complete. */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  // Whatever has this name is removed, not written to: it may be a link.
  await fs.rm(`${path}.new`, { force: true });
  const file = await fs.open(`${path}.new`, "wx");
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(`${path}.new`, path);
}
