/**
 * What does a training step of a GPT consist of? Time by kind of operator, and the share of matrix products.
 * The kernels of a kind are timed as a list of their own, on the operands that they have in a training step.
 */
import { fileURLToPath } from "node:url";
import type { Tensor } from "../src/encoding/tensor.ts";
import { loadJob } from "../src/job/load.ts";
import type { Graph } from "../src/graph/graph.ts";
import type { Backend } from "../src/repops/backends/backend.ts";
import { backendByName } from "../src/repops/backends/index.ts";
import { wasm } from "../src/repops/backends/wasm/backend.ts";
import { isDot, type Kernel, operandsOf, renumberOperands, typeOf } from "../src/repops/kernels/kernel.ts";
import { Execution } from "../src/trace/execution.ts";
import { medianMillis, type Sample } from "./measure.ts";

/** The example has the same file ending as this module: of a source, or of a built file. */
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

const kindOf = (kernel: Kernel): string => (isProduct(kernel) ? "matmul" : kernel.kind);

/** Milliseconds of all kernels of a kind in the step after the present one. */
async function millisOf(
  kind: string,
  step: Graph,
  execution: Execution,
  dataset: readonly Tensor[],
  backend: Backend,
): Promise<number> {
  const kernels = step.kernels.filter((kernel) => kindOf(kernel) === kind);
  const reads = [...new Set(kernels.flatMap(operandsOf))];
  const first = step.inputs.length;
  const list = {
    inputs: reads.map((tensor) => typeOf(step, tensor)),
    kernels: kernels.map((kernel) => renumberOperands(kernel, (tensor) => reads.indexOf(tensor))),
  };
  const given = [...(await execution.state()), ...dataset];
  const { captured } = await execution.advance({ capture: reads.flatMap((t) => (t < first ? [] : [t - first])) });
  const session = await backend.prepare(list, { keep: [] });
  for (const [i, tensor] of reads.entries()) await session.write(i, given[tensor] ?? captured.get(tensor - first)!);
  const millis = await medianMillis(() => session.execute(), { samples: 5, warmup: 1 });
  await session.close();
  return millis;
}

export async function benchStep(backend: Backend = wasm): Promise<Sample[]> {
  const job = await loadJob(JOB, OPTIONS);
  const execution = await Execution.open(job, backend);
  await execution.initialise();
  const samples = 5;
  const total = await medianMillis(() => execution.advance(), { samples, warmup: 2 });
  const times = new Map<string, number>();
  for (const kind of new Set(job.step.kernels.map(kindOf)))
    times.set(kind, await millisOf(kind, job.step, execution, job.dataset, backend));
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

if (import.meta.main)
  for (const result of await benchStep(backendByName(process.argv[2] ?? "wasm"))) console.log(JSON.stringify(result));
