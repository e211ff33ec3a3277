/** Products of two words that need more than 32 bits. */
import type { Int } from "../programs/expressions.ts";

/** The upper half of the 64-bit product of two unsigned words, from products of 16-bit halves. */
export function mulHigh(a: Int, b: Int): Int {
  const [a1, a0, b1, b0] = [a.shr(16), a.and(0xffff), b.shr(16), b.and(0xffff)];
  const low = a0.mul(b0).shr(16);
  const middle = a1.mul(b0).add(low);
  const cross = a0.mul(b1).add(middle.and(0xffff));
  return a1.mul(b1).add(middle.shr(16)).add(cross.shr(16));
}
