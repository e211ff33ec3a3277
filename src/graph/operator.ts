/**
 * How an operator is declared (spec 5.2). A file of ops/ holds the function that adds it to a graph with its
 * gradients, and `check`, the data for its tests. `verde certify` and the tests loop over these declarations.
 */
import type { Shape, Tensor } from "../encoding/tensor.ts";
import type { RandomSource } from "./random.ts";
import type { Value } from "./value.ts";

/** What every operator declares for its tests. */
export interface Check {
  /**
   * Its place among the conformance vectors, from 1. A new operator takes a number that is free and never was
   * another operator's, so the other vectors keep their bits.
   */
  readonly number: number;
  /**
   * Its name in certificates: `operator NAME`, and `operator NAME, gradient I` for the gradient of operand I.
   */
  readonly name: string;
  /**
   * The digests of the reference's outputs for the conformance vector. `node bench/digests.ts NAME` prints
   * them.
   */
  readonly digests: Digests;
  /**
   * The operands on which its values and gradients are compared with float64; "none" where no gradient flows
   * to any operand.
   */
  readonly gradient: readonly [Trial, ...Trial[]] | "none";
}

/** SHA-256 of the result, and of each operand's gradient unless it is the gradient of the result itself. */
export interface Digests {
  readonly result: string;
  readonly [gradient: `gradient ${number}`]: string;
  /** Of the result of i32 operands, for an element-wise operator that takes them too. */
  readonly integers?: string;
}

/** An operator: any function that makes values, with its check. */
export interface Operator {
  readonly check: Check & { vector(given: Given): Compared };
}

/** The operands of a conformance vector: some that all vectors share, and some of its own. */
export interface Given {
  /** f32 [13, 37] of magnitudes from 2^-7 to 2^7. */
  readonly x: Value;
  /** A tensor like x, as a gradient. */
  readonly g: Value;
  /** i32 [13], from -1 to 37: indices of 37 classes, and some that are no class. */
  readonly classes: Value;
  readonly random: RandomSource;
  /** f32 like x, for a seed that no other vector has. */
  floats(seed: number, ...shape: number[]): Value;
  /** i32 of any bits. */
  ints(seed: number, ...shape: number[]): Value;
}

/** Compares bit for bit: a result, and the gradients of its operands for a gradient of the result. */
export interface Compared {
  y: Value;
  gradient?: Value;
}

/** One application of an operator, and the same computation in float64. */
export interface Trial {
  /** What is special about this trial, where an operator has several. */
  readonly title?: string;
  /** Random floats, or a given tensor. */
  readonly operands: readonly (Uniform | Tensor)[];
  apply(...operands: Value[]): Value;
  /**
   * The result by the textbook's formula, not by the scalar programs: row-major numbers in, row-major numbers
   * out. Without it, gradients are compared with differences of the operator's own results.
   */
  textbook?(m: Textbook, ...operands: number[][]): number[];
}

/** Random floats from `from` (default -1) to `to` (default 1). */
export interface Uniform {
  readonly shape: Shape;
  readonly from?: number;
  readonly to?: number;
}

/** The platform's functions. The tests pass them in: nothing in src/ calls them. */
export type Textbook = Pick<
  typeof Math,
  "abs" | "atan" | "cos" | "exp" | "expm1" | "log" | "log1p" | "max" | "min" | "sin" | "sqrt" | "tanh"
>;

/** An i32 operand of a trial. */
export function indices(shape: Shape, values: readonly number[]): Tensor {
  return { dtype: "i32", shape, data: Int32Array.from(values) };
}

/** The rows of n numbers of which a row-major array consists. */
export function rowsOf(x: readonly number[], n: number): number[][] {
  return Array.from({ length: x.length / n }, (_, i) => x.slice(i * n, (i + 1) * n));
}
