/**
 * Turns a map or fold kernel into calls of generated functions. Bounded views are cut into boxes in which
 * every operand is either read or replaced by its fill value. Axes that form one run of memory become one
 * loop.
 */
import type { Shape } from "../../encoding/tensor.ts";
import type { Arg, FoldKernel, MapKernel } from "../kernels/kernel.ts";
import { rowMajorStrides } from "../kernels/view.ts";
import { joinAxes } from "./axes.ts";
import type { LoopArg, LoopParameters } from "./loop-parameters.ts";
import type { ArgShape, LoopShape } from "./loop-shape.ts";

export interface LoopCall {
  shape: LoopShape;
  parameters: LoopParameters;
}

type Range = readonly [from: number, to: number];

/** Whether the generated loops can run a kernel: the bounds of a view must not depend on the fold's axes. */
export function canLoop(kernel: MapKernel | FoldKernel): boolean {
  const rank = kernel.type.shape.length;
  const reduce = kernel.kind === "fold" ? kernel.reduce : [];
  return kernel.args.every(
    (arg) =>
      arg.kind !== "operand" ||
      !arg.view.bounds ||
      arg.view.bounds.slice(rank).every(([from, to], axis) => from <= 0 && to >= reduce[axis]),
  );
}

/**
 * The calls that compute a kernel. The caller handles K = 0 and empty outputs.
 * @param output the tensor that the kernel writes
 */
export function planLoops(kernel: MapKernel | FoldKernel, output: number, always: boolean): LoopCall[] {
  return boxes(kernel).map((box) => planBox(kernel, box, output, always));
}

/** Boxes that cover the output, cut at the bounds of its operands. */
function boxes({ type: { shape }, args }: MapKernel | FoldKernel): Range[][] {
  const cuts = shape.map((extent, axis) => {
    const places = args.flatMap((arg) => (arg.kind === "operand" ? [...(arg.view.bounds?.[axis] ?? [])] : []));
    const inside = places.filter((place) => place > 0 && place < extent);
    return [...new Set([0, ...inside, extent])].sort((a, b) => a - b);
  });
  return cuts.reduce<Range[][]>(
    (found, places) => found.flatMap((box) => places.slice(1).map((to, i): Range[] => [...box, [places[i], to]])),
    [[]],
  );
}

/** One axis of the loops: its extent, the output's stride, and each operand's, in elements. */
interface Axis {
  extent: number;
  out: number;
  args: number[];
  /** The axis of the output that this loop runs over, if the program reads its coordinate. */
  coordinate?: number;
}

function planBox(kernel: MapKernel | FoldKernel, box: readonly Range[], output: number, always: boolean): LoopCall {
  const { args } = kernel;
  const rank = box.length;
  const outStrides = rowMajorStrides(kernel.type.shape);
  const reads = args.map((arg) => readIn(arg, box));
  const strideOf = (i: number, axis: number): number => (reads[i] ? (args[i] as OperandArg).view.strides[axis] : 0);
  const strides = (axis: number): number[] => args.map((_, i) => strideOf(i, axis));
  const asked = new Set(args.flatMap((arg) => (arg.kind === "coordinate" ? [arg.axis] : [])));

  const axes = box.map(([from, to], axis): Axis => {
    const own: Axis = { extent: to - from, out: outStrides[axis], args: strides(axis) };
    return asked.has(axis) ? { ...own, coordinate: axis } : own;
  });
  const loops = joined(axes);
  // Vectors are stored contiguously, so the last loop has to run along contiguous outputs.
  if (loops[loops.length - 1]?.out !== 1) loops.push({ extent: 1, out: 1, args: args.map(() => 0) });
  const inner = loops[loops.length - 1];
  const reduce: Shape = kernel.kind === "fold" ? kernel.reduce : [];
  const folds = joined(reduce.map((extent, axis) => ({ extent, out: 0, args: strides(rank + axis) })));
  if (folds.length === 0) folds.push({ extent: 1, out: 0, args: args.map(() => 0) });
  const isFold = kernel.kind === "fold";

  const shapes = args.map((arg, i): ArgShape => {
    if (arg.kind === "index") return arg;
    if (arg.kind === "coordinate")
      return { kind: "coordinate", loop: loops.findIndex((loop) => loop.coordinate === arg.axis) };
    const stride = inner.extent === 1 ? 0 : inner.args[i];
    const access = stride === 0 ? "splat" : stride === 1 ? "unit" : "strided";
    const fixed = !isFold || folds.every((loop) => loop.args[i] === 0);
    return { kind: "operand", access, fixed, clampRange: arg.clampRange };
  });
  const bytes = (x: number): number => 4 * x;
  const parameterArgs = args.map((arg, i): LoopArg => {
    const none = { strides: [], reduceStrides: [] };
    if (arg.kind === "index") return { base: 0, ...none };
    if (arg.kind === "coordinate") return { base: box[arg.axis][0], ...none };
    const start = box.reduce((sum, [from], axis) => sum + from * strideOf(i, axis), arg.view.offset);
    return {
      origin: reads[i] ? { kind: "tensor", tensor: arg.tensor } : { kind: "constant", bits: arg.view.fill ?? 0 },
      base: reads[i] ? bytes(start) : 0,
      strides: loops.map((loop) => bytes(loop.args[i])),
      reduceStrides: isFold ? folds.map((loop) => bytes(loop.args[i])) : [],
    };
  });
  const outStart = box.reduce((sum, [from], axis) => sum + from * outStrides[axis], 0);
  return {
    shape: {
      program: kernel.program,
      outer: loops.length - 1,
      ...(isFold && { fold: { loops: folds.length, startsAtZero: kernel.start === 0 } }),
      args: shapes,
      always,
    },
    parameters: {
      output: { tensor: output, offset: bytes(outStart) },
      extents: loops.map(({ extent }) => extent),
      outStrides: loops.slice(0, -1).map(({ out }) => bytes(out)),
      reduceExtents: isFold ? folds.map(({ extent }) => extent) : [],
      start: isFold ? kernel.start : 0,
      args: parameterArgs,
    },
  };
}

type OperandArg = Arg & { kind: "operand" };

/** Whether an operand is read in a box; else its fill value replaces it. */
function readIn(arg: Arg, box: readonly Range[]): boolean {
  if (arg.kind !== "operand") return false;
  return box.every(([from, to], axis) => {
    const [low, high] = arg.view.bounds?.[axis] ?? [from, to];
    return from >= low && to <= high;
  });
}

function joined(axes: readonly Axis[]): Axis[] {
  return joinAxes(
    axes,
    ({ out, args }) => [out, ...args],
    ({ coordinate }) => coordinate !== undefined,
  );
}
