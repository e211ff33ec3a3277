/** One operator of the table as a job, and a fault in one of its kernels before the referee. */
import { operatorCase } from "../../src/certify/vectors/operators.ts";
import { elementCount, zeros } from "../../src/encoding/tensor.ts";
import { DisputeError } from "../../src/errors/index.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { OPERATORS } from "../../src/graph/operators.ts";
import { checkJob, type ClosedJob } from "../../src/job/closed.ts";
import { operandsOf, renumberOperands, typeOf } from "../../src/repops/kernels/kernel.ts";
import { disputeRemembered } from "./remembered-dispute.ts";

/** How many elements are tried before a kernel's flip reaches the state. */
const TRIES = 6;

/** A job of one step: the operator on the operands of its conformance vector, whose outputs are the state. */
export function operatorJob(operator: (typeof OPERATORS)[number]): ClosedJob {
  const { list, inputs, outputs } = operatorCase(operator);
  const types = outputs.map(({ tensor }) => typeOf(list, tensor));
  // Of the vectors' shared operands only those that are read.
  const read = new Set(list.kernels.flatMap(operandsOf).concat(outputs.map(({ tensor }) => tensor)));
  const kept = [...inputs.keys()].filter((input) => read.has(input));
  const first = outputs.length;
  const numberOf = (tensor: number): number =>
    first + (tensor < inputs.length ? kept.indexOf(tensor) : kept.length + tensor - inputs.length);
  const dataset = kept.map((input) => ({ name: `data/${input}`, ...inputs[input] }));
  const named = outputs.map(({ name }, i) => ({ name, ...types[i] }));
  const step: Graph = {
    inputs: [...named, ...dataset.map(({ name, dtype, shape }) => ({ name, dtype, shape }))],
    kernels: list.kernels.map((kernel) => renumberOperands(kernel, numberOf)),
    labels: list.labels,
    outputs: outputs.map(({ name, tensor }) => ({ name, tensor: numberOf(tensor) })),
  };
  const init = { kind: "checkpoint" as const, state: named.map(({ name, ...type }) => ({ name, ...zeros(type) })) };
  const job: ClosedJob = {
    name: operator.check.name,
    steps: 1,
    step,
    init,
    dataset,
    unit: { name: "steps", perStep: 1 },
  };
  checkJob(job);
  return job;
}

/** The first fault of a kernel that reaches the state, before the referee. */
export async function disputeKernel(job: ClosedJob, kernel: number, random: () => number) {
  const { dtype, shape } = job.step.kernels[kernel].type;
  const elements = elementCount(shape);
  for (let i = 0; i < Math.min(elements, TRIES); i++) {
    const element = Math.floor(random() * elements);
    // A float of any magnitude stays one, and an index that is one higher is mostly still an index.
    const fault = { step: 1, at: { kernel }, element, flip: dtype === "f32" ? 1 << 22 : 1 };
    try {
      return await disputeRemembered({ job, faults: [[], [fault]] });
    } catch (error) {
      // Every bit of the state is the same.
      if (!(error instanceof DisputeError) || error.code !== "VERDE_DISPUTE_EQUAL") throw error;
    }
  }
  return undefined;
}
