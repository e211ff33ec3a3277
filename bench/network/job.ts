/** The job of the sweep: a small network whose width says how large its weights are, and faults that reach them. */
import { toHex } from "../../src/encoding/bytes.ts";
import { elementCount } from "../../src/encoding/tensor.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { defineJob, gelu, linear, mean, sgd, square, sub, tensor } from "../../src/job/index.ts";
import { formatFault, type Fault } from "../../src/trace/fault.ts";
import { run } from "../../src/trace/run.ts";

const STEPS = 8;
/** Training steps between two roots, which the terms of all tasks name. */
export const COMMIT_EVERY = 2;
/** Of the exponent: rounding does not hide it. */
const BIT = 27;

const job = defineJob({
  name: "sweep",
  steps: STEPS,
  seed: 5,
  options: { width: 16 },
  data: () => ({
    x: tensor([16, 4], Float64Array.from({ length: 64 }, (_, i) => ((i * 7) % 13) / 13 - 0.5)), // prettier-ignore
    y: tensor([16, 1], Float64Array.from({ length: 16 }, (_, i) => (i % 5) / 5)), // prettier-ignore
  }),
  loss(of, { width }) {
    const hidden = gelu(linear(of, "hidden", gelu(linear(of, "in", of.data.x, width)), width));
    return mean(square(sub(linear(of, "out", hidden, 1), of.data.y)));
  },
  optimizer: () => sgd({ learningRate: 0.05 }),
});

export interface SweepJob {
  readonly job: ClosedJob;
  /** The root of an honest run, as `0x…`. */
  readonly root: string;
  /** Faults as `verde run --fault` takes them. Each leads to a root of its own. */
  readonly faults: readonly string[];
}

/** @param width of the two hidden layers @param liars how many faults are wanted */
export async function sweepJob(width: number, liars: number): Promise<SweepJob> {
  const closed = await job.close({ width });
  const rootOf = async (fault?: Fault): Promise<string> =>
    toHex((await run(closed, { commitEvery: COMMIT_EVERY, ...(fault && { fault }) })).runRoot);
  const root = await rootOf();
  const [roots, faults] = [new Set([root]), [] as string[]];
  const { kernels } = closed.step;
  // Some bits reach nothing that is kept: a comparison may hide them, for example.
  for (let operator = kernels.length - 1; faults.length < liars && operator >= 0; operator--) {
    const element = Math.floor(elementCount(kernels[operator].type.shape) / 2);
    const fault: Fault = { kind: "flip", step: 1 + (operator % STEPS), operator, element, bit: BIT };
    const found = await rootOf(fault).catch(() => root);
    if (roots.has(found)) continue;
    roots.add(found);
    faults.push(formatFault(fault));
  }
  if (faults.length < liars) throw new Error(`the job has ${faults.length} faults of its own, and ${liars} are needed`);
  return { job: closed, root, faults };
}
