/** Products, and truth, over axes. */
import { SUM_STEP } from "../../repops/kernels/kernel.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import type { Program } from "../../repops/programs/program.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { type Reduction, reduction } from "../reduction.ts";
import { foldAxes } from "../rows.ts";
import { expectFloat, type Value } from "../value.ts";
import { broadcastTo } from "./sum.ts";

const PRODUCT_STEP = defineProgram("ff", (acc, x) => acc.mul(x));
const WITHOUT_ZEROS = defineProgram("f", (x) => x.eq(0).select(1, x));
const IS_ZERO = defineProgram("f", (x) => x.eq(0).select(1, 0));
/** The product of the other elements: that of the factors other than 0, unless another element is 0. */
const OTHERS = defineProgram("ffff", (gradient, x, product, zeros) => {
  const others = x.eq(0).select(product, product.div(x));
  return zeros
    .lt(1)
    .or(zeros.eq(1).and(x.eq(0)))
    .select(others.mul(gradient), 0);
});

/**
 * The product over axes, which are removed: f32 [...] → [...]; 1 over no elements. Rows are multiplied in 16
 * interleaved lanes when their length is a multiple of 16 and above 16. The gradient is right where elements
 * are 0.
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "prod"; or `{ keepdim, name }`
 * @throws {ShapeError} when x is not f32, an axis does not exist or is listed twice, or the list is empty
 */
export function prod(x: Value, axes?: readonly number[], options?: string | Reduction): Value {
  const { name, axes: over, finish, widen } = reduction(x, axes, options, "prod");
  expectFloat(x, name);
  const multiply = { step: PRODUCT_STEP, start: 1, clampRange: "none" } as const;
  const y = foldAxes(x, over, { ...multiply, name });
  const back = y.withOrigin([x], (gradient) => {
    const label = `${name}-gradient`;
    const each = (program: Program): Value => map(program, [x], { name: label, shape: x.shape });
    const product = foldAxes(each(WITHOUT_ZEROS), over, { ...multiply, name: `${label}-product` });
    const count = { step: SUM_STEP, start: 0, clampRange: "sum", name: `${label}-zeros` } as const;
    const zeros = foldAxes(each(IS_ZERO), over, count);
    const [g, p, z] = [gradient, product, zeros].map((value) => broadcastTo(widen(value), x.shape));
    return [map(OTHERS, [g, x, p, z], { name: label, shape: x.shape })];
  });
  return finish(back);
}

const IS_TRUE = {
  f32: defineProgram("f", (x) => x.eq(0).selectInt(0, 1)),
  i32: defineProgram("i", (x) => x.eq(0).selectInt(0, 1)),
};
const OR = { step: defineProgram("ii", (acc, x) => acc.or(x)), start: 0 };
const AND = { step: defineProgram("ii", (acc, x) => acc.and(x)), start: 1 };

type Options = string | Reduction | undefined;

function truth(how: typeof OR, x: Value, axes: readonly number[] | undefined, options: Options, label: string): Value {
  const { name, axes: over, finish } = reduction(x, axes, options, label);
  const flags = map(IS_TRUE[x.dtype], [x], { name: `${name}-flags`, shape: x.shape });
  return finish(foldAxes(flags, over, { ...how, clampRange: "none", name }));
}

/**
 * 1 where an element is not 0, else 0, over axes, which are removed: f32 or i32 [...] → i32 [...]; 0 over no
 * elements. No gradient flows.
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "any"; or `{ keepdim, name }`
 * @throws {ShapeError} when an axis does not exist or is listed twice, or the list is empty
 */
export function any(x: Value, axes?: readonly number[], options?: string | Reduction): Value {
  return truth(OR, x, axes, options, "any");
}

/**
 * 1 where no element is 0, else 0, over axes, which are removed: f32 or i32 [...] → i32 [...]; 1 over no
 * elements. No gradient flows.
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "all"; or `{ keepdim, name }`
 * @throws {ShapeError} when an axis does not exist or is listed twice, or the list is empty
 */
export function all(x: Value, axes?: readonly number[], options?: string | Reduction): Value {
  return truth(AND, x, axes, options, "all");
}

const product = (row: readonly number[]): number => row.reduce((a, b) => a * b, 1);

prod.check = {
  number: 184,
  name: "prod",
  digests: {
    result: "0x6760d32b292fa9a7457b0f26f548f3ee94c1f6c7289ddac5b16ca5820f5dd0c9",
    "gradient 0": "0x95522f5fa5ac3b6a87f27b0c4d1ccf8839a0f85cabf8e7e142b689c404942143",
  },
  vector: ({ x, floats }) => ({ y: prod(x, [1]), gradient: floats(3140, 13) }),
  gradient: [
    {
      operands: [{ shape: [2, 3, 4] }],
      apply: (x) => prod(x, [0, -1]),
      textbook: (_, x) => [0, 1, 2].map((j) => product(x.filter((_, i) => Math.floor(i / 4) % 3 === j))),
    },
    {
      title: "of rows with zeros",
      operands: [{ dtype: "f32", shape: [3, 3], data: Float32Array.of(2, 0, 3, 0, 0, 5, 1, 2, 3) }],
      apply: (x) => prod(x, [1]),
      textbook: (_, x) => rowsOf(x, 3).map(product),
    },
  ],
} satisfies Operator["check"];

any.check = {
  number: 185,
  name: "any",
  digests: {
    result: "0x1d37be421963489a311653300a47af9d288cc89c8322a4768ef14ee3231a7026",
  },
  vector: ({ ints }) => ({ y: any(ints(3141, 29, 3), [1]) }),
  gradient: "none",
} satisfies Operator["check"];

all.check = {
  number: 186,
  name: "all",
  digests: {
    result: "0xaddeff855d5a70bd814e4c77b1c029f90850329341dd23ad87ec7ef271249c28",
  },
  vector: ({ ints }) => ({ y: all(ints(3142, 29, 3), [1]) }),
  gradient: "none",
} satisfies Operator["check"];
