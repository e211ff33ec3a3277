/** Files on a disk, read in parts. */
import { fs } from "../encoding/node.ts";
import { FormatError, unreadable } from "../errors/index.ts";
import type { ByteSource } from "./byte-source.ts";

/** One read of a file gives at most 2 GiB. */
const MAX_READ = 2 ** 30;

/** @throws {FormatError} when there is no such file */
export async function openFile(path: string): Promise<ByteSource> {
  const file = await fs.open(path).catch((cause: unknown) => {
    throw unreadable(path, path, cause);
  });
  const info = await file.stat();
  if (!info.isFile()) {
    await file.close();
    throw new FormatError("UNREADABLE", `${path} can't be read: it is not a file; name a file`, { path });
  }
  return {
    size: info.size,
    read: async (from, length) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await file.read(bytes, at, Math.min(length - at, MAX_READ), from + at);
        if (bytesRead === 0) return bytes.slice(0, at);
        at += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
