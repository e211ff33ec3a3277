/** Element-wise operators on values: shapes broadcast, and a number in place of an operand becomes a constant. */
import type { Program } from "../../repops/programs/program.ts";
import { defineProgram, float, type Float } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { type Elementwise, ELEMENTWISE, type ElementwiseName, type Environment, type Name } from "./operators.ts";
import { broadcastTo, commonShape } from "./reduce.ts";
import { expectFloat, Value } from "../value.ts";

/** A program over the names that `body` uses; names bound to numbers become constants. */
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
 * Applies an operator declared like those of `ELEMENTWISE` to values that broadcast to one shape.
 * @throws {ShapeError} when the shapes do not broadcast or an operand is not f32
 */
export function elementwise(name: string, operator: Elementwise, a: Value | number, b?: Value | number): Value {
  const operands = [a, b].filter((operand): operand is Value => operand instanceof Value);
  for (const operand of operands) expectFloat(operand, name);
  const shape = commonShape(operands, name);
  const values: Partial<Record<Name, Value>> = {};
  const constants: Partial<Record<Name, number>> = {};
  for (const [key, operand] of [
    ["a", a],
    ["b", b],
  ] as const) {
    if (typeof operand === "number") constants[key] = operand;
    else if (operand) values[key] = broadcastTo(operand, shape);
  }
  const apply = (body: (e: Environment) => Float, label: string): Value => {
    const { program, uses } = programOver(body, constants);
    const inputs = uses.map((used) => values[used]!);
    // The gradient of a sum is the gradient itself: no kernel is needed.
    if (program.steps.length === 0 && inputs.length === 1) return inputs[0];
    return map(program, inputs, { name: label, shape });
  };
  const y = apply(operator.forward, name);
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

const unary =
  (name: ElementwiseName) =>
  (x: Value): Value =>
    elementwise(name, ELEMENTWISE[name], x);
const binary =
  (name: ElementwiseName) =>
  (a: Value | number, b: Value | number): Value =>
    elementwise(name, ELEMENTWISE[name], a, b);

export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
/** Correctly rounded; x/0 is ±2^127, 0/0 is 0. */
export const div = binary("div");
export const maximum = binary("maximum");
export const minimum = binary("minimum");
export const neg = unary("neg");
export const abs = unary("abs");
export const square = unary("square");
/** Correctly rounded; 0 below 0. */
export const sqrt = unary("sqrt");
/** 2^127 at and below 0. */
export const rsqrt = unary("rsqrt");
export const exp = unary("exp");
/** -2^127 at and below 0. */
export const log = unary("log");
export const sin = unary("sin");
export const cos = unary("cos");
export const tanh = unary("tanh");
export const sigmoid = unary("sigmoid");
export const relu = unary("relu");
export const gelu = unary("gelu");
export const silu = unary("silu");
