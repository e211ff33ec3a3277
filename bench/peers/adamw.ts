/**
 * The AdamW update of one tensor, as a list of its own: the kernels that a job's training step has for it.
 */
import { type Tensor } from "../../src/encoding/tensor.ts";
import { adamW, defineJob, mul, sum, zeros } from "../../src/job/index.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { operandsOf, renumberOperands, typeOf } from "../../src/repops/kernels/kernel.ts";
import type { Ready } from "./contender.ts";
import { operand } from "./graphs.ts";
import { type AdamWTask, places } from "./tasks.ts";

const RATE = 1e-3;

/** Rows, because no fold goes over very many elements. */
const COLUMNS = 1024;
const shapeOf = (elements: number): number[] => [elements / COLUMNS, COLUMNS];

/** A job with one parameter, whose gradient is the dataset. */
const job = defineJob({
  name: "bench-adamw",
  steps: 1,
  options: { elements: COLUMNS },
  data: ({ elements }) => ({ g: operand(shapeOf(elements), 4) }),
  loss: (context, { elements }) => sum(sum(mul(context.parameter("w", shapeOf(elements), zeros), context.data.g), [1])),
  optimizer: () => adamW({ learningRate: RATE, beta2: 0.99 }),
});

export async function prepareAdamW(backend: Backend, { elements }: AdamWTask): Promise<Ready> {
  const { step, dataset } = await job.close({ elements });
  const first = step.inputs.length;
  const own = [...step.kernels.keys()].filter((i) => /^optimizer\/w\/(m|v|size|weight)$/.test(step.labels[i]));
  if (own.length !== 4)
    throw new Error(`an update has 4 operators, and ${own.length} are found: ${step.labels.join()}`);
  const isOwn = (tensor: number): boolean => own.includes(tensor - first);
  const reads = [...new Set(own.flatMap((i) => operandsOf(step.kernels[i])))].filter((tensor) => !isOwn(tensor));
  const place = (tensor: number): number =>
    isOwn(tensor) ? reads.length + own.indexOf(tensor - first) : reads.indexOf(tensor);
  const list = {
    inputs: reads.map((tensor) => typeOf(step, tensor)),
    kernels: own.map((i) => renumberOperands(step.kernels[i], place)),
  };
  const pairs = step.outputs.flatMap(({ tensor }, to) =>
    isOwn(tensor) && reads.includes(to) ? [{ from: place(tensor), to: place(to) }] : [],
  );
  const session = await backend.prepare(list, { keep: pairs.map(({ from }) => from) });
  for (const [i, tensor] of reads.entries()) await session.write(i, given(tensor));
  await session.execute();
  const weight = await session.read(reads.length + own.length - 1);
  return {
    check: places(elements).map((i) => weight.data[i]),
    // A training step ends with these copies too.
    call: async () => {
      await session.execute();
      await session.move(pairs);
    },
    close: () => session.close(),
  };

  /** Weights and moments; the gradient; and scalars: the scale of the gradient, the rate, the corrections. */
  function given(tensor: number): Tensor {
    const type = typeOf(step, tensor);
    const name = step.inputs[tensor]?.name ?? step.labels[tensor - first];
    if (name === "w") return operand(type.shape, 1);
    if (type.shape.length === 2 && name.includes("/v/"))
      return { ...type, data: new Float32Array(elements).fill(0.01) };
    if (type.shape.length === 2 && name.includes("/m/")) return operand(type.shape, 2, 0.1);
    if (type.shape.length === 2) return dataset[0];
    const scalar = /beta/.test(name) ? 1 : /rate/.test(name) ? RATE : 1;
    return { ...type, data: new Float32Array([scalar]) };
  }
}
