/**
 * How large the blocks are into which work is cut: for the caches, and for threads. It never changes bits.
 */
import { elementCount } from "../../encoding/tensor.ts";
import { type KernelList, typeOf } from "../kernels/kernel.ts";
import type { LoopCall } from "./loop-plan.ts";
import { axesOf, type RowSplit, splitRows } from "./rows.ts";

export interface Grain {
  /** What a block of a group touches, in bytes. It should fit into the cache of one core. */
  readonly bytes: number;
  /** What a block of a group may touch where a block of that size would be too thin for vectors. */
  readonly mostBytes: number;
  /** Work below this estimate is not dealt out, and a task has about this much. */
  readonly nanoseconds: number;
  /**
   * Where inputs and kept tensors have so many bytes together, what is only kept is written past the caches:
   * it would not be there any more when it is read.
   */
  readonly streamedBytes: number;
}

export const GRAIN: Grain = { bytes: 2 ** 17, mostBytes: 2 ** 22, nanoseconds: 20_000, streamedBytes: 2 ** 24 };

/** Calls that run for one block of rows after the other. */
export interface Blocks {
  /** The extents of the axes of the rows. A block lies along the last one. */
  readonly axes: readonly number[];
  /** The most rows of a block. */
  readonly rows: number;
  /** Whether the work is worth other threads. */
  readonly dealt: boolean;
}

/** How one call is cut into blocks. */
export interface Cut extends Blocks {
  readonly split: RowSplit;
}

/** Elements of an output that a block should have: whole vectors, several at once, on any machine. */
const ELEMENTS = 32;
/** Rough estimates for 8 lanes: of an instruction, and of an operand, for one element. */
const INSTRUCTION = 0.04;
const OPERAND = 0.1;

/**
 * Axes of rows at most: what executes blocks keeps a place for so many (MOST_AXES of native/core/blocks.h).
 */
const MOST_AXES = 8;

/** As many rows give enough tasks to the threads of any machine. */
const MANY = 64;

/** The estimated time of a call on one thread, in nanoseconds. */
export function costOf({ shape, parameters: { extents, reduceExtents } }: LoopCall): number {
  const steps = [...extents, ...reduceExtents].reduce((product, extent) => product * extent, 1);
  return steps * (INSTRUCTION * shape.program.steps.length + OPERAND * (1 + shape.args.length));
}

/**
 * The rows of a block of a group; `undefined` where a block that is large enough for vectors is too large for
 * the caches, the axis along which blocks lie is too short, or there are too many axes.
 */
export function blockRows(
  list: KernelList,
  { ends, outputs, touched }: { ends: readonly number[]; outputs: ReadonlySet<number>; touched: ReadonlySet<number> },
  { bytes, mostBytes }: Grain,
): number | undefined {
  const rows = ends[ends.length - 1];
  const axes = axesOf(ends);
  if (axes.length > MOST_AXES) return undefined;
  const along = axes[axes.length - 1];
  const elementsOf = (tensor: number): number => elementCount(typeOf(list, tensor).shape);
  const rowBytes = [...touched].reduce((sum, tensor) => sum + (4 * elementsOf(tensor)) / rows, 0);
  const thinnest = Math.min(...[...outputs].map((tensor) => elementsOf(tensor) / rows));
  const unit = Math.ceil(ELEMENTS / thinnest);
  const block = Math.min(along, Math.max(unit, Math.floor(bytes / rowBytes / unit) * unit));
  const enough = block >= unit || block === rows;
  return enough && block * rowBytes <= mostBytes ? block : undefined;
}

/** How a call is cut to be dealt out; `undefined` where it is too small, or has only one row. */
export function cutCall(call: LoopCall, { nanoseconds }: Grain): Cut | undefined {
  const cost = costOf(call);
  if (cost < 2 * nanoseconds) return undefined;
  const { extents } = call.parameters;
  const tasks = Math.ceil(cost / nanoseconds);
  const ends: number[] = [];
  for (const extent of extents) {
    if (extent === 1) continue;
    const before = ends[ends.length - 1] ?? 1;
    // Inner loops stay whole where there are enough rows outside of them.
    if (before >= Math.min(tasks, MANY)) break;
    ends.push(before * extent);
  }
  const split = ends.length > 0 ? splitRows(call, ends) : undefined;
  if (!split) return undefined;
  const axes = axesOf(ends);
  const vectorized = split.extent.word === 2 + extents.length - 1;
  const unit = vectorized ? ELEMENTS : 1;
  const rows = Math.ceil(ends[ends.length - 1] / tasks / unit) * unit;
  return { axes, rows: Math.min(rows, axes[axes.length - 1]), dealt: true, split };
}

/**
 * How a call of another form is cut along one of its loops.
 * @param word the parameter that holds the iterations of this loop
 * @param extent these iterations
 * @param moves parameters that are addresses, and how many bytes they move with an iteration
 * @param cost in nanoseconds, of all of it
 */
export function cutLoop(
  word: number,
  extent: number,
  moves: readonly (readonly [word: number, bytes: number])[],
  cost: number,
  { nanoseconds }: Grain,
): Cut | undefined {
  const rows = Math.ceil(extent / Math.ceil(cost / nanoseconds) / ELEMENTS) * ELEMENTS;
  if (cost < 2 * nanoseconds || rows >= extent) return undefined;
  const shifts = moves.map(([at, bytes]) => ({ word: at, steps: [bytes] }));
  return { axes: [extent], rows, dealt: true, split: { once: [], extent: { word, passes: 1 }, shifts } };
}
