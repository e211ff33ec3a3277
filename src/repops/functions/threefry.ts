/**
 * Random words: Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy
 * as 1, 2, 3"), and the distributions that are made from them (spec 4.6).
 */
import { type Float, type Int } from "../programs/expressions.ts";
import { logOfPositive } from "./logarithm.ts";
import { wave } from "./trigonometry.ts";

/** Skein's key schedule constant for 32-bit words. */
const PARITY = 0x1bd11bda;
const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/**
 * Word `which` of the block for `counter` and `key`. If one program uses both words, they share the rounds.
 */
export function threefry2x32(key: readonly [Int, Int], counter: readonly [Int, Int], which: 0 | 1): Int {
  const keys = [...key, key[0].xor(key[1]).xor(PARITY)];
  let x = counter[0].add(keys[0]);
  let y = counter[1].add(keys[1]);
  for (let group = 0; group < 5; group++) {
    for (const rotation of ROTATIONS[group % 2]) {
      x = x.add(y);
      y = y.rotl(rotation).xor(x);
    }
    x = x.add(keys[(group + 1) % 3]);
    y = y.add(keys[(group + 2) % 3]).add(group + 1);
  }
  return which === 0 ? x : y;
}

/** A word as a number in [0, 1): its upper 24 bits times 2^-24. */
export function uniform01(bits: Int): Float {
  return bits
    .shr(8)
    .toFloat()
    .mul(2 ** -24);
}

/**
 * A standard normal number from two words (Box and Muller): sqrt(-2·ln u)·sin(q·π/2 + r), of magnitude 5.77
 * at most. u in (0, 1] is the upper 24 bits of `a`, plus one, times 2^-24. The quadrant q is the upper 2 bits
 * of `b`; the next 22 bits, signed and times π/2·2^-22, are r in [-π/4, π/4).
 */
export function normal(a: Int, b: Int): Float {
  const u = a
    .shr(8)
    .add(1)
    .toFloat()
    .mul(2 ** -24);
  const r = b
    .shl(2)
    .sar(10)
    .toFloat()
    .mul(Math.PI * 2 ** -23);
  return logOfPositive(u)
    .mul(-2)
    .sqrt()
    .mul(wave({ quadrant: b.shr(30), r }));
}
