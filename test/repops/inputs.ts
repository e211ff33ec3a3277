/**
 * Adversarial inputs for operators: every magnitude, both ends of each range, and the values where functions
 * bend.
 */
import { canonBits, fromBits, isCanonicalBits } from "../../src/repops/numbers/vf32.ts";
import { generator } from "../graph/numeric.ts";

const EDGES = [
  0x00000000, 0x01000000, 0x01000001, 0x017fffff, 0x01800000, 0x7f000000, 0x7effffff, 0x7e800000, 0x3f800000,
  0x3f7fffff, 0x3f800001, 0x26000000, 0x25ffffff, 0x26000001, 0x59000000, 0x58ffffff, 0x59000001, 0x0c800000,
  0x0c7fffff, 0x72800000, 0x72800001, 0x42b00f34, 0x42b00f33, 0x42ad5555, 0x33000000, 0x32ffffff, 0x3f200000,
  0x46000000, 0x4b000000, 0x4f000000,
];

/** Endless canonical float bit patterns, from a seed. */
export function floatBits(seed: number): () => number {
  const random = generator(seed);
  const word = (): number => Math.floor(random() * 2 ** 32) >>> 0;
  return () => {
    const kind = word() % 6;
    const sign = word() & 0x80000000;
    const fraction = word() & 0x7fffff;
    if (kind === 0) {
      const edge = EDGES[word() % EDGES.length];
      return canonBits(edge === 0 ? 0 : edge | sign);
    }
    if (kind <= 2) return (((120 + (word() % 14)) << 23) | fraction | sign) >>> 0;
    if (kind === 3) return (((2 + (word() % 250)) << 23) | (word() & 1 ? 0x7fffff : word() & 3) | sign) >>> 0;
    return (((2 + (word() % 252)) << 23) | fraction | sign) >>> 0;
  };
}

export function floats(seed: number): () => number {
  const next = floatBits(seed);
  return () => fromBits(next());
}

/** Any 32-bit pattern, often a special one. */
export function integers(seed: number): () => number {
  const random = generator(seed);
  const special = [0, 1, -1, 2, 31, 32, 33, 2 ** 31 - 1, -(2 ** 31), 0xffff, 0x10000, 0xffffff, 0x1000001];
  return () => (random() < 0.3 ? special[Math.floor(random() * special.length)] : Math.floor(random() * 2 ** 32) | 0);
}

export const isVf32 = (value: number): boolean => isCanonicalBits(new Uint32Array(Float32Array.of(value).buffer)[0]);
