import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/encoding/tensor.ts";
import * as graph from "../../src/graph/index.ts";
import { ELEMENTWISE, elementwise, evaluate, type Value } from "../../src/graph/index.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { generator, graphGradients, numericGradients, randomTensor } from "./numeric.ts";

const SEED = 20261120;

/** Float64 twins of the operators: written from the textbook, not from the scalar programs. */
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const TWINS: Record<graph.ElementwiseName, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  square: (a) => a * a,
  sqrt: (a) => Math.sqrt(a),
  rsqrt: (a) => 1 / Math.sqrt(a),
  exp: (a) => Math.exp(a),
  log: (a) => Math.log(a),
  sin: (a) => Math.sin(a),
  cos: (a) => Math.cos(a),
  tanh: (a) => Math.tanh(a),
  sigmoid,
  relu: (a) => Math.max(a, 0),
  gelu: (a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a ** 3))),
  silu: (a) => a * sigmoid(a),
};
const POSITIVE = new Set(["sqrt", "rsqrt", "log", "div"]);

function expectClose(actual: Tensor, wanted: readonly number[], tolerance = 2e-4): void {
  expect(actual.data.length).toBe(wanted.length);
  const scale = Math.max(1e-3, ...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries()) expect(Math.abs(actual.data[i] - value) / scale).toBeLessThan(tolerance);
}

async function check(
  body: (inputs: Record<string, Value>) => Value,
  twin: (inputs: Record<string, number[]>) => number[],
  inputs: Record<string, Tensor>,
): Promise<void> {
  const random = generator(SEED + 1);
  const evaluated = (backend: Backend): Promise<Tensor> =>
    evaluate((values: Record<string, Value>) => body(values), inputs, { backend }) as Promise<Tensor>;
  const value = await evaluated(reference);
  expect((await evaluated(wasm)).data).toEqual(value.data);
  expectClose(
    value as Tensor,
    twin(Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, [...data]]))),
    1e-5,
  );
  const weights = randomTensor((value as Tensor).shape, random);
  const actual = await graphGradients(body, inputs, weights);
  const wanted = numericGradients(twin, inputs, weights);
  for (const name of Object.keys(actual)) expectClose(actual[name], wanted[name]);
}

describe("element-wise operators against float64", () => {
  for (const name of Object.keys(ELEMENTWISE) as graph.ElementwiseName[])
    test(name, async () => {
      const random = generator(SEED);
      const low = POSITIVE.has(name) ? 0.3 : -2;
      const binary = "b" in ELEMENTWISE[name].gradient;
      const a = randomTensor([3, 5], random, low, 2);
      // b broadcasts, so its gradient is summed.
      const inputs: Record<string, Tensor> = binary ? { a, b: randomTensor([5], random, low, 2) } : { a };
      await check(
        ({ a: x, b: y }) => elementwise(name, ELEMENTWISE[name], x, y),
        ({ a: x, b: y }) => x.map((value, i) => TWINS[name](value, y?.[i % 5] ?? 0)),
        inputs,
      );
    });
});

/** A row-major matrix product in float64. */
function product(a: readonly number[], b: readonly number[], m: number, k: number, n: number): number[] {
  const out = new Array<number>(m * n).fill(0);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) for (let p = 0; p < k; p++) out[i * n + j] += a[i * k + p] * b[p * n + j];
  return out;
}

const softmaxRow = (row: readonly number[]): number[] => {
  const top = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - top));
  const total = powers.reduce((x, y) => x + y);
  return powers.map((x) => x / total);
};
const rows = (x: readonly number[], n: number): number[][] =>
  Array.from({ length: x.length / n }, (_, i) => x.slice(i * n, (i + 1) * n));

describe("operators over rows and matrices against float64", () => {
  const random = generator(SEED + 2);

  test("matmul", () =>
    check(
      ({ a, b }) => graph.matmul(a, b),
      ({ a, b }) => product(a, b, 4, 3, 5),
      { a: randomTensor([4, 3], random), b: randomTensor([3, 5], random) },
    ));

  test("matmul with transposed operands and batches", () =>
    check(
      ({ a, b }) => graph.matmul(graph.transpose(a), graph.transpose(b)),
      ({ a, b }) =>
        [0, 1].flatMap((batch) => {
          const at = (x: number[], r: number, c: number, offset: number) =>
            Array.from({ length: r * c }, (_, i) => x[offset + (i % r) * c + Math.floor(i / r)]);
          return product(at(a, 3, 4, 12 * batch), at(b, 5, 3, 0), 4, 3, 5);
        }),
      { a: randomTensor([2, 3, 4], random), b: randomTensor([5, 3], random) },
    ));

  test("sum and mean over axes", async () => {
    const x = randomTensor([2, 3, 4], random);
    await check(
      ({ x: v }) => graph.sum(v, [0, 2]),
      ({ x: v }) => [0, 1, 2].map((j) => v.reduce((t, y, i) => (Math.floor(i / 4) % 3 === j ? t + y : t), 0)),
      { x },
    );
    await check(
      ({ x: v }) => graph.mean(v, [1]),
      ({ x: v }) =>
        Array.from({ length: 8 }, (_, i) => {
          const at = Math.floor(i / 4) * 12 + (i % 4);
          return (v[at] + v[at + 4] + v[at + 8]) / 3;
        }),
      { x },
    );
  });

  test("sums of long rows go through lanes", () =>
    check(
      ({ x }) => graph.sum(x, [1]),
      ({ x }) => rows(x, 64).map((row) => row.reduce((a, b) => a + b)),
      { x: randomTensor([3, 64], random) },
    ));

  test("softmax", () =>
    check(
      ({ x }) => graph.softmax(x),
      ({ x }) => rows(x, 5).flatMap(softmaxRow),
      { x: randomTensor([3, 5], random, -3, 3) },
    ));

  test("softmax of long rows", () =>
    check(
      ({ x }) => graph.softmax(x),
      ({ x }) => rows(x, 32).flatMap(softmaxRow),
      { x: randomTensor([2, 32], random, -3, 3) },
    ));

  test("cross-entropy", () => {
    const targets = [2, 0, 4];
    return check(
      ({ x, t }) => graph.crossEntropy(x, t),
      ({ x }) => [rows(x, 5).reduce((total, row, i) => total - Math.log(softmaxRow(row)[targets[i]]) / 3, 0)],
      { x: randomTensor([3, 5], random, -3, 3), t: graph.intTensor([3], targets) },
    );
  });

  test("layer norm", () =>
    check(
      ({ x, w, b }) => graph.layerNorm(x, w, b),
      ({ x, w, b }) =>
        rows(x, 6).flatMap((row) => {
          const mean = row.reduce((p, q) => p + q) / 6;
          const variance = row.reduce((p, q) => p + (q - mean) ** 2, 0) / 6;
          return row.map((v, j) => ((v - mean) / Math.sqrt(variance + 1e-5)) * w[j] + b[j]);
        }),
      { x: randomTensor([4, 6], random), w: randomTensor([6], random), b: randomTensor([6], random) },
    ));

  test("gather adds its gradient in order", () =>
    check(
      ({ table, index }) => graph.gather(table, index),
      ({ table }) => [1, 3, 1, 0].flatMap((row) => table.slice(3 * row, 3 * row + 3)),
      { table: randomTensor([4, 3], random), index: graph.intTensor([2, 2], [1, 3, 1, 0]) },
    ));

  test("slices, pads, concatenations, reshapes and transposes", () =>
    check(
      ({ x, y }) => {
        const part = graph.slice(graph.transpose(x), 0, 1, 3);
        const joined = graph.concat([part, y], 1);
        return graph.pad(graph.reshape(joined, [4, 3]), 0, 1, 2);
      },
      ({ x, y }) => {
        const part = [1, 2].flatMap((j) => [x[j], x[4 + j], x[8 + j]]);
        const joined = [...part.slice(0, 3), ...y.slice(0, 3), ...part.slice(3), ...y.slice(3)];
        return [0, 0, 0, ...joined, 0, 0, 0, 0, 0, 0];
      },
      { x: randomTensor([3, 4], random), y: randomTensor([2, 3], random) },
    ));

  test("a value used twice gets both gradients", () =>
    check(
      ({ x }) => graph.add(graph.mul(x, x), graph.tanh(x)),
      ({ x }) => x.map((v) => v * v + Math.tanh(v)),
      { x: randomTensor([4], random) },
    ));

  test("no gradient passes stopGradient", async () => {
    const x = randomTensor([3], random);
    const weights = graph.tensor([3], [1, 1, 1]);
    const { x: slope } = await graphGradients(({ x: v }) => graph.mul(graph.stopGradient(v), v), { x }, weights);
    expect([...slope.data]).toEqual([...x.data]);
  });
});
