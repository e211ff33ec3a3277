/** Disputes against the number of operators in a step, and against the size of the disputed tensor. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { elementCount } from "../../src/encoding/tensor.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { defineJob, linear, mean, sgd, square, tensor } from "../../src/job/index.ts";
import { dispute } from "../../src/referee/dispute.ts";
import { run } from "../../src/trace/run.ts";
import { gptJob } from "../peers/gpt.ts";
import type { Growth, Size } from "./series.ts";

const STEPS = 4;
/** Of the exponent: no rounding hides it from the state. */
const BIT = 29;
const LAYERS = { small: [1, 2, 4, 8], full: [1, 2, 4, 8, 16, 32, 64] } as const;
const WIDTHS = { small: [64, 256, 1024], full: [64, 128, 256, 512, 1024, 2048] } as const;

/** One product, [8, width]·[width, width]: the disputed tensor is the weight's gradient. */
const product = defineJob({
  name: "bench-product",
  steps: STEPS,
  options: { width: 64 },
  data: ({ width }) => ({
    x: tensor(
      [8, width],
      Float32Array.from({ length: 8 * width }, (_, i) => ((i % 13) + 1) / 13),
    ),
  }),
  loss: (job, { width }) => mean(square(linear(job, "layer", job.data.x, width, { bias: false }))),
  optimizer: () => sgd({ learningRate: 0.01 }),
});

/**
 * What a dispute takes: the referee's own time, and that of one of two provers, which answer in turn.
 * @returns `undefined` when the wrong bit never reaches the state: a comparison may hide it, for example
 */
async function disputed(job: ClosedJob, operator: number): Promise<Record<string, number> | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "verde-bench-"));
  try {
    const [a, b] = ["a", "b"].map((name) => join(folder, `${name}.trace`));
    const element = Math.floor((2 * elementCount(job.step.kernels[operator].type.shape)) / 3);
    await run(job, { out: a });
    await run(job, { out: b, fault: { kind: "flip", step: STEPS - 1, operator, element, bit: BIT } });
    const began = performance.now();
    const result = await dispute(a, b);
    const total = performance.now() - began;
    if (result.outcome === "agree") return undefined;
    if (result.outcome !== "divergence") throw new Error(`the dispute ends with ${result.outcome}`);
    const { rounds, bytes, millis, scalarSteps } = result.figures;
    return { rounds, bytes, scalarSteps, refereeMillis: millis, proverMillis: (total - millis) / 2 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function growDisputes(size: Size, { say, point }: Growth): Promise<void> {
  for (const layers of LAYERS[size]) {
    say(`a dispute about a GPT of ${layers} layers`);
    const job = await gptJob({ layers, heads: 2, dim: 32, context: 32, batch: 4, vocabulary: 64 });
    const operators = job.step.kernels.length;
    let found: Record<string, number> | undefined;
    for (let operator = Math.floor((2 * operators) / 3); !found; operator++)
      found = await disputed({ ...job, steps: STEPS }, operator);
    point("operators", { operators, ...found });
  }
  for (const width of WIDTHS[size]) {
    say(`a dispute about a tensor of ${width * width} elements`);
    const job = await product.close({ width });
    const operator = job.step.kernels.findIndex(
      ({ kind, type }) => kind === "fold" && elementCount(type.shape) === width * width,
    );
    point("elements", { elements: width * width, ...(await disputed(job, operator)) });
  }
}
