/**
 * Applies element-wise operators: the operands are broadcast to one shape, numbers become constants, and the
 * map kernels of both directions are made from the operator's expressions.
 */
import { type DType, elementCount, type Shape } from "../encoding/tensor.ts";
import { ANY, floatSetting, INT32, wholeSetting } from "../repops/numbers/settings.ts";
import type { Program } from "../repops/programs/program.ts";
import { defineProgram, float, type Float, int, type Int } from "../repops/programs/expressions.ts";
import { map } from "./emit.ts";
import { broadcastTo } from "./ops/sum.ts";
import { argumentError, builderOf, expectFloat, settingOf, shapeError, Value } from "./value.ts";

/** The names of operands. */
export type OperandName = "a" | "b" | "c";
type Name = OperandName | "g" | "y";
/** The expressions of the operands' elements, and of the result's. */
export type Elements = Record<OperandName | "y", Float | Int>;
/** Elements of f32 tensors. */
export type Floats = Record<OperandName | "y", Float>;
/** Elements of i32 tensors. */
export type Ints = Record<OperandName | "y", Int>;
/** The elements, and that of the gradient of the result. */
export type Environment<E extends Elements = Floats> = Readonly<E & { g: Float }>;

/** An element-wise operator as expressions over elements (spec 5.2); of f32, unless it says otherwise. */
export interface Elementwise<E extends Elements = Floats> {
  /** The result's element from the element of a, and of b and c where there are such operands. */
  forward(e: Environment<E>): Float | Int;
  /**
   * The gradient of each operand's element from g, a, b, c and y. Absent: no gradient flows to that operand.
   */
  gradient: { [N in OperandName]?: (e: Environment<E>) => Float };
}

/** Operands by name, and their types. */
export type Operands = Partial<Record<OperandName, Value | number>>;
export type Types = Readonly<Record<OperandName, DType>>;

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
 * A program whose inputs are the names that `body` uses. Names that are bound to constants are none.
 */
function programOver<E extends Elements>(
  body: (e: Environment<E>) => Float | Int,
  constants: Partial<Record<Name, Float | Int>>,
  types: Types,
): { program: Program; uses: Name[] } {
  const uses: Name[] = [];
  const isInt = (name: Name): boolean => name !== "g" && name !== "y" && types[name] === "i32";
  const environment = (inputs: Partial<Record<Name, Float | Int>>): Environment<E> => {
    const get = (name: Name): Float | Int => {
      const constant = constants[name];
      if (constant !== undefined) return constant;
      if (!uses.includes(name)) uses.push(name);
      return inputs[name] ?? (isInt(name) ? int(0) : float(0));
    };
    const names: readonly Name[] = ["a", "b", "c", "g", "y"];
    const properties = Object.fromEntries(names.map((name) => [name, { get: () => get(name) }]));
    return Object.defineProperties({}, properties) as Environment<E>;
  };
  body(environment({})); // A first pass finds the names that are used.
  const bound = [...uses];
  const letters = bound.map((name) => (isInt(name) ? "i" : "f")).join("");
  const program = defineProgram(letters, (...inputs: (Float | Int)[]) =>
    body(environment(Object.fromEntries(bound.map((name, i) => [name, inputs[i]])))),
  );
  return { program, uses: bound };
}

function expectType(operand: Value, type: DType, name: string): void {
  if (type === "f32") expectFloat(operand, name);
  else if (operand.dtype !== "i32")
    throw shapeError("DTYPE", operand.builder, name, `takes i32, not ${operand}; convert it with toInt first`);
}

/**
 * Applies an operator to operands of these types, at least one of which is a value.
 * @param name the label of the operator; its gradients have the label `NAME-gradient`
 * @throws {ShapeError} when the shapes do not broadcast, or an operand has another type
 * @throws {GraphError} when a number is not one of its operand's type once it is rounded
 */
export function applyElementwise<E extends Elements>(
  name: string,
  operator: Elementwise<E>,
  operands: Operands,
  types: Types,
): Value {
  const named = Object.entries(operands) as [OperandName, Value | number][];
  const given = named.flatMap(([key, operand]) => (operand instanceof Value ? [{ key, operand }] : []));
  const read = given.map(({ operand }) => operand);
  const builder = builderOf(name, Object.fromEntries(read.map((operand, i) => [`operand ${i}`, operand])));
  for (const { key, operand } of given) expectType(operand, types[key], name);
  const shape = commonShape(read, name);
  const values: Partial<Record<Name, Value>> = {};
  const constants: Partial<Record<Name, Float | Int>> = {};
  for (const [key, operand] of named) {
    const setting = `operand ${key}`;
    const refuse = settingOf(builder.label(name));
    if (operand instanceof Value) values[key] = broadcastTo(operand, shape);
    else if (types[key] === "f32") constants[key] = float(floatSetting(setting, operand, ANY, refuse));
    else constants[key] = int(wholeSetting(setting, operand, INT32, refuse));
  }
  const apply = (body: (e: Environment<E>) => Float | Int, label: string): Value => {
    const { program, uses } = programOver(body, constants, types);
    const inputs = uses.map((used) => {
      const value = values[used];
      if (!value) throw argumentError(name, `operand ${used}`, undefined, "a value of a graph or a number");
      return value;
    });
    // The gradient of a sum is the gradient itself: no kernel is needed.
    if (program.steps.length === 0 && inputs.length === 1) return inputs[0];
    return map(program, inputs, { name: label, shape });
  };
  const y = apply((e) => operator.forward(e), name);
  const count = elementCount(shape);
  if (read.length >= 2 && read.every((operand) => elementCount(operand.shape) < count))
    builder.warn(
      y,
      "BROADCAST",
      `${read.join(" and ")} broadcast to ${y}, which is larger than both; reshape one to the shape of the other, ` +
        "or write broadcastTo if you want this",
    );
  if (y.dtype !== "f32") return y;
  values.y = y;
  const differentiable = given.flatMap(({ key, operand }) => (operand.dtype === "f32" ? [key] : []));
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
