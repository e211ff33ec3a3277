/**
 * Element-wise operators. Shapes broadcast, and a number in place of an operand becomes a constant. A
 * declaration has the function of a (and b), and for each operand its gradient as a function of g (the
 * gradient of the result), a, b and y (the result). The map kernels of both directions are made from the
 * declaration.
 */
import { ShapeError } from "../errors/index.ts";
import type { Int } from "../repops/programs/expressions.ts";
import {
  applyElementwise,
  type Elementwise,
  type Environment,
  type Ints,
  type Operands,
  type Types,
} from "./apply-elementwise.ts";
import type { Check, Digests, Textbook } from "./operator.ts";
import { argumentError, expectValue, shapeError, Value } from "./value.ts";

export type { Elementwise } from "./apply-elementwise.ts";

const FLOATS: Types = { a: "f32", b: "f32", c: "f32" };
const INTS: Types = { a: "i32", b: "i32", c: "i32" };

/** A label from a name in camel case: `leaky-relu`. */
export const labelOf = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * @param required how many operands there have to be; others may be absent
 * @throws {GraphError} when an operand is neither a value nor a number, {ShapeError} when all are numbers
 */
function expectOperands(
  name: string,
  operands: Record<string, unknown>,
  required: number,
): asserts operands is Operands {
  for (const [i, [key, operand]] of Object.entries(operands).entries())
    if (!(operand instanceof Value) && typeof operand !== "number" && !(operand === undefined && i >= required))
      throw argumentError(name, `operand ${key}`, operand, "a value of a graph or a number");
  if (!Object.values(operands).some((operand) => operand instanceof Value))
    throw new ShapeError("OPERANDS", `${name}: all operands are numbers; at least one has to be a value`);
}

const present = (operands: Operands): Operands =>
  Object.fromEntries(Object.entries(operands).filter(([, operand]) => operand !== undefined));

/**
 * Applies an operator that is declared like those of `ELEMENTWISE`. Its operands are f32 values that
 * broadcast to one shape, the shape of the result. A number becomes a constant.
 *
 *     const softsign = {
 *       forward: ({ a }) => a.div(a.abs().add(1)),
 *       gradient: { a: ({ g, a }) => g.div(a.abs().add(1).mul(a.abs().add(1))) },
 *     } satisfies Elementwise;
 *     const y = elementwise("softsign", softsign, x);
 *
 * @param name the label of the operator; its gradients have the label `NAME-gradient`
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not f32, or all are numbers
 * @throws {GraphError} when an operand is missing, is neither a value nor a number, or is a number that is
 *   not a vf32 once it is rounded
 */
export function elementwise(name: string, operator: Elementwise, a: Value | number, b?: Value | number): Value {
  if (typeof operator?.forward !== "function" || typeof operator.gradient !== "object" || operator.gradient === null)
    throw argumentError(name, "operator", operator, "an object with forward and gradient");
  const operands = { a, b };
  expectOperands(name, operands, 1);
  return applyElementwise(name, operator, present(operands), FLOATS);
}

/** An element-wise operator of ops/, with the data for its tests. */
interface Declaration extends Elementwise {
  /** Its place among the element-wise vectors (see `Check`). */
  readonly number: number;
  /** The result of i32 operands, for an operator that takes them too. No gradient flows through it. */
  readonly integers?: (e: Environment<Ints>) => Int;
  /** The function from the textbook, in float64. Absent where there is no gradient to compare. */
  textbook?(m: Textbook, a: number, b: number): number;
  /** The least operand that the tests use; -2. */
  readonly from?: number;
  /** The greatest; 2. */
  readonly to?: number;
  readonly digests: Digests;
}

/** The function of a declared operator, together with its declaration. */
export interface ElementwiseOperator {
  /** How many operands there are. */
  readonly operands: 1 | 2;
  readonly elementwise: Elementwise;
  /** Its function of i32 operands, where it has one. */
  readonly integers?: Elementwise<Ints>;
  readonly check: Check;
}

function checkOf(name: string, declaration: Declaration, operands: 1 | 2): Check {
  const { number, digests, textbook, from = -2, to = 2 } = declaration;
  if (!textbook) return { number, name, digests, gradient: "none" };
  const a = { shape: [3, 5], from, to };
  // b broadcasts, so its gradient is summed.
  const trial = {
    operands: operands === 1 ? [a] : [a, { ...a, shape: [5] }],
    apply: (x: Value, y?: Value) => elementwise(labelOf(name), declaration, x, y),
    textbook: (m: Textbook, x: number[], y?: number[]) => x.map((value, i) => textbook(m, value, y?.[i % 5] ?? 0)),
  };
  return { number, name, digests, gradient: [trial] };
}

/** An operator over integers alone, as a declaration has it. */
export const ofIntegers = (forward: (e: Environment<Ints>) => Int): Elementwise<Ints> => ({ forward, gradient: {} });

/**
 * Applies an operator to operands of one type, f32 or i32.
 * @throws {ShapeError} when the types differ, or there is no function of that type
 */
export function ofOneType(
  name: string,
  operands: Record<string, unknown>,
  { floats, integers }: { floats?: Elementwise; integers?: Elementwise<Ints> },
): Value {
  const count = Object.keys(operands).length;
  expectOperands(name, operands, count);
  const values = Object.values(operands).filter((operand) => operand instanceof Value);
  const [first] = values;
  if (integers && floats && values.some(({ dtype }) => dtype !== first.dtype))
    throw shapeError(
      "DTYPE",
      first.builder,
      name,
      `takes operands of one type, not ${values.join(" and ")}; convert one with toFloat or toInt`,
    );
  return integers && (!floats || first.dtype === "i32")
    ? applyElementwise(name, integers, operands, INTS)
    : applyElementwise(name, floats!, operands, FLOATS);
}

/** What a declared operator carries beside its function. */
function partsOf(name: string, declaration: Declaration, operands: 1 | 2): ElementwiseOperator {
  const integers = declaration.integers && { integers: ofIntegers(declaration.integers) };
  return { operands, elementwise: declaration, ...integers, check: checkOf(name, declaration, operands) };
}

/**
 * A further value would be an operand that does not count. Other arguments are not looked at, because
 * `values.map(relu)` and `values.reduce(add)` have some.
 * @throws {GraphError} for a value
 */
function expectNoMore(label: string, operands: 1 | 2, rest: readonly unknown[]): void {
  const more = rest.find((argument) => argument instanceof Value);
  if (more === undefined) return;
  const takes = operands === 1 ? "one operand" : "two operands";
  throw argumentError(label, `argument ${operands + 1}`, more, `no value: it takes ${takes}; nest the calls`);
}

/** Both forms of a declared operator. */
const formsOf = (declaration: Declaration): { floats: Elementwise; integers?: Elementwise<Ints> } => ({
  floats: declaration,
  ...(declaration.integers && { integers: ofIntegers(declaration.integers) }),
});

/** Makes an operator of one operand from its declaration. */
export function unary(name: string, declaration: Declaration): ((x: Value) => Value) & ElementwiseOperator {
  const forms = formsOf(declaration);
  const label = labelOf(name);
  const apply = (x: Value, ...rest: unknown[]): Value => {
    expectNoMore(label, 1, rest);
    expectValue(x, label, "x");
    return ofOneType(label, { a: x }, forms);
  };
  return Object.assign(apply, partsOf(name, declaration, 1));
}

/** Makes an operator of two operands from its declaration. */
export function binary(
  name: string,
  declaration: Declaration,
): ((a: Value | number, b: Value | number) => Value) & ElementwiseOperator {
  const forms = formsOf(declaration);
  const label = labelOf(name);
  const apply = (a: Value | number, b: Value | number, ...rest: unknown[]): Value => {
    expectNoMore(label, 2, rest);
    return ofOneType(label, { a, b }, forms);
  };
  return Object.assign(apply, partsOf(name, declaration, 2));
}
