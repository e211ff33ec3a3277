/** Sine and cosine. */
import type { Float, Int } from "../programs/expressions.ts";
import { clamp, polynomial } from "./polynomial.ts";

/**
 * π/2 in parts of at most 11 bits, whose multiples by up to 2^13 are exact, and a last part of 24 bits. The
 * smallest r for x ≤ 8192 is 2^-27.8, at 161·π/2. Together the parts are π/2 with an error of 2^-63.
 */
const HALF_PI = [1.5703125, 4.837512969970703e-4, 7.549533620476723e-8, 2.5633440682570896e-12];
/** (sin r / r - 1)/r² in r², for |r| ≤ π/4: own minimax fit, relative error 2^-27.9. */
const SINE = [-0.000195181, 0.008332188, -0.16666655];
/** (cos r - 1 + r²/2)/r⁴ in r²: own minimax fit, relative error 2^-33. */
const COSINE = [2.4432553e-5, -0.0013887311, 0.041666646];

/** Arguments of larger magnitude are taken as ±8192. */
const LIMIT = 8192;
/** For smaller magnitudes sin x rounds to x, and cos x to 1. */
const TINY = 2 ** -13;

/** An argument as quadrant·π/2 + r - rest. */
interface Angle {
  quadrant: Int;
  /** |r| ≤ 0.8 */
  r: Float;
  /** The rounding error of r, up to half an ULP; absent where there is none. */
  rest?: Float;
  /** The value that the sine of r - rest is close to; absent: r. */
  base?: Float;
}

/** The sine of an angle. */
export function wave({ quadrant, r, rest, base = r }: Angle): Float {
  const square = r.mul(r).max(2 ** -60);
  const cubic = polynomial(square, SINE).mul(square).mul(r);
  const quartic = polynomial(square, COSINE).mul(square).mul(square).sub(square.mul(0.5));
  // sin(r - c) = sin r - c·cos r, and cos(r - c) = cos r + c·sin r; cos r is 1 and sin r is r to the accuracy
  // needed.
  const sine = (rest ? cubic.sub(rest) : cubic).add(base);
  const cosine = (rest ? quartic.add(rest.mul(r)) : quartic).add(1);
  const value = quadrant.and(1).eq(1).select(cosine, sine);
  return quadrant.and(2).eq(2).select(value.neg(), value);
}

function reduce(x: Float): Required<Angle> {
  const tiny = x.abs().lt(TINY);
  const inside = clamp(tiny.select(0, x), -LIMIT, LIMIT);
  const n = inside
    .mul(2 / Math.PI)
    .add(0.5)
    .floor();
  const [first, second, third, last] = HALF_PI.map((part) => n.mul(part));
  const exact = inside.sub(first).sub(second);
  const rounded = exact.sub(third);
  const rest = last.sub(exact.sub(rounded).sub(third));
  const r = clamp(rounded, -0.8, 0.8);
  return { quadrant: n.toI32(), r, rest, base: tiny.select(x, r) };
}

/** sin x within 1.27 ULP for |x| ≤ 8192; beyond, x is taken as ±8192. */
export function sin(x: Float): Float {
  return wave(reduce(x));
}

/** cos x within 1.27 ULP for |x| ≤ 8192; beyond, x is taken as ±8192. */
export function cos(x: Float): Float {
  const { quadrant, r, rest } = reduce(x);
  return wave({ quadrant: quadrant.add(1), r, rest });
}
