/** The arctangent. */
import { float, type Float } from "../programs/expressions.ts";
import { clamp, polynomial } from "./polynomial.ts";

/** (atan z / z - 1)/z² in z², for |z| ≤ 0.6: own minimax fit, relative error 2^-28.6. */
const COEFFICIENTS = [0.029482847, -0.07229202, 0.10710968, -0.14240244, 0.19997571, -0.3333329];
/** From here on atan x = π/4 + atan((x - 1)/(x + 1)). */
const MIDDLE = 0.6;
/** From here on, tan(3π/8), atan x = π/2 - atan(1/x). */
const FAR = 2.4142137;
/** What the binary32 numbers nearest to π/4 and to π/2 lack. */
const [QUARTER_LOW, HALF_LOW] = [Math.PI / 4, Math.PI / 2].map((angle) => angle - Math.fround(angle));

/** atan x within 1 ULP. */
export function atan(x: Float): Float {
  const size = x.abs();
  const [near, far] = [size.lt(MIDDLE), size.gt(FAR)];
  const pick = (small: Float | number, middle: Float | number, large: Float | number): Float =>
    near.select(small, far.select(large, middle));
  const z = clamp(pick(size, size.sub(1), -1).div(pick(1, size.add(1), size)), -MIDDLE, MIDDLE);
  const square = z.mul(z).max(2 ** -60);
  const tail = polynomial(square, COEFFICIENTS)
    .mul(square)
    .mul(z)
    .add(pick(0, QUARTER_LOW, HALF_LOW));
  const angle = z.add(tail).add(pick(0, Math.PI / 4, Math.PI / 2));
  return x.lt(0).select(float(0).sub(angle), angle);
}
