/** Division of integers, which scalar programs have no instruction for. */
import { int, type Int } from "../programs/expressions.ts";

/**
 * The greatest integer not above a/b, and a minus b times it, which has the sign of b or is 0. For b = 0 they
 * are 0 and a. -2^31 / -1 wraps to -2^31.
 */
export function floorDivide(a: Int, b: Int): { quotient: Int; remainder: Int } {
  const divisor = b.toFloat();
  // The quotient of two rounded numbers is wrong by at most 2^9, and that of what is left by at most 1.
  const first = a.toFloat().div(divisor).floor().toI32();
  const left = a.sub(first.mul(b));
  const second = left.toFloat().div(divisor).floor().toI32();
  const remainder = left.sub(second.mul(b));
  const negative = b.lt(0);
  // Of the wrong sign: one too many. As large as b: one too few.
  const wrongSign = negative.selectInt(int(0).sub(remainder).shr(31), remainder.shr(31)).eq(1);
  const asLarge = negative.selectInt(b.lt(remainder).selectInt(0, 1), remainder.lt(b).selectInt(0, 1)).eq(1);
  const step = wrongSign.selectInt(-1, asLarge.selectInt(1, 0));
  const quotient = first.add(second).add(step);
  const none = b.eq(0);
  return { quotient: none.selectInt(0, quotient), remainder: none.selectInt(a, a.sub(quotient.mul(b))) };
}
