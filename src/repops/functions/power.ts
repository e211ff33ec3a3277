/** Powers with a real exponent, and the binary logarithm in two parts that they need. */
import type { Float } from "../programs/expressions.ts";
import { MAX_VALUE, MIN_VALUE } from "../numbers/vf32.ts";
import { boundedExp2 } from "./exponential.ts";
import { clamp, cut, polynomial } from "./polynomial.ts";

/** 2/ln 2 in two parts. The first has 12 bits. */
const SLOPE_HIGH = 2.884765625;
const SLOPE_LOW = 0.00062445679;
/** (log2((1 + s)/(1 - s)) / s - 2/ln 2)/s² in s², for |s| ≤ 0.0905: own minimax fit, relative error 2^-35. */
const COEFFICIENTS = [0.4165465, 0.57706285, 0.9617967];
/**
 * A number near the square root of 2, and its binary logarithm in two parts; the first is a multiple of
 * 2^-12.
 */
const ROOT = 1.4140625;
const ROOT_HIGH = 0.499755859375;
const ROOT_LOW = 9.0027708e-5;
/** The fourth roots of 2 and of 8, between which a mantissa is near ROOT. */
const [FROM, TO] = [1.1892071, 1.6817929];

/** x rounded to 12 bits, after Dekker; for |x| ≤ 2^100. */
function upperHalf(x: Float): Float {
  const scaled = x.mul(2 ** 12 + 1);
  return scaled.sub(scaled.sub(x));
}

/**
 * log2 x = high + low for x ≥ 2^-125, with an error of 2^-33 of it. x = 2^e·c·(1 + s)/(1 - s), where c is 1
 * or near the square root of 2.
 */
function log2InParts(x: Float): { high: Float; low: Float } {
  const whole = x.mantissa();
  const [above, large] = [whole.gt(FROM), whole.gt(TO)];
  const e = x.exponent().add(large.selectInt(1, 0)).toFloat();
  const middle = above.and(large.not());
  const mantissa = large.select(whole.mul(0.5), whole);
  const near = middle.select(ROOT, 1);
  // s in two parts: the quotient, and what its upper 12 bits lack of it.
  const numerator = clamp(mantissa.sub(near), -0.2265625, 0.3125);
  const sum = clamp(mantissa.add(near), 1.75, 3.125);
  const lost = mantissa.sub(sum.sub(near));
  const quotient = numerator.div(sum);
  const s = upperHalf(quotient);
  const [sumUpper, square] = [cut(sum, 10), quotient.mul(quotient)];
  const residue = numerator.sub(s.mul(sumUpper)).sub(s.mul(sum.sub(sumUpper).add(lost)));
  const more = residue.div(sum);
  const tail = polynomial(square, COEFFICIENTS).mul(square).mul(quotient);
  const first = e.add(middle.select(ROOT_HIGH, 0));
  const second = s.mul(SLOPE_HIGH);
  const high = first.add(second);
  const low = first
    .sub(high)
    .add(second)
    .add(
      s
        .mul(SLOPE_LOW)
        .add(more.mul(SLOPE_HIGH + SLOPE_LOW))
        .add(tail)
        .add(middle.select(ROOT_LOW, 0)),
    );
  return { high, low };
}

/** x^y for x ≥ 2^-125, within 2 ULP. */
function powerOfPositive(x: Float, y: Float): Float {
  const { high, low } = log2InParts(x);
  // Of a greater exponent every power but those of 1 is 0 or too large.
  const exponent = clamp(y, -(2 ** 40), 2 ** 40);
  const [first, second] = [upperHalf(exponent), upperHalf(high)];
  const product = first.mul(second);
  const rest = exponent.mul(high.sub(second).add(low)).add(exponent.sub(first).mul(second));
  return boundedExp2(clamp(product, -200, 200), clamp(rest, -1, 1));
}

/**
 * x^y within 2 ULP. Of a negative x there are powers with a whole exponent; x^y of others is 0. x^0 = 1 for
 * every x; 0^y is 0 for y > 0 and 2^127 for y < 0.
 */
export function pow(x: Float, y: Float): Float {
  const size = powerOfPositive(x.abs().max(MIN_VALUE), y);
  const half = y.mul(0.5);
  const whole = y.floor().eq(y);
  const signed = half.floor().eq(half).select(size, size.neg());
  const ofZero = y.gt(0).select(0, y.lt(0).select(MAX_VALUE, 1));
  const ofNegative = whole.select(signed, 0);
  return x.gt(0).select(size, x.lt(0).select(ofNegative, ofZero));
}

/** log2 x within 1 ULP; -2^127 for x ≤ 0. */
export function log2(x: Float): Float {
  const { high, low } = log2InParts(x.max(MIN_VALUE));
  return x.gt(0).select(high.add(low), -MAX_VALUE);
}
