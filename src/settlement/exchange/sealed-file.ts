/**
 * A sealed checkpoint as a file (spec 8.4): a header, the leaf of each chunk, then the ciphertext. It is
 * written and read in pieces, so it may be larger than the memory.
 */
import { type Bytes, fromHex, toHex, Writer } from "../../encoding/bytes.ts";
import { type DType, DTYPES } from "../../encoding/dtypes.ts";
import { parseJson } from "../../encoding/json.ts";
import { checkLeafCount, type Proof } from "../../encoding/merkle.ts";
import { byteLength, checkShape, CHUNK_BYTES, chunkCount } from "../../encoding/tensor.ts";
import { FormatError, type FormatSubCode } from "../../errors/index.ts";
import type { ByteSource } from "../../formats/byte-source.ts";
import { type Fail, readAt } from "../../formats/safetensors-header.ts";
import type { NamedType } from "../../graph/graph.ts";

const MAGIC = new TextEncoder().encode("VERDESC1");
const HEAD_BYTES = MAGIC.length + 4;
/** The longest header that is read, in bytes. */
const MOST_HEADER = 2 ** 26;
/** The longest proof in a header: a tree has at most 2^31 leaves. */
const MOST_SIBLINGS = 31;
/** The bytes of a leaf. */
export const LEAF_BYTES = 32;
/** Chunks that are read at once: 1 MiB. */
const PIECE = 4096;

/** What the header says. */
export interface SealedHeader {
  /** The sale's id, `0x…`. */
  readonly sale: string;
  /** The entries of the state in their order. */
  readonly entries: readonly NamedType[];
  /** The siblings of the final state in the run's segment tree, from the leaf up. */
  readonly segmentPath: Proof;
}

/** Chunks of one entry that follow each other. */
export interface Place {
  /** The index of the entry. */
  readonly entry: number;
  /** The index of the first chunk among all chunks. */
  readonly first: number;
  /** How many there are. */
  readonly chunks: number;
  /** Where their bytes begin in the content of all entries. */
  readonly from: number;
  /** How many bytes they have. */
  readonly length: number;
}

/** All chunks of a state, in pieces that fit into the memory. */
export function* placesOf(entries: readonly NamedType[]): Generator<Place> {
  let [first, from] = [0, 0];
  for (const [entry, type] of entries.entries()) {
    const [count, size] = [chunkCount(type), byteLength(type)];
    for (let done = 0; done < count; done += PIECE) {
      const chunks = Math.min(PIECE, count - done);
      const start = done * CHUNK_BYTES;
      const length = Math.min(size - start, chunks * CHUNK_BYTES);
      yield { entry, first: first + done, chunks, from: from + start, length };
    }
    first += count;
    from += size;
  }
}

/** The number of chunks of a state. @throws {FormatError} when no tree has so many leaves */
export function chunksIn(entries: readonly NamedType[]): number {
  const count = entries.reduce((sum, type) => sum + chunkCount(type), 0);
  checkLeafCount(count);
  return count;
}

/** What stands in the file before the leaves. */
export function encodeHeader({ sale, entries, segmentPath }: SealedHeader): Bytes {
  const types = entries.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const json = JSON.stringify({ schemaVersion: 1, sale, entries: types, segmentPath: segmentPath.map(toHex) });
  return new Writer().bytes(MAGIC).blob(new TextEncoder().encode(json)).finish();
}

/** An opened file, whose length is that which its header demands. */
export interface SealedFile extends SealedHeader {
  readonly path: string;
  /** The number of chunks. */
  readonly chunks: number;
  /** The leaves of some chunks, and their ciphertext. */
  read(place: Place): Promise<{ leaves: Bytes; ciphertext: Bytes }>;
}

/**
 * Reads the header. The file is a stranger's, so everything in it is checked before it is used.
 * @param path names the file, for errors
 * @throws {FormatError} when it is no sealed checkpoint, or is cut
 */
export async function openSealed(file: ByteSource, path: string): Promise<SealedFile> {
  const fail = (subCode: FormatSubCode, problem: string, evidence = {}): never => {
    throw new FormatError(subCode, `${path} is not a sealed checkpoint: ${problem}; get it from the seller again`, {
      path,
      ...evidence,
    });
  };
  const head = await file.read(0, HEAD_BYTES);
  if (head.length < HEAD_BYTES || MAGIC.some((byte, i) => head[i] !== byte)) fail("KIND", "it does not begin as one");
  const size = new DataView(head.buffer).getUint32(MAGIC.length);
  if (size > Math.min(MOST_HEADER, file.size - HEAD_BYTES)) fail("TRUNCATED", `its header claims ${size} bytes`);
  const text = new TextDecoder().decode(await file.read(HEAD_BYTES, size));
  const header = headerFrom(parseJson(text, path), fail);
  const chunks = chunksIn(header.entries);
  const start = HEAD_BYTES + size;
  const content = start + LEAF_BYTES * chunks;
  const end = header.entries.reduce((sum, type) => sum + byteLength(type), content);
  if (file.size !== end)
    fail(file.size < end ? "TRUNCATED" : "TRAILING", `it has ${file.size} bytes, and its header demands ${end}`, {
      expected: end,
      found: file.size,
    });
  return {
    ...header,
    path,
    chunks,
    read: async ({ first, chunks: count, from, length }) => ({
      leaves: await readAt(file, start + LEAF_BYTES * first, LEAF_BYTES * count, fail),
      ciphertext: await readAt(file, content + from, length, fail),
    }),
  };
}

function headerFrom(value: unknown, fail: Fail): SealedHeader {
  const { schemaVersion, sale, entries, segmentPath } = (value ?? {}) as Record<string, unknown>;
  if (schemaVersion !== 1) fail("VERSION", `it has schema version ${JSON.stringify(schemaVersion)}, not 1`);
  if (typeof sale !== "string" || !/^0x[0-9a-f]{64}$/.test(sale)) return fail("MALFORMED", "it names no sale");
  if (!Array.isArray(entries) || entries.length === 0) return fail("MALFORMED", "it has no entries");
  if (!Array.isArray(segmentPath) || segmentPath.length > MOST_SIBLINGS)
    return fail("MALFORMED", "it has no path to the run's root");
  return {
    sale,
    entries: entries.map((entry) => typeFrom(entry, fail)),
    segmentPath: segmentPath.map((text) => fromHex(text as string, LEAF_BYTES)),
  };
}

function typeFrom(value: unknown, fail: Fail): NamedType {
  const { name, dtype, shape } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || !name.isWellFormed()) return fail("MALFORMED", "an entry has no name");
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPES, dtype)) return fail("MALFORMED", "an entry has no type");
  checkShape(shape as number[], "an entry of the sealed checkpoint");
  return { name, dtype: dtype as DType, shape: shape as number[] };
}
