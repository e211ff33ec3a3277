/**
 * Kernels (spec 4): the three kinds of operator. A kernel is data; backends generate code from it.
 *
 * A kernel list is the executable form of a graph. Tensors 0 to inputs - 1 are given, and tensor inputs + j
 * is the output of kernel j. A kernel reads only tensors with lower numbers than its own output.
 */
import { describe } from "../../errors/arguments.ts";
import { ShapeError } from "../../errors/index.ts";
import { DTYPES } from "../../encoding/dtypes.ts";
import { checkShape, elementCount, formatType, type Shape, type TensorType } from "../../encoding/tensor.ts";
import { checkProgram, outputType, type Program, programKey } from "../programs/program.ts";
import { defineProgram } from "../programs/expressions.ts";
import { isElement } from "../numbers/elements.ts";
import { bitsOf, MAX_VALUE } from "../numbers/vf32.ts";
import { checkView, type View } from "./view.ts";

/**
 * The range to which an operand of a fold is clamped before each scalar step (spec 4.3): magnitudes below
 * 2^-e become 0, magnitudes above 2^e become ±2^e. `dot` is e = 51, `sum` is e = 102.
 */
export type ClampRange = "none" | "dot" | "sum";
export const RANGE_EXPONENT = { none: 0, dot: 51, sum: 102 } as const satisfies Record<ClampRange, number>;

/**
 * What a map or a fold notes, as bits: magnitudes above a clamp range, magnitudes below it, a result that has
 * reached 2^127, and operands outside of a function's domain (ranges/telling.ts).
 */
export const NOTED = { above: 1, below: 2, saturated: 4, domain: 8 } as const;

/** The bits of `NOTED` for a value that is brought into a range. */
export function clampedBy(x: number, clampRange: ClampRange): number {
  const limit = 2 ** RANGE_EXPONENT[clampRange];
  if (clampRange === "none" || x === 0) return 0;
  return Math.abs(x) > limit ? NOTED.above : Math.abs(x) < 1 / limit ? NOTED.below : 0;
}

export function bringIntoRange(x: number, clampRange: ClampRange): number {
  if (clampRange === "none") return x;
  const limit = 2 ** RANGE_EXPONENT[clampRange];
  if (Math.abs(x) < 1 / limit) return 0;
  return Math.max(-limit, Math.min(limit, x));
}

/**
 * The source of an input of the scalar program. The iteration space is the output's axes, then the fold's
 * axes.
 */
export type Arg =
  /** An element of a tensor, read through a view over the iteration space. */
  | { kind: "operand"; tensor: number; view: View; clampRange: ClampRange }
  /** The output element's coordinate on an axis, as an int. */
  | { kind: "coordinate"; axis: number }
  /** The fold index k, as an int. */
  | { kind: "index" };

/** out[i] = program(args[i]) */
export interface MapKernel {
  kind: "map";
  type: TensorType;
  program: Program;
  args: readonly Arg[];
}

/**
 * acc = start; for k = 0, 1, …, K-1 in this order: acc = program(acc, args[i, k]); out[i] = acc.
 * K is the product of `reduce`; k counts its coordinates in row-major order.
 */
export interface FoldKernel {
  kind: "fold";
  type: TensorType;
  program: Program;
  /** Bit pattern of the accumulator before k = 0; canonical when the output is a float. */
  start: number;
  reduce: Shape;
  /** Inputs 1, 2, … of the program; input 0 is the accumulator. */
  args: readonly Arg[];
}

/**
 * Rows of `source` chosen by `index`: out[i…, j…] = source[index[i…], j…], for a source of shape [rows, j…].
 * A row number outside of the source gives the fill value, and the executor counts it.
 */
export interface GatherKernel {
  kind: "gather";
  type: TensorType;
  source: number;
  /** An i32 tensor. */
  index: number;
  /** Bit pattern. */
  fill: number;
}

/** One map, fold or gather (spec 4): the unit of execution, commitments and disputes. */
export type Kernel = MapKernel | FoldKernel | GatherKernel;

/** Kernels in the order of their execution. Tensors are numbered: inputs first, then the kernels' outputs. */
export interface KernelList {
  inputs: readonly TensorType[];
  kernels: readonly Kernel[];
}

/** 2^22, so that a dot or sum stays inside vf32 (spec 4.3). */
const MAX_FOLD = 2 ** 22;

/** acc + a·b, each operation rounded. With both operands in the dot range, the loop needs nothing else. */
export const DOT_STEP: Program = defineProgram("fff", (acc, a, b) => acc.add(a.mul(b)));
/** acc + x */
export const SUM_STEP: Program = defineProgram("ff", (acc, x) => acc.add(x));
/** acc + (index = row ? x : 0): rows added to a table in the order of their positions. */
export const SCATTER_STEP: Program = defineProgram("fiif", (acc, index, row, x) => acc.add(index.eq(row).select(x, 0)));

export function typeOf(list: KernelList, tensor: number): TensorType {
  return tensor < list.inputs.length ? list.inputs[tensor] : list.kernels[tensor - list.inputs.length].type;
}

/** The axes of the iteration space, over which a view is defined: the output's, then the fold's. */
export function iterationSpace(kernel: MapKernel | FoldKernel): Shape {
  return kernel.kind === "fold" ? [...kernel.type.shape, ...kernel.reduce] : kernel.type.shape;
}

/** The tensors that a kernel reads, in the order of its args, with repetitions. */
export function operandsOf(kernel: Kernel): number[] {
  if (kernel.kind === "gather") return [kernel.source, kernel.index];
  return kernel.args.flatMap((arg) => (arg.kind === "operand" ? [arg.tensor] : []));
}

/** The same kernel with other numbers for its tensors. */
export function renumberOperands(kernel: Kernel, tensorOf: (source: number) => number): Kernel {
  if (kernel.kind === "gather") return { ...kernel, source: tensorOf(kernel.source), index: tensorOf(kernel.index) };
  const args = kernel.args.map((arg) => (arg.kind === "operand" ? { ...arg, tensor: tensorOf(arg.tensor) } : arg));
  return { ...kernel, args };
}

/** The fill of a gather whose reads outside of its source are mistakes in the data (spec 4.4). */
export const MISTAKE = -MAX_VALUE;

/** Whether reads outside of a kernel's source stop a run, such as that of a label that is no class. */
export function stopsOutside(kernel: Kernel): boolean {
  return kernel.kind === "gather" && kernel.type.dtype === "f32" && kernel.fill === bitsOf(MISTAKE);
}

/** Whether a fold is Σ a·b with both operands in the dot range. Such folds run as matrix products. */
export function isDot(kernel: FoldKernel): boolean {
  return (
    programKey(kernel.program) === programKey(DOT_STEP) &&
    kernel.start === 0 &&
    kernel.args.every((arg) => arg.kind === "operand" && arg.clampRange === "dot")
  );
}

/** The tensors before a kernel's output: those that it may read. */
export interface TensorsBefore {
  readonly count: number;
  /** The type of a tensor below `count`; `undefined` where it is not known. */
  typeOf(tensor: number): TensorType | undefined;
}

/**
 * Checks one kernel against the tensors before it.
 * @param tensors the types of the tensors that it may read
 * @throws {ShapeError | ProgramError} when the kernel is invalid; the message begins with `what`
 */
export function checkKernel(kernel: Kernel, tensors: readonly TensorType[], what: string): void {
  if (!Array.isArray(tensors))
    throw new ShapeError("KERNEL", `the tensors before a kernel are ${describe(tensors)}; pass a list of their types`);
  if (typeof what !== "string")
    throw new ShapeError("KERNEL", `the name of a kernel is ${describe(what)}; pass a text for messages`);
  checkKernelAfter(kernel, { count: tensors.length, typeOf: (tensor) => tensors[tensor] }, what);
}

/**
 * Checks one kernel against what is known of the tensors before it. What depends on a type that is not known
 * is not checked; all else is. After it, the work of a scalar step is bounded (`judgeCost`).
 * @throws {ShapeError | ProgramError} when the kernel is invalid; the message begins with `what`
 */
export function checkKernelAfter(kernel: Kernel, tensors: TensorsBefore, what: string): void {
  const fail = (problem: string): never => {
    throw new ShapeError("KERNEL", `${what}: ${problem}; build it with the graph builder`, { kernel });
  };
  const { kind, type } = (kernel ?? {}) as Partial<Kernel>;
  if (kind === undefined || !["map", "fold", "gather"].includes(kind) || !Object.hasOwn(DTYPES, type?.dtype ?? ""))
    fail(`${describe(kernel)} is no map, fold or gather with a type`);
  if (kernel.kind !== "gather" && !Array.isArray(kernel.args))
    fail(`its args are ${describe(kernel.args)}, not a list`);
  checkShape(kernel.type.shape, what);
  const operand = (tensor: number): TensorType | undefined => {
    if (!Number.isInteger(tensor) || tensor < 0 || tensor >= tensors.count)
      fail(`it reads tensor ${tensor}, which is not before it`);
    return tensors.typeOf(tensor);
  };
  if (kernel.kind === "gather") {
    const problem = gatherProblem(kernel.type, operand(kernel.source), operand(kernel.index));
    if (problem !== undefined) fail(problem);
    if (!isElement(kernel.type.dtype, kernel.fill)) fail("its fill value is not canonical");
    return;
  }
  checkProgram(kernel.program);
  if (outputType(kernel.program) !== DTYPES[kernel.type.dtype].scalar)
    fail(`its program returns ${outputType(kernel.program)} for ${formatType(kernel.type)}`);
  const fold = kernel.kind === "fold";
  if (kernel.program.inputs.length !== kernel.args.length + (fold ? 1 : 0))
    fail(`its program has ${kernel.program.inputs.length} inputs for ${kernel.args.length} args`);
  if (kernel.kind === "fold") {
    checkShape(kernel.reduce, what);
    if (elementCount(kernel.reduce) > MAX_FOLD) fail(`it folds over more than ${MAX_FOLD} elements`);
    if (kernel.program.inputs[0] !== outputType(kernel.program)) fail("its accumulator and its result differ in type");
    if (!isElement(kernel.type.dtype, kernel.start)) fail("its start value is not canonical");
  }
  const space = iterationSpace(kernel);
  kernel.args.forEach((arg, i) => {
    if (!["operand", "coordinate", "index"].includes(arg?.kind)) fail(`arg ${i} is ${describe(arg)}, of no known kind`);
    const wanted = kernel.program.inputs[i + (fold ? 1 : 0)];
    if (arg.kind === "operand") {
      const source = operand(arg.tensor);
      if (source && DTYPES[source.dtype].scalar !== wanted) fail(`arg ${i} is ${formatType(source)}, not ${wanted}`);
      if (arg.clampRange !== "none" && (!fold || wanted !== "f"))
        fail(`arg ${i} has a clamp range outside a fold over floats`);
      checkView(arg.view, space, source?.shape, `${what}, arg ${i}`);
    } else {
      if (wanted !== "i") fail(`arg ${i} is a coordinate or an index, which the program takes as ${wanted}`);
      if (
        arg.kind === "coordinate" &&
        !(Number.isInteger(arg.axis) && arg.axis >= 0 && arg.axis < kernel.type.shape.length)
      )
        fail(`arg ${i} is the coordinate on axis ${arg.axis} of ${formatType(kernel.type)}`);
      if (arg.kind === "index" && !fold) fail(`arg ${i} is the fold index of a map`);
    }
  });
}

/** What is wrong with the types of a gather, as far as they are known. */
function gatherProblem(type: TensorType, source?: TensorType, index?: TensorType): string | undefined {
  if (index && index.dtype !== "i32") return `its index is ${formatType(index)}, not i32`;
  if (source && (source.shape.length === 0 || source.dtype !== type.dtype))
    return `it can't gather ${formatType(type)} from ${formatType(source)}`;
  const row = source?.shape.slice(1);
  const rows = index?.shape;
  const { shape } = type;
  const fits =
    row && rows
      ? [...rows, ...row].join() === shape.join()
      : (!rows || rows.join() === shape.slice(0, rows.length).join()) &&
        (!row || (row.length <= shape.length && row.join() === shape.slice(shape.length - row.length).join()));
  const [from, by] = [source, index].map((known) => (known ? formatType(known) : "a tensor that is not shown"));
  return fits ? undefined : `rows of ${from} by ${by} are not ${formatType(type)}`;
}
