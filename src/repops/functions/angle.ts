/**
 * The reduction of any vf32 to the nearest multiple of π/2, after Payne and Hanek: x·2/π modulo 4 needs only
 * a window of the bits of 2/π, because those above are multiples of 4 and those below are too small to
 * matter.
 */
import { type Float, float, int, type Int } from "../programs/expressions.ts";
import { clamp } from "./polynomial.ts";
import { mulHigh } from "./wide.ts";

/** 32 zeros, then 224 bits of 2/π. */
const TWO_OVER_PI = [0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab] as const;
/** π/2, and its two parts. The first has 8 bits, so its product with 12 bits is exact. */
const HALF_PI = Math.PI / 2;
const HALF_PI_HIGH = 1.5703125;
const HALF_PI_LOW = 4.838268e-4;
/** Smaller magnitudes need no reduction. */
const NEAR = 0.5;

/** The angle quadrant·π/2 + r + rest. */
export interface Angle {
  quadrant: Int;
  /** |r| ≤ 0.8 */
  r: Float;
  /** What r lacks, up to half an ULP; absent where there is nothing. */
  rest?: Float;
}

/** The three words of 2/π from bit `at` on, where bits 0 to 31 are zeros. For 0 ≤ `at` < 160. */
function windowOf(at: Int): readonly [Int, Int, Int] {
  const bounds = [32, 64, 96, 128].map((bound) => at.lt(bound));
  const word = (i: number): Int =>
    bounds.reduceRight((rest, below, k) => below.selectInt(TWO_OVER_PI[i + k], rest), int(TWO_OVER_PI[i + 4]));
  const words = [0, 1, 2, 3].map(word);
  // Shift counts are taken modulo 32. A shift by 32 is one by 1 and one by 31.
  const back = at.xor(31);
  const shifted = (i: number): Int => words[i].shl(at).or(words[i + 1].shr(1).shr(back));
  return [shifted(0), shifted(1), shifted(2)];
}

/** The quadrant nearest to x ≥ 1/2, and the signed rest in quadrants as a 64-bit fraction, in two words. */
function fractionOf(x: Float): { quadrant: Int; high: Int; low: Int } {
  const bits = x.bits();
  const mantissa = bits.and(0x7fffff).or(0x800000);
  // With x = m·2^(e - 23), the first bit that matters has the weight 2m: it is bit e - 24 after the point.
  const [first, second, third] = windowOf(bits.shr(23).sub(120));
  // The third product needs only its upper word, and of that only 21 bits.
  const carried = mantissa
    .toFloat()
    .mul(2 ** -32)
    .mul(third.toFloatUnsigned())
    .toI32();
  const bottom = mantissa.mul(second);
  const middle = bottom.add(carried);
  const carry = middle.ult(bottom).selectInt(1, 0);
  const top = mantissa.mul(first).add(mulHigh(mantissa, second)).add(carry);
  return {
    quadrant: top.add(0x20000000).shr(30),
    high: top.shl(2).or(middle.shr(30)),
    low: middle.shl(2),
  };
}

/**
 * The angle of x ≥ 0, which is any vf32. The smallest |r| is 2^-29.2; rest is exact to 2^-53 and to 2^-28 of
 * r.
 */
export function angleOf(x: Float): Required<Angle> {
  const { quadrant, high, low } = fractionOf(x);
  // Three exact numbers of at most 24 bits, which do not overlap.
  const first = high
    .sar(8)
    .toFloat()
    .mul(2 ** -24);
  const second = high
    .and(0xff)
    .shl(16)
    .or(low.shr(16))
    .toFloat()
    .mul(2 ** -48);
  const third = low
    .and(0xffff)
    .toFloat()
    .mul(2 ** -64);
  const fraction = first.add(second);
  const lost = first.sub(fraction).add(second).add(third);
  // The upper 12 bits of the fraction, so that the product with the first part of π/2 is exact.
  const scaled = fraction.mul(2 ** 12 + 1);
  const upper = scaled.sub(scaled.sub(fraction));
  const exact = upper.mul(HALF_PI_HIGH);
  const tail = upper.mul(HALF_PI_LOW).add(fraction.sub(upper).add(lost).mul(HALF_PI));
  const sum = exact.add(tail);
  const near = x.lt(NEAR);
  return {
    quadrant: near.selectInt(0, quadrant),
    r: clamp(near.select(x, sum), -0.8, 0.8),
    rest: near.select(0, exact.sub(sum).add(tail)),
  };
}

/** An angle for a number of half turns: x·π, for |x| ≤ 2^20. Cheaper than `angleOf`. */
export function halfTurns(x: Float): Angle {
  const quadrants = clamp(x, -(2 ** 20), 2 ** 20).mul(2);
  const nearest = quadrants.add(0.5).floor();
  return { quadrant: nearest.toI32(), r: clamp(quadrants.sub(nearest), -0.5, 0.5).mul(float(HALF_PI)) };
}
