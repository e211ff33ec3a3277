/** Floats as small integers with a scale, and back. */
import { checkOptions, describe } from "../../errors/arguments.ts";
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { defineProgram, type Float, type Int } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { fill } from "../fill.ts";
import type { Operator } from "../operator.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { broadcastTo } from "./sum.ts";

/** The options of `quantize` and `fakeQuantize`. */
export interface QuantizeOptions {
  /** 8, 4 or 2; 8 by default. One bit is a sign: `quantizeSign`. */
  readonly bits?: 2 | 4 | 8;
  /** The integer that stands for 0: one number, or i32 that broadcasts like the scale; 0. */
  readonly zeroPoint?: number | Value;
  /** Whether integers are from -2^(bits-1) to 2^(bits-1) - 1, and not from 0 to 2^bits - 1; true. */
  readonly signed?: boolean;
  /** The label of the operator. */
  readonly name?: string;
}

/**
 * The nearest integer, halves to even, of a magnitude below 2^22. Adding 1.5 · 2^23 leaves no place for a
 * fraction, and the addition rounds to nearest even.
 */
export const nearest = (x: Float): Float => x.add(1.5 * 2 ** 23).sub(1.5 * 2 ** 23);

interface Grid {
  readonly name: string;
  /** The quotient, with a limit that is outside of every range, rounded. */
  rounded(x: Float, scale: Float): Int;
  /** The least and the greatest integer. */
  readonly low: number;
  readonly high: number;
  readonly scale: Value;
  readonly zeroPoint: number | Value;
}

function gridOf(x: Value, scale: Value, options: QuantizeOptions, label: string): Grid {
  checkOptions(options, ["bits", "zeroPoint", "signed", "name"], settingOf(label));
  const { bits = 8, zeroPoint = 0, signed = true, name = label } = options;
  const zero = typeof zeroPoint === "number" ? undefined : zeroPoint;
  const builder = builderOf(name, { x, scale, ...(zero && { "the zero point": zero }) });
  for (const value of [x, scale]) expectFloat(value, name);
  const refuse = settingOf(builder.label(name));
  if (![2, 4, 8].includes(bits)) throw refuse(`bits is ${describe(bits)}; take 2, 4 or 8`, { found: bits });
  if (typeof signed !== "boolean") throw refuse(`signed is ${describe(signed)}; take true or false`);
  const [low, high] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  if (zero ? zero.dtype !== "i32" : false)
    throw shapeError("DTYPE", builder, name, `the zero point is ${zero}; give i32, or a number`);
  if (!zero) wholeSetting("the zero point", zeroPoint, { least: low, most: high }, refuse);
  return {
    name,
    rounded: (value, by) =>
      nearest(
        value
          .div(by)
          .max(-(2 ** 20))
          .min(2 ** 20),
      ).toI32(),
    low,
    high,
    scale: broadcastTo(scale, x.shape),
    zeroPoint: zero ? broadcastTo(zero, x.shape) : zeroPoint,
  };
}

const clamped = (x: Int, low: number, high: number): Int => {
  const above = x.lt(low).selectInt(low, x);
  return above.lt(high).selectInt(above, high);
};

/**
 * Integers for floats: round(x / scale) + zero point, halves to even, cut to what the bits hold: f32 [...] →
 * i32 of the same shape. PyTorch multiplies by the reciprocal of the scale; ours divides, which rounds once.
 * A scale of 0 gives the ends of the range. No gradient flows; `fakeQuantize` has one.
 * @param scale f32 that broadcasts to the shape of x: one for the tensor, or [rows, 1], or for groups of a
 *   row that `reshape` has made an axis of their own
 * @param options `{ bits, zeroPoint, signed, name }`, 8, 0, true and "quantize" by default
 * @throws {ShapeError} when the scale or the zero point does not broadcast, or has another dtype
 * @throws {GraphError} when the operands belong to two graphs, or for other options
 */
export function quantize(x: Value, scale: Value, options: QuantizeOptions = {}): Value {
  const { name, rounded, low, high, zeroPoint, ...grid } = gridOf(x, scale, options, "quantize");
  const whole = { name, shape: x.shape };
  if (typeof zeroPoint !== "number") {
    const program = defineProgram("ffi", (value, by, zero) => clamped(rounded(value, by).add(zero), low, high));
    return map(program, [x, grid.scale, zeroPoint], whole);
  }
  const program = defineProgram("ff", (value, by) => clamped(rounded(value, by).add(zeroPoint), low, high));
  return map(program, [x, grid.scale], whole);
}

/**
 * Floats for integers: (x - zero point) · scale: i32 [...] → f32 of the same shape.
 * @param scale f32 that broadcasts to the shape of x
 * @param zeroPoint a whole number, or i32 that broadcasts to the shape of x; 0
 * @param name the label of the operator; "dequantize"
 * @throws {ShapeError} when an operand does not broadcast, or has another dtype
 * @throws {GraphError} when the operands belong to two graphs
 */
export function dequantize(x: Value, scale: Value, zeroPoint: number | Value = 0, name = "dequantize"): Value {
  const zero = typeof zeroPoint === "number" ? undefined : zeroPoint;
  const builder = builderOf(name, { x, scale, ...(zero && { "the zero point": zero }) });
  expectFloat(scale, name, "scale");
  if (x.dtype !== "i32" || (zero && zero.dtype !== "i32"))
    throw shapeError(
      "DTYPE",
      builder,
      name,
      `takes i32 integers and an i32 zero point, not ${x}${zero ? ` and ${zero}` : ""}`,
    );
  const least = -(2 ** 31);
  if (!zero) wholeSetting("the zero point", zeroPoint, { least }, settingOf(builder.label(name)));
  const wide = broadcastTo(scale, x.shape);
  const whole = { name, shape: x.shape };
  if (zero) {
    const program = defineProgram("ifi", (q, by, at) => q.sub(at).toFloat().mul(by));
    return map(program, [x, wide, broadcastTo(zero, x.shape)], whole);
  }
  const program = defineProgram("if", (q, by) =>
    q
      .sub(zeroPoint as number)
      .toFloat()
      .mul(by),
  );
  return map(program, [x, wide], whole);
}

/**
 * What `quantize` and `dequantize` make of x: f32 [...] → the same shape. Its gradient is that of x itself
 * where the integer is not cut to the range, and 0 elsewhere: the straight-through estimate, as in PyTorch.
 * None flows to the scale.
 * @param scale f32 that broadcasts to the shape of x
 * @param options `{ bits, zeroPoint, signed, name }`, 8, 0, true and "fake-quantize" by default
 * @throws {ShapeError | GraphError} as `quantize` does
 */
export function fakeQuantize(x: Value, scale: Value, options: QuantizeOptions = {}): Value {
  const { name, rounded, low, high, zeroPoint: zero, ...grid } = gridOf(x, scale, options, "fake-quantize");
  const y = dequantize(quantize(x, scale, { ...options, name: `${name}-integers` }), scale, zero, name);
  return y.withOrigin([x], (gradient) => {
    const passed = (g: Float, value: Float, by: Float, at: Int | number): Float => {
      const integer = rounded(value, by).add(at);
      return integer.lt(low).or(integer.add(-1).lt(high).not()).select(0, g);
    };
    const options = { name: `${name}-gradient`, shape: x.shape };
    if (typeof zero !== "number") return [map(defineProgram("fffi", passed), [gradient, x, grid.scale, zero], options)];
    return [
      map(
        defineProgram("fff", (g, value, by) => passed(g, value, by, zero)),
        [gradient, x, grid.scale],
        options,
      ),
    ];
  });
}

quantize.check = {
  number: 212,
  name: "quantize",
  digests: {
    result: "0x1dfa39080bb21cc9b7c36d0340acc59cd189629cd5843365a2ca0b95f1b23d6c",
  },
  vector: ({ x }) => ({ y: quantize(x, ofOne(x, 0.75), { zeroPoint: 3, bits: 4 }) }),
  gradient: "none",
} satisfies Operator["check"];

dequantize.check = {
  number: 213,
  name: "dequantize",
  digests: {
    result: "0xbfd2393cf68c02ae3b9c75f83fb15a1fc16cee7ce5e7b75b96a95df1cbf87d2b",
  },
  vector: ({ classes, floats }) => ({ y: dequantize(classes, floats(3165, 13), 7) }),
  gradient: "none",
} satisfies Operator["check"];

/** One scale for a tensor. */
const ofOne = (x: Value, scale: number): Value => fill(x.builder, [], scale, "scale");

fakeQuantize.check = {
  number: 214,
  name: "fake quantize",
  digests: {
    result: "0x2fece2e3c135ba825a48e1bda9c9e04620f0ad6a3d04253e64c0945c12a9549b",
    "gradient 0": "0x25a4c9ac53dc813b176b638a709fa35faa9dc886357e0c329d8b7b6621d33fe3",
  },
  vector: ({ x, g }) => ({ y: fakeQuantize(x, ofOne(x, 0.5)), gradient: g }),
  // The steps of a staircase are much smaller than those of the differences, which see the line through it.
  gradient: [
    { operands: [{ shape: [6], from: -0.1, to: 0.1 }], apply: (x) => fakeQuantize(x, ofOne(x, 2 ** -10)) },
    {
      title: "beyond the range",
      operands: [{ shape: [6], from: 0.2 }],
      apply: (x) => fakeQuantize(x, ofOne(x, 2 ** -10)),
    },
  ],
} satisfies Operator["check"];
