/** Adds to the end of a file, so that a machine that stops does not lose it. */
import type { Bytes } from "../encoding/bytes.ts";
import { fs } from "../encoding/node.ts";
import { unwritable } from "../errors/index.ts";

/**
 * Appends to a file, which is made if it is missing. It returns when the disk has the content: a signature
 * about it must not leave before that.
 * @param mode of a file that is made
 * @throws {FormatError} when the file can't be written
 */
export async function appendDurably(file: string, content: string | Bytes, mode = 0o666): Promise<void> {
  try {
    const handle = await fs.open(file, "a", mode);
    try {
      await handle.appendFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw unwritable(file, cause);
  }
}
