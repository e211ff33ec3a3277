/** The safetensors format: named tensors that numpy, PyTorch and others read as well. */
import { createReadStream } from "node:fs";
import { open, rename } from "node:fs/promises";
import { asBytes, type Bytes } from "../encoding/bytes.ts";
import { type DType, elementCount, MAX_ELEMENTS, MAX_RANK } from "../encoding/tensor.ts";
import { FormatError, messageOf } from "../errors.ts";
import type { NamedTensor } from "../job/closed.ts";
import { importFloats } from "../repops/vf32.ts";

/** As in the format's own limit. */
const MAX_HEADER = 100 * 2 ** 20;

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Writes to a file beside `path` and renames it, so that a file under this name is always whole. */
export async function writeSafetensors(path: string, tensors: readonly NamedTensor[]): Promise<void> {
  let offset = 0;
  const header: Record<string, Entry> = {};
  for (const { name, dtype, shape, data } of tensors) {
    header[name] = {
      dtype: dtype === "f32" ? "F32" : "I32",
      shape: [...shape],
      data_offsets: [offset, (offset += data.byteLength)],
    };
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 * Math.ceil(text.length / 8), " ");
  text.copy(padded);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(padded.length));
  const file = await open(`${path}.new`, "w");
  try {
    await file.writev([size, padded]);
    for (const { data } of tensors) if (data.byteLength > 0) await file.write(asBytes(data));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

export interface ReadOptions {
  /** Accept magnitudes above 2^127, infinities included, as ±2^127. */
  saturate?: boolean;
}

/**
 * Reads a file whole. F32, F64, F16 and BF16 become f32 (rounded to vf32), I32 and I64 become i32.
 * @throws {FormatError} for a malformed file, {ValueError} for NaN and other values that vf32 does not hold
 */
export async function readSafetensors(path: string, options: ReadOptions = {}): Promise<NamedTensor[]> {
  const bytes = await readWhole(path);
  const fail = (problem: string): never => {
    throw new FormatError(`${path} is no safetensors file that can be used: ${problem}`, { path });
  };
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes`);
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (size > MAX_HEADER || size > bytes.length - 8) fail(`its header claims ${size} bytes`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + size)));
  } catch (cause) {
    fail(`its header is not JSON (${messageOf(cause)})`);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) fail("its header is not an object");
  const content = bytes.subarray(8 + size);
  const entries = Object.entries(header as Record<string, unknown>).filter(([name]) => name !== "__metadata__");
  const checked = entries.map(([name, entry]) => ({ name, ...checkEntry(entry, name, fail) }));
  let end = 0;
  for (const { name, data_offsets: offsets } of [...checked].sort((a, b) => a.data_offsets[0] - b.data_offsets[0])) {
    if (offsets[0] !== end) fail(`tensor ${name} begins at byte ${offsets[0]}, not at ${end}`);
    end = offsets[1];
  }
  if (end !== content.length) fail(`its tensors end at byte ${end} of ${content.length}`);
  return checked.map(({ name, dtype, shape, data_offsets: [from, to] }) => {
    const { type, width, decode } = DTYPES[dtype];
    if (to - from !== width * elementCount(shape))
      fail(`tensor ${name} has ${to - from} bytes for ${dtype} [${shape}]`);
    const data = decode(content.slice(from, to), `${path}, tensor ${name}`, options);
    return { name, dtype: type, shape, data };
  });
}

function checkEntry(entry: unknown, name: string, fail: (problem: string) => never): Entry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Partial<Entry>;
  const whole = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPES, dtype))
    return fail(`tensor ${name} is of type ${String(dtype)}; ${Object.keys(DTYPES).join(", ")} can be read`);
  if (!Array.isArray(shape) || !shape.every(whole) || shape.length > MAX_RANK || elementCount(shape) > MAX_ELEMENTS)
    return fail(`tensor ${name} has the shape ${JSON.stringify(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole) || offsets[0] > offsets[1])
    return fail(`tensor ${name} has the offsets ${JSON.stringify(offsets)}`);
  return { dtype, shape, data_offsets: offsets };
}

type Decode = (bytes: Bytes, name: string, options: ReadOptions) => Float32Array | Int32Array;
interface Format {
  type: DType;
  width: number;
  decode: Decode;
}

const floats =
  (convert: (bytes: Bytes) => ArrayLike<number>): Decode =>
  (bytes, name, options) =>
    importFloats(convert(bytes), { name, ...options });

const DTYPES: Record<string, Format> = {
  F32: { type: "f32", width: 4, decode: floats((b) => new Float32Array(b.buffer)) },
  F64: { type: "f32", width: 8, decode: floats((b) => new Float64Array(b.buffer)) },
  F16: { type: "f32", width: 2, decode: floats((b) => Float64Array.from(new Uint16Array(b.buffer), halfToNumber)) },
  BF16: { type: "f32", width: 2, decode: floats(bfloat16) },
  I32: { type: "i32", width: 4, decode: (b) => new Int32Array(b.buffer) },
  I64: { type: "i32", width: 8, decode: narrow },
};

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function bfloat16(bytes: Bytes): Float32Array {
  const words = new Uint16Array(bytes.buffer);
  return new Float32Array(Uint32Array.from(words, (half) => half << 16).buffer);
}

function narrow(bytes: Bytes, name: string): Int32Array {
  return Int32Array.from(new BigInt64Array(bytes.buffer as ArrayBuffer), (value, i) => {
    if (BigInt.asIntN(32, value) !== value)
      throw new FormatError(`${name}: element ${i} is ${value}, which 32 bits do not hold`, { name, index: i });
    return Number(value);
  });
}

async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = [];
  try {
    for await (const part of createReadStream(path)) parts.push(part as Buffer);
  } catch (cause) {
    throw new FormatError(`${path} can't be read: ${messageOf(cause)}`, { path });
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
