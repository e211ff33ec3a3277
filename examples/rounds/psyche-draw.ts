/**
 * The shuffles of Psyche as integers of a graph: swap-or-not for committees and witnesses, Fisher and Yates
 * for data. Both follow from a seed of 64 bits, so everybody can shuffle again.
 */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import { defineProgram } from "@verde-ml/verde/repops";
import { bytesOf, integers, plus, sha256, times } from "./psyche-hash.ts";

const { arange, concat, fillInt, gather, lt, reshape, slice, stack, unbind, where } = job;
/** The rounds of swap-or-not. */
const ROUNDS = 90;
/** The factor and the increment of the generator. */
const [FACTOR, INCREMENT] = [6364136223846793005n, 1442695040888963407n];
const word = (x: bigint, high: boolean): number => Number(BigInt.asIntN(32, high ? x >> 32n : x));

/** What is left of an unsigned number of 64 bits, in two words, below a divisor of at most 2^15. */
function modulo(high: Value, low: Value, divisor: Value | number): Value {
  const limb = (x: Value, by: number) => job.bitwiseAnd(job.bitwiseRightShift(x, by), 0xffff);
  const limbs = [limb(high, 16), limb(high, 0), limb(low, 16), limb(low, 0)];
  return limbs.reduce((rest, next) => job.remainder(plus(times(rest, 65536), next), divisor), fillInt(high.builder, [], 0)); // prettier-ignore
}

const text = (x: Value, of: string): Value =>
  stack([...new TextEncoder().encode(of)].map((byte) => fillInt(x.builder, [], byte)));
const REST = defineProgram("iii", (x, at, n) => x.sub(at).lt(0).selectInt(x.sub(at).add(n), x.sub(at)));
const GREATER = defineProgram("ii", (a, b) => a.lt(b).selectInt(b, a));
const BIT = defineProgram("ii", (byte, at) => byte.shr(at.and(7)).and(1));

/**
 * Where swap-or-not puts each number below a count, for each of k seeds: bytes i32 [k, 32], count i32 [] up
 * to 256 → i32 [k, most]. Places from the count on have no meaning.
 */
export function swapOrNot(seeds: Value, total: Value, most: number): Value {
  const { builder, shape } = seeds;
  const [k] = shape;
  const rounds = job.broadcastTo(reshape(arange(builder, 0, ROUNDS), [1, ROUNDS, 1]), [k, ROUNDS, 1]);
  const begun = concat([job.broadcastTo(reshape(seeds, [k, 1, 32]), [k, ROUNDS, 32]), rounds], 2);
  const pivots = sha256(begun);
  // All places are below 256, whose window has the number 0.
  const sources = sha256(concat([begun, fillInt(builder, [k, ROUNDS, 4], 0)], 2));
  const lower = (from: number) => [3, 2, 1, 0].map((i) => slice(pivots, 2, from + i, from + i + 1)).reduce((sum, byte) => plus(times(sum, 256), byte)); // prettier-ignore
  const pivot = reshape(modulo(lower(4), lower(0), total), [k, ROUNDS]);
  const numbers = arange(builder, 0, most);
  let at = job.broadcastTo(where(lt(numbers, total), numbers, 0), [k, most]);
  for (let round = 0; round < ROUNDS; round++)
    at = builder.scope(`shuffle-${round}`, () => {
      const flip = integers("flip", REST, slice(pivot, 1, round, round + 1), at, total);
      const position = integers("position", GREATER, at, flip);
      const source = reshape(slice(sources, 1, round, round + 1), [k, 32]);
      const byte = job.takeAlongDim(source, job.bitwiseRightShift(position, 3), 1);
      return where(integers("bit", BIT, byte, position), flip, at);
    });
  return at;
}

/**
 * The seeds of committees and of witnesses from two words of a round's seed, low word first: i32 [2] → bytes
 * i32 [2, 32].
 */
export function seedsOf(words: Value): Value {
  const seed = sha256(bytesOf(words, "low"));
  return stack(["committee", "witness"].map((salt) => sha256(concat([seed, text(words, salt)], 0))));
}

const HIGH = defineProgram("ii", (high, low) => {
  const [a, b] = [word(FACTOR, false), word(FACTOR, true)];
  const [l, h] = [low.and(0xffff), low.shr(16)];
  const [c, d] = [a & 0xffff, a >>> 16];
  const middle = l.mul(c).shr(16).add(l.mul(d).and(0xffff)).add(h.mul(c).and(0xffff));
  const carried = h.mul(d).add(l.mul(d).shr(16)).add(h.mul(c).shr(16)).add(middle.shr(16));
  const sum = low.mul(a).add(word(INCREMENT, false));
  const carry = sum.ult(word(INCREMENT, false)).selectInt(1, 0);
  return carried.add(low.mul(b)).add(high.mul(a)).add(word(INCREMENT, true)).add(carry);
});
const LOW = defineProgram("i", (low) => low.mul(word(FACTOR, false)).add(word(INCREMENT, false)));
const SWAP = defineProgram("iiiiii", (x, at, i, j, atI, atJ) => at.eq(i).selectInt(atJ, at.eq(j).selectInt(atI, x)));

/**
 * The shuffle of Fisher and Yates by a linear congruential generator.
 * @param items i32 [most], of which the first `total` are shuffled
 * @param words the seed in two words, low word first
 */
export function shuffled(items: Value, total: Value, words: Value): Value {
  const [most] = items.shape;
  const at = arange(items.builder, 0, most);
  let [low, high] = unbind(words, 0);
  let order = items;
  for (let i = most - 1; i > 0; i--)
    [order, high, low] = items.builder.scope(`swap-${i}`, () => {
      const next = [integers("high", HIGH, high, low), integers("low", LOW, low)];
      const j = modulo(next[0], next[1], i + 1);
      const own = slice(order, 0, i, i + 1);
      const swapped = integers("swap", SWAP, order, at, fillInt(items.builder, [], i), j, own, gather(order, reshape(j, [1]))); // prettier-ignore
      const isIn = lt(fillInt(items.builder, [], i), total);
      return [where(isIn, swapped, order), where(isIn, next[0], high), where(isIn, next[1], low)] as const;
    });
  return order;
}
