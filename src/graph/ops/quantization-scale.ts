/** The scales of quantised tensors, and one bit for each element. */
import { describe } from "../../errors/arguments.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { abs } from "./abs.ts";
import { amax, amin } from "./extremes.ts";
import { mean } from "./mean.ts";
import { nearest } from "./quantize.ts";
import { broadcastTo } from "./sum.ts";

/** How wide a quantised number is. */
export type Bits = 1 | 2 | 4 | 8;

/**
 * The scale of a symmetric range: the greatest magnitude over 2^(bits-1) - 1, with the axes kept at extent 1,
 * so that it broadcasts to x. A scale of zeros is 1. No gradient flows.
 * @param bits 8, 4 or 2; 1 gives the mean magnitude, which `dequantizeSign` takes
 * @param axes those that share a scale, counted from the end where negative; default all
 * @param name the label of the operator; "quantization-scale"
 * @throws {ShapeError} when x is not f32, or an axis does not exist; {GraphError} for other bits
 */
export function quantizationScale(x: Value, bits: Bits, axes?: readonly number[], name = "quantization-scale"): Value {
  expectFloat(x, name);
  if (![1, 2, 4, 8].includes(bits))
    throw settingOf(x.builder.label(name))(`bits is ${describe(bits)}; take 1, 2, 4 or 8`, { found: bits });
  const options = { keepdim: true, name: `${name}-magnitude` };
  const magnitude = bits === 1 ? mean(abs(x), axes, options) : amax(abs(x), axes, options);
  const most = bits === 1 ? 1 : 2 ** (bits - 1) - 1;
  const program = defineProgram("f", (top) => top.eq(0).select(1, top.div(most)));
  return map(program, [magnitude], { name, shape: magnitude.shape });
}

/**
 * The scale and the zero point of the range that reaches from the least element, or 0, to the greatest, or 0:
 * f32 and i32, with the axes kept at extent 1. For integers without a sign: `signed: false`. No gradient
 * flows.
 * @param bits 8, 4 or 2
 * @param axes those that share a scale, counted from the end where negative; default all
 * @param name the label of the operator; "affine-scale"
 * @throws {ShapeError} when x is not f32, or an axis does not exist; {GraphError} for other bits
 */
export function affineScale(
  x: Value,
  bits: 2 | 4 | 8,
  axes?: readonly number[],
  name = "affine-scale",
): { scale: Value; zeroPoint: Value } {
  expectFloat(x, name);
  if (![2, 4, 8].includes(bits))
    throw settingOf(x.builder.label(name))(`bits is ${describe(bits)}; take 2, 4 or 8`, { found: bits });
  const most = 2 ** bits - 1;
  const [least, greatest] = [amin, amax].map((ends) => ends(x, axes, { keepdim: true, name: `${name}-end` }));
  const options = { name, shape: least.shape };
  const scale = map(
    defineProgram("ff", (low, high) => {
      const width = high.max(0).sub(low.min(0));
      return width.eq(0).select(1, width.div(most));
    }),
    [least, greatest],
    options,
  );
  const place = defineProgram("ff", (low, by) => nearest(low.min(0).neg().div(by).min(most)).toI32());
  return { scale, zeroPoint: map(place, [least, scale], { ...options, name: `${name}-zero` }) };
}

const IS_POSITIVE = defineProgram("f", (x) => x.lt(0).selectInt(0, 1));
const SIGNED = defineProgram("if", (bit, scale) => bit.eq(0).select(scale.neg(), scale));

/**
 * One bit for each element: 1 where it is not below 0, else 0: f32 [...] → i32 of the same shape. No gradient
 * flows.
 * @param name the label of the operator; "quantize-sign"
 * @throws {ShapeError} when x is not f32
 */
export function quantizeSign(x: Value, name = "quantize-sign"): Value {
  expectFloat(x, name);
  return map(IS_POSITIVE, [x], { name, shape: x.shape });
}

/**
 * The scale for a bit of 1, and minus the scale for 0: i32 [...] → f32 of the same shape.
 * @param scale f32 that broadcasts to the shape of x; `quantizationScale` of 1 bit is the mean magnitude
 * @param name the label of the operator; "dequantize-sign"
 * @throws {ShapeError} when the scale does not broadcast, or an operand has another dtype
 * @throws {GraphError} when the operands belong to two graphs
 */
export function dequantizeSign(x: Value, scale: Value, name = "dequantize-sign"): Value {
  const builder = builderOf(name, { x, scale });
  expectFloat(scale, name, "scale");
  if (x.dtype !== "i32") throw shapeError("DTYPE", builder, name, `takes i32 bits, not ${x}`);
  return map(SIGNED, [x, broadcastTo(scale, x.shape)], { name, shape: x.shape });
}

quantizationScale.check = {
  number: 215,
  name: "quantization scale",
  digests: {
    result: "0xc6e5111276300ae63026a352aa313893318e19f42469e758518b5807acf6ee11",
  },
  vector: ({ x }) => ({ y: quantizationScale(x, 4, [1]) }),
  gradient: "none",
} satisfies Operator["check"];

affineScale.check = {
  number: 216,
  name: "affine scale",
  digests: {
    result: "0x98c32cf1c7301d6369ee1dab037c04b18d8e58668b89a70f8878e79288a076d9",
  },
  vector: ({ x }) => ({ y: affineScale(x, 8, [0]).zeroPoint }),
  gradient: "none",
} satisfies Operator["check"];

quantizeSign.check = {
  number: 217,
  name: "quantize sign",
  digests: {
    result: "0xc2413a19c3eb8d7c79738185ffd5d40e6f352e5c9231df07b3b9c6a94fb08c0a",
  },
  vector: ({ x }) => ({ y: quantizeSign(x) }),
  gradient: "none",
} satisfies Operator["check"];

dequantizeSign.check = {
  number: 218,
  name: "dequantize sign",
  digests: {
    result: "0x0783129f4941141067fa3b0ec94d8ee0075752aed46681810b2214b696bf7ea2",
  },
  vector: ({ classes, floats }) => ({ y: dequantizeSign(classes, floats(3166, 13)) }),
  gradient: "none",
} satisfies Operator["check"];
