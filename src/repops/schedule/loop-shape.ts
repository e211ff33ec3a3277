/**
 * What the code of a generated loop depends on. Kernels of the same shape share a function (loop-plan.ts).
 */
import type { ClampRange } from "../kernels/kernel.ts";
import { type Program, programKey } from "../programs/program.ts";

/**
 * The layout of an operand along the vectorized axis: contiguous, all the same element, or apart. For the
 * tensor elements of a fold, `fixed` says that they do not change with k.
 */
export type ArgShape =
  | { kind: "operand"; access: "unit" | "splat" | "strided"; fixed: boolean; clampRange: ClampRange }
  /**
   * The coordinate on a loop: 0 is the outermost, `outer` the vectorized one, -1 is none (the coordinate is
   * constant).
   */
  | { kind: "coordinate"; loop: number }
  | { kind: "index" }
  /** A further output of fused maps. */
  | { kind: "output" };

/** One of several maps over the same elements. */
export interface FusedMap {
  program: Program;
  /** For each input of the program: an argument, or what an earlier map of the call gives. */
  inputs: readonly ({ arg: number } | { map: number; clampRange: ClampRange })[];
  /** The argument that is its output; "first": the output of the call; absent: nothing else reads it. */
  output?: number | "first";
  /** Nobody reads the output soon, so that it need not pass through the caches. */
  streamed: boolean;
}

/** Everything that the code of a function depends on. */
export interface LoopShape {
  program: Program;
  /** Loops around the vectorized one. */
  outer: number;
  /** For a fold: the number of its loops, and whether it starts at 0. */
  fold?: { loops: number; startsAtZero: boolean };
  args: readonly ArgShape[];
  /**
   * Maps that run as one, in order; the last is `program`. Absent: one program, whose inputs are the
   * arguments.
   */
  maps?: readonly FusedMap[];
  /** Applies `canon` after every instruction instead of where the analysis asks for it. */
  always: boolean;
}

const keys = new WeakMap<LoopShape, string>();

/** Equal for loops that can share a function. */
export function loopKey(shape: LoopShape): string {
  let key = keys.get(shape);
  if (key === undefined) {
    const { program, outer, fold, args, always } = shape;
    key = JSON.stringify([programKey(program), outer, fold, args, always, ...mapsKey(shape)]);
    keys.set(shape, key);
  }
  return key;
}

function mapsKey({ maps = [] }: LoopShape): unknown[] {
  return maps.map(({ program, inputs, output, streamed }) => [programKey(program), inputs, output, streamed]);
}
