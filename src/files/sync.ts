/** Files that were written without waiting for the disk. */
import { fs } from "../encoding/node.ts";
import { unwritable } from "../errors/index.ts";

/**
 * Returns when the disk has the content of a file.
 * @throws {FileError} that names the file, when it can't be opened or written
 */
export async function syncFile(file: string): Promise<void> {
  try {
    const handle = await fs.open(file, "r+");
    await handle.sync().finally(() => handle.close());
  } catch (cause) {
    throw unwritable(file, cause);
  }
}
