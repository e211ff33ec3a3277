/** What is a training step of a GPT made of? Time by kind of operator, and the share of matrix products. */
import { fileURLToPath } from "node:url";
import { loadJob } from "../src/job/load.ts";
import { wasm } from "../src/repops/backends/wasm/backend.ts";
import { isDot, type Kernel } from "../src/repops/kernels/kernel.ts";
import { Execution } from "../src/trace/execution.ts";
import { medianMillis, type Sample } from "./measure.ts";

/** The example has the ending that this module has: of a source, or of what was built from it. */
const JOB = fileURLToPath(new URL(`../examples/char-gpt${import.meta.url.slice(-3)}`, import.meta.url));
const OPTIONS = { layers: 4, heads: 8, dim: 256, context: 128, batch: 8, steps: 30 };

/** A product that a matrix multiplication serves: each operand is read for several outputs. */
function isProduct(kernel: Kernel): boolean {
  if (kernel.kind !== "fold" || !isDot(kernel)) return false;
  const rank = kernel.type.shape.length;
  return kernel.args.every(
    (arg) =>
      arg.kind === "operand" &&
      arg.view.strides.slice(0, rank).some((stride, axis) => stride === 0 && kernel.type.shape[axis] > 1),
  );
}

export async function benchStep(): Promise<Sample[]> {
  const job = await loadJob(JOB, OPTIONS);
  const execution = await Execution.open(job, wasm);
  await execution.initialise();
  const times = new Map<string, number>();
  const { kernels } = job.step;
  const samples = 5;
  const total = await medianMillis(() => execution.advance(), { samples, warmup: 2 });
  for (let i = 0; i < samples; i++) {
    let before = performance.now();
    const afterKernel = (index: number): void => {
      const kernel = kernels[index];
      const kind = isProduct(kernel) ? "matmul" : kernel.kind;
      const now = performance.now();
      times.set(kind, (times.get(kind) ?? 0) + now - before);
      before = now;
    };
    await execution.advance({ afterKernel });
  }
  const hashing = await medianMillis(() => execution.stateRoot(), { samples });
  await execution.close();
  const sum = [...times.values()].reduce((a, b) => a + b, 0);
  const tokens = OPTIONS.batch * OPTIONS.context;
  const name = `GPT step (${OPTIONS.layers} layers, width ${OPTIONS.dim}, ${tokens} tokens)`;
  return [
    { name, value: total, unit: "ms" },
    { name: `${name}, throughput`, value: tokens / (total / 1000), unit: "tokens/s" },
    ...[...times].map(([kind, millis]) => ({ name: `of it ${kind}`, value: (100 * millis) / sum, unit: "%" })),
    { name: "state root of it", value: hashing, unit: "ms" },
  ];
}

if (import.meta.main) for (const result of await benchStep()) console.log(JSON.stringify(result));
