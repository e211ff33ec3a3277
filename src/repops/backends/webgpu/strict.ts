/**
 * Strict arithmetic: floats are held as bit patterns, and every instruction is built of integers, which WGSL fixes to the
 * bit. No shader of this dialect has a float type in it, so nothing is left to a device's rounding, flushing or fusing.
 */
import type { InstructionName } from "../../instructions.ts";
import type { Dialect, Lowering } from "./dialect.ts";
import { INTEGERS } from "./integers.ts";
import { INTEGER_LOWERINGS, signed, unsigned } from "./lowerings.ts";

const LIBRARY = `${INTEGERS}
/* Sign s, biased exponent e, a 27-bit significand: 24 bits, two to round by, and one that is set if anything follows. */
fn roundBits(s: u32, e: i32, m: u32) -> u32 {
  let rest = m & 7u;
  let up = rest > 4u || (rest == 4u && (m & 8u) != 0u);
  return packBits(s, e, (m >> 3u) + select(0u, 1u, up));
}
fn sumBits(x: u32, y: u32) -> u32 {
  let swap = (x & 0x7fffffffu) < (y & 0x7fffffffu);
  let a = select(x, y, swap); let b = select(y, x, swap);
  if ((b & 0x7fffffffu) == 0u) { return a; }
  let shift = u32(min(biasedOf(a) - biasedOf(b), 31));
  let far = significandOf(b) << 3u;
  let near = (far >> shift) | select(0u, 1u, (far & ((1u << shift) - 1u)) != 0u);
  let m = select((significandOf(a) << 3u) - near, (significandOf(a) << 3u) + near, ((a ^ b) & 0x80000000u) == 0u);
  if (m == 0u) { return 0u; }
  let lead = i32(firstLeadingBit(m));
  let e = biasedOf(a) + lead - 26;
  if (lead == 27) { return roundBits(a & 0x80000000u, e, (m >> 1u) | (m & 1u)); }
  return roundBits(a & 0x80000000u, e, m << u32(26 - lead));
}
fn productBits(a: u32, b: u32) -> u32 {
  if ((a & 0x7fffffffu) == 0u || (b & 0x7fffffffu) == 0u) { return 0u; }
  let x = significandOf(a); let y = significandOf(b);
  /* 48 bits of 12-bit digits: high * 2^24 + low. */
  let middle = (x >> 12u) * (y & 0xfffu) + (x & 0xfffu) * (y >> 12u);
  let sum = (x & 0xfffu) * (y & 0xfffu) + ((middle & 0xfffu) << 12u);
  let high = (x >> 12u) * (y >> 12u) + (middle >> 12u) + (sum >> 24u);
  let low = sum & 0xffffffu;
  let s = (a ^ b) & 0x80000000u; let e = biasedOf(a) + biasedOf(b) - 127;
  if (high >= 0x800000u) { return roundBits(s, e + 1, (high << 3u) | (low >> 21u) | select(0u, 1u, (low & 0x1fffffu) != 0u)); }
  return roundBits(s, e, (high << 4u) | (low >> 20u) | select(0u, 1u, (low & 0xfffffu) != 0u));
}
fn floorBits(a: u32) -> u32 {
  let e = biasedOf(a) - 127;
  if ((a & 0x7fffffffu) == 0u || e >= 23) { return a; }
  if (e < 0) { return select(0u, 0xbf800000u, a > 0x7fffffffu); }
  let fraction = 0x7fffffu >> u32(e);
  /* What is cut off a negative number is added first; the carry may reach the exponent. */
  return (a + select(0u, fraction, a > 0x7fffffffu)) & ~fraction;
}
fn lessBits(a: u32, b: u32) -> bool {
  /* Patterns of negative numbers stand in reverse order. */
  let x = bitcast<i32>(a); let y = bitcast<i32>(b);
  return (x ^ ((x >> 31u) & 0x7fffffff)) < (y ^ ((y >> 31u) & 0x7fffffff));
}
fn fromMagnitude(s: u32, m: u32) -> u32 {
  if (m == 0u) { return 0u; }
  let lead = firstLeadingBit(m);
  if (lead <= 26u) { return roundBits(s, i32(lead) + 127, m << (26u - lead)); }
  let shift = lead - 26u;
  return roundBits(s, i32(lead) + 127, (m >> shift) | select(0u, 1u, (m & ((1u << shift) - 1u)) != 0u));
}
fn fromI32(i: i32) -> u32 {
  let m = bitcast<u32>(i);
  return fromMagnitude(m & 0x80000000u, select(m, 0u - m, i < 0));
}
/* The integer part of a magnitude below 2^32. */
fn wholeOf(a: u32) -> u32 {
  let e = biasedOf(a) - 127;
  if (e < 0) { return 0u; }
  return select(significandOf(a) >> u32(max(23 - e, 0)), significandOf(a) << u32(max(e - 23, 0)), e > 23);
}
fn toI32(a: u32) -> i32 {
  let negative = a > 0x7fffffffu;
  if ((a & 0x7fffffffu) >= 0x4f000000u) { return select(0x7fffffff, -0x7fffffff - 1, negative); }
  let m = bitcast<i32>(wholeOf(a));
  return select(m, -m, negative);
}
fn toU32(a: u32) -> i32 {
  if (a > 0x7fffffffu) { return 0; }
  if (a >= 0x4f800000u) { return -1; }
  return bitcast<i32>(wholeOf(a));
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
