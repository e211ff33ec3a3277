/** LoRA: frozen weights, trained products, and both as one. */
import { describe, expect, test } from "vitest";
import { parametersOf } from "../../src/job/parameters.ts";
import * as job from "../../src/job/index.ts";
import { startFrom } from "../../src/trace/start.ts";
import type { NamedTensor } from "../../src/job/index.ts";
import { Execution } from "../../src/trace/execution.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";

const { adamW, crossEntropy, defineJob, gpt, intTensor, lora, mergeLora, sampleWindows } = job;
const sizes = { vocabulary: 8, layers: 1, heads: 2, dim: 8, context: 6 };
const text = Array.from({ length: 64 }, (_, i) => (i * i + 3 * i) % 8);

const gptJob = (options?: job.LoraOptions, trains = true) =>
  defineJob({
    name: "small-gpt",
    steps: 4,
    seed: 5,
    data: () => ({ text: intTensor([64], text) }),
    loss: (context) => {
      const { inputs, targets } = sampleWindows(context, context.data.text, { batch: 4, length: 6 });
      const model = () => gpt(context, inputs, sizes);
      return crossEntropy(options ? lora(context, options, model) : model(), targets);
    },
    ...(trains && { optimizer: () => adamW({ learningRate: 0.05 }) }),
  }).close();

async function stateAfter(closed: job.ClosedJob, steps: number): Promise<NamedTensor[]> {
  const execution = await Execution.open(closed, wasm);
  try {
    await execution.initialise();
    for (let i = 0; i < steps; i++) await execution.advance();
    return await execution.state();
  } finally {
    await execution.close();
  }
}
const only = (closed: job.ClosedJob, state: NamedTensor[]): NamedTensor[] => {
  const names = new Set(parametersOf(closed).map(({ name }) => name));
  return state.filter(({ name }) => names.has(name));
};
const lossOf = (state: NamedTensor[]): number => state.find(({ name }) => name === "metrics/loss")!.data[0];

describe("LoRA", () => {
  test("freezes the model and trains a product beside each layer that matches", async () => {
    const closed = await gptJob({ rank: 2, match: /qkv|mlp/ });
    const trained = parametersOf(closed).filter(({ frozen }) => !frozen);
    expect(trained.map(({ name, shape }) => `${name} ${shape.join("x")}`)).toEqual([
      "blocks.0.attention.qkv.lora.a 8x2",
      "blocks.0.attention.qkv.lora.b 2x24",
      "blocks.0.mlp.in.lora.a 8x2",
      "blocks.0.mlp.in.lora.b 2x32",
      "blocks.0.mlp.out.lora.a 32x2",
      "blocks.0.mlp.out.lora.b 2x8",
    ]);
    // Products with frozen weights have one gradient, that of their other operand.
    const own = closed.step.outputs.filter(({ tensor }, entry) => tensor !== entry).map(({ name }) => name);
    expect(own.filter((name) => name.endsWith("weight"))).toEqual([]);
  });

  test("begins with the frozen model, and can be merged into it", async () => {
    const base = await gptJob();
    const weights = only(base, await stateAfter(base, 3));
    const { job: tuned } = await startFrom(await gptJob({ rank: 2, alpha: 4 }), weights, { partial: true });
    const { job: plain } = await startFrom(base, weights, { partial: true });
    const [first, expected] = [lossOf(await stateAfter(tuned, 1)), lossOf(await stateAfter(plain, 1))];
    expect(first).toBe(expected);

    const after = only(tuned, await stateAfter(tuned, 4));
    const merged = await mergeLora(after, { alpha: 4 });
    expect(merged.map(({ name }) => name).sort()).toEqual(weights.map(({ name }) => name).sort());
    const of = async (closed: job.ClosedJob, given: NamedTensor[]): Promise<number> =>
      lossOf(await stateAfter((await startFrom(closed, given)).job, 1));
    const [apart, together] = [
      await of(await gptJob({ rank: 2, alpha: 4 }, false), after),
      await of(await gptJob(undefined, false), merged),
    ];
    expect(together).toBeCloseTo(apart, 5);
    expect(Math.abs(together - expected)).toBeGreaterThan(1e-3);
    for (const { name, data } of merged)
      if (!/qkv|out|in|head/.test(name)) expect(data, name).toEqual(weights.find((each) => each.name === name)!.data);
  });

  test("begins with moments of its own after a checkpoint that has other parameters' moments", async () => {
    const base = await gptJob();
    const state = await stateAfter(base, 3);
    const { job: tuned, weights } = await startFrom(await gptJob({ rank: 2 }), state, { partial: true });
    expect(weights.taken.map(({ name }) => name).filter((name) => name.startsWith("optimizer/"))).toEqual([]);
    const { init } = tuned;
    const total = init.kind === "checkpoint" && init.state.find(({ name }) => name === "optimizer/total-weight/0.9");
    expect(total && total.data[0]).toBe(0);
    const { weights: all } = await startFrom(base, state);
    expect(all.made).toEqual([]);
  });

  test("names what does not fit", async () => {
    await expect(gptJob({ match: /none/ })).rejects.toThrow(
      "lora: match fits no linear layer; the body has blocks.0.attention.qkv.weight, blocks.0.attention.out.weight,",
    );
    await expect(gptJob({ rank: 0 })).rejects.toThrow("rank is 0");
    await expect(gptJob({ ranks: 2 } as never)).rejects.toThrow("did you mean rank?");
    const half = [
      { name: "a.weight", ...job.tensor([1, 1], [1]) },
      { name: "a.lora.a", ...job.tensor([1, 1], [1]) },
    ];
    await expect(mergeLora(half)).rejects.toThrow("a.lora.a and a.lora.b do not fit a.weight of shape [1, 1]");
  });
});
