/** The safetensors format: named tensors, which numpy, PyTorch and others read too. */
import { elementCount, MAX_ELEMENTS, MAX_RANK } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { NamedType } from "../graph/graph.ts";
import type { NamedTensor } from "../job/closed.ts";
import type { ByteSource } from "./byte-source.ts";
import { type Entry, failIn, readAt, readHeader, type StoredTensor } from "./safetensors-header.ts";
import { type DecodeOptions, READ } from "./stored-types.ts";

export type { StoredTensor } from "./safetensors-header.ts";

/** The options for reading tensors from a file. */
export interface ReadOptions extends DecodeOptions {
  /**
   * Is called with all tensors of the file before the content of any is read, and returns the names of those
   * that are wanted. The others may have types that Verde does not read. Default: all. It throws to refuse
   * the file.
   * @param metadata what the program that wrote the file says about it: `{ format: "pt" }`
   */
  choose?(tensors: readonly StoredTensor[], metadata: Readonly<Record<string, string>>): ReadonlySet<string>;
  /**
   * Is called with the names, types and shapes of all wanted tensors before the content of any is read. It
   * throws to refuse the file.
   */
  check?(tensors: readonly NamedType[]): void;
  /** The longest header that is read, in bytes; default and most: the format's own limit, 100 MiB. */
  maxHeader?: number;
  /**
   * Use F32 and I32 where they lie in the file instead of copying them, so that a dataset may be larger than
   * the memory; default: false. Only files on a disk of at least 1 MiB, in Node on Linux and macOS, where
   * koffi is installed; others are read. F32 is still checked, and copied where it is not vf32. Nobody may
   * cut or overwrite the file while the tensors are used: a run on them then ends with a `FormatError`, but
   * other code that reads them sees other elements, or the process ends. To replace it, write another file
   * and rename it.
   */
  map?: boolean;
}

/** The longest header for these tensors, in bytes, with room for another program's notes. */
export function mostHeaderBytes(tensors: readonly NamedType[]): number {
  // A character takes at most six bytes, as \u0041; the rest of an entry has numbers of at most 16 digits.
  return tensors.reduce((sum, { name, shape }) => sum + 6 * name.length + 20 * shape.length + 128, 2 ** 16);
}

/**
 * The tensors of a file, in the order of their content. F32, F64, F16 and BF16 become f32 (rounded to vf32),
 * I32 and I64 become i32. It allocates memory for a tensor only if the file is long enough to hold it, and
 * `choose` and `check` have not refused it.
 * @param path names the file, for errors
 * @throws {FormatError} for a malformed file, {ValueError} for NaN and other values that vf32 does not hold
 */
export async function readTensors(file: ByteSource, path: string, options: ReadOptions = {}): Promise<NamedTensor[]> {
  const fail = failIn(path);
  const { entries, metadata, start } = await readHeader(file, path, options.maxHeader);
  const names = options.choose?.(entries, metadata);
  const wanted = names ? entries.filter(({ name }) => names.has(name)) : entries;
  const types = wanted.map((entry) => typeOf(entry, path));
  options.check?.(types);
  const whole = options.map ? await file.map?.() : undefined;
  const tensors: NamedTensor[] = [];
  for (const [i, { name, type, offsets }] of wanted.entries()) {
    const [from, length] = [start + offsets[0], offsets[1] - offsets[0]];
    const { inPlace, decode } = READ[type];
    const what = `${path}, tensor ${quote(name)}`;
    const there = whole && from % 4 === 0 ? inPlace?.(whole, from, length / 4, options) : undefined;
    tensors.push({ ...types[i], data: there ?? decode(await readAt(file, from, length, fail), what, options) });
  }
  return tensors;
}

/** The type that a tensor has after reading. */
function typeOf({ name, type, shape }: Entry, path: string): NamedType {
  if (!Object.hasOwn(READ, type))
    throw new FormatError(
      "UNSUPPORTED",
      `${path}: tensor ${quote(name)} is of type ${quote(type)}; ${Object.keys(READ).join(", ")} can be read, so convert it`,
      { path, name, type },
    );
  const fits = shape.length <= MAX_RANK && shape.every((extent) => extent <= MAX_ELEMENTS);
  if (!fits || elementCount(shape) > MAX_ELEMENTS)
    failIn(path)("MALFORMED", `tensor ${quote(name)} has the shape ${quote(shape)}`);
  return { name, dtype: READ[type].type, shape };
}
