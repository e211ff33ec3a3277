/** Lies that a wrong element alone does not make: within one fold, and about a tensor that has no elements. */
import { type Bytes, Writer } from "../../src/encoding/bytes.ts";
import { elementBits, stateRoot, type Tensor, type TensorRoot } from "../../src/encoding/tensor.ts";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { TrainingClaim } from "../../src/referee/claim.ts";
import { trainingMachine } from "../../src/referee/machine.ts";
import { ClaimProver, type Prover } from "../../src/game/prover.ts";
import type { Witness } from "../../src/referee/witness.ts";
import { accumulators, pointInputs, stepAt } from "../../src/repops/kernels/point.ts";
import { runRootOf } from "../../src/trace/commitments.ts";
import { rememberedRun, type RememberedRun } from "./remembered-run.ts";

/** The accumulator after step `k` of one element has other bits, and the fold goes on from there. */
export interface FoldFault {
  step: number;
  kernel: number;
  element: number;
  k: number;
  flip: number;
}

export interface Party {
  runRoot: Bytes;
  prover: Prover<Witness>;
}

/** `undefined` where the fault is lost within its fold, so that the element is right after all. */
export async function foldLiar(job: ClosedJob, commitEvery: number, fault: FoldFault): Promise<Party | undefined> {
  const { step, kernel, element, k, flip } = fault;
  const graph = step === 0 && job.init.kind === "graph" ? job.init.graph : job.step;
  const folding = graph.kernels[kernel];
  if (folding.kind !== "fold") throw new Error(`kernel ${kernel} does not fold`);
  const { tensors } = (await rememberedRun(job, commitEvery)).steps[step];
  const right = accumulators(folding, element, tensors);
  const wrong = right.slice();
  wrong[k] ^= flip;
  for (let at = k + 1; at < wrong.length; at++) {
    const inputs = pointInputs(folding, element, at);
    const operands = inputs.flatMap((input) =>
      input.kind === "read" ? elementBits(tensors[input.tensor], input.address) : [],
    );
    wrong[at] = stepAt(folding, inputs, operands, wrong[at - 1]);
  }
  const last = wrong.length - 1;
  if (wrong[last] === right[last]) return undefined;
  const memory = await rememberedRun(job, commitEvery, [
    { step, at: { kernel }, element, flip: wrong[last] ^ right[last] },
  ]);
  const claim = new TrainingClaim(memory);
  const payloads = Array.from(wrong, (bits) => new Writer().u32(bits).finish());
  const prover = new ClaimProver<Witness>(trainingMachine(claim.facts), {
    payloads: async (at, level) => {
      const honest = await claim.payloads(at, level);
      return level.name === "fold" ? payloads : honest;
    },
    witness: (at) => claim.witness(at),
  });
  return { runRoot: memory.runRoot, prover };
}

/** Claims another root for a kernel's output in the last step, with the state that follows from it. */
export async function rootLiar(job: ClosedJob, commitEvery: number, kernel: number): Promise<RememberedRun> {
  const run = await rememberedRun(job, commitEvery);
  const { roots } = run.steps[job.steps];
  const wrong = new Uint8Array(32).fill(7) as Bytes as TensorRoot;
  const kernelRoots = roots.kernelRoots.with(kernel, wrong);
  const newStateRoots = job.step.outputs.map(({ tensor }, i) =>
    tensor === job.step.inputs.length + kernel ? wrong : roots.newStateRoots[i],
  );
  const newStateRoot = stateRoot(newStateRoots);
  const detail = { kernelRoots, newStateRoots, newStateRoot };
  const segmentRoots = [...run.segmentRoots.slice(0, -1), newStateRoot];
  return {
    ...run,
    isDrill: true,
    segmentRoots,
    runRoot: runRootOf(jobId(job), commitEvery, segmentRoots),
    stepRoots: async (segment) => {
      const known = (await run.stepRoots(segment))!;
      return segment === segmentRoots.length - 1 ? [...known.slice(0, -1), newStateRoot] : known;
    },
    detail: async (step) => (step === job.steps ? detail : run.detail(step)),
    capture: async (step, tensors) => {
      const output = job.step.inputs.length + kernel;
      const known = await run.capture(step, tensors);
      return step === job.steps && tensors.includes(output) ? undefined : (known as ReadonlyMap<number, Tensor>);
    },
  };
}
