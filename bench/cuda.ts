/**
 * How fast are matrix products, roots and a step of a GPT on an NVIDIA card, and how much memory do models
 * take there?
 *
 *     node bench/cuda.ts [SIZE…]
 *
 * Prints one JSON line a sample. Exits with 3 where there is no card.
 */
import { fileURLToPath } from "node:url";
import type { Graph } from "../src/graph/graph.ts";
import { BackendError } from "../src/errors/index.ts";
import { loadJob } from "../src/job/load.ts";
import type { Session } from "../src/repops/backends/backend.ts";
import { cuda } from "../src/repops/backends/cuda/backend.ts";
import { Plan } from "../src/repops/backends/cuda/plan.ts";
import { Execution } from "../src/trace/execution.ts";
import { machine, median, medianMillis, type Sample } from "./measure.ts";
import { productInputs, productList } from "./product.ts";
import { DEVICE_SIZES, GPT_SHAPES } from "./webgpu.ts";

const JOB = fileURLToPath(new URL("../examples/char-gpt.ts", import.meta.url));
const ROUNDS = 7;
/** Products that are told before their end is awaited: the wait then hardly counts. In operations. */
const OPERATIONS = 4e11;
const MOST_CALLS = 64;
/** Of the tensor that is hashed. */
const ELEMENTS = 2 ** 28;
/** Models of which the memory is planned. */
const MODELS = {
  "124M": { layers: 12, heads: 12, dim: 768, context: 1024, batch: 8 },
  "1B": { layers: 24, heads: 16, dim: 1792, context: 1024, batch: 4 },
} as const;

/** Milliseconds of one execution, several of which are under way at once. */
async function millisOf(session: Session, calls: number): Promise<number> {
  const times: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const began = performance.now();
    await Promise.all(Array.from({ length: calls }, () => session.execute()));
    if (round >= 0) times.push((performance.now() - began) / calls);
  }
  return median(times);
}

async function benchProduct(size: number): Promise<Sample> {
  const session = await cuda.prepare(productList(size, size, size), { keep: [2] });
  for (const [i, operand] of productInputs(size, size, size).entries()) await session.write(i, operand);
  const operations = 2 * size ** 3;
  const millis = await millisOf(session, Math.min(MOST_CALLS, Math.max(1, Math.round(OPERATIONS / operations))));
  await session.close();
  return { name: `matmul ${size}x${size}x${size}`, value: operations / millis / 1e6, unit: "GFLOP/s" };
}

async function benchRoots(): Promise<Sample> {
  const type = { dtype: "f32" as const, shape: [ELEMENTS] };
  const session = await cuda.prepare({ inputs: [type], kernels: [] }, { keep: [] });
  const millis = await medianMillis(() => session.roots([0]), { samples: ROUNDS });
  await session.close();
  return { name: "tensor root", value: (4 * ELEMENTS) / millis / 1e6, unit: "GB/s" };
}

async function benchStep(name: keyof typeof GPT_SHAPES): Promise<Sample[]> {
  const shape = GPT_SHAPES[name];
  const execution = await Execution.open(await loadJob(JOB, { ...shape, steps: 30 }), cuda);
  await execution.initialise();
  const step = await medianMillis(() => execution.advance(), { samples: ROUNDS, warmup: 2 });
  const traced = await medianMillis(
    async () => {
      await execution.advance();
      await execution.stateRoot();
    },
    { samples: ROUNDS, warmup: 1 },
  );
  await execution.close();
  const tokens = shape.batch * shape.context;
  const title = `GPT step, ${name} (${shape.layers} layers, width ${shape.dim}, ${tokens} tokens)`;
  return [
    { name: title, value: step, unit: "ms" },
    { name: `${title}, with its state root`, value: traced, unit: "ms" },
    { name: `${title}, with its state root, throughput`, value: tokens / (traced / 1000), unit: "tokens/s" },
  ];
}

/** What a step takes on the device, by its plan. */
async function memoryOf(name: keyof typeof MODELS): Promise<Sample> {
  const { step }: { step: Graph } = await loadJob(JOB, { ...MODELS[name], steps: 30 });
  const keep = step.outputs.map(({ tensor }) => tensor);
  const { lastingBytes, passingBytes } = new Plan(step, keep, "fused");
  return { name: `memory of a GPT step, ${name}`, value: (lastingBytes + passingBytes) / 2 ** 30, unit: "GiB" };
}

async function main(sizes: readonly number[]): Promise<void> {
  const device = await cuda.describe!();
  const show = (sample: object): void => console.log(JSON.stringify({ schemaVersion: 1, ...sample }));
  show({ machine: machine(), device });
  for (const size of sizes.length > 0 ? sizes : DEVICE_SIZES) show(await benchProduct(size));
  show(await benchRoots());
  for (const name of Object.keys(GPT_SHAPES) as (keyof typeof GPT_SHAPES)[]) (await benchStep(name)).forEach(show);
  for (const name of Object.keys(MODELS) as (keyof typeof MODELS)[]) show(await memoryOf(name));
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2).map(Number));
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    console.error(error.message);
    process.exitCode = 3;
  }
  process.exit();
}
