/**
 * The lengths of a job that a dispute on a chain shows, and their bounds (spec 9.1): what a transaction of
 * 128 KiB and 2^24 gas holds. A job that passes the checks of jobs is within them. They are checked again
 * where money depends on it, since a job or terms may come from somebody who has checked nothing.
 */
import { JobError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { encodeKernel } from "../../graph/codec.ts";
import { type Graph, MAX_INPUTS, MAX_KERNELS, MAX_OUTPUTS } from "../../graph/graph.ts";
import type { JobOutline } from "../../job/closed.ts";
import { type GraphKind, graphOf, jobFacts } from "../../referee/facts.ts";
import type { Build } from "../abilities.ts";
import type { JobTerms } from "../job-terms.ts";
import { GAS_CAP, MOST_KERNEL_BYTES, mostExpensiveStep, type StepBound, TRANSACTION_BYTES } from "./proof-bound.ts";

/** A length, its bound, and what makes it smaller. */
interface Length {
  readonly what: string;
  readonly found: number;
  readonly most: number;
  readonly remedy: string;
}

/** Indices of leaves have 31 bits. */
const MOST_STEPS = 2 ** 31 - 1;

/** The lengths that the terms of a task hold. */
function lengthsOfTerms({ steps, commitEvery, tensors }: JobTerms): Length[] {
  return [
    { what: "training steps", found: steps, most: MOST_STEPS, remedy: "train fewer steps" },
    { what: "training steps of a segment", found: commitEvery, most: MOST_STEPS, remedy: "commit more often" },
    { what: "tensors of the state", found: tensors, most: MAX_OUTPUTS, remedy: "join parameters" },
  ];
}

function lengthsOfGraph({ inputs, outputs, kernels, labels }: Graph, kind: GraphKind): Length[] {
  const of = ` of the ${kind} graph`;
  const counts: Length[] = [
    { what: `operators${of}`, found: kernels.length, most: MAX_KERNELS, remedy: "make the training step smaller" },
    { what: `outputs${of}`, found: outputs.length, most: MAX_OUTPUTS, remedy: "join parameters" },
    { what: `inputs${of}`, found: inputs.length, most: MAX_INPUTS, remedy: "join tensors of the dataset" },
  ];
  const encodings = kernels.map(
    (kernel, at): Length => ({
      what: `bytes of the operator ${quote(labels[at])}${of}`,
      found: encodeKernel(kernel).length,
      most: MOST_KERNEL_BYTES,
      remedy: "divide it into several operators",
    }),
  );
  return [...counts, ...encodings];
}

/**
 * Checks that a dispute about a task's job fits into transactions, whatever is disputed.
 * @param outline the job, if it is known; without it, only what the terms say is checked
 * @param build of the game's judge
 * @returns the scalar step whose proof is most expensive, if the job is known
 * @throws {JobError} LENGTH, STEP_TOO_LARGE
 */
export function expectSettleable(terms: JobTerms, outline: JobOutline, build?: Build): StepBound;
export function expectSettleable(terms: JobTerms, outline?: JobOutline, build?: Build): StepBound | undefined;
export function expectSettleable(terms: JobTerms, outline?: JobOutline, build?: Build): StepBound | undefined {
  const kinds: GraphKind[] = outline?.init.kind === "graph" ? ["init", "step"] : ["step"];
  const graphs = outline ? kinds.flatMap((kind) => lengthsOfGraph(graphOf(outline, kind), kind)) : [];
  const lengths = [...lengthsOfTerms(terms), ...graphs];
  const wrong = lengths.find(({ found, most }) => !(found <= most));
  if (wrong)
    throw new JobError(
      "LENGTH",
      `a dispute about this job can't be played: it has ${wrong.found} ${wrong.what}, and at most ${wrong.most} fit into its transactions; ` +
        `${wrong.remedy}, or use a task without a game`,
      { what: wrong.what, found: wrong.found, expected: `at most ${wrong.most}` },
    );
  if (!outline) return undefined;
  const step = mostExpensiveStep(jobFacts(outline, terms.commitEvery), build);
  if (step.gas > GAS_CAP || step.bytes > TRANSACTION_BYTES)
    throw new JobError(
      "STEP_TOO_LARGE",
      `${step.label}: proving one scalar step of this operator may take ${step.bytes} bytes and ${step.gas} gas, more than the ${TRANSACTION_BYTES} ` +
        `bytes and ${GAS_CAP} gas of a transaction; use smaller tensors in it, or a task without a game`,
      { gas: step.gas, bytes: step.bytes },
    );
  return step;
}
