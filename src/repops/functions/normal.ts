/** GELU in its exact form, from the normal distribution's share below a number, and its derivative. */
import { type Bool, float, type Float } from "../programs/expressions.ts";
import { reduce, reducedExpm1 } from "./exponential.ts";
import { clamp, cut } from "./polynomial.ts";

/** Up to here the share is a·P(a/(a + 3)), up to FAR it is P((a - CENTRE)/(a + 3)), and then P(1/a). */
const [MIDDLE, FAR] = [0.5625, 3.25];
/** The share is close to a binary32 number here. */
const CENTRE = 0.78515625;
const SHIFT = 3;
/** The three polynomials: own minimax fits with relative errors of 2^-28 and less. */
const COEFFICIENTS = [
  [0, 0.028390953, -0.8720463],
  [0.04379224, 0.0054584728, 3.2176344],
  [0.051987007, -0.10622431, -3.9239578],
  [-0.1565725, -0.046558242, 2.0506046],
  [-0.28724328, 0.5535597, -0.1104796],
  [1.0531709, -0.8780441, -0.3903884],
  [-1.1968268, 0.6146222, -0.00036523322],
  [0.5, 0.23101406, 0.39894888],
] as const;
/** 1/√(2π), the density at 0. */
const DENSITY = 0.3989422804014327;
/** For smaller magnitudes, x·Φ(x) rounds to x/2. */
const TINY = 2 ** -26;
/** For greater magnitudes, a·Φ(-a) is less than 2^-125. */
const LIMIT = 13.5;

/**
 * Φ(-a)·e^(a²/2) for 2^-26 ≤ a ≤ 13.5 as (most + more)·scale/a, where scale is a or 1, and `most` a constant
 * of few bits or near its exact value.
 */
function shareOf(a: Float): { most: Float; more: Float; near: Bool } {
  const [near, far] = [a.lt(MIDDLE), a.gt(FAR)];
  const pick = (first: Float | number, second: Float | number, third: Float | number): Float =>
    near.select(first, far.select(third, second));
  const w = clamp(pick(a, a.sub(CENTRE), 1).div(far.select(a, a.add(SHIFT))), -0.0625, 0.40625);
  const [first, ...others] = COEFFICIENTS.map(([near, middle, far]) => pick(near, middle, far));
  const most = others.pop()!;
  return { most, more: others.reduce((sum, c) => sum.mul(w).add(c), first).mul(w), near };
}

/** GELU, x·Φ(x), within 2 ULP. */
export function gelu(x: Float): Float {
  const size = x.abs();
  const a = clamp(size, TINY, LIMIT);
  // -a²/2 in two parts: an error of the exponent would be a relative error of the result.
  const upper = cut(a, 8);
  const high = upper.mul(upper).mul(-0.5);
  const low = a.add(upper).mul(a.sub(upper)).mul(-0.5);
  const { n, r, lost: ofExponent } = reduce(high, low);
  const { most, more, near } = shareOf(a);
  // a·Φ(-a)·e^(a²/2), and the rounding error of its sum. The first product is exact: a/2, or a constant.
  const scale = near.select(a, 1);
  const [first, second] = [most.mul(scale), more.mul(scale)];
  const share = first.add(second);
  const lost = second.sub(share.sub(first));
  // a·Φ(-a), which is what x·Φ(x) lacks of the greater of x and 0.
  const rest = share.mul(reducedExpm1(r, ofExponent)).add(lost).add(share).ldexp(n);
  return size.lt(TINY).select(x.mul(0.5), x.max(0).sub(rest));
}

/**
 * d gelu / dx = Φ(x) + x·φ(x), within 2 ULP for x ≥ 0; for smaller x the absolute error is at most 2^-23.8.
 */
export function geluDerivative(x: Float): Float {
  const a = clamp(x.abs(), TINY, LIMIT);
  const { n, r } = reduce(a.mul(a).mul(-0.5));
  const power = reducedExpm1(r).add(1).ldexp(n);
  // Φ(-a) - a·φ(a)
  const { most, more, near } = shareOf(a);
  const below = most.add(more).div(near.select(1, a)).sub(a.mul(DENSITY)).mul(power);
  return x.gt(0).select(float(1).sub(below), below);
}
