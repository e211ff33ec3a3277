/**
 * The tables of docs/schemes.md: what a round sends beside training in step, and the loss beside a lone
 * worker's. `node bench/rounds.ts diloco` or `node bench/rounds.ts fedavg`; one more word runs the smaller of
 * its settings only.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteLength } from "../src/encoding/tensor.ts";
import {
  adamW,
  type ClosedJob,
  crossEntropy,
  defineJob,
  gpt,
  intTensor,
  logisticRegression,
  type NamedTensor,
  sampleRows,
  sampleWindows,
  sgd,
  tensor,
} from "../src/job/index.ts";
import { loadRounds } from "../src/rounds/load.ts";
import { type Plan, runRounds, type RoundsRecord } from "../src/rounds/index.ts";
import { stateOf } from "../src/rounds/template.ts";
import { run } from "../src/trace/run.ts";
import { startFrom } from "../src/trace/start.ts";

/** How a scheme is compared: its plan, the jobs beside it, and the loss on what nobody trained on. */
interface Compared {
  plan: Plan;
  inner: number;
  workers: number;
  lone: ClosedJob;
  dense: ClosedJob;
  held: ClosedJob;
}

const PROSE = "examples/data/verde.txt";
const shardOf = (plan: Plan, name: string) => plan.seats.slice(0, -1).map(({ shard }) => shard.find((each) => each.name === `data/${name}`)!); // prettier-ignore

async function diloco(rounds: number, inner: number): Promise<Compared> {
  const [workers, batch, context, dim] = [4, 4, 32, 32];
  const plan = await loadRounds("examples/rounds/diloco.ts", { workers, rounds, inner, batch, context, dim });
  const size = { vocabulary: 256, layers: 1, heads: 2, dim, context };
  const shards = shardOf(plan, "text");
  const joined = intTensor(
    [shards.length * shards[0].shape[0]],
    shards.flatMap(({ data }) => [...data]),
  );
  const job = (text: typeof joined, count: number) =>
    defineJob({
      name: "beside",
      steps: rounds * inner,
      seed: 1,
      data: () => ({ text }),
      loss(given) {
        const { inputs, targets } = sampleWindows(given, given.data.text, { batch: count, length: context });
        return crossEntropy(gpt(given, inputs, size), targets);
      },
      optimizer: () => adamW({ learningRate: 0.01, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 }),
    }).close();
  const { readFileSync } = await import("node:fs");
  const bytes = readFileSync(PROSE);
  const from = joined.shape[0];
  const rows = Math.floor((bytes.length - from - 1) / context);
  const windows = (by: number) =>
    intTensor(
      [rows, context],
      Array.from({ length: rows * context }, (_, i) => bytes[from + i + by]),
    );
  const held = await defineJob({
    name: "held",
    steps: 1,
    data: () => ({ inputs: windows(0), targets: windows(1) }),
    loss: (given) => crossEntropy(gpt(given, given.data.inputs, size), given.data.targets),
  }).close();
  return { plan, inner, workers, lone: await job(intTensor([...shards[0].shape], shards[0].data), batch), dense: await job(joined, workers * batch), held }; // prettier-ignore
}

async function fedavg(rounds: number, inner: number): Promise<Compared> {
  const { digits } = await import("../examples/digits.ts");
  const [workers, batch, rate] = [5, 32, 0.1];
  const plan = await loadRounds("examples/rounds/fedavg.ts", { clients: workers, rounds, inner, batch, rate });
  const [images, labels] = [shardOf(plan, "images"), shardOf(plan, "labels")];
  const job = (of: readonly number[], count: number) => {
    const rows = of.reduce((sum, i) => sum + images[i].shape[0], 0);
    return defineJob({
      name: "beside",
      steps: rounds * inner,
      seed: 1,
      data: () => ({ images: tensor([rows, 64], of.flatMap((i) => [...images[i].data])), labels: intTensor([rows], of.flatMap((i) => [...labels[i].data])) }), // prettier-ignore
      loss(given) {
        const drawn = sampleRows(given, { images: given.data.images, labels: given.data.labels }, count);
        return crossEntropy(logisticRegression(given, "digit", drawn.images, 10), drawn.labels);
      },
      optimizer: () => sgd({ learningRate: rate }),
    }).close();
  };
  const { testImages, testLabels } = digits();
  const held = await defineJob({
    name: "held",
    steps: 1,
    data: () => ({ images: tensor([testImages.shape[0], 64], testImages.data), labels: testLabels }),
    loss: (given) => crossEntropy(logisticRegression(given, "digit", given.data.images, 10), given.data.labels),
  }).close();
  return {
    plan,
    inner,
    workers,
    lone: await job([0], batch),
    dense: await job([...images.keys()], workers * batch),
    held,
  };
}

/** The loss of given weights on what nobody trained on. */
async function heldLoss(held: ClosedJob, state: readonly NamedTensor[]): Promise<number> {
  const names = new Set(held.step.inputs.map(({ name }) => name));
  const weights = state.filter(({ name }) => names.has(name) && !/^(metrics|rng|step|data)/.test(name));
  const { job } = await startFrom(held, weights, { partial: true });
  return (await run(job)).metrics[1].loss;
}

async function merged(record: RoundsRecord): Promise<NamedTensor[]> {
  const { plan } = record;
  const seat = plan.seats.length - 1;
  const { tensors } = await record.state(record.at({ round: plan.rounds, seat })!);
  return stateOf(plan.templates[plan.seats[seat].template]).map(({ name }, i) => ({ ...tensors[i], name }));
}

const SETTINGS = { diloco: [[3, 5], [20, 30]], fedavg: [[3, 10], [20, 10]] } as const; // prettier-ignore
const [name = "diloco", ...small] = process.argv.slice(2);
if (name !== "diloco" && name !== "fedavg") throw new Error("name diloco or fedavg");
for (const [rounds, inner] of small.length > 0 ? SETTINGS[name].slice(0, 1) : SETTINGS[name]) {
  const { plan, workers, lone, dense, held } = await (name === "diloco" ? diloco : fedavg)(rounds, inner);
  const out = mkdtempSync(join(tmpdir(), "verde-rounds-"));
  try {
    const record = await runRounds(plan, { out, state: join(out, "keys") });
    const weights = (await merged(record)).filter(({ name: entry }) => !entry.startsWith("momentum/"));
    const bytes = weights.reduce((sum, type) => sum + byteLength(type), 0);
    const [a, b, c] = [
      await heldLoss(held, weights),
      await heldLoss(held, (await run(lone)).state),
      await heldLoss(held, (await run(dense)).state),
    ];
    console.log(`${name}: ${workers} workers, ${rounds} rounds of ${inner} steps, ${bytes / 4} parameters`);
    console.log(
      `  a message ${bytes} B; a round ${2 * workers * bytes} B; in step ${2 * workers * bytes * inner} B; ratio ${inner}`,
    );
    console.log(`  held-out loss ${a.toFixed(3)}, a lone worker ${b.toFixed(3)}, in step ${c.toFixed(3)}`);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
