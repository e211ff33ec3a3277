/** Comparisons. There is no type for truth values: they are i32, 1 or 0. */
import type { Bool } from "../../repops/programs/expressions.ts";
import type { Elementwise, Environment, Ints } from "../apply-elementwise.ts";
import { ofIntegers, ofOneType } from "../elementwise.ts";
import type { Operator } from "../operator.ts";
import type { Value } from "../value.ts";
import { bitwiseAnd } from "./bitwise.ts";
import { toFloat } from "./to-float.ts";
import { add } from "./add.ts";

type Compare = (a: Value | number, b: Value | number) => Value;

function comparison(
  name: string,
  number: number,
  result: string,
  ofFloats: (e: Environment) => Bool,
  ofInts: (e: Environment<Ints>) => Bool,
): Compare & Operator {
  const floats: Elementwise = { forward: (e) => ofFloats(e).selectInt(1, 0), gradient: {} };
  const integers = ofIntegers((e) => ofInts(e).selectInt(1, 0));
  const compare: Compare = (a, b) => ofOneType(name, { a, b }, { floats, integers });
  const check: Operator["check"] = {
    number,
    name,
    digests: { result },
    // Operands from 0 to 3, so that many are equal; both types in one result.
    vector: ({ ints }) => {
      const [a, b] = [2 * number, 2 * number + 1].map((seed) => bitwiseAnd(ints(4000 + seed, 513), 3));
      const both = compare(toFloat(a), toFloat(b));
      return { y: add(compare(a, b), add(both, both)) };
    },
    gradient: "none",
  };
  return Object.assign(compare, { check });
}

/**
 * 1 where a = b, else 0: f32 [...] twice or i32 [...] twice, which broadcast to one shape → i32 of that
 * shape. A number becomes a constant. No gradient flows.
 * @throws {ShapeError} when the shapes do not broadcast, the types differ, or both are numbers
 */
export const eq = comparison(
  "eq",
  62,
  "0x03fcfe225813eb3a85edf511958ed3fe4d48287fa557188e50d8219634c4d5e4",
  ({ a, b }) => a.eq(b),
  ({ a, b }) => a.eq(b),
);

/**
 * 1 where a ≠ b, else 0: f32 [...] twice or i32 [...] twice, which broadcast to one shape → i32 of that
 * shape. A number becomes a constant. No gradient flows.
 * @throws {ShapeError} when the shapes do not broadcast, the types differ, or both are numbers
 */
export const ne = comparison(
  "ne",
  63,
  "0xbb9667ae267141c79e56937cfca3d0853c9dfada6ebd364bb20086d195fae6e3",
  ({ a, b }) => a.eq(b).not(),
  ({ a, b }) => a.eq(b).not(),
);

/**
 * 1 where a < b, else 0: f32 [...] twice or i32 [...] twice, which broadcast to one shape → i32 of that
 * shape. A number becomes a constant. No gradient flows.
 * @throws {ShapeError} when the shapes do not broadcast, the types differ, or both are numbers
 */
export const lt = comparison(
  "lt",
  64,
  "0xd9a99ba6cb050663eaaed9f4bff9e05950ed878bd168a49bd0dbec3c0e1f39a6",
  ({ a, b }) => a.lt(b),
  ({ a, b }) => a.lt(b),
);

/**
 * 1 where a ≤ b, else 0: f32 [...] twice or i32 [...] twice, which broadcast to one shape → i32 of that
 * shape. A number becomes a constant. No gradient flows.
 * @throws {ShapeError} when the shapes do not broadcast, the types differ, or both are numbers
 */
export const le = comparison(
  "le",
  65,
  "0x4e3c14acd14f490984e39acaa736d7eccd1df63590b447f2c335073f9eee99f2",
  ({ a, b }) => b.lt(a).not(),
  ({ a, b }) => b.lt(a).not(),
);

/**
 * 1 where a > b, else 0: f32 [...] twice or i32 [...] twice, which broadcast to one shape → i32 of that
 * shape. A number becomes a constant. No gradient flows.
 * @throws {ShapeError} when the shapes do not broadcast, the types differ, or both are numbers
 */
export const gt = comparison(
  "gt",
  66,
  "0x6578ce371253fd783d705379f0ea996cae67a1b7d2461c2a08e8c00f7877864f",
  ({ a, b }) => b.lt(a),
  ({ a, b }) => b.lt(a),
);

/**
 * 1 where a ≥ b, else 0: f32 [...] twice or i32 [...] twice, which broadcast to one shape → i32 of that
 * shape. A number becomes a constant. No gradient flows.
 * @throws {ShapeError} when the shapes do not broadcast, the types differ, or both are numbers
 */
export const ge = comparison(
  "ge",
  67,
  "0x694874a91d0047434fa0f0723e998961fe586056003e9ea57e3b4d920b8dcf49",
  ({ a, b }) => a.lt(b).not(),
  ({ a, b }) => a.lt(b).not(),
);
