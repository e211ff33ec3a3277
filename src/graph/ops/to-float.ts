/** Integers as floats. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { expectValue, shapeError, type Value } from "../value.ts";

const TO_FLOAT = defineProgram("i", (x) => x.toFloat());

/**
 * Signed integers as floats, rounded to nearest even: i32 [...] → f32 [...]. No gradient flows.
 * @throws {ShapeError} when x is not i32
 */
export function toFloat(x: Value): Value {
  expectValue(x, "to-float", "x");
  if (x.dtype !== "i32") throw shapeError("DTYPE", x.builder, "to-float", `takes i32, not ${x}`);
  return map(TO_FLOAT, [x], { name: "to-float", shape: x.shape });
}

toFloat.check = {
  number: 40,
  name: "to float",
  digests: {
    result: "0x02695c26e0b80aaae2dab0492c80149fad9704aadaab47432af89ec62020cc4c",
  },
  vector: ({ ints }) => ({ y: toFloat(ints(3029, 513)) }),
  gradient: "none",
} satisfies Operator["check"];
