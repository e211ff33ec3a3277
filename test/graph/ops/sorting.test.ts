/**
 * Sorting networks: every length, ties, both directions, both types, and the first k beside the whole order.
 */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../../src/encoding/tensor.ts";
import { evaluate, intTensor, median, sort, tensor, topk } from "../../../src/graph/index.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import { generator } from "../numeric.ts";

const SEED = 20261129;

/** The order by value, then by index. */
function wanted(row: readonly number[], descending: boolean): number[] {
  return [...row.keys()].sort((i, j) => (descending ? row[j] - row[i] : row[i] - row[j]) || i - j);
}

/** Rows with many ties, and with the ends of vf32. */
function rowsOf(rows: number, n: number, seed: number): number[] {
  const random = generator(seed);
  const ends = [2 ** 127, -(2 ** 127), 0, 2 ** -125, -(2 ** -125)];
  return Array.from({ length: rows * n }, () => {
    const kind = random();
    if (kind < 0.2) return ends[Math.floor(random() * ends.length)];
    return kind < 0.7 ? Math.floor(random() * 5) - 2 : Math.fround(random() * 2 - 1);
  });
}

const cut = (data: ArrayLike<number>, n: number): number[][] =>
  Array.from({ length: data.length / Math.max(1, n) }, (_, i) => Array.from(data).slice(i * n, (i + 1) * n));

describe("sort", () => {
  test.each([false, true])("has the stable order of every length; descending: %s", async (descending) => {
    for (let n = 1; n <= 33; n++) {
      const values = rowsOf(3, n, SEED + n);
      const result = await evaluate(
        ({ x }) => ({ ...sort(x, -1, { descending }) }),
        { x: tensor([3, n], values) },
        { backend: reference },
      );
      for (const [r, row] of cut(values, n).entries()) {
        const order = wanted(row, descending);
        expect(cut(result.indices.data, n)[r], `the order of row ${r} of ${n}, seed ${SEED + n}`).toEqual(order);
        expect(cut(result.values.data, n)[r]).toEqual(order.map((i) => row[i]));
      }
    }
  });

  test("sorts whole numbers to the ends of 32 bits", async () => {
    const row = [3, -(2 ** 31), 2 ** 31 - 1, 0, 3, -1, 2 ** 31 - 1];
    for (const descending of [false, true]) {
      const result = await evaluate(({ x }) => ({ ...sort(x, 0, { descending }) }), { x: intTensor([7], row) });
      expect([...result.indices.data]).toEqual(wanted(row, descending));
      expect([...result.values.data]).toEqual(wanted(row, descending).map((i) => row[i]));
    }
  });

  test("sorts a middle axis as it sorts the last one", async () => {
    const x = tensor([2, 5, 3], rowsOf(6, 5, SEED));
    const both = await evaluate(
      ({ x }) => {
        const { values, indices } = sort(x, 1);
        return { values, indices };
      },
      { x },
      { backend: reference },
    );
    for (const [a, c] of [0, 1].flatMap((a) => [0, 1, 2].map((c) => [a, c]))) {
      const line = (data: ArrayLike<number>): number[] => [0, 1, 2, 3, 4].map((b) => data[15 * a + 3 * b + c]);
      const order = wanted(line(x.data), false);
      expect(line(both.indices.data)).toEqual(order);
      expect(line(both.values.data)).toEqual(order.map((i) => line(x.data)[i]));
    }
  });

  test("has the same bits on wasm, rows of no elements too", async () => {
    for (const shape of [[5, 100], [0, 4], [3, 0], [1]] as const) {
      const count = shape.reduce<number>((a, b) => a * b, 1);
      const x = tensor(shape, rowsOf(1, count, SEED));
      const run = (backend: typeof wasm): Promise<Record<string, Tensor>> =>
        evaluate(({ x }) => ({ ...sort(x) }), { x }, { backend });
      expect(await run(wasm)).toEqual(await run(reference));
    }
  });
});

describe("topk", () => {
  test.each([true, false])("is the beginning of the whole order; largest: %s", async (largest) => {
    for (const n of [1, 2, 5, 16, 17, 40])
      for (const k of new Set([1, 2, 3, Math.ceil(n / 2), n].filter((k) => k <= n))) {
        const values = rowsOf(2, n, SEED + n);
        const result = await evaluate(
          ({ x }) => ({ ...topk(x, k, -1, { largest }) }),
          { x: tensor([2, n], values) },
          { backend: reference },
        );
        for (const [r, row] of cut(values, n).entries())
          expect(cut(result.indices.data, k)[r], `${k} of ${n}, row ${r}`).toEqual(wanted(row, largest).slice(0, k));
        expect([...result.values.data]).toEqual(
          cut(values, n).flatMap((row) =>
            wanted(row, largest)
              .slice(0, k)
              .map((i) => row[i]),
          ),
        );
      }
  });
});

test("a median is the lower of two middle elements, with the lowest index that a stable order gives", async () => {
  const row = [4, 1, 3, 1, 3, 4];
  const result = await evaluate(({ x }) => ({ ...median(x) }), { x: tensor([6], row) });
  expect([...result.values.data]).toEqual([3]);
  expect([...result.indices.data]).toEqual([2]);
});
