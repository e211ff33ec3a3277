/** Constants of graphs from numbers that a caller sets, by operations that are rounded alike everywhere. */

/**
 * ln x of a finite x > 0, within some 1e-15: x = m · 2^e, and ln m = 2 · artanh((m - 1) / (m + 1)) as a
 * series.
 */
export function logOf(x: number): number {
  let exponent = 0;
  let m = x;
  for (; m >= 1.5; m /= 2) exponent++;
  for (; m < 0.75; m *= 2) exponent--;
  const t = (m - 1) / (m + 1);
  let series = 0;
  // |t| ≤ 1/5, so that 12 terms are more than a float64 holds.
  for (let k = 25; k >= 1; k -= 2) series = series * t * t + 1 / k;
  return exponent * Math.LN2 + 2 * t * series;
}

/** The square root, which is rounded correctly everywhere. */
export const rootOf = (x: number): number => Math.sqrt(x);
