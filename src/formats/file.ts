/** Files on a disk, read in parts. */
import { fs, path as paths } from "../encoding/node.ts";
import { FormatError, unreadable } from "../errors/index.ts";
import { mapFile } from "../repops/backends/native/mapped.ts";
import type { ByteSource } from "./byte-source.ts";

/** One read of a file gives at most 2 GiB. */
const MAX_READ = 2 ** 30;
/** A smaller file is soon read. In bytes. */
const LEAST_MAPPED = 2 ** 20;

/**
 * Opens a regular file. Opening never waits, as it would for a pipe that nobody writes to, and a device is
 * never read.
 * @throws {FormatError} when there is no such file, or it is something else than a file
 */
export async function openFile(path: string): Promise<ByteSource> {
  // Windows has no such flag.
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
  const file = await fs.open(path, O_RDONLY | O_NONBLOCK).catch((cause: unknown) => {
    throw unreadable(path, path, cause);
  });
  const info = await file.stat({ bigint: true }).catch(() => undefined);
  if (!info?.isFile()) {
    await file.close();
    throw new FormatError("UNREADABLE", `${path} can't be read: it is not a file; name a file`, { path });
  }
  const size = Number(info.size);
  return {
    size,
    read: async (from, length) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await file.read(bytes, at, Math.min(length - at, MAX_READ), from + at);
        if (bytesRead === 0) return bytes.slice(0, at);
        at += bytesRead;
      }
      return bytes;
    },
    map: async () => (size < LEAST_MAPPED ? undefined : mapFile(path, info)),
    close: () => file.close(),
  };
}

/**
 * The path of a file in a folder that somebody else may have filled, with all links resolved. The folder
 * itself may be a link.
 * @throws {FormatError} when there is no such file, or a link leads out of the folder
 */
export async function fileInside(folder: string, name: string): Promise<string> {
  const path = paths.join(folder, name);
  const [inside, file] = await Promise.all([fs.realpath(folder), fs.realpath(path)]).catch((cause: unknown) => {
    throw unreadable(path, path, cause);
  });
  const way = paths.relative(inside, file);
  if (way === "" || way.split(paths.sep)[0] === ".." || paths.isAbsolute(way))
    throw new FormatError(
      "UNREADABLE",
      `${path} can't be read: it is a link that leads out of its folder; put the file itself there`,
      { path },
    );
  return file;
}
