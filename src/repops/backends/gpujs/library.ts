/**
 * Functions in gpu.js' subset of JavaScript that the kernels call. There are no integers above 2^24 and no
 * bit operations. So all steps are exact in binary32, in any order and with any fusing: comparisons, sums and
 * differences that fit 24 bits, and products with powers of two that are neither too large nor too small.
 * Each operation that rounds has `Math.fround` around it, because the mode `cpu` computes in doubles; on a
 * device that function does nothing.
 *
 * The kernels get some numbers at run time, so that no compiler can compute with them: `one` = 1, `tiny` =
 * 2^-125, `most` = 2^127, `up` = 2^64, `down` = 2^-64. A comparison with `most` that never takes effect
 * protects a result from rearrangement.
 */

/** Powers of two from literals that every parser of decimals reads exactly. */
const POWERS = `
  let u32 = 4294967296.0; let u64 = u32 * u32;
  let d8 = 0.00390625; let d16 = d8 * d8; let d32 = d16 * d16; let d64 = d32 * d32;`;

/** Scales `a`, a magnitude, into [1, 2) by exact products. `then` gives the code to run with each power. */
const normalize = (then: (sign: "+" | "-", power: number) => string): string => {
  const down = ["d64", "d32", "d16", "d8", "0.0625", "0.25", "0.5"];
  const up = ["u64", "u32", "65536.0", "256.0", "16.0", "4.0", "2.0"];
  return up
    .map((factor, i) => {
      const power = 64 >> i;
      return `
  if (a >= ${factor}) { a = a * ${down[i]}; ${then("+", power)} }
  if (a < ${down[i]} * 2.0) { a = a * ${factor}; ${then("-", power)} }`;
    })
    .join("");
};

/** `canon`: magnitudes below 2^-125 become 0, and magnitudes above 2^127 become 2^127. */
const CANON = `function canon(x, tiny, most) {
  let r = x;
  if (Math.abs(x) < tiny) { r = 0.0; }
  if (x > most) { r = most; }
  if (x < 0.0 - most) { r = 0.0 - most; }
  return r;
}`;

/** spec 4.3 */
const RANGED = `function ranged(x, least, top) {
  let r = x;
  if (Math.abs(x) < least) { r = 0.0; }
  if (x > top) { r = top; }
  if (x < 0.0 - top) { r = 0.0 - top; }
  return r;
}`;

/** The exponent of a number other than 0; 0 for 0. */
const EXPONENT = `function exponent(x) {${POWERS}
  let a = Math.abs(x); let e = 0.0;
  if (a === 0.0) { a = 1.0; }${normalize((sign, power) => `e = e ${sign} ${power}.0;`)}
  return e;
}`;

/** In [1, 2), with x's sign; 0 for 0. */
const MANTISSA = `function mantissa(x) {${POWERS}
  let a = Math.abs(x);
  if (a === 0.0) { a = 1.0; }${normalize(() => "")}
  if (x < 0.0) { a = 0.0 - a; }
  if (x === 0.0) { a = 0.0; }
  return a;
}`;

/** 2^n for a whole n from -126 to 127. */
const POWER = `function power(n) {
  let m = Math.abs(n); let b = 2.0; let r = 1.0;
  if (n < 0.0) { b = 0.5; }
  for (let i = 0; i < 7; i++) {
    let h = Math.floor(m * 0.5);
    if (m > h * 2.0) { r = r * b; }
    if (h > 0.0) { b = b * b; }
    m = h;
  }
  return r;
}`;

/** x·2^n for any whole n. */
const SCALED = `function scaled(x, n, most) {
  let e = exponent(x) + n;
  let r = 0.0;
  if (e >= 127.0) { r = most; if (x < 0.0) { r = 0.0 - most; } }
  if (e >= 0.0 - 125.0) { if (e < 127.0) { r = mantissa(x) * power(e); } }
  if (x === 0.0) { r = 0.0; }
  return r;
}`;

/**
 * The product of two operands of 2^64 and more saturates; one of them is scaled, so that no product is
 * infinite.
 */
const PRODUCT = `function product(x, y, tiny, most, up, down) {
  let a = x; let b = y; let back = 1.0; let limit = most;
  if (Math.abs(x) >= up) { a = x * down; back = up; limit = limit * down; }
  if (Math.abs(y) >= up) { b = y * down; back = up; limit = limit * down; }
  let p = Math.fround(a * b);
  if (p > most) { p = most; }
  let r = 0.0;
  if (Math.abs(p) >= tiny) { r = p; }
  if (back > 1.0) { if (Math.abs(p) < limit) { r = p * back; } }
  if (p >= limit) { r = most; }
  if (p <= 0.0 - limit) { r = 0.0 - most; }
  return r;
}`;

/**
 * For an operand of 2^125 and more, the part that a scaling by 2^-4 flushes is far below half a unit in the
 * last place.
 */
const TOTAL = `function total(x, y, tiny, most) {
  let scale = 1.0; let back = 1.0; let large = most * 0.25;
  if (Math.abs(x) >= large) { scale = 0.0625; back = 16.0; }
  if (Math.abs(y) >= large) { scale = 0.0625; back = 16.0; }
  let a = x * scale; if (a > most) { a = most; }
  let b = y * scale; if (b > most) { b = most; }
  let s = Math.fround(a + b);
  if (s > most) { s = most; }
  let limit = most * scale;
  let r = 0.0;
  if (Math.abs(s) >= tiny) { if (Math.abs(s) < limit) { r = s * back; } }
  if (s >= limit) { r = most; }
  if (s <= 0.0 - limit) { r = 0.0 - most; }
  return r;
}`;

/**
 * 24 digits and the one after; a quotient of two numbers of 24 bits never lies halfway between two others.
 */
const QUOTIENT = `function quotient(x, y, tiny, most) {
  let a = Math.abs(mantissa(x)); let b = Math.abs(mantissa(y));
  let e = exponent(x) - exponent(y);
  if (a < b) { a = a * 2.0; e = e - 1.0; }
  let q = 0.0; let w = 1.0;
  for (let i = 0; i < 24; i++) {
    if (a >= b) { a = a - b; q = q + w; }
    a = a * 2.0; w = w * 0.5;
  }
  if (a > b) { q = q + w * 2.0; }
  let r = 0.0;
  if (e >= 127.0) { r = most; }
  if (e >= 0.0 - 126.0) { if (e < 127.0) { r = q * power(e); } }
  if (r < tiny) { r = 0.0; }
  if (y === 0.0) { r = most; }
  if (x < 0.0) { r = 0.0 - r; }
  if (y < 0.0) { r = 0.0 - r; }
  if (x === 0.0) { r = 0.0; }
  return r;
}`;

/**
 * 25 digits, two bits of the radicand for each; root and remainder in halves of 12 bits, since they have up
 * to 27.
 */
const ROOT = `function root(x) {
  let e = exponent(x); let m = Math.abs(mantissa(x));
  let h = Math.floor(e * 0.5);
  if (e > h * 2.0) { m = m * 2.0; }
  let qh = 0.0; let ql = 0.0; let rh = 0.0; let rl = 0.0;
  for (let i = 0; i < 25; i++) {
    let d = Math.floor(m);
    m = (m - d) * 4.0;
    rl = rl * 4.0 + d;
    let c = Math.floor(rl * 0.000244140625);
    rl = rl - c * 4096.0; rh = rh * 4.0 + c;
    let tl = ql * 4.0 + 1.0;
    c = Math.floor(tl * 0.000244140625);
    tl = tl - c * 4096.0;
    let th = qh * 4.0 + c;
    let digit = 0.0;
    if (rh > th) { digit = 1.0; }
    if (rh === th) { if (rl >= tl) { digit = 1.0; } }
    if (digit > 0.5) {
      rh = rh - th; rl = rl - tl;
      if (rl < 0.0) { rl = rl + 4096.0; rh = rh - 1.0; }
    }
    ql = ql * 2.0 + digit;
    qh = qh * 2.0;
    if (ql >= 4096.0) { ql = ql - 4096.0; qh = qh + 1.0; }
  }
  let s = qh * 2048.0 + Math.floor((ql + 1.0) * 0.5);
  let r = s * power(h - 23.0);
  if (x <= 0.0) { r = 0.0; }
  return r;
}`;

export const LIBRARY: readonly string[] = [
  CANON,
  RANGED,
  EXPONENT,
  MANTISSA,
  POWER,
  SCALED,
  PRODUCT,
  TOTAL,
  QUOTIENT,
  ROOT,
];
