/** Parts of files. */
import type { Bytes } from "../encoding/bytes.ts";
import { fs } from "../encoding/node.ts";

/**
 * A part of a file as it is, and how many bytes the file has.
 * @param count the most bytes of the part
 * @returns nothing if there is no such file
 */
export async function readPart(
  path: string,
  from: number,
  count: number,
): Promise<{ readonly bytes: Bytes; readonly size: number } | undefined> {
  const file = await fs.open(path).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(Math.max(0, Math.min(count, size - from)));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    return { bytes: bytes.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}
