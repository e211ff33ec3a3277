/**
 * How an operator is declared (spec 5.2). A file of ops/ holds the function that builds its nodes and
 * gradients, and beside it, as `check`, what puts it to the test: `verde certify` and the tests loop over
 * what is declared.
 */
import type { Shape, Tensor } from "../encoding/tensor.ts";
import type { RandomSource } from "./random.ts";
import type { Value } from "./value.ts";

/** What every operator declares. */
export interface Check {
  /**
   * Its place among the conformance vectors, from 1. A new operator takes the next number, so the others keep
   * their bits.
   */
  readonly number: number;
  /**
   * Its name in certificates: `operator NAME`, and `operator NAME, gradient I` for the gradient of operand I.
   */
  readonly name: string;
  /** What the reference gives for the conformance vector. `node bench/digests.ts NAME` prints it. */
  readonly digests: Digests;
  /**
   * What its values and gradients are tried on against float64; "none" where no gradient flows to any
   * operand.
   */
  readonly gradient: readonly [Trial, ...Trial[]] | "none";
}

/** SHA-256 of the result, and of every operand's gradient that is not the gradient of the result itself. */
export interface Digests {
  readonly result: string;
  readonly [gradient: `gradient ${number}`]: string;
}

/** An operator: any function that makes values, with its check. */
export interface Operator {
  readonly check: Check & { vector(given: Given): Compared };
}

/** What a conformance vector is made of: operands that all vectors share, and others of its own. */
export interface Given {
  /** f32 [13, 37] of magnitudes from 2^-7 to 2^7. */
  readonly x: Value;
  /** Such a tensor as a gradient. */
  readonly g: Value;
  /** i32 [13], from -1 to 37: of 37 classes, some are none. */
  readonly classes: Value;
  readonly random: RandomSource;
  /** f32 like x, for a seed that no other vector has. */
  floats(seed: number, ...shape: number[]): Value;
  /** i32 of any bits. */
  ints(seed: number, ...shape: number[]): Value;
}

/** What is compared bit for bit: a result, and the gradients of its operands for a gradient of the result. */
export interface Compared {
  y: Value;
  gradient?: Value;
}

/** One way to apply an operator, and the same in float64. */
export interface Trial {
  /** Where an operator has several trials: what is special about this one. */
  readonly title?: string;
  /** Random floats, or a given tensor. */
  readonly operands: readonly (Uniform | Tensor)[];
  apply(...operands: Value[]): Value;
  /**
   * The result from the textbook, not from the scalar programs: row-major numbers in, row-major numbers out.
   * Absent where there is none: then differences of the operator's own results stand in for it.
   */
  textbook?(m: Textbook, ...operands: number[][]): number[];
}

/** Floats from `from` (-1 unless said) to `to` (1). */
export interface Uniform {
  readonly shape: Shape;
  readonly from?: number;
  readonly to?: number;
}

/** The platform's functions. The tests hand them in: nothing in src/ calls them. */
export type Textbook = Pick<typeof Math, "abs" | "cos" | "exp" | "log" | "max" | "min" | "sin" | "sqrt" | "tanh">;

/** An i32 operand of a trial. */
export function indices(shape: Shape, values: readonly number[]): Tensor {
  return { dtype: "i32", shape, data: Int32Array.from(values) };
}

/** The rows of n numbers of which a row-major array consists. */
export function rowsOf(x: readonly number[], n: number): number[][] {
  return Array.from({ length: x.length / n }, (_, i) => x.slice(i * n, (i + 1) * n));
}
