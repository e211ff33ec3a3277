/**
 * Files as memory. The system reads a page when it is first used, and drops it when it needs the memory. Only
 * in Node, on Linux and macOS, where koffi is installed.
 *
 * A file that is overwritten changes the memory, and of one that is cut the rest can't be read any more. So
 * each mapping holds the file open, and code that has computed with the memory asks `expectUnchanged` before
 * the result is used; core/guard.h keeps the process alive until then.
 */
import type { BigIntStats } from "node:fs";
import { isNode, syncFs } from "../../../encoding/node.ts";
import { FormatError } from "../../../errors/index.ts";
import { type Koffi, loadKoffi } from "./koffi.ts";

/** The flags of mmap that differ from system to system. */
const FLAGS: Readonly<Record<string, { anonymous: number; noReserve: number }>> = {
  linux: { anonymous: 0x20, noReserve: 0x4000 },
  darwin: { anonymous: 0x1000, noReserve: 0x40 },
};
const READ_WRITE = 3;
const PRIVATE = 2;
const FIXED = 0x10;
/** What mmap gives then: -1. */
const FAILED = 0xffff_ffff_ffff_ffffn;
/** A multiple of every page size. */
const UNIT = 2 ** 16;

interface System {
  koffi: Koffi;
  flags: { anonymous: number; noReserve: number };
  mmap(at: number, bytes: number, access: number, flags: number, file: number, from: number): unknown;
  munmap(at: number, bytes: number): number;
}

let system: Promise<System | undefined> | undefined;
/** What is known of a mapped file. */
interface Mapping {
  path: string;
  /** A descriptor of its own, which stays open as long as the memory. */
  file: number;
  /** As it was when it was opened. */
  opened: Identity;
}

/** What tells one content of a file from another. Renaming another file to its name changes none of it. */
type Identity = Pick<BigIntStats, "dev" | "ino" | "size" | "mtimeNs">;

const isSame = (a: Identity, b: Identity): boolean =>
  a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;

const mapped = new WeakMap<ArrayBufferLike, Mapping>();
const unused = new FinalizationRegistry<{ at: number; bytes: number; file: number; munmap: System["munmap"] }>(
  ({ at, bytes, file, munmap }) => {
    munmap(at, bytes);
    syncFs.closeSync(file);
  },
);

async function openSystem(): Promise<System | undefined> {
  const flags = isNode ? FLAGS[process.platform] : undefined;
  if (!flags) return undefined;
  try {
    const koffi = await loadKoffi();
    const process = koffi.load(null);
    const mmap = process.func("mmap", "void *", ["int64_t", "int64_t", "int", "int", "int", "int64_t"]);
    const munmap = process.func("munmap", "int", ["int64_t", "int64_t"]);
    return { koffi, flags, mmap: mmap as System["mmap"], munmap: munmap as System["munmap"] };
  } catch {
    // A file can be read instead.
    return undefined;
  }
}

/**
 * A file as memory, until the buffer is collected. What is written to it is not written to the file.
 * @param opened what the file was when the caller opened it
 * @returns `undefined` where that can't be done, or the path leads to another content by now
 */
export async function mapFile(path: string, opened: Identity): Promise<ArrayBuffer | undefined> {
  const here = await (system ??= openSystem());
  if (!here || opened.size === 0n) return undefined;
  let file: number;
  try {
    file = syncFs.openSync(path, syncFs.constants.O_RDONLY);
  } catch {
    return undefined;
  }
  const buffer = isSame(syncFs.fstatSync(file, { bigint: true }), opened)
    ? bufferOf(here, file, Number(opened.size))
    : undefined;
  if (buffer) mapped.set(buffer, { path, file, opened });
  else syncFs.closeSync(file);
  return buffer;
}

function bufferOf({ koffi, flags, mmap, munmap }: System, file: number, bytes: number): ArrayBuffer | undefined {
  // After the file there is memory of zeros, because vectors are read past an end.
  const whole = Math.ceil(bytes / UNIT) * UNIT + UNIT;
  const start = addressOf(koffi, mmap(0, whole, READ_WRITE, PRIVATE | flags.anonymous | flags.noReserve, -1, 0));
  if (start === undefined) return undefined;
  const pointer = mmap(start, bytes, READ_WRITE, PRIVATE | FIXED | flags.noReserve, file, 0);
  if (addressOf(koffi, pointer) === undefined) {
    munmap(start, whole);
    return undefined;
  }
  const buffer = koffi.view(pointer, bytes);
  unused.register(buffer, { at: start, bytes: whole, file, munmap });
  return buffer;
}

/** The address of a mapping, or `undefined` for the one that mmap gives when it fails. */
function addressOf(koffi: Koffi, pointer: unknown): number | undefined {
  const address = koffi.address(pointer);
  return address === FAILED ? undefined : Number(address);
}

/** Whether a buffer is a file's memory, after whose end more memory can be read. */
export const isMapped = (buffer: ArrayBufferLike): boolean => mapped.has(buffer);

/**
 * Has to be asked after a mapped file's memory was read, and before what was made of it is used. It asks the
 * system for the file's size and time of change, which takes some microseconds; any other buffer passes.
 * @param lost pages of it that could not be read; default 0
 * @throws {FormatError} when the file was changed after it was opened, or could not be read
 */
export function expectUnchanged(buffer: ArrayBufferLike, lost = 0): void {
  const mapping = mapped.get(buffer);
  if (!mapping) return;
  const { path, file, opened } = mapping;
  if (!isSame(syncFs.fstatSync(file, { bigint: true }), opened))
    throw new FormatError(
      "ALTERED",
      `${path} was changed while it was used, so what was computed with it is not used; restore it and start again ` +
        "(to replace such a file, write another one and rename it)",
      { path },
    );
  if (lost > 0)
    throw new FormatError(
      "UNREADABLE",
      `${path} could not be read while it was used, so what was computed with it is not used; check its disk`,
      { path },
    );
}
