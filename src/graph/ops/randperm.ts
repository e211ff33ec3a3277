/** Random orders. */
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { arange } from "./arange.ts";
import type { Operator } from "../operator.ts";
import { expectSource, type RandomSource } from "../random.ts";
import { roundKeys, shuffled } from "../shuffle.ts";
import { settingOf, type Value } from "../value.ts";

/**
 * The numbers from 0 to n - 1 in a random order: i32 [n]. It is a permutation for every n, because each of
 * its rounds exchanges pairs (swap-or-not). Every call, and every training step, has another order. It takes
 * 120 times the bits of n instructions an element.
 * @param n a whole number from 1
 * @param name the label of the operator; "randperm"
 * @throws {GraphError} when n is not whole, or the source has no i32 scalars
 */
export function randperm(source: RandomSource, n: number, name = "randperm"): Value {
  const builder = expectSource(source, name);
  wholeSetting("n", n, {}, settingOf(builder.label(name)));
  const keys = roundKeys(source.seed, source.step, builder.nextPurpose(), n, name);
  return shuffled(arange(builder, 0, n, 1, `${name}-index`), [keys], n, name);
}

randperm.check = {
  number: 225,
  name: "randperm",
  digests: {
    result: "0xcb56f1bdfbbb9f4ce94b1dea876267d53259ef1ebb1bb3bd195c8802f2def507",
  },
  vector: ({ random }) => ({ y: randperm(random, 1013) }),
  gradient: "none",
} satisfies Operator["check"];
