/** Floats as integers. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { expectFloat, type Value } from "../value.ts";

const TO_INT = defineProgram("f", (x) => x.toI32());

/**
 * Floats cut toward zero, clamped to 32 bits: f32 [...] → i32 [...]. No gradient flows.
 * @throws {ShapeError} when x is not f32
 */
export function toInt(x: Value): Value {
  expectFloat(x, "to-int");
  return map(TO_INT, [x], { name: "to-int", shape: x.shape });
}

toInt.check = {
  number: 39,
  name: "to int",
  digests: {
    result: "0xd1481388509dfff216aba354020283f8df7e1ff77414e6a6fc03d12c7d7d461c",
  },
  vector: ({ x }) => ({ y: toInt(x) }),
  gradient: "none",
} satisfies Operator["check"];
