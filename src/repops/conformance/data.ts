/** Adversarial operands. They are computed with integers only, so they are the same on every machine. */
import { elementCount, type Tensor } from "../../encoding/tensor.ts";
import { canonBits } from "../numbers/vf32.ts";

/**
 * The ends of ranges and the special points of functions: signs, powers of two, limits of vf32, dot and sum
 * range.
 */
const EDGES = [
  0x00000000, 0x01000000, 0x01000001, 0x017fffff, 0x7f000000, 0x7effffff, 0x3f800000, 0x3f7fffff, 0x3f800001,
  0x26000000, 0x25ffffff, 0x26000001, 0x59000000, 0x58ffffff, 0x59000001, 0x0c800000, 0x0c7fffff, 0x72800000,
  0x72800001, 0x42b00f34, 0x42ad5555, 0x33000000, 0x3f200000, 0x46000000, 0x4b000000, 0x4f000000,
];
const SPECIAL_INTS = [0, 1, -1, 2, 31, 32, 33, 0x7fffffff, -0x80000000, 0xffff, 0x10000, 0x1000001];

/** A hash of 32-bit integers (Mueller's finalizer). */
function scramble(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

export type Words = () => number;

/** Random words from a seed. */
export function words(seed: number): Words {
  let counter = scramble(seed);
  return () => scramble((counter = (counter + 0x9e3779b9) | 0));
}

/**
 * Bit patterns of vf32: edges, ordinary magnitudes (2^-7 to 2^7), all magnitudes, fractions of zeros and
 * ones.
 */
export function floatTensor(seed: number, shape: readonly number[], which: "any" | "ordinary" = "any"): Tensor {
  const count = elementCount(shape);
  const next = words(seed);
  const data = new Float32Array(count);
  const bits = new Uint32Array(data.buffer);
  for (let i = 0; i < count; i++) {
    const kind = which === "ordinary" ? 1 : next() % 6;
    const sign = next() & 0x80000000;
    const fraction = next() & 0x7fffff;
    if (kind === 0) bits[i] = canonBits(EDGES[next() % EDGES.length] | sign);
    else if (kind <= 2) bits[i] = ((120 + (next() % 14)) << 23) | fraction | sign;
    else if (kind === 3) bits[i] = ((2 + (next() % 250)) << 23) | (next() & 1 ? 0x7fffff : next() & 3) | sign;
    else bits[i] = ((2 + (next() % 252)) << 23) | fraction | sign;
  }
  return { dtype: "f32", shape, data };
}

/** Any 32-bit integers, often special ones; with a limit, from -1 to the limit, so that some are outside. */
export function intTensor(seed: number, shape: readonly number[], limit?: number): Tensor {
  const count = elementCount(shape);
  const next = words(seed);
  const data = Int32Array.from({ length: count }, () => {
    if (limit !== undefined) return (next() % (limit + 2)) - 1;
    return next() % 3 === 0 ? SPECIAL_INTS[next() % SPECIAL_INTS.length] : next() | 0;
  });
  return { dtype: "i32", shape, data };
}
