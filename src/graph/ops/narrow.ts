/** Values of narrower formats. */
import { roundToBf16, roundToF16 } from "../../repops/functions/rounding.ts";
import { elementwise } from "../elementwise.ts";
import type { Operator } from "../operator.ts";
import type { Value } from "../value.ts";

/**
 * x rounded to nearest even to what binary16 holds, still as f32: f32 [...] → f32 [...]. Like PyTorch's
 * x.half().float(), but ±65504 in place of infinities. The gradient passes unchanged, as if nothing were
 * rounded.
 * @throws {ShapeError} when x is not f32
 */
export function toF16(x: Value): Value {
  return elementwise("to-f16", { forward: ({ a }) => roundToF16(a), gradient: { a: ({ g }) => g } }, x);
}

toF16.check = {
  number: 79,
  name: "toF16",
  digests: {
    result: "0x6dd667c2fc69325fb8dbea50fa67a1220ef7bca683b054cc61f0a737e67133a5",
  },
  vector: ({ floats }) => ({ y: toF16(floats(4158, 1031)) }),
  // It is not that of the rounded function, so it can't be compared with differences.
  gradient: "none",
} satisfies Operator["check"];

/**
 * x rounded to nearest even to what bfloat16 holds, still as f32: f32 [...] → f32 [...]. Like PyTorch's
 * x.bfloat16().float(), but at most ±2^127. The gradient passes unchanged, as if nothing were rounded.
 * @throws {ShapeError} when x is not f32
 */
export function toBf16(x: Value): Value {
  return elementwise("to-bf16", { forward: ({ a }) => roundToBf16(a), gradient: { a: ({ g }) => g } }, x);
}

toBf16.check = {
  number: 80,
  name: "toBf16",
  digests: {
    result: "0x5d219c61aec4ed79bf401fcd21035a345315501e10a1b7f2415f44f594b281b3",
  },
  vector: ({ floats }) => ({ y: toBf16(floats(4160, 1031)) }),
  // It is not that of the rounded function, so it can't be compared with differences.
  gradient: "none",
} satisfies Operator["check"];
