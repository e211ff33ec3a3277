/** A choice between two elements. */
import type { Float, Int } from "../../repops/programs/expressions.ts";
import { applyElementwise, type Elementwise } from "../apply-elementwise.ts";
import type { Operator } from "../operator.ts";
import { argumentError, expectValue, shapeError, Value } from "../value.ts";
import { gt } from "./comparisons.ts";

/** a is the condition. */
const FLOATS: Elementwise<{ a: Int; b: Float; c: Float; y: Float }> = {
  forward: ({ a, b, c }) => a.eq(0).select(c, b),
  gradient: { b: ({ g, a }) => a.eq(0).select(0, g), c: ({ g, a }) => a.eq(0).select(g, 0) },
};
const INTS: Elementwise<{ a: Int; b: Int; c: Int; y: Int }> = {
  forward: ({ a, b, c }) => a.eq(0).selectInt(c, b),
  gradient: {},
};

/**
 * a where the condition is not 0, else b: i32 [...], and f32 or i32 [...] twice, which broadcast to one shape
 * → the type of a and b. A number becomes a constant; two numbers are f32.
 *
 *     const y = where(gt(x, 0), x, 0);
 *
 * @throws {ShapeError} when the shapes do not broadcast, the condition is not i32, or a and b have two types
 */
export function where(condition: Value, a: Value | number, b: Value | number): Value {
  expectValue(condition, "where", "condition");
  for (const [name, given] of Object.entries({ a, b }))
    if (!(given instanceof Value) && typeof given !== "number")
      throw argumentError("where", name, given, "a value of a graph or a number");
  const values = [a, b].filter((given) => given instanceof Value);
  const type = values[0]?.dtype ?? "f32";
  if (values.some(({ dtype }) => dtype !== type))
    throw shapeError(
      "DTYPE",
      condition.builder,
      "where",
      `takes a and b of one type, not ${values.join(" and ")}; convert one with toFloat or toInt`,
    );
  const operands = { a: condition, b: a, c: b };
  const types = { a: "i32", b: type, c: type } as const;
  return type === "f32"
    ? applyElementwise("where", FLOATS, operands, types)
    : applyElementwise("where", INTS, operands, types);
}

where.check = {
  number: 61,
  name: "where",
  digests: {
    result: "0xb055384cc2433ca83a5e86efdb44a947fd2bd9d73eecb6bbaf74fb7983412f07",
    "gradient 0": "0x9b152a23c346684d0df4286c40bfa951db3aa22103cd69779319c2dac2ff43f5",
    "gradient 1": "0xffd88d4ee8bd16bf2a1b07939d6ff2cb774ff127bb56586e49257f610d8fd64d",
  },
  vector: ({ x, g, floats }) => {
    // The condition gets no gradient, so gradient 0 is that of a.
    return { y: where(gt(x, floats(3061, 37)), x, g), gradient: g };
  },
  gradient: [
    {
      operands: [{ shape: [3, 5] }, { shape: [5] }, { shape: [3, 5] }],
      apply: (x, a, b) => where(gt(x, 0.1), a, b),
      textbook: (_, x, a, b) => x.map((value, i) => (value > Math.fround(0.1) ? a[i % 5] : b[i])),
    },
  ],
} satisfies Operator["check"];
