/**
 * The message of DisTrO: of each chunk of a tensor the largest coefficients of its cosine transform, a byte for
 * the place of each and one bit for its sign. Graphs encode it, so a dispute reaches each of its bits.
 */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import type { Port } from "@verde-ml/verde/rounds";

/** The greatest side of a chunk, and how many of its coefficients are sent. */
export interface Chunking {
  chunk: number;
  keep: number;
}
/** Coefficients and their places in the chunks: f32 and i32, both [Y, X, k]. */
export type Coefficients = Record<"values" | "places", Value>;

/** The largest divisor of an extent that is not above a target. */
export function sideOf(extent: number, target: number): number {
  if (extent <= target) return extent;
  let side = 1;
  for (let d = 1; d * d <= extent; d++)
    if (extent % d === 0) for (const other of [d, extent / d]) if (other <= target && other > side) side = other;
  return side;
}

/** Y by X chunks, the elements of each, and how many coefficients of each are sent. */
export function cut(shape: readonly number[], { chunk, keep }: Chunking) {
  const [rows, columns] = shape.length === 1 ? [1, shape[0]] : shape;
  const [h, w] = [sideOf(rows, chunk), sideOf(columns, chunk)];
  if (h * w > 256) throw new RangeError(`a chunk of ${h} by ${w} has places above a byte; take chunks of up to 16`);
  const k = Math.max(1, Math.min(keep, h * w));
  return { size: h * w, shape: [rows / h, columns / w, k], count: (rows / h) * (columns / w) * k };
}

/** The largest coefficients of each chunk: f32, a row or a matrix. */
export function largest(x: Value, chunking: Chunking): Coefficients {
  const coefficients = job.chunkedDct(x, chunking.chunk);
  const { indices: places } = job.topk(job.abs(coefficients), cut(x.shape, chunking).shape[2]);
  return { values: job.takeAlongDim(coefficients, places, -1), places };
}

/** The tensor of this shape whose coefficients are the mean of those that are given at each place. */
export function decode(parts: readonly Coefficients[], shape: readonly number[], chunking: Chunking): Value {
  const all = (what: keyof Coefficients): Value => job.concat(parts.map((part) => part[what]), -1); // prettier-ignore
  const mean = job.scatterMean(all("values"), all("places"), cut(shape, chunking).size, -1);
  return job.chunkedIdct(mean, shape, chunking.chunk);
}

/** The types of a tensor's message, by the names of its entries. */
export function messageOf(name: string, shape: readonly number[], chunking: Chunking) {
  const { count } = cut(shape, chunking);
  const words = (bits: number) => ({ dtype: "i32", shape: [Math.ceil((count * bits) / 32)] }) as const;
  return { [`places/${name}`]: words(8), [`signs/${name}`]: words(1) };
}

/** What is sent of coefficients: bytes of places, and a bit for each that is negative. */
export function encode(name: string, { values, places }: Coefficients): Record<string, Value> {
  const flat = (x: Value): Value => job.reshape(x, [-1]);
  return {
    [`places/${name}`]: job.packBits(flat(places), 8, "pack-places"),
    [`signs/${name}`]: job.packBits(flat(job.lt(values, 0)), 1, "pack-signs"),
  };
}

/** A tensor's coefficients as a message has them: 1 or -1. */
export function read(port: Port, name: string, shape: readonly number[], chunking: Chunking): Coefficients {
  const { count, shape: kept } = cut(shape, chunking);
  const of = (what: string, bits: 1 | 8): Value => job.reshape(job.unpackBits(port.entry(`${what}/${name}`), bits, count), kept); // prettier-ignore
  return { places: of("places", 8), values: job.sub(1, job.mul(job.toFloat(of("signs", 1)), 2)) };
}

/**
 * How far two lists are apart, by the three measures that Psyche has for its verifiers: Jaccard's of their sets,
 * Manhattan's, and Hamming's as a share of the places.
 */
export function distances(a: ArrayLike<number>, b: ArrayLike<number>) {
  const [left, right] = [Array.from(a), Array.from(b)];
  const [own, others, union] = [new Set(left), new Set(right), new Set([...left, ...right]).size];
  const both = [...own].filter((x) => others.has(x)).length;
  return {
    jaccard: union === 0 ? 0 : 1 - both / union,
    manhattan: left.reduce((total, x, i) => total + Math.abs(x - right[i]), 0),
    hamming: left.filter((x, i) => x !== right[i]).length / Math.max(left.length, 1),
  };
}
