/**
 * exp, expm1 and exp2. The stated errors are the largest over all inputs, in ULP of the exact result.
 *
 * x = n·ln 2 + r with |r| ≤ 0.35, and e^r is a polynomial: a minimax fit of (e^r - 1 - r)/r² with a relative
 * error of 2^-28 (own fit, coefficients rounded one after the other). The reduction is Cody and Waite's; ln 2
 * is split as in Cephes' expf.
 */
import { float, type Float, type Int } from "../programs/expressions.ts";
import { clamp, polynomial, snap } from "./polynomial.ts";

/** ln 2 in two parts. The first has 10 bits, so its product with n is exact. */
export const LN2_HIGH = 0.693359375;
export const LN2_LOW = -2.1219444e-4;
/** (e^r - 1 - r)/r² */
export const RISING = [0.0013819033, 0.008368716, 0.04166829, 0.16666521, 0.49999994];
/**
 * The same for 2^x, closer for r < 0, where the rounding errors are larger: own minimax fit, improved by a
 * search.
 */
const BINARY = [0.0013593299, 0.008369497, 0.04167222, 0.16666521, 0.49999982];
/** (e^r - 1 - r)/r² for ln 3/4 ≤ r ≤ ln 3/2: own minimax fit, relative error of e^r - 1 2^-31.3. */
const NEAR = [0.00021005451, 0.0013918713, 0.008331963, 0.041666575, 0.1666667, 0.5];
/** For smaller magnitudes, e^x rounds to 1 and sigmoid to 1/2. */
export const TINY = 2 ** -25;

/** x as n·ln 2 + r. */
interface Reduced {
  n: Int;
  r: Float;
  /** The rounding error of r. */
  lost: Float;
}

/**
 * x + low = n·ln 2 + r, for |x| ≤ 89 where |x| is 0 or at least 2^-26.
 * @param low a small part of the exponent, which x was too short for; 0
 */
export function reduce(x: Float, low?: Float): Reduced {
  // Smaller parts make no difference, and no later instruction can underflow.
  const part = low && snap(low, 2 ** -28);
  const n = (part ? x.add(part) : x).mul(Math.LOG2E).add(0.5).floor();
  const exact = x.sub(n.mul(LN2_HIGH));
  const rest = n.mul(LN2_LOW);
  const small = part ? part.sub(rest) : rest.neg();
  const r = part ? exact.add(small) : exact.sub(rest);
  return { n: n.toI32(), r: clamp(r, -45 / 128, 45 / 128), lost: exact.sub(r).add(small) };
}

/**
 * e^r - 1 of a reduced r.
 * @param lost the rounding error of r; 0
 * @param coefficients of (e^r - 1 - r)/r²
 */
export function reducedExpm1(r: Float, lost?: Float, coefficients: readonly number[] = RISING): Float {
  const more = polynomial(r, coefficients).mul(r).mul(r);
  return (lost ? more.add(lost) : more).add(r);
}

/** e^x within 1 ULP, for |x| ≤ 88.03 where |x| is 0 or at least 2^-26. */
export function boundedExp(x: Float): Float {
  const { n, r } = reduce(x);
  return reducedExpm1(r).add(1).ldexp(n);
}

/** e^x within 1 ULP; 0 below -86.65, 2^127 above 88.03. */
export function exp(x: Float): Float {
  return boundedExp(clamp(snap(x, TINY), -86.7, 88.03));
}

/** e^x - 1 within 1 ULP; 2^127 above 88.03. */
export function expm1(x: Float): Float {
  const tiny = x.abs().lt(TINY);
  const bounded = clamp(tiny.select(0, x), -20, 88.03);
  // log2(4/3): n is 0 from ln 3/4 to ln 3/2, and only there e^x - 1 is small. Its binade changes where n
  // does.
  const n = bounded.mul(Math.LOG2E).add(0.4150375).floor();
  const exact = bounded.sub(n.mul(LN2_HIGH));
  const rest = n.mul(LN2_LOW);
  const r = clamp(exact.sub(rest), -0.2890625, 0.40625);
  // What r lacks changes e^r - 1 - r by its product with r.
  const lacking = exact.sub(r).sub(rest).mul(r).sub(rest);
  const more = polynomial(r, NEAR).mul(r).mul(r).add(lacking);
  // (2^n - 1) + 2^n·exact is a sum of two numbers with its rounding error; all else is small.
  const scale = float(1).ldexp(n.toI32());
  const [one, other] = [scale.sub(1), scale.mul(exact)];
  const sum = one.add(other);
  const lost = other.sub(sum.sub(one)).add(scale.sub(one).sub(1));
  return tiny.select(x, sum.add(lost.add(scale.mul(more))));
}

/** 2^(x + low) within 1 ULP, for |x| ≤ 150. `low` is a small number for which x was too short; 0. */
export function boundedExp2(x: Float, low?: Float): Float {
  const n = (low ? x.add(low) : x).add(0.5).floor();
  const exact = x.sub(n);
  const r = (low ? exact.add(low) : exact).mul(Math.LN2);
  return reducedExpm1(clamp(r, -45 / 128, 45 / 128), undefined, BINARY)
    .add(1)
    .ldexp(n.toI32());
}

/** 2^x within 1 ULP; 0 below -125, 2^127 from 127 on. */
export function exp2(x: Float): Float {
  return boundedExp2(clamp(snap(x, TINY), -126, 127));
}
