/** Random choices: their distributions, filters, and orders without replacement. Seeds are fixed. */
import { describe, expect, test } from "vitest";
import {
  bernoulli,
  categorical,
  evaluate,
  expand,
  fill,
  intTensor,
  multinomial,
  tensor,
  topKFilter,
  topPFilter,
  type Value,
} from "../../../src/graph/index.ts";

const DRAWS = 20_000;
const DROPPED = -(2 ** 100);
const source = { seed: intTensor([], [20261129]), step: intTensor([], [4]) };
const numbers = (values: ArrayLike<number>): number[] => Array.from(values);

/** How often each of n classes occurs. */
function shares(classes: ArrayLike<number>, n: number): number[] {
  const counts = new Array<number>(n).fill(0);
  for (const one of Array.from(classes)) counts[one]++;
  return counts.map((count) => count / classes.length);
}

/** Within 5 deviations of a binomial count. */
function expectShares(found: readonly number[], wanted: readonly number[]): void {
  for (const [i, share] of wanted.entries())
    expect(Math.abs(found[i] - share), `class ${i}: ${found[i]} for ${share}`).toBeLessThan(
      5 * Math.sqrt((share * (1 - share)) / DRAWS) + 1e-12,
    );
}

const softmaxOf = (logits: readonly number[]): number[] => {
  const powers = logits.map(Math.exp);
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
};

const LOGITS = [0, 1, -1, 2, -3];
const many = (x: Value): Value => expand(x, [DRAWS, -1]);

describe("categorical", () => {
  test("draws with the probabilities of the softmax, at any temperature", async () => {
    for (const temperature of [1, 0.5, 3]) {
      const { data } = await evaluate(({ x, seed, step }) => categorical(many(x), { seed, step }, { temperature }), {
        x: tensor([5], LOGITS),
        ...source,
      });
      expectShares(shares(data, 5), softmaxOf(LOGITS.map((logit) => logit / temperature)));
    }
  });

  test("draws rare classes as often as they are likely", async () => {
    const logits = [0, ...new Array<number>(15).fill(-7)];
    const { data } = await evaluate(({ x, seed, step }) => categorical(many(x), { seed, step }), {
      x: tensor([16], logits),
      ...source,
    });
    expectShares(shares(data, 16), softmaxOf(logits));
  });

  test("draws only what the filters keep", async () => {
    const draw = async (options: { topK?: number; topP?: number }) => {
      const { data } = await evaluate(({ x, seed, step }) => categorical(many(x), { seed, step }, options), {
        x: tensor([5], LOGITS),
        ...source,
      });
      return shares(data, 5);
    };
    const [, one, , three] = softmaxOf(LOGITS);
    const both = [0, one, 0, three, 0].map((share) => share / (one + three));
    expectShares(await draw({ topK: 2 }), both);
    expectShares(await draw({ topP: 0.8 }), both);
    expectShares(await draw({ topK: 1, topP: 0.9 }), [0, 0, 0, 1, 0]);
  });
});

describe("filters", () => {
  const kept = async (body: (x: Value) => Value, row: readonly number[]): Promise<number[]> => {
    const { data } = await evaluate(({ x }) => body(x), { x: tensor([row.length], row) });
    const all = numbers(data);
    expect(all).toEqual(row.map((value, i) => (all[i] === DROPPED ? DROPPED : value)));
    return all.flatMap((value, i) => (value === DROPPED ? [] : [i]));
  };

  test("keep exactly k, the lowest index of a tie first", async () => {
    for (let k = 1; k <= 6; k++)
      expect(await kept((x) => topKFilter(x, k), [1, 3, 1, 3, 1, 0])).toEqual(
        [1, 3, 0, 2, 4, 5].slice(0, k).sort((a, b) => a - b),
      );
  });

  test("keep the least number of classes whose shares reach p", async () => {
    // Shares of 1/2, 1/4, 1/8 and 1/8.
    const row = [0.125, 0.5, 0.125, 0.25].map((share) => Math.fround(Math.log(share)));
    for (const [p, wanted] of [
      [0.01, [1]],
      [0.49, [1]],
      [0.51, [1, 3]],
      [0.74, [1, 3]],
      [0.8, [0, 1, 3]],
      [0.9, [0, 1, 2, 3]],
      [1, [0, 1, 2, 3]],
    ] as const)
      expect(await kept((x) => topPFilter(x, p), row), `p = ${p}`).toEqual(wanted);
  });
});

describe("multinomial", () => {
  const WEIGHTS = [1, 0, 3, 6];
  const draw = async (count: number, replacement: boolean): Promise<number[][]> => {
    const { data, shape } = await evaluate(
      ({ x, seed, step }) => multinomial(many(x), { seed, step }, count, replacement),
      { x: tensor([4], WEIGHTS), ...source },
    );
    expect(shape).toEqual([DRAWS, count]);
    return Array.from({ length: DRAWS }, (_, i) => numbers(data.slice(i * count, (i + 1) * count)));
  };

  test("draws in proportion to weights, with replacement", async () => {
    const rows = await draw(2, true);
    for (const place of [0, 1])
      expectShares(
        shares(
          rows.map((row) => row[place]),
          4,
        ),
        [0.1, 0, 0.3, 0.6],
      );
  });

  test("draws no class twice without it, and a weight of 0 last", async () => {
    const rows = await draw(4, false);
    for (const row of rows) {
      expect(new Set(row).size).toBe(4);
      expect(row[3]).toBe(1);
    }
    expectShares(
      shares(
        rows.map((row) => row[0]),
        4,
      ),
      [0.1, 0, 0.3, 0.6],
    );
    // The second one: Σ over the first one of its share times the share among the rest.
    const second = (i: number, firsts: readonly number[]): number =>
      firsts.reduce((sum, first) => sum + (first / 10) * (WEIGHTS[i] / (10 - first)), 0);
    const wanted = [second(0, [3, 6]), 0, second(2, [1, 6]), second(3, [1, 3])];
    expectShares(
      shares(
        rows.map((row) => row[1]),
        4,
      ),
      wanted,
    );
  });
});

test("bernoulli has the mean of its probability, and its ends are certain", async () => {
  for (const p of [0, 0.3, 1]) {
    const { data } = await evaluate(
      ({ seed, step }) => bernoulli(fill(seed.builder, [DRAWS], p), { seed, step }),
      source,
    );
    expectShares(shares(data, 2), [1 - p, p]);
  }
});
