/** Builds the three kinds of operator from values, without gradients. */
import { type DType, type Shape } from "../encoding/tensor.ts";
import { isPlainObject } from "../errors/arguments.ts";
import { GraphError } from "../errors/index.ts";
import { type Arg, type ClampRange, RANGE_EXPONENT } from "../repops/kernels/kernel.ts";
import { ANY, floatSetting, INT32, wholeSetting } from "../repops/numbers/settings.ts";
import { checkProgram, outputType, type Program } from "../repops/programs/program.ts";
import { bitsOf } from "../repops/numbers/vf32.ts";
import { GraphBuilder } from "./builder.ts";
import { argumentError, builderOf, isDense, settingOf, shapeError, shapeOf, Value } from "./value.ts";

/**
 * A value that is read only inside its bounds, with `fill` elsewhere. Its strides are over the iteration
 * space.
 */
export interface Bounded {
  source: Value;
  offset: number;
  strides: readonly number[];
  bounds: readonly (readonly [from: number, to: number])[];
  fill: number;
}

/**
 * An argument of a kernel: a value of the iteration space's shape, a bounded one, a coordinate, or the fold
 * index.
 */
export type Operand = Value | Bounded | { coordinate: number } | "index";

/** The options of a map. */
export interface MapOptions {
  /** The label of the operator. */
  name: string;
  /** Extents of the output, which are the iteration space. */
  shape: Shape;
  /** Required when no operand is a value. */
  builder?: GraphBuilder;
}

const dtypeOf = (program: Program): DType => (outputType(program) === "f" ? "f32" : "i32");

/** @throws {GraphError | ProgramError | ShapeError} when an argument of `map` or `fold` is of another kind */
function checked(program: Program, operands: readonly Operand[], options: MapOptions) {
  const what = typeof options?.name === "string" ? options.name : "an operator";
  if (!isPlainObject(options)) throw argumentError(what, "the last argument", options, "{ name, shape }");
  if (typeof options.name !== "string") throw argumentError(what, "name", options.name, "a text, the label");
  if (!Array.isArray(operands)) throw argumentError(what, "operands", operands, "a list");
  checkProgram(program);
  const builder: unknown = options.builder;
  if (builder !== undefined && !(builder instanceof GraphBuilder))
    throw argumentError(what, "builder", builder, "a GraphBuilder");
  const read = Array.from(operands, (operand, i): [string, unknown][] =>
    readsNothing(operand) ? [] : [[`operand ${i}`, isPlainObject(operand) ? operand.source : operand]],
  ).flat();
  const own = builder && read.length === 0 ? builder : builderOf(what, Object.fromEntries(read));
  if (builder && builder !== own)
    throw new GraphError("MIXED", `${what}: its operands belong to another graph than its builder; build with one`);
  return { builder: own, name: what, shape: shapeOf(options.shape, own.label(what)) };
}

const readsNothing = (operand: Operand): boolean =>
  operand === "index" || (isPlainObject(operand) && "coordinate" in operand);

function argOf(operand: Operand, clampRange: ClampRange, space: Shape, builder: GraphBuilder, name: string): Arg {
  if (operand === "index") return { kind: "index" };
  if ("coordinate" in operand) return { kind: "coordinate", axis: operand.coordinate };
  if (!(operand instanceof Value)) {
    for (const key of ["strides", "bounds"] as const)
      if (!Array.isArray(operand[key])) throw argumentError(name, `${key} of an operand`, operand[key], "a list");
    const pair = [...operand.bounds].find((ends: unknown) => !Array.isArray(ends));
    if (pair !== undefined) throw argumentError(name, "a bound of an operand", pair, "a pair of integers");
    const { source, offset, strides, bounds } = operand;
    const fill = source.dtype === "f32" ? bitsOf(operand.fill) : operand.fill >>> 0;
    // Copies: the operand is the caller's, and a graph is frozen.
    const view = { offset, strides: [...strides], bounds: bounds.map((pair) => [...pair] as [number, number]), fill };
    return { kind: "operand", tensor: source.source, view, clampRange };
  }
  if (operand.shape.join() !== space.join())
    throw shapeError(
      "BROADCAST",
      builder,
      name,
      `an operand ${operand} in an iteration space of [${space.join(", ")}]`,
    );
  const { source: tensor, offset, strides } = operand;
  // An axis of extent 1 gets stride 0, so that equal reads have equal bytes.
  const view = { offset, strides: strides.map((stride, axis) => (space[axis] === 1 ? 0 : stride)) };
  return { kind: "operand", tensor, view, clampRange };
}

/**
 * A map without a gradient: out[i…] = program(operands[i…]). The result is f32 or i32, as the program
 * returns. Use `withOrigin` to give it a gradient.
 *
 *     const HALF = defineProgram("f", (x) => x.mul(0.5));
 *     const y = map(HALF, [x], { name: "half", shape: x.shape });
 *
 * @param operands one for each input of the program; every value among them has the output's shape
 * @throws {ShapeError} when an operand has another shape
 * @throws {GraphError | ProgramError} when the program does not take these operands, or they belong to two
 *   graphs
 */
export function map(program: Program, operands: readonly Operand[], options: MapOptions): Value {
  const { builder, name, shape } = checked(program, operands, options);
  const args = operands.map((operand) => argOf(operand, "none", shape, builder, name));
  return builder.add({ kind: "map", type: { dtype: dtypeOf(program), shape }, program, args }, name);
}

/** The options of a fold. */
export interface FoldOptions {
  /** The label of the operator. */
  name: string;
  /** Extents of the output. */
  shape: Shape;
  /** Extents that are folded over, in order. */
  reduce: Shape;
  /** The accumulator before the first scalar step. */
  start: number;
  /** The range to which float operands are clamped before each scalar step (spec 4.3). */
  clampRange: ClampRange;
  /** Required when no operand is a value. */
  builder?: GraphBuilder;
}

/**
 * A fold over the last axes, without a gradient: acc = program(acc, operands[i…, k…]) from `start`, k in
 * row-major order.
 * @param operands one for each input of the program after the accumulator; every value has the shape
 * [...shape, ...reduce]
 * @throws {ShapeError} when an operand has another shape, or more than 2^22 elements are folded over
 * @throws {GraphError | ProgramError} when the program does not take these operands, or they belong to two
 *   graphs
 */
export function fold(program: Program, operands: readonly Operand[], options: FoldOptions): Value {
  const { builder, name, shape } = checked(program, operands, options);
  const { clampRange } = options;
  if (!Object.hasOwn(RANGE_EXPONENT, clampRange))
    throw argumentError(name, "clampRange", clampRange, `one of ${Object.keys(RANGE_EXPONENT).join(", ")}`);
  const reduce = shapeOf(options.reduce, builder.label(name));
  const space = [...shape, ...reduce];
  const args = operands.map((operand, i) =>
    argOf(operand, program.inputs[i + 1] === "f" ? clampRange : "none", space, builder, name),
  );
  const dtype = dtypeOf(program);
  const start = startBits(dtype, options.start, builder.label(name));
  return builder.add({ kind: "fold", type: { dtype, shape }, program, start, reduce, args }, name);
}

/** The bits of a fold's start value. */
function startBits(dtype: DType, start: number, what: string): number {
  if (dtype === "i32") return wholeSetting("the start value", start, INT32, settingOf(what)) >>> 0;
  return bitsOf(floatSetting("the start value", start, ANY, settingOf(what)));
}

/** source[index[i…], j…]; both dense. */
export function gatherKernel(source: Value, index: Value, fill: number, name: string): Value {
  const builder = builderOf(name, { source, index });
  if (!isDense(source) || !isDense(index))
    throw shapeError("STRIDED", builder, name, "gathers from a view; make it dense first");
  const type = { dtype: source.dtype, shape: [...index.shape, ...source.shape.slice(1)] };
  const bits = source.dtype === "f32" ? bitsOf(fill) : fill >>> 0;
  return builder.add({ kind: "gather", type, source: source.source, index: index.source, fill: bits }, name);
}
