/** A symbolic tensor: the output of an operator, or a view of it, while a graph is being built. */
import { checkShape, type DType, formatType, sameShape, type Shape } from "../encoding/tensor.ts";
import { describe, type Refuse } from "../errors/arguments.ts";
import { GraphError, ShapeError, type ShapeSubCode } from "../errors/index.ts";
import { rowMajorStrides } from "../repops/kernels/view.ts";
import type { GraphBuilder } from "./builder.ts";

/** How a value was made, and the values to which its gradient flows back. */
export interface Origin {
  inputs: readonly Value[];
  /** The gradients of the inputs, given the gradient of the value; `undefined` where none flows. */
  backward(gradient: Value): readonly (Value | undefined)[];
  /** Whether the value is a gradient itself, through which no gradient flows. */
  isGradient?: boolean;
}

/**
 * A symbolic tensor. It has a type; it has numbers only when its graph is executed. Operators take and return
 * values.
 */
export class Value {
  /** The graph that it belongs to. */
  readonly builder: GraphBuilder;
  /**
   * The builder's number of the tensor that is read: negative for an input, else the number of an operator.
   */
  readonly source: number;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The offset in the source of element 0, in elements. */
  readonly offset: number;
  /** One for each axis, in elements of the source. */
  readonly strides: readonly number[];
  /** Absent for inputs, and for values through which no gradient flows. */
  readonly origin: Origin | undefined;
  /** Values are made in order, so a value's inputs have lower numbers. */
  readonly order: number;

  constructor(
    builder: GraphBuilder,
    source: number,
    dtype: DType,
    shape: Shape,
    options: { offset?: number; strides?: readonly number[]; origin?: Origin } = {},
  ) {
    this.builder = builder;
    this.source = source;
    this.dtype = dtype;
    this.shape = shape;
    this.offset = options.offset ?? 0;
    this.strides = options.strides ?? rowMajorStrides(shape);
    this.origin = options.origin && { ...options.origin, backward: builder.bound(options.origin.backward) };
    this.order = builder.nextOrder();
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** `f32[4, 2]` */
  toString(): string {
    return formatType(this);
  }

  /** The same elements with a record of how they were made. */
  withOrigin(inputs: readonly Value[], backward: Origin["backward"], marks: Pick<Origin, "isGradient"> = {}): Value {
    const { builder, source, dtype, shape, offset, strides } = this;
    return new Value(builder, source, dtype, shape, { offset, strides, origin: { inputs, backward, ...marks } });
  }
}

/** Whether a value is its whole source, with the source's shape. */
export function isDense(value: Value): boolean {
  if (value.offset !== 0 || !sameShape(value.shape, value.builder.sourceType(value.source).shape)) return false;
  const strides = rowMajorStrides(value.shape);
  return value.strides.every((stride, axis) => value.shape[axis] === 1 || stride === strides[axis]);
}

/** An error that names the operator, its layer and the shapes. */
export function shapeError(subCode: ShapeSubCode, builder: GraphBuilder, what: string, problem: string): ShapeError {
  return new ShapeError(subCode, `${builder.label(what)}: ${problem}`, { operator: what, layer: builder.path });
}

/** What an argument is, with its type if it is a value. */
const describeArgument = (given: unknown): string => (given instanceof Value ? `a value ${given}` : describe(given));

/** The error for an argument of another kind. */
export function argumentError(what: string, name: string, given: unknown, wanted: string): GraphError {
  const operator = typeof what === "string" ? what : "an operator";
  return new GraphError("ARGUMENT", `${operator}: ${name} is ${describeArgument(given)}; pass ${wanted}`, {
    operator,
    argument: name,
  });
}

/** Errors for the settings of an operator. */
export const settingOf =
  (what: string): Refuse =>
  (problem, evidence) =>
    new GraphError("SETTING", `${what}: ${problem}`, { operator: what, ...evidence });

/**
 * @param what the label of the operator, which comes from a caller too
 * @param name the argument's name in messages
 * @throws {GraphError} when an argument is no value of a graph, or the label is no text
 */
export function expectValue(given: unknown, what: string, name: string): asserts given is Value {
  if (typeof what !== "string") throw argumentError("an operator", "name", what, "a text, the label");
  if (given instanceof Value) return;
  // The usual mistake: layers take the job's context first, and operators do not.
  const isContext = typeof given === "object" && given !== null && given.constructor?.name === "Context";
  throw argumentError(what, name, given, `a value of a graph${isContext ? "; operators take no context" : ""}`);
}

/**
 * The graph of an operator's operands, which are values by name.
 * @throws {GraphError} when one is no value, when values of two graphs are mixed, or when there are none
 */
export function builderOf(what: string, operands: Readonly<Record<string, unknown>>): GraphBuilder {
  const builder = Object.values(operands).find((given) => given instanceof Value)?.builder;
  // A value tells the path of the layer.
  const path = builder && typeof what === "string" ? builder.label(what) : what;
  for (const [name, given] of Object.entries(operands)) {
    expectValue(given, path, name);
    if (builder && given.builder !== builder)
      throw new GraphError(
        "MIXED",
        `${builder.label(what)}: ${name} belongs to another graph than the values before it; build both with one builder`,
      );
  }
  if (!builder) throw new GraphError("INPUTS", `${what}: an operator has no values; give at least one`);
  return builder;
}

/**
 * @param name the argument's name in messages
 * @throws {GraphError} when it is no value, {ShapeError} when it is not f32
 */
export function expectFloat(value: unknown, what: string, name = "x"): asserts value is Value {
  expectValue(value, what, name);
  if (value.dtype !== "f32")
    throw shapeError("DTYPE", value.builder, what, `takes f32, not ${value}; convert it first`);
}

/** The extent of an axis, counted from the end where it is negative. */
export function axisOf(value: Value, axis: number, what: string): number {
  const at = placeOf(value, axis);
  if (at === undefined)
    throw shapeError(
      "AXIS",
      value.builder,
      what,
      `axis ${describe(axis)} of ${value} does not exist; ${whichAxes(value)}`,
    );
  return at;
}

/**
 * The axes of a list, each counted from 0.
 * @param axes counted from the end where negative
 * @throws {ShapeError} when the list is empty, an axis does not exist, or one is listed twice; the message
 *   names the axis, its position in the list, and the shape
 */
export function axesOf(value: Value, axes: readonly number[], what: string): number[] {
  if (!Array.isArray(axes)) throw argumentError(what, "axes", axes, "a list of axes");
  const fail = (problem: string): ShapeError => shapeError("AXIS", value.builder, what, problem);
  if (axes.length === 0) throw fail(`the list of axes of ${value} is empty; name an axis, or leave the list out`);
  const found: number[] = [];
  for (const [position, axis] of axes.entries()) {
    const at = placeOf(value, axis);
    if (at === undefined)
      throw fail(`axis ${describe(axis)}, at position ${position}, of ${value} does not exist; ${whichAxes(value)}`);
    const first = found.indexOf(at);
    if (first >= 0)
      throw fail(`axis ${axis} of ${value}, at position ${position}, repeats that at position ${first}; list it once`);
    found.push(at);
  }
  return found;
}

/** An axis counted from 0, if there is one. */
function placeOf({ rank }: Value, axis: unknown): number | undefined {
  if (typeof axis !== "number" || !Number.isInteger(axis) || axis < -rank || axis >= rank) return undefined;
  return axis < 0 ? axis + rank : axis + 0;
}

const whichAxes = ({ rank }: Value): string =>
  rank === 0 ? "a scalar has no axes" : `it has the axes 0 to ${rank - 1}, or -${rank} to -1`;

/**
 * A copy of a list of extents.
 * @param most the largest number of elements, where it is not that of a tensor
 * @throws {GraphError} when it is no list, {ShapeError} when it is no shape
 */
export function shapeOf(shape: unknown, what: string, most?: number): Shape {
  if (!Array.isArray(shape)) throw argumentError(what, "shape", shape, "a list of extents");
  checkShape(shape as Shape, what, most);
  return [...(shape as Shape)];
}
