/** Declares element-wise operators of i32 alone. */
import type { Int } from "../repops/programs/expressions.ts";
import type { Environment, Ints } from "./apply-elementwise.ts";
import { labelOf, ofIntegers, ofOneType } from "./elementwise.ts";
import type { Operator } from "./operator.ts";
import type { Value } from "./value.ts";

type Forward = (e: Environment<Ints>) => Int;

/** An operator of one i32 operand; `result` is the digest of its vector. */
export function integerUnary(
  name: string,
  number: number,
  result: string,
  forward: Forward,
): ((x: Value) => Value) & Operator {
  const integers = ofIntegers(forward);
  const apply = (x: Value): Value => ofOneType(labelOf(name), { a: x }, { integers });
  const check: Operator["check"] = {
    number,
    name,
    digests: { result },
    vector: ({ ints }) => ({ y: apply(ints(4000 + 2 * number, 1031)) }),
    gradient: "none",
  };
  return Object.assign(apply, { check });
}

/** An operator of two i32 operands; `result` is the digest of its vector. */
export function integerBinary(
  name: string,
  number: number,
  result: string,
  forward: Forward,
): ((a: Value | number, b: Value | number) => Value) & Operator {
  const integers = ofIntegers(forward);
  const apply = (a: Value | number, b: Value | number): Value => ofOneType(labelOf(name), { a, b }, { integers });
  const check: Operator["check"] = {
    number,
    name,
    digests: { result },
    vector: ({ ints }) => ({ y: apply(ints(4000 + 2 * number, 1031), ints(4001 + 2 * number, 1031)) }),
    gradient: "none",
  };
  return Object.assign(apply, { check });
}
