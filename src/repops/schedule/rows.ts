/**
 * Cuts calls of loops into rows: equal runs of the output, in order. A block of rows is the same call with
 * fewer iterations, and with other addresses and first coordinates. So blocks can be executed by several
 * threads, and several kernels block by block.
 */
import type { LoopCall } from "./loop-plan.ts";

/** How a call runs for a block of rows. Words are numbers of parameters (`parameterWords`). */
export interface RowSplit {
  /** Words of loops over rows, which run once in a block. */
  readonly once: readonly number[];
  /** The word that holds the iterations of the loop in which the block lies, and how many a row has. */
  readonly extent: { readonly word: number; readonly passes: number };
  /** What depends on the place of a block. */
  readonly shifts: readonly RowShift[];
}

/** A word to which a step is added for each place along an axis of the rows. */
export interface RowShift {
  readonly word: number;
  /** The tensor whose address it is; absent for a coordinate. */
  readonly tensor?: number;
  /** One for each axis, in bytes; in elements for a coordinate. */
  readonly steps: readonly number[];
}

/** An address or a coordinate of a call: where it begins, and how it moves with each loop. */
interface Access {
  word: number;
  tensor?: number;
  base: number;
  strides: readonly number[];
  reduceStrides: readonly number[];
}

const known = new WeakMap<LoopCall, readonly Access[]>();

/** The output first. Constants do not move. */
function accessesOf(call: LoopCall): readonly Access[] {
  let accesses = known.get(call);
  if (!accesses) {
    accesses = findAccesses(call);
    known.set(call, accesses);
  }
  return accesses;
}

/** The tensors that a call touches. */
export const touchedBy = (call: LoopCall): readonly number[] =>
  accessesOf(call).flatMap(({ tensor }) => (tensor === undefined ? [] : [tensor]));

function findAccesses({ shape, parameters }: LoopCall): Access[] {
  const { output, extents, outStrides, reduceExtents, args } = parameters;
  const loops = extents.length;
  const found: Access[] = [
    { word: 0, tensor: output.tensor, base: output.offset, strides: [...outStrides, 4], reduceStrides: [] },
  ];
  let word = 2 + loops + outStrides.length + reduceExtents.length;
  args.forEach(({ origin, base, strides, reduceStrides }, i) => {
    const arg = shape.args[i];
    if (origin?.kind === "tensor") found.push({ word, tensor: origin.tensor, base, strides, reduceStrides });
    else if (arg.kind === "coordinate")
      found.push({ word, base, strides: extents.map((_, loop) => (loop === arg.loop ? 1 : 0)), reduceStrides: [] });
    word += 1 + strides.length + reduceStrides.length;
  });
  return found;
}

/** The products of the first extents: 1, e0, e0·e1 and so on. */
export function prefixesOf(extents: readonly number[]): number[] {
  const prefixes = [1];
  for (const extent of extents) prefixes.push(prefixes[prefixes.length - 1] * extent);
  return prefixes;
}

/**
 * The places in the row-major order of a call's output at which an axis of its rows must end: after the loops
 * whose iterations are equal runs of the whole output.
 * @param rows the number of rows
 * @param elements of the output
 * @returns numbers of rows, the last of them `rows`; `undefined` if its loops do not run along such rows
 */
export function rowEnds({ parameters: { extents, outStrides } }: LoopCall, rows: number, elements: number) {
  const prefixes = prefixesOf(extents);
  const strides = [...outStrides, 4];
  const ends: number[] = [];
  for (const [loop, stride] of strides.entries()) {
    const prefix = prefixes[loop + 1];
    if (stride * prefix !== 4 * elements) return undefined;
    if (prefix >= rows) return prefix % rows === 0 ? [...ends, rows] : undefined;
    if (prefix > 1) ends.push(prefix);
  }
  return undefined;
}

/** The ends that all of these have, in order; `undefined` where one axis does not end where another does. */
export function joinEnds(lists: readonly (readonly number[])[]): number[] | undefined {
  const ends = [...new Set(lists.flat())].sort((a, b) => a - b);
  return ends.every((end, i) => i === 0 || end % ends[i - 1] === 0) ? ends : undefined;
}

/** The extents of the axes of rows. */
export const axesOf = (ends: readonly number[]): number[] => ends.map((end, i) => end / (ends[i - 1] ?? 1));

/**
 * How a call runs for a block of rows.
 * @param ends where the axes of the rows end; each within one loop of the call, or at its end
 */
export function splitRows(call: LoopCall, ends: readonly number[]): RowSplit | undefined {
  const { extents } = call.parameters;
  const prefixes = prefixesOf(extents);
  const loopOf = ends.map((end) => prefixes.findIndex((prefix) => prefix >= end) - 1);
  const fits = ends.every((end, axis) => {
    const loop = loopOf[axis];
    return loop >= 0 && prefixes[loop + 1] % end === 0 && prefixes[loop] <= (ends[axis - 1] ?? 1);
  });
  if (!fits) return undefined;
  const last = loopOf[loopOf.length - 1];
  const shifts = accessesOf(call).flatMap(({ word, tensor, strides }): RowShift[] => {
    const steps = ends.map((end, axis) => strides[loopOf[axis]] * (prefixes[loopOf[axis] + 1] / end));
    return [{ word, steps, ...(tensor !== undefined && { tensor }) }];
  });
  return {
    once: extents.flatMap((_, loop) => (loop < last ? [2 + loop] : [])),
    extent: { word: 2 + last, passes: prefixes[last + 1] / ends[ends.length - 1] },
    shifts,
  };
}

/**
 * Whether a call, in row r, touches nothing of a tensor but its row r.
 * @param split of this call
 * @param ends of the split
 * @param tensor of this number
 * @param elements of the tensor
 */
export function staysInRows(
  call: LoopCall,
  split: RowSplit,
  ends: readonly number[],
  tensor: number,
  elements: number,
): boolean {
  const rows = ends[ends.length - 1];
  const rowBytes = (4 * elements) / rows;
  if (!Number.isInteger(rowBytes / 4)) return false;
  const { extents, reduceExtents } = call.parameters;
  const block = split.extent.word - 2;
  return accessesOf(call).every((access) => {
    if (access.tensor !== tensor) return true;
    const { steps } = split.shifts.find(({ word }) => word === access.word)!;
    if (!steps.every((step, axis) => step === rowBytes * (rows / ends[axis]))) return false;
    let [low, high] = [access.base, access.base];
    const reach = (count: number, stride: number): void => {
      low += Math.min(0, (count - 1) * stride);
      high += Math.max(0, (count - 1) * stride);
    };
    access.strides.forEach((stride, loop) => {
      if (loop >= block) reach(loop === block ? split.extent.passes : extents[loop], stride);
    });
    access.reduceStrides.forEach((stride, loop) => reach(reduceExtents[loop], stride));
    return low >= 0 && high + 4 <= rowBytes;
  });
}
