/** A symbolic tensor: the output of an operator, or a view of it, while a graph is being built. */
import { type DType, formatType, type Shape } from "../encoding/tensor.ts";
import { GraphError, ShapeError, type ShapeSubCode } from "../errors/index.ts";
import { rowMajorStrides } from "../repops/kernels/view.ts";
import type { GraphBuilder } from "./builder.ts";

/** How a value was made, and the values to which its gradient flows back. */
export interface Origin {
  inputs: readonly Value[];
  /** The gradients of the inputs, given the gradient of the value; `undefined` where none flows. */
  backward(gradient: Value): readonly (Value | undefined)[];
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
    this.origin = options.origin;
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
  withOrigin(inputs: readonly Value[], backward: Origin["backward"]): Value {
    const { builder, source, dtype, shape, offset, strides } = this;
    return new Value(builder, source, dtype, shape, { offset, strides, origin: { inputs, backward } });
  }
}

/** The extent of an axis, counted from the end where it is negative. */
export function axisOf(value: Value, axis: number, what: string): number {
  const at = axis < 0 ? axis + value.rank : axis;
  if (!Number.isInteger(axis) || at < 0 || at >= value.rank)
    throw shapeError("AXIS", value.builder, what, `axis ${axis} of ${value} does not exist; it has ${value.rank} axes`);
  return at;
}

/** An error that names the operator, its layer and the shapes. */
export function shapeError(subCode: ShapeSubCode, builder: GraphBuilder, what: string, problem: string): ShapeError {
  return new ShapeError(subCode, `${builder.label(what)}: ${problem}`, { operator: what, layer: builder.path });
}

/** @throws {GraphError} when values of two graphs are mixed, or there are none. */
export function builderOf(...values: readonly Value[]): GraphBuilder {
  if (values.length === 0) throw new GraphError("INPUTS", "an operator has no values; give at least one");
  const builder = values[0].builder;
  if (values.some((value) => value.builder !== builder))
    throw new GraphError(
      "MIXED",
      `${builder.path || "the graph"}: an operator has values of two different graphs; build both with one builder`,
    );
  return builder;
}

/** @throws {ShapeError} when a value is not f32 */
export function expectFloat(value: Value, what: string): void {
  if (value.dtype !== "f32")
    throw shapeError("DTYPE", value.builder, what, `takes f32, not ${value}; convert it first`);
}
