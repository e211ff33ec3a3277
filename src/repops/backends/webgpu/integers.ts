/**
 * vf32 on bit patterns (spec 2, 3): what WGSL computes with integers alone, and therefore the same on every device.
 * A pattern given here is canonical: 0, or a biased exponent from 2 to 254 with the hidden bit set.
 */
export const INTEGERS = `
fn canonBits(v: u32) -> u32 {
  let a = v & 0x7fffffffu;
  if (a < 0x01000000u || a > 0x7f800000u) { return 0u; }
  return select(v, (v & 0x80000000u) | 0x7f000000u, a > 0x7f000000u);
}
/* Sign s, biased exponent e, and a 24-bit significand m (or 2^24 after rounding up): packed, flushed, saturated. */
fn packBits(s: u32, e: i32, m: u32) -> u32 {
  if (m == 0u || e < 1) { return 0u; }
  if (e > 254) { return s | 0x7f000000u; }
  return canonBits(s | ((u32(e - 1) << 23u) + m));
}
fn biasedOf(a: u32) -> i32 { return i32((a >> 23u) & 255u); }
fn significandOf(a: u32) -> u32 { return (a & 0x7fffffu) | 0x800000u; }
fn scaleBits(a: u32, n: i32) -> u32 {
  if ((a & 0x7fffffffu) == 0u) { return 0u; }
  return packBits(a & 0x80000000u, biasedOf(a) + clamp(n, -600, 600), significandOf(a));
}
fn mantissaBits(a: u32) -> u32 { return select((a & 0x807fffffu) | 0x3f800000u, 0u, (a & 0x7fffffffu) == 0u); }
fn exponentBits(a: u32) -> i32 { return select(biasedOf(a) - 127, 0, (a & 0x7fffffffu) == 0u); }
/* A digit recurrence: 24 bits of the quotient and one to round by. Quotients and roots are never ties. */
fn quotientBits(a: u32, b: u32) -> u32 {
  if ((a & 0x7fffffffu) == 0u) { return 0u; }
  if ((b & 0x7fffffffu) == 0u) { return (a & 0x80000000u) | 0x7f000000u; }
  var m = significandOf(a); let d = significandOf(b);
  var e = biasedOf(a) - biasedOf(b) + 127;
  if (m < d) { m = m << 1u; e = e - 1; }
  var q = 0u;
  for (var i = 0u; i < 25u; i++) { q = q << 1u; if (m >= d) { m = m - d; q = q | 1u; } m = m << 1u; }
  return packBits((a ^ b) & 0x80000000u, e, (q + 1u) >> 1u);
}
fn rootBits(a: u32) -> u32 {
  if (a == 0u || a > 0x7fffffffu) { return 0u; }
  let e = biasedOf(a) - 127;
  var m = significandOf(a);
  if ((e & 1) != 0) { m = m << 1u; }
  var q = 0u; var r = 0u; m = m << 7u;
  for (var i = 0u; i < 25u; i++) {
    r = (r << 2u) | (m >> 30u); m = m << 2u;
    let t = (q << 2u) | 1u; q = q << 1u;
    if (r >= t) { r = r - t; q = q | 1u; }
  }
  return packBits(0u, (e >> 1u) + 127, (q + 1u) >> 1u);
}
fn rangedBits(v: u32, least: u32, most: u32) -> u32 {
  let a = v & 0x7fffffffu;
  if (a < least) { return 0u; }
  return select(v, (v & 0x80000000u) | most, a > most);
}
`;
