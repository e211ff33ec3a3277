import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DOT_STEP, SUM_STEP } from "../../src/repops/kernels/kernel.ts";
import { fromBits } from "../../src/repops/numbers/vf32.ts";
import { interpret } from "../../src/repops/programs/interpret.ts";
import { programs } from "../repops/kernels.ts";
import { expectSound } from "../repops/ranges/sound.ts";
import { SEED } from "./seed.ts";

const { fround } = Math;

test("every value of a random program lies in its range", () =>
  fc.assert(
    fc.property(programs, fc.nat(2 ** 30), (program, seed) => expectSound(program, 40, seed)),
    { seed: SEED, numRuns: 1500 },
  ));

/** Operands at both ends of a range, next to them, and between. */
function rangedFloat(exponent: number): fc.Arbitrary<number> {
  const inside = (bits: number): number => {
    const value = fromBits(bits);
    const limit = 2 ** exponent;
    return Math.abs(value) < 1 / limit ? 0 : Math.max(-limit, Math.min(limit, value));
  };
  const ends = [2 ** -exponent, 2 ** -exponent * (1 + 2 ** -23), 2 ** exponent, 2 ** exponent * (1 - 2 ** -24), 0, 1];
  const anywhere = fc.tuple(fc.integer({ min: 127 - exponent, max: 127 + exponent - 1 }), fc.nat(2 ** 23 - 1));
  return fc.oneof(
    fc.tuple(fc.constantFrom(...ends), fc.boolean()).map(([x, negative]) => (negative ? -x : x) + 0),
    fc.tuple(anywhere, fc.boolean()).map(([[e, f], negative]) => inside((e << 23) | f | (negative ? 1 << 31 : 0))),
  );
}

/** Hardware arithmetic: binary32 without canon. Every accumulator has to be what the definition gives. */
function expectPlain(terms: readonly number[], next: (acc: number, term: number) => number): void {
  let plain = 0;
  let defined = 0;
  for (const term of terms) {
    plain = fround(plain + term);
    defined = next(defined, term);
    expect(Object.is(plain, defined), `${plain} and ${defined}, seed ${SEED}`).toBe(true);
    expect(Object.is(plain, -0)).toBe(false);
    expect(plain === 0 || (Math.abs(plain) >= 2 ** -125 && Math.abs(plain) <= 2 ** 126)).toBe(true);
  }
}

describe("the clamp ranges of folds (spec 4.3)", () => {
  test("products and their sums need no canon", () => {
    const operand = rangedFloat(51);
    fc.assert(
      fc.property(fc.array(fc.tuple(operand, operand), { maxLength: 60 }), (pairs) => {
        const products = pairs.map(([a, b]) => fround(a * b));
        for (const product of products)
          expect(product === 0 || Math.abs(product) >= 2 ** -102 * (1 - 2 ** -24)).toBe(true);
        let i = 0;
        expectPlain(products, (acc) => interpret(DOT_STEP, [acc, ...pairs[i++]]));
      }),
      { seed: SEED, numRuns: 4000 },
    );
  });

  test("sums need no canon", () => {
    fc.assert(
      fc.property(fc.array(rangedFloat(102), { maxLength: 60 }), (terms) =>
        expectPlain(terms, (acc, term) => interpret(SUM_STEP, [acc, term])),
      ),
      { seed: SEED, numRuns: 4000 },
    );
  });
});
