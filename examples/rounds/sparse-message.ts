/**
 * The message of SparseLoCo and Templar: the largest elements of each chunk of a tensor, in 2 bits each, and
 * their places in 12 bits each. Graphs encode it, so a dispute reaches each of its bits.
 */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import type { Port } from "@verde-ml/verde/rounds";

/** The greatest side of a chunk, at most 64, and how many of its elements are sent. */
export interface Sparsity {
  chunk: number;
  keep: number;
}
/** Elements at places of their chunks: f32 and i32, both [Y, X, k]. */
export interface Sparse {
  values: Value;
  places: Value;
}
type Parts = Record<"places" | "codes" | "table" | "shift", Value>;

/** Chunks of h by w, Y by X of them, and how many elements of each are sent: an even number from 2. */
function cut(shape: readonly number[], { chunk, keep }: Sparsity) {
  const side = (extent: number): number => {
    for (let h = Math.min(chunk, extent); ; h--) if (extent % h === 0) return h;
  };
  const [rows, columns] = shape.length === 1 ? [1, shape[0]] : shape;
  const [h, w] = [side(rows), side(columns)];
  const k = Math.max(2, 2 * Math.floor(Math.min(keep, h * w) / 2));
  return { h, w, Y: rows / h, X: columns / w, k, count: (rows / h) * (columns / w) * k };
}

/**
 * The 2-bit quantiser: the mean is taken off, and a code stands for the mean of all that have it: f32 [n].
 */
export function quantise(values: Value): Omit<Parts, "places"> {
  const shift = job.mean(values);
  const centred = job.sub(values, shift);
  const deviation = job.sqrt(job.div(job.sum(job.square(centred)), values.shape[0] - 1));
  const scale = job.mul(deviation, 6 / 4);
  // Templar adds 2 before it rounds: that differs where the sum, rounded, is a half.
  const codes = job.quantize(centred, job.where(job.gt(scale, 0), scale, 1), { bits: 2, signed: false, zeroPoint: 2 });
  return { codes, table: job.scatterMean(centred, codes, 4, 0), shift };
}

/** What codes stand for: i32 [n], f32 [4] and f32 [] → f32 [n]. */
export const dequantise = (codes: Value, table: Value, shift: Value): Value =>
  job.add(job.takeAlongDim(table, codes, 0), shift);

/** Pairs of places below 4,096 in three bytes each, four bytes in a word: i32 [n] → i32 [⌈3n / 8⌉]. */
export function packPlaces(places: Value): Value {
  const [a, b] = job.unbind(job.reshape(places, [places.shape[0] / 2, 2]), 1);
  const middle = job.bitwiseOr(job.bitwiseRightShift(a, 8), job.bitwiseLeftShift(job.bitwiseAnd(b, 15), 4));
  const bytes = job.stack([job.bitwiseAnd(a, 255), middle, job.bitwiseRightShift(b, 4)], 1);
  return job.packBits(job.reshape(bytes, [3 * a.shape[0]]), 8);
}

/** Undoes `packPlaces`: i32 [⌈3n / 8⌉] → i32 [n]. */
export function unpackPlaces(words: Value, n: number): Value {
  const [low, middle, high] = job.unbind(job.reshape(job.unpackBits(words, 8, (3 * n) / 2), [n / 2, 3]), 1);
  const a = job.bitwiseOr(low, job.bitwiseLeftShift(job.bitwiseAnd(middle, 15), 8));
  const b = job.bitwiseOr(job.bitwiseRightShift(middle, 4), job.bitwiseLeftShift(high, 4));
  return job.reshape(job.stack([a, b], 1), [n]);
}

/** What is sent of a tensor: the elements of each chunk that are largest, largest first. */
export function encode(x: Value, sparsity: Sparsity): Parts {
  const { h, w, Y, X, k, count } = cut(x.shape, sparsity);
  const chunks = job.reshape(job.transpose(job.reshape(x, [Y, h, X, w]), [0, 2, 1, 3]), [Y, X, h * w]);
  const { indices } = job.topk(job.abs(chunks), k);
  const { codes, table, shift } = quantise(job.reshape(job.takeAlongDim(chunks, indices, -1), [count]));
  return { places: packPlaces(job.reshape(indices, [count])), codes: job.packBits(codes, 2), table, shift };
}

/** The entries of a message about a tensor: 14 bits an element in whole words, and 20 bytes. */
export function messageOf(name: string, shape: readonly number[], sparsity: Sparsity) {
  const { count } = cut(shape, sparsity);
  const words = (bits: number) => ({ dtype: "i32", shape: [Math.ceil((bits * count) / 32)] }) as const;
  const floats = (...extents: number[]) => ({ dtype: "f32", shape: extents }) as const;
  const types = { places: words(12), codes: words(2), table: floats(4), shift: floats() };
  const named = <T>(parts: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(parts).map(([part, value]) => [`${part}/${name}`, value])); // prettier-ignore
  return { types, named };
}

/** What a port has of a tensor. */
export function read(port: Port, name: string, shape: readonly number[], sparsity: Sparsity): Sparse {
  const { Y, X, k, count } = cut(shape, sparsity);
  const { types } = messageOf(name, shape, sparsity);
  const of = (part: keyof Parts) => port.entry(`${part}/${name}`, types[part]);
  const values = dequantise(job.unpackBits(of("codes"), 2, count), of("table"), of("shift"));
  return {
    values: job.reshape(values, [Y, X, k]),
    places: job.reshape(unpackPlaces(of("places"), count), [Y, X, k]),
  };
}

/** The mean of what is written at each place, and 0 where nothing is: a tensor of the shape. */
export function spread(parts: readonly Sparse[], shape: readonly number[], sparsity: Sparsity): Value {
  const { h, w, Y, X } = cut(shape, sparsity);
  const join = (values: Value[]) => (values.length === 1 ? values[0] : job.concat(values, -1));
  const [values, places] = [join(parts.map((part) => part.values)), join(parts.map((part) => part.places))];
  const chunks = job.reshape(job.scatterMean(values, places, h * w, -1), [Y, X, h, w]);
  return job.reshape(job.transpose(chunks, [0, 2, 1, 3]), shape);
}
