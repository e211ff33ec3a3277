/** Sine and cosine. */
import { type Float, float } from "../programs/expressions.ts";
import { type Angle, angleOf, halfTurns } from "./angle.ts";
import { polynomial } from "./polynomial.ts";

/** (sin r / r - 1)/r² in r², for |r| ≤ π/4: own minimax fit, relative error 2^-27.9. */
const SINE = [-0.000195181, 0.008332188, -0.16666655];
/** (cos r - 1 + r²/2)/r⁴ in r²: own minimax fit, relative error 2^-33. */
const COSINE = [2.4432553e-5, -0.0013887311, 0.041666646];
/** For smaller magnitudes sin x rounds to x, and cos x to 1. */
const TINY = 2 ** -13;

/**
 * The sine of an angle.
 * @param base the value that the sine of r is close to; r
 */
export function wave({ quadrant, r, rest }: Angle, base = r): Float {
  const square = r.mul(r).max(2 ** -60);
  const cubic = polynomial(square, SINE).mul(square).mul(r);
  const quartic = polynomial(square, COSINE).mul(square).mul(square);
  // sin(r + c) = sin r + c·cos r, and cos(r + c) = cos r - c·sin r; cos r is 1 and sin r is r to the accuracy
  // needed.
  const sine = (rest ? cubic.add(rest) : cubic).add(base);
  const cosine = rest ? compensated(square, quartic.sub(rest.mul(r))) : quartic.sub(square.mul(0.5)).add(1);
  const value = quadrant.and(1).eq(1).select(cosine, sine);
  return quadrant.and(2).eq(2).select(value.neg(), value);
}

/** 1 - square/2 + more, with one rounding error of full size. */
function compensated(square: Float, more: Float): Float {
  const half = square.mul(0.5);
  const most = float(1).sub(half);
  return most.add(float(1).sub(most).sub(half).add(more));
}

/** The angle of |x|, and the sine of which r is the base. */
function partsOf(x: Float): { angle: Required<Angle>; base: Float } {
  const size = x.abs();
  const { quadrant, r, rest } = angleOf(size);
  // A magnitude whose square might underflow counts as 0 where it is squared.
  return { angle: { quadrant, r: size.lt(TINY).select(0, r), rest }, base: r };
}

/** sin x within 0.8 ULP, of any vf32. */
export function sin(x: Float): Float {
  const { angle, base } = partsOf(x);
  const quadrant = angle.quadrant.add(x.lt(0).selectInt(2, 0));
  return wave({ ...angle, quadrant }, base);
}

/** cos x within 0.8 ULP, of any vf32. */
export function cos(x: Float): Float {
  const { angle, base } = partsOf(x);
  return wave({ ...angle, quadrant: angle.quadrant.add(1) }, base);
}

/** cos πx for |x| ≤ 2^20, in a quarter of the instructions of `cos`. */
export function cosOfHalfTurns(x: Float): Float {
  const { quadrant, r } = halfTurns(x);
  return wave({ quadrant: quadrant.add(1), r });
}
