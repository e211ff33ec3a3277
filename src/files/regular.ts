/**
 * Files that a user names for reading: anything that is not a file is refused at once, and never waited for.
 */
import { fs } from "../encoding/node.ts";

/** The most bytes of a file that is read as a whole. */
const MOST_BYTES = 2 ** 26;
const NOT_A_FILE = "it is a folder, a pipe or a device, and not a file";
/** A pipe that the shell has opened for this process, as `<(command)` does, has an end. */
const OPENED = /^\/(dev\/(fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/;

/**
 * @throws {Error} when there is nothing of this name, or it is a folder, a pipe or a device. Its message
 *   completes a sentence
 */
export async function expectRegular(path: string | URL): Promise<void> {
  if (!(await fs.stat(path)).isFile()) throw new Error(NOT_A_FILE);
}

/**
 * The bytes of a file of at most 64 MiB. Opening never waits, as it would for a pipe that nobody writes to.
 * @param pipes whether a pipe that the shell has opened for this process is read, too
 * @throws {Error} when it can't be read, or is not a file. Its message completes a sentence
 */
export async function readRegular(path: string, { pipes = false } = {}): Promise<Uint8Array<ArrayBuffer>> {
  if (pipes && OPENED.test(path) && (await fs.stat(path)).isFIFO()) return new Uint8Array(await fs.readFile(path));
  // Windows has no such flag.
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
  const file = await fs.open(path, O_RDONLY | O_NONBLOCK);
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new Error(NOT_A_FILE);
    if (info.size > MOST_BYTES) throw new Error(`it has ${info.size} bytes, and at most ${MOST_BYTES} are read`);
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/** Whether there is anything of this name that this user can reach. */
export function exists(path: string): Promise<boolean> {
  return fs.access(path).then(
    () => true,
    () => false,
  );
}

/** The text of such a file, in UTF-8. */
export async function readRegularText(path: string, options?: { pipes?: boolean }): Promise<string> {
  return new TextDecoder().decode(await readRegular(path, options));
}
