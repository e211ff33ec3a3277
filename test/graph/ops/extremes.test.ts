/**
 * Norms and softmax where other libraries have been wrong: a mean far above the spread, magnitudes at both ends of
 * the format, equal elements, masked rows. The wanted values are float64 of the same inputs.
 */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../../src/encoding/tensor.ts";
import * as graph from "../../../src/graph/index.ts";
import type { Value } from "../../../src/graph/index.ts";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import { generator } from "../numeric.ts";

const TOP = 2 ** 127;

/** A row, normally distributed around a mean. */
function normal(count: number, mean: number, deviation: number): number[] {
  const random = generator(20261201 + count);
  return Array.from({ length: count }, () => {
    const [u, v] = [random(), random()];
    return mean + deviation * Math.sqrt(-2 * Math.log(u + 1e-12)) * Math.cos(2 * Math.PI * v);
  });
}

/** (x - mean) / sqrt(variance + epsilon) in float64, of what binary32 holds of the row. */
function standard(given: readonly number[], epsilon: number, centered = true): number[] {
  const row = given.map(Math.fround);
  const moved = row.map((x) => (centered ? x - row[0] : x));
  const mean = centered ? moved.reduce((a, b) => a + b) / row.length : 0;
  const off = moved.map((x) => x - mean);
  // In units of the largest, whose square is a float64.
  const unit = Math.max(...off.map(Math.abs), 1e-300);
  const variance = off.reduce((total, x) => total + (x / unit) ** 2, 0) / row.length;
  return off.map((x) => x / unit / Math.sqrt(variance + epsilon / unit / unit));
}

/** The largest error, relative to the largest magnitude of the wanted row. */
function errorOf(actual: Tensor, wanted: readonly number[]): number {
  expect(actual.data.length).toBe(wanted.length);
  const scale = Math.max(1e-30, ...wanted.map(Math.abs));
  return Math.max(...wanted.map((value, i) => Math.abs(actual.data[i] - value))) / scale;
}

async function evaluated(row: readonly number[], body: (x: Value, one: Value, zero: Value) => Value): Promise<Tensor> {
  const n = row.length;
  const inputs = {
    x: graph.tensor([1, n], row),
    one: graph.tensor([n], new Array(n).fill(1)),
    zero: graph.tensor([n], new Array(n).fill(0)),
  };
  const y = await graph.evaluate(({ x, one, zero }) => body(x, one, zero), inputs, { backend: reference });
  const again = await graph.evaluate(({ x, one, zero }) => body(x, one, zero), inputs, { backend: wasm });
  expect(again.data, "the bits of wasm").toEqual(y.data);
  return y;
}

const ROWS: readonly [title: string, row: number[], epsilon?: number][] = [
  ["a mean of 1000 and a spread of 1e-3", normal(64, 1000, 1e-3)],
  ["1e7 and a spread of 1, over 4096", normal(4096, 1e7, 1)],
  ["1e7 and 1e7 + 1 in turn, over 4096", Array.from({ length: 4096 }, (_, i) => 1e7 + (i % 2))],
  ["1e30 to 4e30", [1e30, 2e30, 3e30, 4e30]],
  ["both ends of the format", [TOP, -TOP, 0, TOP / 2]],
  ["1e-20 to 4e-20", [1e-20, 2e-20, 3e-20, 4e-20]],
  ["1e-36 to 4e-36, without an epsilon", [1e-36, 2e-36, 3e-36, 4e-36], 0],
  ["a first element far from the others", [1e7, ...normal(4095, 0, 1)]],
  ["a last element far from the others", [...normal(4095, 0, 1), 1e7]],
  ["ordinary elements", normal(768, 0.1, 1)],
  ["a length that has no lanes", normal(1000, 0.1, 1)],
];

describe("layer norm is within 1e-6 of float64:", () => {
  for (const [title, row, epsilon = 1e-5] of ROWS)
    test(title, async () => {
      const y = await evaluated(row, (x, one, zero) => graph.layerNorm(x, one, zero, epsilon));
      expect(errorOf(y, standard(row, epsilon))).toBeLessThan(1e-6);
    });

  for (const value of [0.1, 1e30, -TOP])
    test(`rows of equal elements, ${value}, give exactly the bias`, async () => {
      for (const count of [1, 37, 4096]) {
        const y = await evaluated(new Array<number>(count).fill(value), (x, one, zero) =>
          graph.layerNorm(x, one, zero),
        );
        expect(new Set(y.data)).toEqual(new Set([0]));
      }
    });

  test("the slope of equal elements is that of the textbook", async () => {
    const slope = await graph.evaluate(
      ({ x, one, zero, g }: Record<string, Value>) =>
        graph.gradients(graph.sum(graph.mul(graph.layerNorm(x, one, zero), g)), [x])[0],
      {
        x: graph.tensor([1, 2], [1e30, 1e30]),
        one: graph.tensor([2], [1, 1]),
        zero: graph.tensor([2], [0, 0]),
        g: graph.tensor([1, 2], [1, 0]),
      },
      { backend: reference },
    );
    const wanted = 0.5 / Math.sqrt(1e-5);
    expect(errorOf(slope, [wanted, -wanted])).toBeLessThan(1e-6);
  });
});

describe("rms norm is within 1e-6 of float64:", () => {
  for (const [title, row, epsilon = 1e-6] of ROWS)
    test(title, async () => {
      const y = await evaluated(row, (x, one) => graph.rmsNorm(x, one, epsilon));
      expect(errorOf(y, standard(row, epsilon, false))).toBeLessThan(1e-6);
    });
});

test("batch norm has the variance of a channel far from 0", async () => {
  const values = normal(64, 1000, 1e-3);
  const { mean, variance } = await graph.evaluate(
    ({ x }: Record<string, Value>) => graph.batchStatistics(x),
    { x: graph.tensor([64, 1], values) },
    { backend: reference },
  );
  const row = values.map(Math.fround);
  const average = row.reduce((a, b) => a + b / 64, 0);
  expect(errorOf(mean, [average])).toBeLessThan(1e-7);
  expect(errorOf(variance, [row.reduce((total, x) => total + (x - average) ** 2, 0) / 63])).toBeLessThan(1e-6);
});

describe("softmax", () => {
  test("shares equally among equal elements, also those of -2^127", async () => {
    for (const value of [0, 1e30, TOP, -TOP])
      expect([...(await evaluated([value, value, value, value], (x) => graph.softmax(x))).data]).toEqual([
        0.25, 0.25, 0.25, 0.25,
      ]);
  });

  test("gives masked elements exactly nothing", async () => {
    expect([...(await evaluated([-TOP, 1, -TOP, 1], (x) => graph.softmax(x))).data]).toEqual([0, 0.5, 0, 0.5]);
    expect([...(await evaluated([-TOP, TOP], (x) => graph.softmax(x))).data]).toEqual([0, 1]);
  });

  test("and its logarithm are those of float64 for huge logits", async () => {
    const row = [1e8, 1e8 - 8, 1e8 - 64, -1e30];
    const powers = row.map((x) => Math.exp(Math.fround(x) - Math.fround(1e8)));
    const total = powers.reduce((a, b) => a + b);
    const wanted = powers.map((x) => x / total);
    expect(errorOf(await evaluated(row, (x) => graph.softmax(x)), wanted)).toBeLessThan(1e-6);
    const logs = await evaluated(row.slice(0, 3), (x) => graph.logSoftmax(x));
    expect(errorOf(logs, wanted.slice(0, 3).map(Math.log))).toBeLessThan(1e-6);
    expect((await evaluated([TOP, TOP], (x) => graph.logSumExp(x))).data[0]).toBe(TOP);
    expect((await evaluated([-TOP, -TOP], (x) => graph.logSumExp(x))).data[0]).toBe(-TOP);
  });
});

describe("labels", () => {
  const logits = graph.tensor([3, 4], [1, 2, 3, 4, -1, 0, 1, 5, 2, 2, 2, 2]);
  const loss = (labels: number[], options: object = {}) =>
    graph.evaluate(
      ({ x, y }: Record<string, Value>) => {
        const total = graph.crossEntropy(x, y, options);
        return { total, slope: graph.gradients(graph.sum(total), [x])[0] };
      },
      { x: logits, y: graph.intTensor([3], labels) },
      { backend: reference },
    );

  test("that are ignored have no loss and no slope, and the mean is over the others", async () => {
    const all = await loss([3, 2, 0], { reduction: "none" });
    const { total, slope } = await loss([3, -100, 0]);
    expect(total.data[0]).toBe(Math.fround(Math.fround(all.total.data[0] + all.total.data[2]) / 2));
    expect(Array.from(slope.data.subarray(4, 8))).toEqual([0, 0, 0, 0]);
    expect(slope.data[0]).not.toBe(0);
  });

  test("that are all ignored give a loss of 0", async () => {
    const { total, slope } = await loss([-100, -100, -100]);
    expect(total.data[0]).toBe(0);
    expect(new Set(slope.data)).toEqual(new Set([0]));
  });

  test("that are no class are an error", async () => {
    await expect(loss([3, 4, -1])).rejects.toMatchObject({
      code: "VERDE_VALUE_LABEL",
      evidence: { operator: "cross-entropy-target", count: 2 },
    });
    await expect(loss([3, -100, 0], { ignoreIndex: 9 })).rejects.toThrow("cross-entropy-target: 1 label is no class");
    await loss([3, 9, 0], { ignoreIndex: 9 });
  });
});

test("evaluate reports reads outside of a gather", async () => {
  const seen: object[] = [];
  const table = { t: graph.tensor([2], [1, 2]), i: graph.intTensor([3], [0, 2, -1]) };
  const body = ({ t, i }: Record<string, Value>): Value => graph.gather(t, i, "rows");
  await graph.evaluate(body, table, { onOutOfRange: (reads) => seen.push(reads) });
  expect(seen).toEqual([{ label: "rows", count: 2 }]);
  await expect(graph.evaluate(body, table, { onOutOfRange: 1 as never })).rejects.toThrow("pass a function");
  await expect(graph.evaluate(body, table, { onNoted: 1 as never })).rejects.toThrow("pass a function");
});

test("evaluate tells which operands a clamp range has changed", async () => {
  const seen: unknown[] = [];
  const product = async (x: number): Promise<number> => {
    const inputs = { a: graph.tensor([1, 2], [x, x]), b: graph.tensor([2, 1], [1, 1]) };
    const onNoted = (found: unknown): void => void seen.push(found);
    return (await graph.evaluate(({ a, b }) => graph.matmul(a, b), inputs, { onNoted })).data[0];
  };
  expect([await product(1e16), await product(1e-16), await product(1)]).toEqual([2 ** 52, 0, 2]);
  expect(seen).toEqual([
    { label: "matmul", kind: "above", exponent: 51 },
    { label: "matmul", kind: "below", exponent: -51 },
  ]);
});

test("the greatest magnitude of a vector of zeros has no gradient, and equal magnitudes share theirs", async () => {
  const x = graph.tensor([2, 3], [0, 0, 0, -5, 0, 5]);
  const body = ({ x: value }: Record<string, Value>): Value => {
    const norms = graph.vectorNorm(value, [1], { order: Infinity });
    return graph.gradients(graph.sum(norms), [value])[0];
  };
  const slope = await graph.evaluate(body, { x }, { backend: reference });
  expect([...slope.data]).toEqual([0, 0, 0, -0.5, 0, 0.5]);
});
