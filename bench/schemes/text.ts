/** Schemes whose workers train a small GPT, each on a part of a text. */
import { readFileSync } from "node:fs";
import { adamW, type ClosedJob, crossEntropy, defineJob, gpt, intTensor, sampleWindows } from "../../src/job/index.ts";
import { type Away, parseAway, type Plan, type RoundsRecord } from "../../src/rounds/index.ts";
import { loadRounds } from "../../src/rounds/load.ts";
import { run } from "../../src/trace/run.ts";
import { bytesOf, heldLoss, type Scheme, statesOf, typesOf, weightBytes } from "./scheme.ts";

const PROSE = "examples/data/verde.txt";

/** The data of the members of the first turn. */
export const shardOf = (plan: Plan, name: string) =>
  plan.seats.filter(({ turn }) => turn === 0).map(({ shard }) => shard.find((each) => each.name === `data/${name}`)!);

/** One worker after the other is away, each for a fifth of the rounds. */
export function awayInTurn(plan: Plan): Away[] {
  const length = Math.ceil(plan.rounds / 5);
  return [0, 1, 2, 3].flatMap((k) => {
    const [from, to] = [2 + k * length, 1 + (k + 1) * length];
    return to < plan.rounds ? [parseAway(plan, `worker-${k}=${from}..${to}`)] : [];
  });
}

/** The weights that the members have agreed on, each from the last turn that has merged it. */
const merged = (record: RoundsRecord) => statesOf(record, record.plan.rounds, /^(outer|apply|merge|merged\d+)$/);

/**
 * @param inner steps of a worker in a round; in DeMo and DisTrO a round is one step
 * @param away whether workers stay away, one after the other
 */
export async function textScheme(
  name: string,
  rounds: number,
  inner: number,
  more: Record<string, number> = {},
  away = false,
): Promise<Scheme> {
  // prettier-ignore
  const isStep = name === "demo" || name === "distro";
  const [workers, batch, context, dim] = [isStep ? 3 : 4, 4, 32, 32];
  const members = { [name === "demo" ? "replicas" : "workers"]: workers };
  const options = { ...members, rounds, ...(!isStep && { inner }), batch, context, dim, ...more };
  const plan = await loadRounds(`examples/rounds/${name}.ts`, options);
  // A round of streaming DiLoCo has two segments.
  const steps = name === "streaming-diloco" ? 2 * inner : inner;
  const size = { vocabulary: 256, layers: 1, heads: 2, dim, context };
  const shards = shardOf(plan, "text");
  const all = shards.flatMap(({ data }) => [...data]);
  const job = (text: ReturnType<typeof intTensor>, count: number): Promise<ClosedJob> =>
    defineJob({
      name: "beside",
      steps: rounds * steps,
      seed: 1,
      data: () => ({ text }),
      loss(given) {
        const { inputs, targets } = sampleWindows(given, given.data.text, { batch: count, length: context });
        return crossEntropy(gpt(given, inputs, size), targets);
      },
      optimizer: () => adamW({ learningRate: 0.01, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 }),
    }).close();
  const bytes = readFileSync(PROSE);
  const rows = Math.floor((bytes.length - all.length - 1) / context);
  const windows = (by: number) =>
    intTensor(
      [rows, context],
      Array.from({ length: rows * context }, (_, i) => bytes[all.length + i + by]),
    );
  const held = await defineJob({
    name: "held",
    steps: 1,
    data: () => ({ inputs: windows(0), targets: windows(1) }),
    loss: (given) => crossEntropy(gpt(given, given.data.inputs, size), given.data.targets),
  }).close();
  const dense = await job(intTensor([all.length], all), workers * batch);
  const lone = await job(intTensor([...shards[0].shape], shards[0].data), batch);
  const total = weightBytes(held);
  // Messages go from each to all others, and weights to the server and back.
  const byServer = plan.turns.some(({ by }) => by === "server");
  const message = bytesOf(typesOf(plan, /^send/));
  return {
    plan,
    away: away ? awayInTurn(plan) : [],
    steps,
    parameters: total / 4,
    sent: byServer ? 2 * workers * total : workers * (workers - 1) * message,
    inStep: 2 * workers * total * steps,
    loss: async (record) => heldLoss(held, await merged(record)),
    joined: async () => heldLoss(held, (await run(dense)).state),
    lone: async () => heldLoss(held, (await run(lone)).state),
  };
}
