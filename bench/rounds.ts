/**
 * The tables of docs/schemes.md: what a round sends beside training in step, and the loss beside a lone
 * worker's. `node bench/rounds.ts NAME` with `diloco`, `streaming-diloco`, `sparseloco`, `elastic-diloco`,
 * `demo`, `distro` or `fedavg`; the word small runs the smaller of its settings only, away has workers stay
 * away, and `keep=256` sets an option of the plan.
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
import { type Away, parseAway, type Plan, runRounds, type RoundsRecord } from "../src/rounds/index.ts";
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
const shardOf = (plan: Plan, name: string) => plan.seats.filter(({ turn }) => turn === 0).map(({ shard }) => shard.find((each) => each.name === `data/${name}`)!); // prettier-ignore

async function text(name: string, rounds: number, inner: number, more = {}): Promise<Compared> {
  // A round of DeMo and DisTrO is one step.
  const isStep = name === "demo" || name === "distro";
  const [workers, batch, context, dim] = [isStep ? 3 : 4, 4, 32, 32];
  const options = {
    [name === "demo" ? "replicas" : "workers"]: workers,
    rounds,
    ...(!isStep && { inner }),
    batch,
    context,
    dim,
    ...more,
  };
  const plan = await loadRounds(`examples/rounds/${name}.ts`, options);
  // A round of streaming DiLoCo has two segments.
  const steps = name === "streaming-diloco" ? 2 * inner : inner;
  const size = { vocabulary: 256, layers: 1, heads: 2, dim, context };
  const shards = shardOf(plan, "text");
  const joined = intTensor(
    [shards.length * shards[0].shape[0]],
    shards.flatMap(({ data }) => [...data]),
  );
  const job = (text: typeof joined, count: number) =>
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
  return { plan, inner: steps, workers, lone: await job(intTensor([...shards[0].shape], shards[0].data), batch), dense: await job(joined, workers * batch), held }; // prettier-ignore
}

async function fedavg(rounds: number, inner: number, more = {}): Promise<Compared> {
  const { digits } = await import("../examples/digits.ts");
  const [workers, batch, rate] = [5, 32, 0.1];
  const plan = await loadRounds("examples/rounds/fedavg.ts", { clients: workers, rounds, inner, batch, rate, ...more });
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

/** The weights that the members have agreed on, each from the last turn that has merged it. */
async function merged(record: RoundsRecord): Promise<NamedTensor[]> {
  const { plan } = record;
  const found = new Map<string, NamedTensor>();
  for (const [seat, { turn, template }] of plan.seats.entries()) {
    // A turn `merged0` has the first part of the weights.
    if (!/^(outer|apply|merge|merged\d+)$/.test(plan.turns[turn].name)) continue;
    const { tensors } = await record.state(record.at({ round: plan.rounds, seat })!);
    for (const [i, { name }] of stateOf(plan.templates[template]).entries()) found.set(name, { ...tensors[i], name });
  }
  return [...found.values()];
}

const SETTINGS = {
  diloco: [[3, 5], [20, 30]],
  "elastic-diloco": [[3, 5], [20, 30]],
  sparseloco: [[3, 5], [20, 30]],
  "streaming-diloco": [[3, 5], [20, 15]],
  demo: [[4, 1], [200, 1]],
  distro: [[4, 1], [200, 1]],
  fedavg: [[3, 10], [20, 10]],
} as const; // prettier-ignore
const [name = "diloco", ...words] = process.argv.slice(2);
const small = words.includes("small");
const more = Object.fromEntries(words.flatMap((word) => (/^\w+=[\d.]+$/.test(word) ? [[word.split("=")[0], Number(word.split("=")[1])]] : []))); // prettier-ignore
if (!Object.hasOwn(SETTINGS, name)) throw new Error(`name one of ${Object.keys(SETTINGS).join(", ")}`);
const settings = SETTINGS[name as keyof typeof SETTINGS];
/** What a member hands to others: the state of the first turn that sends, or all weights. */
function messageBytes({ turns, seats, templates }: Plan, weights: number): number {
  const sender = seats.find(({ turn }) => turns[turn].name.startsWith("send"));
  const types = sender ? stateOf(templates[sender.template]) : [];
  return types.length > 0 ? types.reduce((sum, type) => sum + byteLength(type), 0) : weights;
}
/** With the word away, one worker after the other is away, each for a fifth of the rounds. */
function awayIn(plan: Plan): Away[] {
  const length = Math.ceil(plan.rounds / 5);
  if (!words.includes("away")) return [];
  return [0, 1, 2, 3].flatMap((k) => {
    const [from, to] = [2 + k * length, 1 + (k + 1) * length];
    return to < plan.rounds ? [parseAway(plan, `worker-${k}=${from}..${to}`)] : [];
  });
}
for (const [rounds, inner] of small ? settings.slice(0, 1) : settings) {
  const {
    plan,
    workers,
    inner: steps,
    lone,
    dense,
    held,
  } = await (name === "fedavg" ? fedavg(rounds, inner, more) : text(name, rounds, inner, more));
  const out = mkdtempSync(join(tmpdir(), "verde-rounds-"));
  try {
    const began = performance.now();
    const record = await runRounds(plan, { out, state: join(out, "keys"), away: awayIn(plan) });
    const seconds = (performance.now() - began) / 1000;
    const weights = (await merged(record)).filter(({ name: entry }) => !entry.startsWith("momentum/"));
    const bytes = weights.reduce((sum, type) => sum + byteLength(type), 0);
    const message = messageBytes(plan, bytes);
    // Messages go from each to all others, and weights to the server and back.
    const round = plan.turns.some(({ by }) => by === "server")
      ? 2 * workers * bytes
      : workers * (workers - 1) * message;
    const [a, b, c] = [
      await heldLoss(held, weights),
      await heldLoss(held, (await run(lone)).state),
      await heldLoss(held, (await run(dense)).state),
    ];
    console.log(
      `${name}: ${workers} workers, ${rounds} rounds of ${steps} steps, ${bytes / 4} parameters, ${seconds.toFixed(1)} s`,
    );
    console.log(
      `  a message ${message} B; a round ${round} B; in step ${2 * workers * bytes * steps} B; ratio ${((2 * workers * bytes * steps) / round).toFixed(1)}`,
    );
    console.log(`  held-out loss ${a.toFixed(3)}, a lone worker ${b.toFixed(3)}, in step ${c.toFixed(3)}`);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
