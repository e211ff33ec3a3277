/** Tensors that depend on nothing, and conversions between the two types. */
import type { Shape } from "../../encoding/tensor.ts";
import { defineProgram, float, int } from "../../repops/programs/expressions.ts";
import type { GraphBuilder } from "../builder.ts";
import { map } from "../emit.ts";
import { expectFloat, shapeError, type Value } from "../value.ts";

/** Every element is `value`, rounded to a vf32. */
export function fill(builder: GraphBuilder, shape: Shape, value: number, name = "fill"): Value {
  return map(
    defineProgram("", () => float(value)),
    [],
    { name, shape, builder },
  );
}

/** Every element is the 32-bit integer `value`. */
export function fillInt(builder: GraphBuilder, shape: Shape, value: number, name = "fill"): Value {
  return map(
    defineProgram("", () => int(value)),
    [],
    { name, shape, builder },
  );
}

const TO_FLOAT = defineProgram("i", (x) => x.toFloat());
const TO_INT = defineProgram("f", (x) => x.toI32());

/** Signed integers as floats, rounded to nearest even. */
export function toFloat(x: Value): Value {
  if (x.dtype !== "i32") throw shapeError("DTYPE", x.builder, "to-float", `takes i32, not ${x}`);
  return map(TO_FLOAT, [x], { name: "to-float", shape: x.shape });
}

/** Floats cut toward zero, saturating. No gradient flows. */
export function toInt(x: Value): Value {
  expectFloat(x, "to-int");
  return map(TO_INT, [x], { name: "to-int", shape: x.shape });
}
