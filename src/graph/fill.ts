/** Tensors with one constant value. */
import type { Shape } from "../encoding/tensor.ts";
import { defineProgram, float, int } from "../repops/programs/expressions.ts";
import type { GraphBuilder } from "./builder.ts";
import { map } from "./emit.ts";
import { argumentError, type Value } from "./value.ts";

/**
 * f32 `shape`, every element `value`, rounded to a vf32. No gradient flows.
 * @param name the label of the operator; "fill"
 * @throws {ProgramError} when the rounded value is not a vf32: 0, or a magnitude from 2^-125 to 2^127
 */
export function fill(builder: GraphBuilder, shape: Shape, value: number, name = "fill"): Value {
  if (typeof value !== "number") throw argumentError(name, "value", value, "a number");
  return map(
    defineProgram("", () => float(value)),
    [],
    { name, shape, builder },
  );
}

/**
 * i32 `shape`, every element `value`.
 * @param name the label of the operator; "fill"
 * @throws {ProgramError} when the value is no integer from -2^31 to 2^32 - 1
 */
export function fillInt(builder: GraphBuilder, shape: Shape, value: number, name = "fill"): Value {
  if (typeof value !== "number") throw argumentError(name, "value", value, "a number");
  return map(
    defineProgram("", () => int(value)),
    [],
    { name, shape, builder },
  );
}
