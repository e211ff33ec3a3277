/** The safetensors format: named tensors, which numpy, PyTorch and others read too. */
import type { Bytes } from "../encoding/bytes.ts";
import type { DType, DTYPES, ElementArray } from "../encoding/dtypes.ts";
import { elementCount, MAX_ELEMENTS, MAX_RANK } from "../encoding/tensor.ts";
import { type Evidence, FormatError, type FormatSubCode, messageOf } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { NamedType } from "../graph/graph.ts";
import type { NamedTensor } from "../job/closed.ts";
import { importFloats } from "../repops/numbers/vf32.ts";
import type { ByteSource } from "./byte-source.ts";

/** The format's own limit, in bytes. */
const MAX_HEADER = 100 * 2 ** 20;
/** The key of the header that is not a tensor. */
export const METADATA = "__metadata__";

export interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The options for reading tensors from a file. */
export interface ReadOptions {
  /**
   * Is called with the names, types and shapes of all tensors before the content of any is read. It throws to
   * refuse the file.
   */
  check?(tensors: readonly NamedType[]): void;
  /** The longest header that is read, in bytes; default and most: the format's own limit, 100 MiB. */
  maxHeader?: number;
  /** Accept magnitudes above 2^127, infinities included, as ±2^127. */
  saturate?: boolean;
  /** Take F32 unchanged, even if it is not vf32: for content that is checked against a root. */
  raw?: boolean;
}

/** The longest header for these tensors, in bytes, with room for another program's notes. */
export function mostHeaderBytes(tensors: readonly NamedType[]): number {
  // A character takes at most six bytes, as \u0041; the rest of an entry has numbers of at most 16 digits.
  return tensors.reduce((sum, { name, shape }) => sum + 6 * name.length + 20 * shape.length + 128, 2 ** 16);
}

type Fail = (subCode: FormatSubCode, problem: string, evidence?: Evidence) => never;

/**
 * The tensors of a file, in the order of their content. F32, F64, F16 and BF16 become f32 (rounded to vf32),
 * I32 and I64 become i32. It allocates memory for a tensor only if the file is long enough to hold it, and
 * `check` has not refused it.
 * @param path names the file, for errors
 * @throws {FormatError} for a malformed file, {ValueError} for NaN and other values that vf32 does not hold
 */
export async function readTensors(file: ByteSource, path: string, options: ReadOptions = {}): Promise<NamedTensor[]> {
  const fail: Fail = (subCode, problem, evidence) => {
    throw new FormatError(subCode, `${path} is not a usable safetensors file: ${problem}; write it again`, {
      path,
      ...evidence,
    });
  };
  if (file.size < 8)
    fail("TRUNCATED", `it has ${file.size} bytes, and a header needs 8`, { expected: "at least 8", found: file.size });
  const size = Number(new DataView((await readAt(file, 0, 8, fail)).buffer).getBigUint64(0, true));
  const most = Math.min(options.maxHeader ?? MAX_HEADER, MAX_HEADER);
  if (size > most) fail("MALFORMED", `its header claims ${size} bytes; at most ${most} are read`);
  if (size > file.size - 8)
    fail("TRUNCATED", `its header claims ${size} bytes, and ${file.size - 8} follow`, {
      expected: size,
      found: file.size - 8,
    });
  const entries = parseHeader(await readAt(file, 8, size, fail), file.size - 8 - size, fail);
  options.check?.(entries.map(({ name, dtype, shape }) => ({ name, dtype: FORMATS[dtype].type, shape })));
  const tensors: NamedTensor[] = [];
  for (const { name, dtype, shape, data_offsets: offsets } of entries) {
    const { type, decode } = FORMATS[dtype];
    const bytes = await readAt(file, 8 + size + offsets[0], offsets[1] - offsets[0], fail);
    tensors.push({ name, dtype: type, shape, data: decode(bytes, `${path}, tensor ${quote(name)}`, options) });
  }
  return tensors;
}

async function readAt(file: ByteSource, from: number, length: number, fail: Fail): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await file.read(from, length);
  if (bytes.length < length) fail("TRUNCATED", `it ends at byte ${from + bytes.length}`);
  return bytes;
}

/** The entries in the order of their content, which they fill without gaps. */
function parseHeader(bytes: Bytes, contentLength: number, fail: Fail): (Entry & { name: string })[] {
  let header: unknown;
  let text = "";
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
  const entries = keys
    .filter((name) => name !== METADATA)
    .map((name) => ({ name, ...checkEntry((header as Record<string, unknown>)[name], name, fail) }))
    .sort(({ data_offsets: a }, { data_offsets: b }) => a[0] - b[0] || a[1] - b[1]);
  let end = 0;
  for (const { name, data_offsets: offsets } of entries) {
    if (offsets[0] !== end) fail("MALFORMED", `tensor ${quote(name)} begins at byte ${offsets[0]}, not at ${end}`);
    end = offsets[1];
  }
  if (end !== contentLength)
    fail(end > contentLength ? "TRUNCATED" : "TRAILING", `its tensors end at byte ${end} of ${contentLength}`, {
      expected: end,
      found: contentLength,
    });
  for (const { name, dtype, shape, data_offsets: offsets } of entries)
    if (offsets[1] - offsets[0] !== FORMATS[dtype].width * elementCount(shape))
      fail("MALFORMED", `tensor ${quote(name)} has ${offsets[1] - offsets[0]} bytes for ${dtype} [${shape}]`);
  return entries;
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
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Partial<Entry>;
  const whole = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  const extent = (x: unknown): boolean => whole(x) && x <= MAX_ELEMENTS;
  if (typeof dtype !== "string" || !Object.hasOwn(FORMATS, dtype))
    return fail(
      "UNSUPPORTED",
      `tensor ${quote(name)} is of type ${quote(dtype)}; ${Object.keys(FORMATS).join(", ")} can be read`,
    );
  if (!Array.isArray(shape) || !shape.every(extent) || shape.length > MAX_RANK || elementCount(shape) > MAX_ELEMENTS)
    return fail("MALFORMED", `tensor ${quote(name)} has the shape ${quote(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole) || offsets[0] > offsets[1])
    return fail("MALFORMED", `tensor ${quote(name)} has the offsets ${quote(offsets)}`);
  return { dtype, shape, data_offsets: offsets };
}

type Decode = (bytes: Uint8Array<ArrayBuffer>, name: string, options: ReadOptions) => ElementArray;
interface Format {
  type: DType;
  width: number;
  decode: Decode;
}

const floats =
  (convert: (bytes: Uint8Array<ArrayBuffer>) => ArrayLike<number>): Decode =>
  (bytes, name, { saturate = false }) =>
    importFloats(convert(bytes), { name, saturate });

/** The types of this format that are read, including the types that Verde writes. */
const FORMATS: Readonly<Record<string, Format>> = {
  F32: {
    type: "f32",
    width: 4,
    decode: (b, name, { raw = false, saturate = false }) => {
      const values = new Float32Array(b.buffer);
      return raw ? values : importFloats(values, { name, saturate });
    },
  },
  F64: { type: "f32", width: 8, decode: floats((b) => new Float64Array(b.buffer)) },
  F16: { type: "f32", width: 2, decode: floats((b) => Float64Array.from(new Uint16Array(b.buffer), halfToNumber)) },
  BF16: { type: "f32", width: 2, decode: floats(bfloat16) },
  I32: { type: "i32", width: 4, decode: (b) => new Int32Array(b.buffer) },
  I64: { type: "i32", width: 8, decode: narrow },
} satisfies Record<(typeof DTYPES)[DType]["safetensors"], Format> & Record<string, Format>;

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function bfloat16(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const words = new Uint16Array(bytes.buffer);
  return new Float32Array(Uint32Array.from(words, (half) => half << 16).buffer);
}

function narrow(bytes: Uint8Array<ArrayBuffer>, name: string): Int32Array {
  return Int32Array.from(new BigInt64Array(bytes.buffer), (value, i) => {
    if (BigInt.asIntN(32, value) !== value)
      throw new FormatError(
        "RANGE",
        `${name}: element ${i} is ${value}, which 32 bits do not hold; convert the data to i32 first`,
        { name, index: i },
      );
    return Number(value);
  });
}
