/**
 * The reads of the step at the bottom of a dispute (spec 7.1, 7.5): which elements of which tensors, in which
 * order, and the step's result. A dispute ends at one scalar step of a kernel, or at a whole element if its
 * fold is short. The evidence, the judge, the writer of a contract's witness and the bound on its cost all
 * derive the reads here.
 */
import type { TensorType } from "../../encoding/tensor.ts";
import { MAX_INPUTS } from "../programs/program.ts";
import { type GatherKernel, type Kernel, operandsOf } from "./kernel.ts";
import { gatherIndexAddress, gatherSourceAddress, pointInputs, pointLength, stepAt } from "./point.ts";

/** The place in a kernel at which a dispute ends. */
export interface Point {
  /** Row-major number of the element in the kernel's output. */
  readonly element: number;
  /** The fold index that is executed; absent where the whole element is computed. */
  readonly fold?: number;
}

/** One element that is read. */
export interface Read {
  readonly tensor: number;
  /** The row-major number of the element; -1 where no element is read, because the tensor's type decides. */
  readonly address: number;
}

/** A read with its result. */
export interface FoundRead extends Read {
  /** The bit pattern; 0 where no element is read. */
  readonly bits: number;
}

/** The contents of the tensors. It is called for each read in turn; `index` is the number of the read. */
export interface Contents {
  /**
   * The type of the tensor of read `index`. It is called for a gather's two tensors, before anything is read.
   */
  type(tensor: number, index: number): TensorType;
  /** The bit pattern of the element. For a read at address -1 the result does not matter. */
  bits(read: Read, index: number): number;
}

/**
 * The reads of the widest scalar step. Showing this many at once is cheaper than a search for the wrong step
 * among them.
 */
const WHOLE_READS = MAX_INPUTS;

/**
 * The most that a judge does for one point of a checked kernel (`checkKernel`), whatever the kernel is:
 * - a fold step is executed alone, unless the whole element has at most 8 reads, or 8 steps without a read;
 * - a program has at most 8 inputs, so a step reads at most 8 elements; a gather reads two;
 * - a program has at most 255 instructions.
 */
export const JUDGE_BUDGET = {
  scalarSteps: WHOLE_READS,
  reads: WHOLE_READS,
  instructions: WHOLE_READS * 255,
} as const satisfies JudgeCost;

/** What a judge does for one point of a kernel. */
export interface JudgeCost {
  readonly scalarSteps: number;
  readonly reads: number;
  /** Instructions of the scalar program, all steps together. */
  readonly instructions: number;
}

/**
 * The number of accumulators in an element's fold tree: K for a fold, 0 where the fold is short and is
 * executed as a whole.
 */
export function foldLeaves(kernel: Kernel): number {
  if (kernel.kind !== "fold") return 0;
  const length = pointLength(kernel);
  return length * Math.max(kernel.args.length, 1) > WHOLE_READS ? length : 0;
}

/** The fold indices that are executed at a point. A map and a gather have one step. */
function executedSteps(kernel: Kernel, { fold }: Point): number[] {
  if (fold !== undefined) return [fold];
  return Array.from({ length: kernel.kind === "gather" ? 1 : pointLength(kernel) }, (_, k) => k);
}

/** The number of scalar steps that are executed at a point. */
export function scalarSteps(kernel: Kernel, point: Point): number {
  return executedSteps(kernel, point).length;
}

/**
 * The index of the accumulator that has to be shown; `undefined` where none is needed, because a fold's first
 * step begins with the start value.
 */
export function accumulatorRead({ fold = 0 }: Point): number | undefined {
  return fold > 0 ? fold - 1 : undefined;
}

/**
 * The reads at a point, step by step, in the order of the program's inputs. Views read nothing outside of
 * their bounds. A gather reads its index first, then the source, at address -1 when there is no row with that
 * number.
 * @param kernel a checked kernel
 */
export function readsAt(kernel: Kernel, point: Point, contents: Contents): FoundRead[] {
  const read = (tensor: number, address: number, index: number): FoundRead => {
    const bits = contents.bits({ tensor, address }, index);
    return { tensor, address, bits: address < 0 ? 0 : bits };
  };
  if (kernel.kind === "gather") return gatherReads(kernel, point.element, contents, read);
  return executedSteps(kernel, point)
    .flatMap((k) => pointInputs(kernel, point.element, k))
    .filter((input) => input.kind === "read")
    .map(({ tensor, address }, i) => read(tensor, address, i));
}

function gatherReads(
  kernel: GatherKernel,
  element: number,
  contents: Contents,
  read: (tensor: number, address: number, index: number) => FoundRead,
): FoundRead[] {
  const [index, source] = [contents.type(kernel.index, 0), contents.type(kernel.source, 1)];
  const chosen = read(kernel.index, gatherIndexAddress(kernel, element, index), 0);
  return [chosen, read(kernel.source, gatherSourceAddress(kernel, element, chosen.bits | 0, index, source), 1)];
}

/**
 * The result of the steps at a point, as a bit pattern: the element, or the accumulator after the fold index.
 * @param reads the result of `readsAt`
 * @param accumulator the bit pattern of the accumulator that `accumulatorRead` names; absent if it names none
 */
export function resultAt(kernel: Kernel, point: Point, reads: readonly FoundRead[], accumulator?: number): number {
  if (kernel.kind === "gather") return reads[1].address < 0 ? kernel.fill : reads[1].bits;
  let value = accumulator ?? (kernel.kind === "fold" ? kernel.start : 0);
  let used = 0;
  for (const k of executedSteps(kernel, point)) {
    const inputs = pointInputs(kernel, point.element, k);
    const operands = inputs.filter(({ kind }) => kind === "read").map(() => reads[used++].bits);
    value = stepAt(kernel, inputs, operands, value);
  }
  return value;
}

/** The largest cost of a point of a kernel, over all points. */
export interface ReadBound {
  /** The tensors that are read, once for each read. */
  readonly tensors: readonly number[];
  readonly scalarSteps: number;
  /** The number of accumulators of which one may have to be shown; 0 where none is needed. */
  readonly accumulators: number;
}

export function mostReads(kernel: Kernel): ReadBound {
  const accumulators = foldLeaves(kernel);
  const steps = scalarSteps(kernel, accumulators > 0 ? { element: 0, fold: 0 } : { element: 0 });
  const tensors = operandsOf(kernel).flatMap((tensor) => Array.from({ length: steps }, () => tensor));
  return { tensors, scalarSteps: steps, accumulators };
}

/**
 * The most that a judge does for a point of this kernel. It is within `JUDGE_BUDGET` for a checked kernel.
 */
export function judgeCost(kernel: Kernel): JudgeCost {
  const { tensors, scalarSteps: steps } = mostReads(kernel);
  const instructions = kernel.kind === "gather" ? 0 : steps * kernel.program.steps.length;
  return { scalarSteps: steps, reads: tensors.length, instructions };
}
