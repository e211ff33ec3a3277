/** Small integers in the bits of 32-bit words, and back. */
import { describe } from "../../errors/arguments.ts";
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { fold, map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { expectValue, settingOf, shapeError, type Value } from "../value.ts";
import type { Bits } from "./quantization-scale.ts";
import { reshape } from "./reshape.ts";
import { pad, slice } from "./slice.ts";
import { unsqueeze } from "./split.ts";
import { broadcastTo } from "./sum.ts";

/** How many integers a word holds. */
function perWord(x: Value, bits: Bits, name: string): number {
  expectValue(x, name, "x");
  if (![1, 2, 4, 8].includes(bits))
    throw settingOf(x.builder.label(name))(`bits is ${describe(bits)}; take 1, 2, 4 or 8`, { found: bits });
  if (x.dtype !== "i32" || x.rank === 0)
    throw shapeError("DTYPE", x.builder, name, `takes rows of i32, not ${x}; quantise it first`);
  return 32 / bits;
}

/**
 * The lowest bits of integers, packed along the last axis: i32 [..., n] → i32 [..., ⌈n · bits / 32⌉]. Integer
 * j of a word has its bits from j · bits on, so the first is the lowest. What a last word lacks is 0.
 * @param bits 1, 2, 4 or 8
 * @param name the label of the operator; "pack-bits"
 * @throws {ShapeError} when x is not i32, or a scalar; {GraphError} for other bits
 */
export function packBits(x: Value, bits: Bits, name = "pack-bits"): Value {
  const per = perWord(x, bits, name);
  const n = x.shape[x.rank - 1];
  const words = Math.ceil(n / per);
  const whole = pad(x, -1, 0, words * per - n);
  const shape = [...x.shape.slice(0, -1), words];
  const step = defineProgram("iii", (acc, q, k) => acc.or(q.and(2 ** bits - 1).shl(k.mul(bits))));
  const options = { name, shape, reduce: [per], start: 0, clampRange: "none" } as const;
  return fold(step, [reshape(whole, [...shape, per]), "index"], options);
}

/**
 * The integers of packed words: i32 [..., ⌈n · bits / 32⌉] → i32 [..., n].
 * @param bits 1, 2, 4 or 8
 * @param n the number of integers in a row
 * @param signed whether the highest of the bits is a sign; false
 * @param name the label of the operator; "unpack-bits"
 * @throws {ShapeError} when x is not i32, or has another number of words; {GraphError} for other bits
 */
export function unpackBits(x: Value, bits: Bits, n: number, signed = false, name = "unpack-bits"): Value {
  const per = perWord(x, bits, name);
  wholeSetting("n", n, { least: 0 }, settingOf(x.builder.label(name)));
  const words = x.shape[x.rank - 1];
  if (words !== Math.ceil(n / per))
    throw shapeError("OPERANDS", x.builder, name, `${n} integers of ${bits} bits are not packed in ${x}`);
  const shape = [...x.shape, per];
  const top = 32 - bits;
  const program = defineProgram("ii", (word, j) => {
    const high = word.shl(j.mul(-bits).add(top));
    return signed ? high.sar(top) : high.shr(top);
  });
  const y = map(program, [broadcastTo(unsqueeze(x, -1), shape), { coordinate: x.rank }], { name, shape });
  return slice(reshape(y, [...x.shape.slice(0, -1), words * per]), -1, 0, n);
}

packBits.check = {
  number: 219,
  name: "pack bits",
  digests: {
    result: "0xdd2b79ae492539d107ed9afc517d9bfec6b991fa648a64c6f97e44fa70f6154a",
  },
  vector: ({ ints }) => ({ y: packBits(ints(3167, 5, 43), 2) }),
  gradient: "none",
} satisfies Operator["check"];

unpackBits.check = {
  number: 220,
  name: "unpack bits",
  digests: {
    result: "0x7bb0ef99c90d648f1740e70d41feb7564e65c3513bd5f3513a1ee7c16996cfb1",
  },
  vector: ({ ints }) => ({ y: unpackBits(ints(3168, 5, 6), 4, 43, true) }),
  gradient: "none",
} satisfies Operator["check"];
