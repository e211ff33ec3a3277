/** Schemes whose participants each have a stage of a model. */
import { adamW, byteTokens, type ClosedJob, defineJob, intTensor, type NamedTensor, tensor, type Value } from "../../src/job/index.ts"; // prettier-ignore
import type { Plan, RoundsRecord } from "../../src/rounds/index.ts";
import { loadRounds } from "../../src/rounds/load.ts";
import { stateOf } from "../../src/rounds/template.ts";
import type { Weights } from "../../examples/stages.ts";
import { bytesOf, heldLoss, type Scheme, stateIn, trainedFrom, weightBytes } from "./scheme.ts";
import { shardOf } from "./text.ts";

/** The extents of the examples' models, the windows in a step, and the rate of AdamW beside them. */
const SIZES = {
  "protocol-models": { stages: 3, context: 32, dim: 32, windows: 4, rate: 0.01 },
  "async-pipeline": { stages: 4, context: 32, dim: 32, windows: 4, rate: 0.01 },
  skippipe: { stages: 6, context: 16, dim: 32, windows: 10, rate: 0.003 },
  swarm: { stages: 3, context: 16, dim: 16, windows: 6, rate: 0.01 },
};

/** Bytes of the entries with such a name that all participants hand on in a round. */
export const handedOn = ({ seats, templates }: Plan, entry: RegExp): number =>
  bytesOf(seats.flatMap(({ template }) => stateOf(templates[template]).filter(({ name }) => entry.test(name))));

/** The weights of all stages after a round; replicas have the same. */
async function weightsIn(record: RoundsRecord, round: number): Promise<NamedTensor[]> {
  const { plan } = record;
  const found: NamedTensor[] = [];
  for (const [seat, { turn, member }] of plan.seats.entries())
    if (member === 0 && /^(update|backward)\d/.test(plan.turns[turn].name)) found.push(...(await stateIn(record, round, seat))); // prettier-ignore
  return found.filter(({ name }) => /^(embedding|block|head)/.test(name));
}

/** @param more options of the plan; with `paths` of all stages, SkipPipe skips none */
export async function stagesScheme(
  name: keyof typeof SIZES,
  rounds: number,
  more: Record<string, string | number> = {},
): Promise<Scheme> {
  // prettier-ignore
  const { stages, context, dim, windows, rate } = SIZES[name];
  const plan = await loadRounds(`examples/rounds/${name}.ts`, { rounds, ...(name !== "swarm" && { rate }), ...more });
  const { drawWindows, headLoss, stageOf } = await import("../../examples/stages.ts");
  const text = (await byteTokens("examples/data/verde.txt")).data;
  const from = Math.floor(0.9 * text.length);
  const count = Math.floor((text.length - from) / (context + 1));
  const basis = shardOf(plan, "basis")[0];
  const subspace: Record<string, ReturnType<typeof tensor>> = basis ? { basis: tensor([...basis.shape], [...basis.data]), rows: tensor([...shardOf(plan, "rows")[0].shape], [...shardOf(plan, "rows")[0].data]) } : {}; // prettier-ignore
  // The first stage of these two has the head, so none of them is the last one of `stageOf`.
  const isRing = name === "skippipe" || name === "swarm";
  const sizes = { stages: isRing ? stages + 1 : stages, context, dim, heads: 2, subspace: basis ? basis.shape[1] : 0, boundary: "whole" }; // prettier-ignore
  const whole = (of: Weights, data: Readonly<Record<string, Value>>, rows: Value): Value => {
    let x: Value | undefined;
    for (let stage = 0; stage < stages; stage++) x = stageOf(sizes, stage, of, data, rows, x);
    return isRing ? headLoss(of, x!, rows, "mean") : x!;
  };
  const job = (steps: number, tokens: ReturnType<typeof intTensor>, isHeld: boolean): Promise<ClosedJob> =>
    defineJob({
      name: "beside",
      steps,
      seed: 1,
      data: () => ({ tokens, ...subspace }),
      loss(given) {
        const rows = isHeld ? given.data.tokens : drawWindows(given.random, given.data.tokens, windows, context);
        return whole((entry, shape, init) => given.parameter(entry, shape, init), given.data, rows);
      },
      ...(!isHeld && { optimizer: () => adamW({ learningRate: rate }) }),
    }).close();
  const held = await job(1, intTensor([count, context + 1], text.slice(from, from + count * (context + 1))), true);
  const joined = await job(rounds, intTensor([from], text.slice(0, from)), false);
  const passed = bytesOf([{ dtype: "f32", shape: [windows * context, dim] }]);
  return {
    plan,
    steps: 1,
    parameters: weightBytes(held) / 4,
    sent: handedOn(plan, /^(passed|slope|grad\/.*)$/),
    // A pipeline in step hands all elements to each next stage and back; one that ends where it began, to the first
    // too. Replicas send gradients of their stage's weights, and get the sum back.
    inStep: 2 * passed * (isRing ? stages : stages - 1) + (name === "swarm" ? 2 * 3 * weightBytes(held) : 0),
    loss: async (record) => heldLoss(held, await weightsIn(record, rounds)),
    joined: async (record) => heldLoss(held, await trainedFrom(joined, await weightsIn(record, 0))),
  };
}
