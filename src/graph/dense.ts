/** Copies, for kernels and outputs that need a tensor of their own. */
import { defineProgram } from "../repops/programs/expressions.ts";
import { map } from "./emit.ts";
import { expectValue, isDense, type Value } from "./value.ts";

/** The programs that copy an element. */
export const COPY = { f32: defineProgram("f", (x) => x), i32: defineProgram("i", (x) => x) } as const;

/**
 * The same values, row-major in a tensor of their own: any [...] → the same [...]. Only a view is copied. A
 * tensor is returned unchanged.
 * @param name the label of the copy; "copy"
 */
export function dense(x: Value, name = "copy"): Value {
  expectValue(x, name, "x");
  if (isDense(x)) return x;
  return map(COPY[x.dtype], [x], { name, shape: x.shape }).withOrigin([x], (gradient) => [gradient]);
}
