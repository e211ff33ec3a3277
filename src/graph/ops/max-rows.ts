/** The greatest element of a row. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { MAX_VALUE } from "../../repops/numbers/vf32.ts";
import type { Operator } from "../operator.ts";
import { foldRows } from "../rows.ts";
import { expectFloat, shapeError, type Value } from "../value.ts";

const MAX_STEP = defineProgram("ff", (acc, x) => acc.max(x));

/**
 * The maximum over the last axis: f32 [..., n] → [...]; -2^127 over no elements. The order of the elements
 * does not change the bits. No gradient flows.
 * @param name the label of the operator; "max"
 * @throws {ShapeError} when x is a scalar or not f32
 */
export function maxRows(x: Value, name = "max"): Value {
  expectFloat(x, name);
  if (x.rank === 0) throw shapeError("AXIS", x.builder, name, "takes rows, not a scalar; give it an axis");
  return foldRows([x], { steps: [MAX_STEP, MAX_STEP], clampRanges: ["none", "none"], start: -MAX_VALUE, name });
}

maxRows.check = {
  number: 28,
  name: "maximum of rows",
  digests: {
    result: "0xd59ee48b38a0003f81d0b198fc99500b24ad6cb3c539fac996874ef32057140f",
  },
  vector: ({ x }) => ({ y: maxRows(x) }),
  gradient: "none",
} satisfies Operator["check"];
