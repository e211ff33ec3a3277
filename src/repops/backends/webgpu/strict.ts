/**
 * Strict arithmetic: floats are held as bit patterns, and every instruction is built of integers, which WGSL
 * fixes to the bit. No shader of this dialect has a float type in it, so nothing is left to a device's
 * rounding, flushing or fusing.
 */
import type { InstructionName } from "../../programs/instructions.ts";
import type { Dialect, Lowering } from "./dialect.ts";
import { INTEGERS } from "./integers.ts";
import { INTEGER_LOWERINGS, signed, unsigned } from "./lowerings.ts";

const LIBRARY = `${INTEGERS}
/* Sign s, biased exponent e, a 27-bit significand: 24 bits, two to round by, one set if anything follows. */
fn roundBits(s: u32, e: i32, m: u32) -> u32 {
  /* Up from a half, if more follows or the number is odd. */
  return packBits(s, e, (m + 3u + ((m >> 3u) & 1u)) >> 3u);
}
fn sticky(lost: u32) -> u32 { return select(0u, 1u, lost != 0u); }
fn sumBits(x: u32, y: u32) -> u32 {
  let swap = (x & 0x7fffffffu) < (y & 0x7fffffffu);
  let a = select(x, y, swap); let b = select(y, x, swap);
  let shift = u32(min(biasedOf(a) - biasedOf(b), 31)) & 31u;
  let large = significandOf(a) << 3u; let small = significandOf(b) << 3u;
  let shifted = (small >> shift) | sticky(small & ((1u << shift) - 1u));
  let m = select(large - shifted, large + shifted, ((a ^ b) & 0x80000000u) == 0u);
  let lead = i32(firstLeadingBit(m));
  let normal = select(m << (u32(26 - lead) & 31u), (m >> 1u) | (m & 1u), lead == 27);
  let sum = select(roundBits(a & 0x80000000u, biasedOf(a) + lead - 26, normal), 0u, m == 0u);
  return select(sum, a, isZero(b));
}
fn productBits(a: u32, b: u32) -> u32 {
  let x = significandOf(a); let y = significandOf(b);
  /* 48 bits of 12-bit digits: high * 2^24 + low. */
  let middle = (x >> 12u) * (y & 0xfffu) + (x & 0xfffu) * (y >> 12u);
  let sum = (x & 0xfffu) * (y & 0xfffu) + ((middle & 0xfffu) << 12u);
  let high = (x >> 12u) * (y >> 12u) + (middle >> 12u) + (sum >> 24u);
  let low = sum & 0xffffffu;
  /* The first of the 48 bits is set, or the second. */
  let first = high >= 0x800000u;
  let m = select((high << 4u) | (low >> 20u) | sticky(low & 0xfffffu), (high << 3u) | (low >> 21u) | sticky(low & 0x1fffffu), first);
  let product = roundBits((a ^ b) & 0x80000000u, biasedOf(a) + biasedOf(b) - select(127, 126, first), m);
  return select(product, 0u, isZero(a) | isZero(b));
}
fn floorBits(a: u32) -> u32 {
  let e = biasedOf(a) - 127;
  let negative = a > 0x7fffffffu;
  let fraction = 0x7fffffu >> u32(clamp(e, 0, 23));
  /* What is cut off a negative number is added first; the carry may reach the exponent. */
  let cut = (a + select(0u, fraction, negative)) & ~fraction;
  /* Mesa takes the patterns of -1 and 0 for floats and makes -0 of the 0; the run-time zero hides one. */
  return select(cut, select(0u, 0xbf800000u ^ Z, negative), e < 0);
}
fn lessBits(a: u32, b: u32) -> bool {
  /* Patterns of negative numbers stand in reverse order. */
  let x = bitcast<i32>(a); let y = bitcast<i32>(b);
  return (x ^ ((x >> 31u) & 0x7fffffff)) < (y ^ ((y >> 31u) & 0x7fffffff));
}
fn fromMagnitude(s: u32, m: u32) -> u32 {
  let lead = i32(firstLeadingBit(m));
  let right = u32(clamp(lead - 26, 0, 31));
  let normal = ((m << (u32(max(26 - lead, 0)) & 31u)) >> right) | sticky(m & ((1u << right) - 1u));
  return select(roundBits(s, lead + 127, normal), 0u, m == 0u);
}
fn fromI32(i: i32) -> u32 {
  let m = bitcast<u32>(i);
  return fromMagnitude(m & 0x80000000u, select(m, 0u - m, i < 0));
}
/* The integer part of a magnitude below 2^32. */
fn wholeOf(a: u32) -> u32 {
  let e = biasedOf(a) - 127;
  let m = significandOf(a);
  return select(select(m >> u32(clamp(23 - e, 0, 31)), m << (u32(max(e - 23, 0)) & 31u), e > 23), 0u, e < 0);
}
fn toI32(a: u32) -> i32 {
  let negative = a > 0x7fffffffu;
  let m = bitcast<i32>(wholeOf(a));
  let beyond = (a & 0x7fffffffu) >= 0x4f000000u;
  return select(select(m, -m, negative), select(0x7fffffff, -0x7fffffff - 1, negative), beyond);
}
fn toU32(a: u32) -> i32 {
  return select(select(bitcast<i32>(wholeOf(a)), -1, a >= 0x4f800000u), 0, a > 0x7fffffffu);
}
`;

const LOWERINGS = {
  ...INTEGER_LOWERINGS,
  fadd: (a, b) => `sumBits(${a}, ${b})`,
  fsub: (a, b) => `sumBits(${a}, canonBits(${b} ^ 0x80000000u))`,
  fmul: (a, b) => `productBits(${a}, ${b})`,
  fdiv: (a, b) => `quotientBits(${a}, ${b})`,
  fsqrt: (a) => `rootBits(${a})`,
  fneg: (a) => `canonBits(${a} ^ 0x80000000u)`,
  fabs: (a) => `(${a} & 0x7fffffffu)`,
  fmin: (a, b) => `select(${a}, ${b}, lessBits(${b}, ${a}))`,
  fmax: (a, b) => `select(${a}, ${b}, lessBits(${a}, ${b}))`,
  ffloor: (a) => `floorBits(${a})`,
  fldexp: (a, b) => `scaleBits(${a}, ${b})`,
  fmant: (a) => `mantissaBits(${a})`,
  fexp: (a) => `exponentBits(${a})`,
  feq: (a, b) => `(${a} == ${b})`,
  flt: (a, b) => `lessBits(${a}, ${b})`,
  i2f: (a) => `fromI32(${a})`,
  u2f: (a) => `fromMagnitude(0u, ${unsigned(a)})`,
  f2i: (a) => `toI32(${a})`,
  f2u: (a) => `toU32(${a})`,
  fbits: (a) => signed(a),
  bitsf: (a) => `canonBits(${unsigned(a)})`,
} as const satisfies Record<InstructionName, Lowering>;

export const STRICT: Dialect = {
  library: LIBRARY,
  types: { f: "u32", i: "i32", b: "bool" },
  lowerings: LOWERINGS,
  float: (word) => word,
  word: (register, type) => (type === "f" ? register : unsigned(register)),
  unsignedZero: (register) => register,
  ranged: (word, least, most) => `rangedBits(${word}, ${least}, ${most})`,
};
