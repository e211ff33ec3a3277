/**
 * Element-wise operators. Shapes broadcast, and a number in place of an operand becomes a constant. A
 * declaration has the function of a (and b), and for each operand its gradient as a function of g (the
 * gradient of the result), a, b and y (the result). The map kernels of both directions are made from the
 * declaration.
 */
import { elementCount, type Shape } from "../encoding/tensor.ts";
import { ShapeError } from "../errors/index.ts";
import { ANY, floatSetting } from "../repops/numbers/settings.ts";
import type { Program } from "../repops/programs/program.ts";
import { defineProgram, float, type Float } from "../repops/programs/expressions.ts";
import { map } from "./emit.ts";
import type { Check, Digests, Textbook } from "./operator.ts";
import { broadcastTo } from "./ops/sum.ts";
import { argumentError, builderOf, expectFloat, expectValue, settingOf, shapeError, Value } from "./value.ts";

type Name = "a" | "b" | "g" | "y";
type Environment = Readonly<Record<Name, Float>>;

/** An element-wise operator as expressions over floats (spec 5.2). */
export interface Elementwise {
  /** The result's element from the element of a, and of b where there is a second operand. */
  forward(e: Environment): Float;
  /** The gradient of each operand's element from g, a, b and y. Absent: no gradient flows to that operand. */
  gradient: { a?: (e: Environment) => Float; b?: (e: Environment) => Float };
}

/** The one shape to which several shapes broadcast. */
function commonShape(values: readonly Value[], name: string): Shape {
  const rank = Math.max(...values.map((value) => value.rank));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = values.map((value) => value.shape[axis - rank + value.rank] ?? 1);
    const extent = extents.find((candidate) => candidate !== 1) ?? 1;
    if (extents.some((candidate) => candidate !== 1 && candidate !== extent))
      throw shapeError("BROADCAST", values[0].builder, name, `shapes ${values.join(" and ")} do not broadcast`);
    return extent;
  });
}

/**
 * A program whose inputs are the names that `body` uses. Names that are bound to numbers become constants.
 */
function programOver(
  body: (e: Environment) => Float,
  constants: Partial<Record<Name, number>>,
): { program: Program; uses: Name[] } {
  const uses: Name[] = [];
  const environment = (inputs: Partial<Record<Name, Float>>): Environment => {
    const get = (name: Name): Float => {
      const constant = constants[name];
      if (constant !== undefined) return float(constant);
      if (!uses.includes(name)) uses.push(name);
      return inputs[name] ?? float(0);
    };
    const names: readonly Name[] = ["a", "b", "g", "y"];
    const properties = Object.fromEntries(names.map((name) => [name, { get: () => get(name) }]));
    return Object.defineProperties({}, properties) as Environment;
  };
  body(environment({})); // A first pass finds the names that are used.
  const bound = [...uses];
  const program = defineProgram("f".repeat(bound.length), (...inputs: Float[]) =>
    body(environment(Object.fromEntries(bound.map((name, i) => [name, inputs[i]])))),
  );
  return { program, uses: bound };
}

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
  const operands: Value[] = [];
  for (const [key, operand] of Object.entries({ a, b })) {
    if (operand instanceof Value) operands.push(operand);
    else if (typeof operand !== "number" && !(operand === undefined && key === "b"))
      throw argumentError(name, `operand ${key}`, operand, "a value of a graph or a number");
  }
  if (operands.length === 0)
    throw new ShapeError("OPERANDS", `${name}: all operands are numbers; at least one has to be a value`);
  const builder = builderOf(name, Object.fromEntries(operands.map((operand, i) => [`operand ${i}`, operand])));
  for (const operand of operands) expectFloat(operand, name);
  const shape = commonShape(operands, name);
  const values: Partial<Record<Name, Value>> = {};
  const constants: Partial<Record<Name, number>> = {};
  for (const [key, operand] of [
    ["a", a],
    ["b", b],
  ] as const) {
    if (typeof operand === "number")
      constants[key] = floatSetting(`operand ${key}`, operand, ANY, settingOf(builder.label(name)));
    else if (operand) values[key] = broadcastTo(operand, shape);
  }
  const apply = (body: (e: Environment) => Float, label: string): Value => {
    const { program, uses } = programOver(body, constants);
    const inputs = uses.map((used) => {
      const value = values[used];
      if (!value) throw argumentError(name, `operand ${used}`, undefined, "a value of a graph or a number");
      return value;
    });
    // The gradient of a sum is the gradient itself: no kernel is needed.
    if (program.steps.length === 0 && inputs.length === 1) return inputs[0];
    return map(program, inputs, { name: label, shape });
  };
  const y = apply(operator.forward, name);
  const count = elementCount(shape);
  if (operands.length === 2 && operands.every((operand) => elementCount(operand.shape) < count))
    builder.warn(
      y,
      "BROADCAST",
      `${operands.join(" and ")} broadcast to ${y}, which is larger than both; reshape one to the shape of the other, ` +
        "or write broadcastTo if you want this",
    );
  values.y = y;
  const differentiable = (["a", "b"] as const).filter((key) => values[key]);
  return y.withOrigin(
    differentiable.map((key) => values[key]!),
    (gradient) => {
      values.g = gradient;
      return differentiable.map((key) => {
        const body = operator.gradient[key];
        return body && apply(body, `${name}-gradient`);
      });
    },
  );
}

/** An element-wise operator of ops/, with the data for its tests. */
interface Declaration extends Elementwise {
  /** Its place among the element-wise vectors (see `Check`). */
  readonly number: number;
  /** The function from the textbook, in float64. */
  textbook(m: Textbook, a: number, b: number): number;
  /** The least operand that the tests use; -2. The greatest is 2. */
  readonly from?: number;
  readonly digests: Digests;
}

/** The function of a declared operator, together with its declaration. */
export interface ElementwiseOperator {
  /** How many operands there are. */
  readonly operands: 1 | 2;
  readonly elementwise: Elementwise;
  readonly check: Check;
}

function checkOf(name: string, declaration: Declaration, operands: 1 | 2): Check {
  const { number, digests, textbook, from = -2 } = declaration;
  const a = { shape: [3, 5], from, to: 2 };
  // b broadcasts, so its gradient is summed.
  const trial = {
    operands: operands === 1 ? [a] : [a, { ...a, shape: [5] }],
    apply: (x: Value, y?: Value) => elementwise(name, declaration, x, y),
    textbook: (m: Textbook, x: number[], y?: number[]) => x.map((value, i) => textbook(m, value, y?.[i % 5] ?? 0)),
  };
  return { number, name, digests, gradient: [trial] };
}

/** Makes an operator of one operand from its declaration. */
export function unary(name: string, declaration: Declaration): ((x: Value) => Value) & ElementwiseOperator {
  const apply = (x: Value): Value => {
    expectValue(x, name, "x");
    return elementwise(name, declaration, x);
  };
  return Object.assign(apply, { operands: 1, elementwise: declaration, check: checkOf(name, declaration, 1) } as const);
}

/** Makes an operator of two operands from its declaration. */
export function binary(
  name: string,
  declaration: Declaration,
): ((a: Value | number, b: Value | number) => Value) & ElementwiseOperator {
  const apply = (a: Value | number, b: Value | number): Value => {
    if (b === undefined) throw argumentError(name, "operand b", b, "a value of a graph or a number");
    return elementwise(name, declaration, a, b);
  };
  return Object.assign(apply, { operands: 2, elementwise: declaration, check: checkOf(name, declaration, 2) } as const);
}
