/** HDEE, whose experts train apart on domains of their own. */
import { adamW, concat, defineJob, intTensor, type Value } from "../../src/job/index.ts";
import type { RoundsRecord } from "../../src/rounds/index.ts";
import { loadRounds } from "../../src/rounds/load.ts";
import { run } from "../../src/trace/run.ts";
import { heldLoss, type Scheme, statesOf, weightBytes } from "./scheme.ts";

/** The width of one model with about as many weights as the three experts of widths 8, 12 and 16 together. */
const WIDTH = 30;
const DIMS = [8, 12, 16];
const [CONTEXT, BATCH] = [16, 4];

export async function expertsScheme(rounds: number, inner: number): Promise<Scheme> {
  const plan = await loadRounds("examples/rounds/hdee.ts", { rounds, inner });
  const { drawWindows, stageOf } = await import("../../examples/stages.ts");
  const texts = DIMS.map((_, i) => plan.seats[i].shard.find(({ name }) => name === "data/text")!);
  const windows = plan.seats.at(-1)!.shard.find(({ name }) => name === "data/windows")!;
  const job = (dim: number, of: readonly number[] | undefined) =>
    defineJob({
      name: "beside",
      steps: of ? rounds * inner : 1,
      seed: 1,
      data: () => of ? Object.fromEntries(of.map((i) => [`text${i}`, intTensor([...texts[i].shape], [...texts[i].data])])) : { held: intTensor([...windows.shape], [...windows.data]) }, // prettier-ignore
      loss(given) {
        const sizes = { stages: 1, context: CONTEXT, dim, heads: 2, subspace: 0, boundary: "whole" };
        const drawn: Value = of ? concat(of.map((i) => drawWindows(given.random, given.data[`text${i}`], BATCH, CONTEXT)), 0) : given.data.held; // prettier-ignore
        return stageOf(sizes, 0, (name, shape, init) => given.parameter(name, shape, init), {}, drawn);
      },
      ...(of && { optimizer: () => adamW({ learningRate: 0.01 }) }),
    }).close();
  const bytes = (await Promise.all(DIMS.map((dim) => job(dim, undefined)))).reduce((sum, held) => sum + weightBytes(held), 0); // prettier-ignore
  const judged = async (record: RoundsRecord) => statesOf(record, rounds, /^evaluate$/);
  return {
    plan,
    steps: inner,
    parameters: bytes / 4,
    // To the judge; the experts send each other nothing.
    sent: bytes,
    inStep: 2 * 3 * bytes * inner,
    loss: async (record) => (await judged(record)).find(({ name }) => name === "mixture")!.data[0],
    joined: async () => heldLoss(await job(WIDTH, undefined), (await run(await job(WIDTH, [0, 1, 2]))).state),
    // The best of the experts on the domains of all.
    lone: async (record) => Math.min(...(await judged(record)).find(({ name }) => name === "single")!.data),
  };
}
