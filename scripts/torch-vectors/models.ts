/**
 * Writes what the PyTorch twins of the examples, and of two more jobs, need: the initial weights of a run, and
 * the batch of each training step as the step graph drew it. `models.py` trains on them in float64, and records
 * the losses in test/vectors/torch-models.json. This file is large, and is not kept:
 *
 *     node scripts/torch-vectors/models.ts FILE.json && python3 scripts/torch-vectors/models.py FILE.json
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Tensor } from "../../src/encoding/tensor.ts";
import { parametersOf } from "../../src/job/parameters.ts";
import { loadJob } from "../../src/job/load.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { Execution } from "../../src/trace/execution.ts";

/** A job at a size that trains in seconds, and the labels of the operators that make its batch. */
interface Case {
  /** The file of its module, without the extension. */
  module: string;
  options: Record<string, number>;
  batch: Record<string, string>;
}

const TOKENS = { inputs: "batch/inputs", targets: "batch/targets" };
const LABELED = { images: "batch/images", labels: "batch/labels" };
const SEQUENCES = {
  tokens: "batch/tokens",
  segments: "batch/segments",
  mask: "batch/mask",
  labels: "batch/labels",
};
const GPT = { layers: 2, heads: 2, dim: 16, context: 16, batch: 8 };

const CASES: readonly Case[] = [
  { module: "examples/mlp-spirals", options: { batch: 64 }, batch: { x: "batch/x", y: "batch/y" } },
  { module: "examples/char-gpt", options: GPT, batch: TOKENS },
  { module: "examples/llama", options: { ...GPT, heads: 4, kvHeads: 2 }, batch: TOKENS },
  { module: "examples/digits-convnet", options: { width: 8, batch: 16 }, batch: LABELED },
  { module: "examples/vit-digits", options: { patch: 2, layers: 2, heads: 2, dim: 16, batch: 16 }, batch: LABELED },
  {
    module: "examples/denoiser",
    options: { width: 8, levels: 2, batch: 4 },
    batch: { images: "batch/images", noise: "training-noise", times: "training-times" },
  },
  { module: "examples/lora-gpt", options: { ...GPT, rank: 2 }, batch: TOKENS },
  { module: "test/fixtures/jobs/resnet", options: {}, batch: LABELED },
  { module: "test/fixtures/jobs/bert", options: {}, batch: SEQUENCES },
];
const STEPS = 50;

/** The largest dataset that is written, in elements; twins that evaluate read theirs. */
const SMALL = 4096;
const isSmall = ({ data }: { data: readonly number[] }): boolean => data.length <= SMALL;
const written = ({ shape, dtype, data }: Tensor) => ({ shape, dtype, data: [...data] });

async function record({ module, options, batch }: Case) {
  const path = fileURLToPath(new URL(`../../${module}.ts`, import.meta.url));
  const job = await loadJob(path, { ...options, steps: STEPS });
  const kernels = Object.entries(batch).map(([name, label]) => {
    const kernel = job.step.labels.indexOf(label);
    if (kernel < 0) throw new Error(`the step graph of ${module} has no operator ${label}`);
    return { name, kernel };
  });
  const trained = new Map(parametersOf(job).map(({ name, frozen }) => [name, !frozen]));
  const execution = await Execution.open(job, wasm);
  try {
    await execution.initialise();
    const parameters = (await execution.state()).flatMap((tensor) =>
      trained.has(tensor.name) ? [{ name: tensor.name, trained: trained.get(tensor.name), ...written(tensor) }] : [],
    );
    const batches: unknown[] = [];
    const losses: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const { captured } = await execution.advance({ capture: kernels.map(({ kernel }) => kernel) });
      batches.push(Object.fromEntries(kernels.map(({ name, kernel }) => [name, written(captured.get(kernel)!)])));
      losses.push((await execution.state()).find(({ name }) => name === "metrics/loss")!.data[0]);
    }
    const data = job.dataset.map((tensor) => ({ name: tensor.name, ...written(tensor) })).filter(isSmall);
    return { module, options: { ...options, steps: STEPS }, parameters, data, batches, losses };
  } finally {
    await execution.close();
  }
}

const [, , out] = process.argv;
if (out === undefined) throw new Error("give the path of the file to write");
const cases = [];
for (const one of CASES) cases.push(await record(one));
writeFileSync(out, JSON.stringify(cases));
