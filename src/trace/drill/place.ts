/** The place in a job where a fault strikes. */
import { elementCount, type Tensor } from "../../encoding/tensor.ts";
import { JobError } from "../../errors/index.ts";
import type { ClosedJob } from "../../job/closed.ts";
import { canon } from "../../repops/numbers/vf32.ts";
import type { Fault } from "../fault.ts";
import type { Strike } from "./struck.ts";

const RATE_LABEL = "learning-rate";

/** Whether the fault strikes at a training step; step 0 is the init graph. */
export function strikesAt(fault: Fault, step: number): boolean {
  return fault.kind === "flip" || fault.kind === "skip" ? step === fault.step : step >= fault.from;
}

/**
 * The operator whose output a fault changes, found by its number (`flip`) or by its label (`lr`). Undefined
 * for faults that change no operator.
 * @throws {JobError} when the job has no such step, operator, element or dataset
 */
export function strikeOf(job: ClosedJob, fault: Fault): Strike | undefined {
  const fail = (problem: string): never => {
    throw new JobError("FAULT", problem, { fault });
  };
  const step = fault.kind === "flip" || fault.kind === "skip" ? fault.step : fault.from;
  if (step > job.steps) fail(`the fault is at step ${step}, but the job has ${job.steps} steps; choose one of them`);
  if (fault.kind === "data" && job.dataset.length === 0)
    fail("the job has no dataset that the fault could change; plant another fault");
  if (fault.kind === "lr") {
    const kernel = job.step.labels.findIndex((label) => label.split("/").at(-1) === RATE_LABEL);
    if (kernel < 0)
      fail(
        `no operator of the job has a label that ends in /${RATE_LABEL}, so the fault can't change the rate; plant another fault`,
      );
    return { list: job.step, kernel, change: (output) => scale(output, fault.factor) };
  }
  if (fault.kind !== "flip") return undefined;
  const { operator, element, bit } = fault;
  const graph = step > 0 ? job.step : job.init.kind === "graph" ? job.init.graph : undefined;
  if (!graph) return fail("the job starts from a checkpoint, so step 0 has no operators; choose a later step");
  const kernel =
    graph.kernels[operator] ?? fail(`operator ${operator} does not exist; choose 0 to ${graph.kernels.length - 1}`);
  const count = elementCount(kernel.type.shape);
  if (element >= count)
    fail(`operator ${operator} has ${count} elements, so there is no element ${element}; choose 0 to ${count - 1}`);
  return { list: graph, kernel: operator, change: (output) => flip(output, element, bit) };
}

function scale({ data }: Tensor, factor: number): void {
  for (let i = 0; i < data.length; i++) data[i] = canon(Math.fround(data[i] * factor));
}

function flip({ data }: Tensor, element: number, bit: number): void {
  new Uint32Array(data.buffer, data.byteOffset, data.length)[element] ^= 1 << bit;
}
