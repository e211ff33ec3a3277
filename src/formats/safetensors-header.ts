/** The header of a safetensors file: what the file holds, before any of it is read. */
import type { Bytes } from "../encoding/bytes.ts";
import { elementCount } from "../encoding/tensor.ts";
import { type Evidence, FormatError, type FormatSubCode, messageOf } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { ByteSource } from "./byte-source.ts";
import { fileKind, KIND_BYTES, looksLikeSafetensors } from "./file-kind.ts";
import { BITS } from "./stored-types.ts";

/** The format's own limit, in bytes. */
const MAX_HEADER = 100 * 2 ** 20;
/** The key of the header that is not a tensor. */
export const METADATA = "__metadata__";

/** A tensor as a file holds it. Verde may have no type for it. */
export interface StoredTensor {
  name: string;
  /** The format's name of the type: `F32`, `BOOL`. */
  type: string;
  shape: number[];
}

/** A tensor's entry in the header. */
export interface Entry extends StoredTensor {
  /** The first byte of its content, and the first after it, counted from the end of the header. */
  offsets: [number, number];
}

/** What the header says. */
export interface Header {
  /** In the order of their content, which they fill without gaps. */
  entries: Entry[];
  /** The texts that the program that wrote the file has left: `{ format: "pt" }` by PyTorch. */
  metadata: Readonly<Record<string, string>>;
  /** Where the content begins in the file. */
  start: number;
}

/** Throws, and names the file. */
export type Fail = (subCode: FormatSubCode, problem: string, evidence?: Evidence) => never;

export const failIn =
  (path: string): Fail =>
  (subCode, problem, evidence) => {
    throw new FormatError(subCode, `${path} is not a usable safetensors file: ${problem}; write it again`, {
      path,
      ...evidence,
    });
  };

/**
 * @param path names the file, for errors
 * @param most the longest header that is read, in bytes
 * @throws {FormatError} for a malformed file. A file of a known other kind is named.
 */
export async function readHeader(file: ByteSource, path: string, most = MAX_HEADER): Promise<Header> {
  const fail = failIn(path);
  const head = await file.read(0, Math.min(file.size, KIND_BYTES));
  const kind = fileKind(head);
  if (kind) throw new FormatError("KIND", `${path} is ${kind.what}; ${kind.remedy}`, { path, found: kind.what });
  if (head.length < 8)
    fail("TRUNCATED", `it has ${file.size} bytes, and a header needs 8`, { expected: "at least 8", found: file.size });
  if (hasMark(head) && !looksLikeSafetensors(head))
    fail("MALFORMED", "it begins with a byte order mark, which a text editor may have put there");
  const size = Number(new DataView(head.buffer).getBigUint64(0, true));
  const limit = Math.min(most, MAX_HEADER);
  if (size > limit) fail("MALFORMED", `its header claims ${size} bytes; at most ${limit} are read`);
  if (size > file.size - 8)
    fail("TRUNCATED", `its header claims ${size} bytes, and ${file.size - 8} follow`, {
      expected: size,
      found: file.size - 8,
    });
  const bytes = await readAt(file, 8, size, fail);
  const start = 8 + size;
  return { ...parseHeader(bytes, file.size - start, fail), start };
}

/** @throws {FormatError} when the file ends before */
export async function readAt(
  file: ByteSource,
  from: number,
  length: number,
  fail: Fail,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await file.read(from, length);
  if (bytes.length < length) fail("TRUNCATED", `it ends at byte ${from + bytes.length}`);
  return bytes;
}

const hasMark = (bytes: Bytes): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;

function parseHeader(bytes: Bytes, contentLength: number, fail: Fail): Omit<Header, "start"> {
  let header: unknown;
  let text = "";
  if (hasMark(bytes)) fail("MALFORMED", "its header begins with a byte order mark");
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    fail("MALFORMED", `its header is not JSON (${messageOf(cause)})`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    fail("MALFORMED", "its header is not an object");
  const { keys, twice } = keysOf(text);
  if (twice !== undefined) fail("DUPLICATE", `its header has the key ${quote(JSON.stringify(twice))} twice`);
  // In the order of the text, since tensors without elements all begin at the same byte. The keys of an
  // object have another order if some are numbers.
  const fields = keys.map((name): [string, unknown] => [name, (header as Record<string, unknown>)[name]]);
  const entries = fields
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => checkEntry(entry, name, fail))
    .sort(({ offsets: a }, { offsets: b }) => a[0] - b[0] || a[1] - b[1]);
  checkPlaces(entries, contentLength, fail);
  const notes = fields.find(([name]) => name === METADATA)?.[1] ?? {};
  if (typeof notes !== "object" || Array.isArray(notes)) fail("MALFORMED", `its ${METADATA} is not an object`);
  const texts = Object.entries(notes).filter(([, value]) => typeof value === "string");
  return { entries, metadata: Object.fromEntries(texts) as Record<string, string> };
}

function checkPlaces(entries: readonly Entry[], contentLength: number, fail: Fail): void {
  let end = 0;
  for (const [i, { name, offsets }] of entries.entries()) {
    const found = `tensor ${quote(name)} begins at byte ${offsets[0]}`;
    if (offsets[0] < end)
      fail("MALFORMED", `${found}, and tensor ${quote(entries[i - 1].name)} ends at ${end}: the two overlap`);
    if (offsets[0] > end) fail("MALFORMED", `${found}, not at ${end}: the bytes between belong to no tensor`);
    end = offsets[1];
  }
  if (end !== contentLength)
    fail(end > contentLength ? "TRUNCATED" : "TRAILING", `its tensors end at byte ${end} of ${contentLength}`, {
      expected: end,
      found: contentLength,
    });
  for (const { name, type, shape, offsets } of entries) {
    const bits = BITS.get(type);
    if (bits !== undefined && offsets[1] - offsets[0] !== Math.ceil((bits * elementCount(shape)) / 8))
      fail("MALFORMED", `tensor ${quote(name)} has ${offsets[1] - offsets[0]} bytes for ${type} [${shape}]`);
  }
}

/**
 * The keys of a JSON text's outermost object in their order, and a key that is twice in one object: the
 * parser would silently keep the last one.
 */
function keysOf(json: string): { keys: readonly string[]; twice?: string } {
  const outermost = new Set<string>();
  const objects: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    if (json[at] === "{") objects.push(objects.length === 0 ? outermost : new Set());
    else if (json[at] === "}") objects.pop();
    if (json[at] !== '"') continue;
    const from = at++;
    for (; json[at] !== '"'; at++) if (json[at] === "\\") at++;
    let next = at + 1;
    while (" \t\r\n".includes(json[next] ?? "end")) next++;
    if (json[next] !== ":") continue;
    const key = JSON.parse(json.slice(from, at + 1)) as string;
    const keys = objects[objects.length - 1];
    if (keys.has(key)) return { keys: [], twice: key };
    keys.add(key);
  }
  return { keys: [...outermost] };
}

function checkEntry(entry: unknown, name: string, fail: Fail): Entry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const whole = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (typeof dtype !== "string" || dtype === "")
    return fail("MALFORMED", `tensor ${quote(name)} has the type ${quote(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(whole) || !Number.isSafeInteger(elementCount(shape)))
    return fail("MALFORMED", `tensor ${quote(name)} has the shape ${quote(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole) || offsets[0] > offsets[1])
    return fail("MALFORMED", `tensor ${quote(name)} has the offsets ${quote(offsets)}`);
  return { name, type: dtype, shape, offsets: offsets as [number, number] };
}
