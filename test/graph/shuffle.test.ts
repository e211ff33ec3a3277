/** Orders without replacement: permutations for every length, whose places are as by chance. */
import { describe, expect, test } from "vitest";
import { intTensor, randperm } from "../../src/graph/index.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { prepared } from "./prepared.ts";

const SCALAR = { dtype: "i32", shape: [] } as const;

/** The orders of n elements, one for each (seed, step). */
async function orders(n: number, draws: readonly (readonly [seed: number, step: number])[], backend = wasm) {
  const session = await prepared(backend, [SCALAR, SCALAR], (seed, step) => randperm({ seed, step }, n));
  const found: number[][] = [];
  for (const scalars of draws) {
    const { data } = await session.run(scalars.map((value) => intTensor([], [value])));
    found.push(Array.from(data as Int32Array));
  }
  await session.close();
  return found;
}

const seeds = (count: number, step: number) => Array.from({ length: count }, (_, seed) => [seed, step] as const);
const chiSquare = (counts: readonly number[], wanted: number): number =>
  counts.reduce((sum, count) => sum + (count - wanted) ** 2 / wanted, 0);

describe("randperm", () => {
  test("is a permutation for every small length, and for large ones", async () => {
    for (const n of [...Array.from({ length: 70 }, (_, i) => i + 1), 255, 256, 257, 1000, 50_000]) {
      const [order] = await orders(n, [[20261129, 3]]);
      expect(
        order.sort((a, b) => a - b),
        `of ${n}`,
      ).toEqual(Array.from({ length: n }, (_, i) => i));
    }
  });

  test("has the same bits on the reference and on wasm", async () =>
    expect(await orders(301, [[7, 3]], reference)).toEqual(await orders(301, [[7, 3]])));

  test("has another order for another seed, and another step", async () => {
    const found = await orders(50, [
      [1, 1],
      [2, 1],
      [1, 2],
    ]);
    expect(new Set(found.map(String)).size).toBe(3);
  });

  // The chi-square of 24 classes has a mean of 23 and a deviation of 6.8; 60 is beyond 5 deviations.
  test("has every order of four elements equally often", async () => {
    const counts = new Map<string, number>();
    const draws = seeds(4800, 1);
    for (const order of await orders(4, draws)) counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
    expect(counts.size).toBe(24);
    expect(chiSquare([...counts.values()], draws.length / 24)).toBeLessThan(60);
  });

  test("has places, distances and fixed points as by chance", async () => {
    const n = 64;
    const draws = seeds(3000, 5);
    const places = new Array<number>(n).fill(0);
    let neighbours = 0;
    let fixed = 0;
    for (const order of await orders(n, draws)) {
      places[order[0]]++;
      neighbours += order.slice(1).filter((place, i) => Math.abs(place - order[i]) === 1).length;
      fixed += order.filter((place, i) => place === i).length;
    }
    // 63 degrees of freedom: a mean of 63, and a deviation of 11.2.
    expect(chiSquare(places, draws.length / n)).toBeLessThan(63 + 5 * 11.2);
    // Of 63 pairs each is adjacent with a probability of 2/64; one element is fixed, in the mean.
    const adjacent = (draws.length * 63 * 2) / 64;
    expect(Math.abs(neighbours - adjacent)).toBeLessThan(5 * Math.sqrt(adjacent));
    expect(Math.abs(fixed - draws.length)).toBeLessThan(5 * Math.sqrt(draws.length));
  });
});
