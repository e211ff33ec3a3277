/**
 * Permutations of 0 … n - 1 of which each element is computed on its own: swap-or-not (Hoang, Morris,
 * Rogaway: "An Enciphering Scheme Based on a Card Shuffle"). A round has a number K from 0 to n - 1, and
 * pairs x with K - x modulo n. A bit that depends on the round and on the greater of the two says whether
 * they change places. So each round is its own inverse, whatever the bits are, and all rounds together are a
 * permutation for every n.
 *
 * K and a mask come from Threefry; the bit is a hash of the greater one and the mask. A round takes some 20
 * instructions, and there are 6 for each bit of n: 96 for n = 50,000, 120 for a million.
 */
import { threefry2x32 } from "../repops/functions/threefry.ts";
import { mulHigh } from "../repops/functions/wide.ts";
import { type Bool, defineProgram, type Int, int } from "../repops/programs/expressions.ts";
import { fold, map } from "./emit.ts";
import { unsqueeze } from "./ops/split.ts";
import { broadcastTo } from "./ops/sum.ts";
import type { Value } from "./value.ts";

/** The number of rounds for n elements. */
function roundsFor(n: number): number {
  let bits = 1;
  while (2 ** bits < n) bits++;
  return 6 * bits;
}

/** A hash of 32 bits (MurmurHash3's finalizer). */
function mixed(x: Int): Int {
  const a = x.xor(x.shr(16)).mul(0x85ebca6b);
  const b = a.xor(a.shr(13)).mul(0xc2b2ae35);
  return b.xor(b.shr(16));
}

/** The keys of all rounds: the number to reflect at, and the mask; i32 [rounds] each. */
export interface Rounds {
  readonly reflections: Value;
  readonly masks: Value;
}

/** @param epoch an i32 scalar: each number gives another permutation */
export function roundKeys(seed: Value, epoch: Value, purpose: number, n: number, name: string): Rounds {
  const shape = [roundsFor(n)];
  const words = (which: 0 | 1, finish: (word: Int) => Int, label: string): Value => {
    const program = defineProgram("iii", (key, turn, round) =>
      finish(threefry2x32([key, int(purpose)], [round, turn], which)),
    );
    const scalars = [seed, epoch].map((scalar) => broadcastTo(scalar, shape));
    return map(program, [...scalars, { coordinate: 0 }], { name: `${name}-${label}`, shape });
  };
  return {
    reflections: words(0, (word) => mulHigh(word, int(n)), "reflections"),
    masks: words(1, (word) => word, "masks"),
  };
}

function round(x: Int, reflection: Int, mask: Int, n: number): Int {
  const difference = reflection.sub(x);
  const partner = difference.lt(0).selectInt(difference.add(n), difference);
  const greater = x.lt(partner).selectInt(partner, x);
  const swaps: Bool = mixed(greater.xor(mask)).and(1).eq(1);
  return swaps.selectInt(partner, x);
}

/**
 * Where indices are sent: i32 [...] → the same shape. The rounds are one fold, so a dispute ends in one of
 * them.
 * @param index from 0 to n - 1; with the keys of two permutations to 2n - 1, and the second one takes index -
 *   n
 */
export function shuffled(index: Value, keys: readonly Rounds[], n: number, name: string): Value {
  const rounds = roundsFor(n);
  const space = [...index.shape, rounds];
  const operands = [unsqueeze(index, -1), ...keys.flatMap(({ reflections, masks }) => [reflections, masks])];
  const program =
    keys.length === 1
      ? defineProgram("iiiii", (acc, start, reflection, mask, k) =>
          round(k.eq(0).selectInt(start, acc), reflection, mask, n),
        )
      : defineProgram("iiiiiii", (acc, start, reflection, mask, nextReflection, nextMask, k) => {
          const now = start.lt(n);
          const own = now.selectInt(start, start.sub(n));
          const [at, by] = [now.selectInt(reflection, nextReflection), now.selectInt(mask, nextMask)];
          return round(k.eq(0).selectInt(own, acc), at, by, n);
        });
  const wide = operands.map((operand) => broadcastTo(operand, space));
  const options = { name, shape: index.shape, reduce: [rounds], start: 0, clampRange: "none" } as const;
  return fold(program, [...wide, "index"], options);
}
