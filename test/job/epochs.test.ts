/** Rows without replacement: every epoch has each row once, also where a batch does not divide the rows. */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/encoding/tensor.ts";
import { fillInt } from "../../src/graph/index.ts";
import { Context } from "../../src/job/context.ts";
import { epochRows, intTensor, sampleRows, tensor, zeros } from "../../src/job/index.ts";
import { executeOnce } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";

/** The rows that each of some steps takes of a dataset whose rows are their own numbers, and their twins. */
async function rowsTaken(rows: number, batch: number, steps: number, seed = 1): Promise<{ x: number[]; y: number[] }> {
  const dataset = [
    { name: "data/x", ...intTensor([rows], [...new Array(rows).keys()]) },
    { name: "data/y", ...tensor([rows, 2], [...new Array(2 * rows).keys()]) },
  ];
  const context = new Context(dataset, seed);
  const { x, y } = epochRows(context, { x: context.data.x, y: context.data.y }, batch);
  const typed = (dtype: "i32" | "f32", shape: number[]) => ({ dtype, shape });
  const seen = context.state("seen/x", typed("i32", [batch]), ({ seed }, shape) => fillInt(seed.builder, shape, 0));
  const twins = context.state("seen/y", typed("f32", [batch, 2]), zeros);
  context.update(seen, x);
  context.update(twins, y);
  const init = context.initGraph();
  const graph = context.stepGraph();
  const run = (list: typeof graph, inputs: Tensor[]): Promise<Tensor[]> =>
    executeOnce(
      wasm,
      list,
      inputs,
      list.outputs.map(({ tensor }) => tensor),
    );
  let state = await run(init, []);
  const names = graph.outputs.map(({ name }) => name);
  const taken: { x: number[]; y: number[] } = { x: [], y: [] };
  for (let step = 0; step < steps; step++) {
    state = await run(graph, [...state, ...dataset.map(({ dtype, shape, data }) => ({ dtype, shape, data }))]);
    taken.x.push(...(state[names.indexOf("seen/x")].data as Int32Array));
    taken.y.push(...(state[names.indexOf("seen/y")].data as Float32Array));
  }
  return taken;
}

describe("epochRows", () => {
  test.each([
    [12, 4],
    [10, 4],
    [7, 7],
    [7, 1],
    [5, 3],
  ])("takes each of %i rows once an epoch, in batches of %i", async (rows, batch) => {
    const epochs = 4;
    const { x, y } = await rowsTaken(rows, batch, Math.ceil((epochs * rows) / batch));
    const orders = Array.from({ length: epochs }, (_, i) => x.slice(i * rows, (i + 1) * rows));
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual([...new Array(rows).keys()]);
    expect(new Set(orders.map(String)).size).toBeGreaterThan(1);
    expect(y).toEqual(x.flatMap((row) => [2 * row, 2 * row + 1]));
  });

  test("has an order that follows from the seed", async () => {
    const [a, b, c] = await Promise.all([rowsTaken(40, 8, 5, 1), rowsTaken(40, 8, 5, 1), rowsTaken(40, 8, 5, 2)]);
    expect(a).toEqual(b);
    expect(a.x).not.toEqual(c.x);
  });

  test("refuses more rows than there are, other options, and a name that is taken", () => {
    const context = new Context([{ name: "data/x", ...tensor([3, 1], [1, 2, 3]) }], 1);
    const { x } = context.data;
    expect(() => epochRows(context, { x }, 4)).toThrow("epochRows: a batch of 4 of 3 rows; take at most all rows");
    expect(() => epochRows(context, { x }, 0)).toThrow("epochRows: batch is 0; take a whole number from 1");
    expect(() => epochRows(context, { x }, 1, { nam: "a" } as never)).toThrow("no option nam; did you mean name?");
    epochRows(context, { x }, 2);
    expect(() => epochRows(context, { x }, 2)).toThrow("two entries of the state are called order/epoch");
    expect(Object.keys(epochRows(context, { x }, 2, { name: "other" }))).toEqual(["x"]);
    expect(() => sampleRows(context, { x }, 0)).toThrow("sampleRows: batch is 0");
  });
});
