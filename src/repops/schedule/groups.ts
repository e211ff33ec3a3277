/**
 * Groups of kernels that are executed block by block. Consecutive kernels form a group where, in each block
 * of rows, a kernel reads of the others' outputs these rows only: then a block can run through all of them
 * while it is in a cache, and threads can take blocks. Whether that holds is read off the addresses of the
 * planned calls; where it is not clear, the group ends. This changes no bit: every element is computed by the
 * same call, from the same operands.
 */
import { elementCount } from "../../encoding/tensor.ts";
import { type KernelList, operandsOf, typeOf } from "../kernels/kernel.ts";
import { type Blocks, blockRows, costOf, type Grain } from "./grain.ts";
import { fuseMaps } from "./fused-maps.ts";
import type { KernelPlan } from "./kernel-plan.ts";
import { lifetimesOf } from "./lifetimes.ts";
import type { LoopCall } from "./loop-plan.ts";
import { axesOf, joinEnds, rowEnds, type RowSplit, splitRows, staysInRows, touchedBy } from "./rows.ts";
import type { Schedule } from "./schedule.ts";

/** Consecutive kernels. */
export interface Group {
  readonly kernels: readonly number[];
  /** How it runs; absent for one kernel alone. */
  readonly blocks?: Blocks & {
    readonly calls: readonly { readonly call: LoopCall; readonly split: RowSplit }[];
    /** Outputs that nothing outside of the group reads: bytes of a row by tensor number. */
    readonly interior: ReadonlyMap<number, number>;
  };
}

/** Kernels that can be executed together, and what they share. */
interface Open {
  kernels: number[];
  calls: LoopCall[];
  splits: RowSplit[];
  ends: number[];
  outputs: Set<number>;
  touched: Set<number>;
}

/**
 * The groups of a list, in order; all kernels together.
 * @param schedule in which each kernel is a step
 * @param plans of its kernels
 */
export function groupKernels({ list, steps, lasting }: Schedule, plans: readonly KernelPlan[], grain: Grain): Group[] {
  const groups: Open[] = [];
  for (const [kernel, plan] of plans.entries()) {
    const open = groups[groups.length - 1];
    const calls = plan.kind === "loops" ? plan.calls : [];
    const joined =
      open && calls.length > 0 && open.calls.length > 0 ? join(list, open, kernel, calls, grain) : undefined;
    if (joined) groups[groups.length - 1] = joined;
    else groups.push(alone(list, kernel, calls));
  }
  const lastReader = new Map<number, number>();
  for (const [kernel, { reads }] of steps.entries()) for (const tensor of reads) lastReader.set(tensor, kernel);
  for (const tensor of lasting) lastReader.set(tensor, Infinity);
  const bytes = lasting.reduce((sum, tensor) => sum + 4 * elementCount(typeOf(list, tensor).shape), 0);
  const streamed = new Set(bytes >= grain.streamedBytes ? lasting : []);
  // What a later kernel reads may still be in a cache.
  const isLate = (tensor: number, last: number): boolean =>
    streamed.has(tensor) && steps.every(({ reads }, kernel) => kernel <= last || !reads.includes(tensor));
  return groups.map((group) => finished(list, group, lastReader, isLate, grain));
}

/** A schedule whose steps are these groups: what a group touches is in memory for all of it. */
export function joinSteps(schedule: Schedule, groups: readonly Group[]): Schedule {
  const steps = groups.map(({ kernels }) => ({
    kernels,
    reads: [...new Set(kernels.flatMap((kernel) => schedule.steps[kernel].reads))],
    writes: kernels.flatMap((kernel) => schedule.steps[kernel].writes),
  }));
  return { ...schedule, steps, lifetimes: lifetimesOf(schedule.list, steps, schedule.lasting) };
}

function alone(list: KernelList, kernel: number, calls: readonly LoopCall[]): Open {
  const output = list.inputs.length + kernel;
  const outputs = new Set([output]);
  const touched = new Set([...operandsOf(list.kernels[kernel]), output]);
  return { kernels: [kernel], calls: [...calls], splits: [], ends: [], outputs, touched };
}

/** The group with one more kernel; `undefined` if that is not possible, or no gain. */
function join(
  list: KernelList,
  group: Open,
  kernel: number,
  more: readonly LoopCall[],
  grain: Grain,
): Open | undefined {
  const single = alone(list, kernel, more);
  const shared = [...single.touched].filter((tensor) => group.touched.has(tensor));
  if (shared.length === 0) return undefined;
  const elementsOf = (tensor: number): number => elementCount(typeOf(list, tensor).shape);
  const calls = [...group.calls, ...more];
  const joined = {
    kernels: [...group.kernels, kernel],
    calls,
    outputs: new Set([...group.outputs, ...single.outputs]),
    touched: new Set([...group.touched, ...single.touched]),
  };
  let rows = [...joined.outputs].map(elementsOf).reduce(commonDivisor);
  // Where the last axis is too short for blocks, it becomes a part of the rows.
  for (;;) {
    const all = calls.map((call) => rowEnds(call, rows, elementsOf(call.parameters.output.tensor)));
    const known = all.filter((ends) => ends !== undefined);
    const ends = known.length === all.length ? joinEnds(known) : undefined;
    if (!ends) return undefined;
    const splits = calls.map((call) => splitRows(call, ends)).filter((split) => split !== undefined);
    if (splits.length < calls.length) return undefined;
    const stays = (call: LoopCall, i: number, tensor: number): boolean =>
      staysInRows(call, splits[i], ends, tensor, elementsOf(tensor));
    const legal = calls.every((call, i) =>
      touchedBy(call).every((tensor) => !joined.outputs.has(tensor) || stays(call, i, tensor)),
    );
    // Rows that both read are a gain, too; a value that all rows read is none.
    const gains = shared.some((tensor) => calls.every((call, i) => stays(call, i, tensor)));
    if (legal && gains && blockRows(list, { ...joined, ends }, grain) !== undefined) return { ...joined, splits, ends };
    if (ends.length === 1) return undefined;
    rows = ends[ends.length - 2];
  }
}

function finished(
  list: KernelList,
  { kernels, calls, ends, outputs, touched }: Open,
  lastReader: ReadonlyMap<number, number>,
  isLate: (tensor: number, kernel: number) => boolean,
  grain: Grain,
): Group {
  if (kernels.length === 1) return { kernels };
  const rows = ends[ends.length - 1];
  const last = kernels[kernels.length - 1];
  const inside = [...outputs].filter((tensor) => (lastReader.get(tensor) ?? 0) <= last);
  const interior = new Map(inside.map((tensor) => [tensor, (4 * elementCount(typeOf(list, tensor).shape)) / rows]));
  const cost = calls.reduce((sum, call) => sum + costOf(call), 0);
  const isReadHere = (tensor: number, own: readonly LoopCall[]): boolean => {
    const written = new Set(own.map(({ parameters }) => parameters.output.tensor));
    return calls.some(
      ({ parameters: { output, args } }) =>
        !written.has(output.tensor) && args.some(({ origin }) => origin?.kind === "tensor" && origin.tensor === tensor),
    );
  };
  const fused = fuseMaps(calls, {
    elements: (tensor) => elementCount(typeOf(list, tensor).shape),
    isRead: (tensor, own) => !interior.has(tensor) || isReadHere(tensor, own),
    isStreamed: (tensor, own) => !isReadHere(tensor, own) && isLate(tensor, last),
  });
  return {
    kernels,
    blocks: {
      axes: axesOf(ends),
      rows: blockRows(list, { ends, outputs, touched }, grain)!,
      dealt: cost >= grain.nanoseconds,
      calls: fused.map((call) => ({ call, split: splitRows(call, ends)! })),
      interior,
    },
  };
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
