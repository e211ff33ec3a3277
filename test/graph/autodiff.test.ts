import { describe, expect, test } from "vitest";
import * as graph from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/index.ts";
import type { Tensor } from "../../src/encoding/tensor.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { generator, graphGradients, numericGradients, randomTensor } from "./numeric.ts";

const SEED = 20261120;

/** The values of an expression by the reference, which WASM has to have bit for bit. */
async function evaluated(
  body: (inputs: Record<string, Value>) => Value,
  inputs: Record<string, Tensor>,
): Promise<Tensor["data"]> {
  const { data } = await graph.evaluate(body, inputs, { backend: reference });
  expect((await graph.evaluate(body, inputs, { backend: wasm })).data).toEqual(data);
  return data;
}

describe("gradients", () => {
  const random = generator(SEED);

  test("flow through slices, pads, concatenations, reshapes and transposes together", async () => {
    const inputs = { x: randomTensor([3, 4], random), y: randomTensor([2, 3], random) };
    const body = ({ x, y }: Record<string, Value>): Value => {
      const some = graph.slice(graph.transpose(x), 0, 1, 3);
      return graph.pad(graph.reshape(graph.concat([some, y], 1), [4, 3]), 0, 1, 2);
    };
    const twin = ({ x, y }: Record<string, number[]>): number[] => {
      const some = [1, 2].flatMap((j) => [x[j], x[4 + j], x[8 + j]]);
      const joined = [...some.slice(0, 3), ...y.slice(0, 3), ...some.slice(3), ...y.slice(3)];
      return [0, 0, 0, ...joined, 0, 0, 0, 0, 0, 0];
    };
    const forward = await evaluated(body, inputs);
    for (const [i, value] of twin({ x: [...inputs.x.data], y: [...inputs.y.data] }).entries())
      expect(forward[i]).toBeCloseTo(value, 5);
    const weights = randomTensor([7, 3], random);
    const actual = await graphGradients(body, inputs, weights);
    const wanted = numericGradients(twin, inputs, weights);
    for (const name of ["x", "y"])
      for (const [i, value] of wanted[name].entries()) expect(actual[name].data[i]).toBeCloseTo(value, 4);
  });

  test("of a value that is used twice are added", async () => {
    const inputs = { x: randomTensor([4], random) };
    const weights = randomTensor([4], random);
    const body = ({ x: v }: Record<string, Value>): Value => graph.add(graph.mul(v, v), graph.tanh(v));
    const forward = await evaluated(body, inputs);
    for (const [i, v] of inputs.x.data.entries()) expect(forward[i]).toBeCloseTo(v * v + Math.tanh(v), 5);
    const { x } = await graphGradients(body, inputs, weights);
    for (const [i, v] of inputs.x.data.entries())
      expect(x.data[i]).toBeCloseTo(weights.data[i] * (2 * v + 1 - Math.tanh(v) ** 2), 4);
  });

  test("do not pass stopGradient", async () => {
    const x = randomTensor([3], random);
    const weights = graph.tensor([3], [1, 1, 1]);
    const { x: slope } = await graphGradients(({ x: v }) => graph.mul(graph.stopGradient(v), v), { x }, weights);
    expect([...slope.data]).toEqual([...x.data]);
  });
});

describe("operators name what they can't do", () => {
  const refused = (body: (x: Value, n: Value) => Value): Promise<unknown> =>
    graph.evaluate(({ x, n }) => body(x, n), {
      x: graph.tensor([2, 3], [1, 2, 3, 4, 5, 6]),
      n: graph.intTensor([], [1]),
    });

  test.each<[string, (x: Value, n: Value) => Value]>([
    ["add: all operands are numbers", () => graph.add(1, 2)],
    ["an operator has no values", () => graph.concat([], 0)],
    ["max: takes rows, not a scalar", (x) => graph.maxRows(graph.sum(x))],
    ["pad: can't add -1 elements before and 0 after", (x) => graph.pad(x, 0, -1, 0)],
    ["layer-norm: takes f32, not i32", (_, n) => graph.layerNorm(graph.broadcastTo(n, [2]), n, n)],
    ["exp: takes f32, not i32", (_, n) => graph.exp(n)],
    ["cross-entropy: targets", (x, n) => graph.crossEntropy(graph.sum(x), n)],
  ])("%s", async (message, body) => {
    await expect(refused(body)).rejects.toThrow(message);
  });
});

test("gradients have the labels of their layers", () => {
  const builder = new graph.GraphBuilder();
  const x = builder.input("x", { dtype: "f32", shape: [2, 3] });
  const loss = builder.scope("head", () => graph.sum(builder.scope("inner", () => graph.exp(x))));
  const [slope] = graph.gradients(loss, [x]);
  const { labels } = builder.finish([{ name: "slope", value: graph.dense(slope) }]);
  expect(labels).toContain("head/inner/exp-gradient");
});
