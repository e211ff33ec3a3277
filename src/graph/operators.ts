/** All operators in the order of their vectors, and the names of the element-wise ones. */
import type { Elementwise, ElementwiseOperator } from "./elementwise.ts";
import type { Operator } from "./operator.ts";
import * as ops from "./ops/index.ts";

/** Fails to compile when ops/index.ts exports something without a check. */
const DECLARED: Readonly<Record<string, Operator | ElementwiseOperator>> = ops;

const ALL = Object.values(DECLARED);

/** Element-wise operators come first, because their vectors share a graph. */
const placeOf = (operator: Operator | ElementwiseOperator): number =>
  operator.check.number + ("elementwise" in operator ? 0 : ALL.length);

/** Every operator that ops/index.ts lists, in the order of their conformance vectors. */
export const OPERATORS: readonly (Operator | ElementwiseOperator)[] = ALL.toSorted((a, b) => placeOf(a) - placeOf(b));

/** The names of the element-wise operators: `add`, `exp` and others. */
export type ElementwiseName = {
  [Name in keyof typeof ops]: (typeof ops)[Name] extends ElementwiseOperator ? Name : never;
}[keyof typeof ops];

/**
 * The element-wise operators by name: the function and the gradients of each, as expressions over floats
 * (spec 5.2).
 */
export const ELEMENTWISE = Object.fromEntries(
  OPERATORS.flatMap((operator) => ("elementwise" in operator ? [[operator.check.name, operator.elementwise]] : [])),
) as Readonly<Record<ElementwiseName, Elementwise>>;
