/** Jobs whose gradients are given, and the states that their training steps make. */
import {
  add,
  type ClosedJob,
  defineJob,
  dense,
  gather,
  type Initializer,
  map,
  mul,
  type Optimizer,
  reshape,
  square,
  sum,
  tensor,
  type Value,
} from "../../../src/job/index.ts";
import type { Backend } from "../../../src/repops/backends/backend.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import { defineProgram, float } from "../../../src/repops/programs/expressions.ts";
import { Execution } from "../../../src/trace/execution.ts";

/** Parameters by name: their shapes, initial values, and a part of their gradient for each training step. */
export interface Given {
  shapes: Record<string, readonly number[]>;
  start: Record<string, readonly number[]>;
  slopes: Record<string, readonly (readonly number[])[]>;
  /** The share of a weight in its gradient. */
  pull: number;
}

const BEFORE = defineProgram("i", (step) => step.sub(1));

/** An initializer that gives these few numbers. */
export function literal(values: readonly number[]): Initializer {
  const program = defineProgram("i", (at) =>
    values
      .slice(1)
      .reduce((rest, value, i) => at.eq(i + 1).select(value, rest), float(values[0]).add(at.toFloat().mul(0))),
  );
  return ({ seed: { builder } }, shape) =>
    dense(reshape(map(program, [{ coordinate: 0 }], { name: "literal", shape: [values.length], builder }), shape));
}

/** A job whose gradient in step t is `slopes[t] + pull · weight`. */
export function jobOf(optimizer: () => Optimizer, { shapes, start, slopes, pull }: Given): Promise<ClosedJob> {
  const names = Object.keys(shapes);
  const steps = slopes[names[0]].length;
  return defineJob({
    name: "given-slopes",
    steps,
    data: () => Object.fromEntries(names.map((name) => [name, tensor([steps, ...shapes[name]], slopes[name].flat())])),
    loss: (job) => {
      const row = reshape(map(BEFORE, [job.step], { name: "row", shape: [] }), [1]);
      return names
        .map((name): Value => {
          const weight = job.parameter(name, shapes[name], literal(start[name]));
          const linear = sum(mul(weight, reshape(gather(job.data[name], row), shapes[name])));
          return pull === 0 ? linear : add(linear, mul(sum(square(weight)), pull / 2));
        })
        .reduce((a, b) => add(a, b));
    },
    optimizer,
  }).close();
}

/** The state after each training step of a job, by name. */
export async function statesOf(job: ClosedJob, backend: Backend = wasm): Promise<Map<string, number[]>[]> {
  const execution = await Execution.open(job, backend);
  const states: Map<string, number[]>[] = [];
  try {
    await execution.initialise();
    for (let step = 1; step <= job.steps; step++) {
      await execution.advance();
      states.push(new Map((await execution.state()).map(({ name, data }) => [name, [...data]])));
    }
  } finally {
    await execution.close();
  }
  return states;
}
