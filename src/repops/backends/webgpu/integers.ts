/**
 * vf32 on bit patterns (spec 2, 3): what WGSL computes with integers alone, and therefore the same on every
 * device. A pattern given here is canonical: 0, or a biased exponent from 2 to 254 with the hidden bit set.
 * There are no branches: a program is hundreds of these in a row, which compilers take in their stride only
 * as straight lines.
 */
export const INTEGERS = `
fn canonBits(v: u32) -> u32 {
  let a = v & 0x7fffffffu;
  let most = select(v, (v & 0x80000000u) | 0x7f000000u, a > 0x7f000000u);
  return select(most, 0u, (a < 0x01000000u) | (a > 0x7f800000u));
}
/* Packs sign s, biased exponent e and a 24-bit significand m (2^24 after rounding up); flushes, saturates. */
fn packBits(s: u32, e: i32, m: u32) -> u32 {
  let packed = canonBits(s | ((u32(e - 1) << 23u) + m));
  return select(select(packed, s | 0x7f000000u, e > 254), 0u, (m == 0u) | (e < 1));
}
fn biasedOf(a: u32) -> i32 { return i32((a >> 23u) & 255u); }
fn significandOf(a: u32) -> u32 { return (a & 0x7fffffu) | 0x800000u; }
fn isZero(a: u32) -> bool { return (a & 0x7fffffffu) == 0u; }
fn scaleBits(a: u32, n: i32) -> u32 {
  let scaled = packBits(a & 0x80000000u, biasedOf(a) + clamp(n, -600, 600), significandOf(a));
  return select(scaled, 0u, isZero(a));
}
fn mantissaBits(a: u32) -> u32 { return select((a & 0x807fffffu) | 0x3f800000u, 0u, isZero(a)); }
fn exponentBits(a: u32) -> i32 { return select(biasedOf(a) - 127, 0, isZero(a)); }
/* A digit recurrence: 24 bits of the quotient and one to round by. Quotients and roots are never ties. */
fn quotientBits(a: u32, b: u32) -> u32 {
  let d = significandOf(b);
  let below = significandOf(a) < d;
  var m = significandOf(a) << select(0u, 1u, below);
  var q = 0u;
  for (var i = 0u; i < 25u; i++) {
    let fits = m >= d;
    q = (q << 1u) | select(0u, 1u, fits);
    m = (m - select(0u, d, fits)) << 1u;
  }
  let s = (a ^ b) & 0x80000000u;
  let quotient = packBits(s, biasedOf(a) - biasedOf(b) + select(127, 126, below), (q + 1u) >> 1u);
  return select(select(quotient, (a & 0x80000000u) | 0x7f000000u, isZero(b)), 0u, isZero(a));
}
fn rootBits(a: u32) -> u32 {
  let e = biasedOf(a) - 127;
  var m = significandOf(a) << select(7u, 8u, (e & 1) != 0);
  var q = 0u; var r = 0u;
  for (var i = 0u; i < 25u; i++) {
    r = (r << 2u) | (m >> 30u); m = m << 2u;
    let t = (q << 2u) | 1u;
    let fits = r >= t;
    r = r - select(0u, t, fits);
    q = (q << 1u) | select(0u, 1u, fits);
  }
  return select(packBits(0u, (e >> 1u) + 127, (q + 1u) >> 1u), 0u, (a == 0u) | (a > 0x7fffffffu));
}
fn rangedBits(v: u32, least: u32, most: u32) -> u32 {
  let a = v & 0x7fffffffu;
  /* NOTED of kernel.ts. */
  F = F | select(0u, 1u, a > most) | select(0u, 2u, (a < least) & (a != 0u));
  return select(select(v, (v & 0x80000000u) | most, a > most), 0u, a < least);
}
`;
