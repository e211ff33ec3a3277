/** The greatest and the least elements along axes, and their places. */
import { MAX_VALUE } from "../../repops/numbers/vf32.ts";
import { SUM_STEP } from "../../repops/kernels/kernel.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import type { Program } from "../../repops/programs/program.ts";
import { fold, map } from "../emit.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { expectElements, type Reduction, reduction } from "../reduction.ts";
import { foldAxes, reduceLast } from "../rows.ts";
import { axisOf, expectFloat, expectValue, type Value } from "../value.ts";
import { broadcastTo } from "./sum.ts";
import { reshape } from "./reshape.ts";

interface Extreme {
  readonly step: Program;
  readonly start: number;
}
const GREATEST: Extreme = { step: defineProgram("ff", (acc, x) => acc.max(x)), start: -MAX_VALUE };
const LEAST: Extreme = { step: defineProgram("ff", (acc, x) => acc.min(x)), start: MAX_VALUE };

const IS_BEST = defineProgram("ff", (x, best) => x.eq(best).select(1, 0));
/** The gradient of a result, divided evenly among the elements that are equal to it. */
const SHARE = defineProgram("ffff", (gradient, x, best, ties) => x.eq(best).select(gradient.div(ties), 0));
/** The lowest index of an element that is equal to the best one. */
const FIRST = defineProgram("iffi", (acc, x, best, k) => x.eq(best).and(k.lt(acc)).selectInt(k, acc));

type Axes = readonly number[] | undefined;

function extreme(how: Extreme, x: Value, axes: Axes, options: string | Reduction | undefined, label: string): Value {
  const reduced = reduction(x, axes, options, label);
  const { name, axes: over, finish, widen } = reduced;
  expectFloat(x, name);
  expectElements(x, reduced);
  if (over.length === 0) return x;
  const y = foldAxes(x, over, { ...how, clampRange: "none", name });
  const spread = (value: Value): Value => broadcastTo(widen(value), x.shape);
  return finish(
    y.withOrigin([x], (gradient) => {
      const label = `${name}-gradient`;
      const best = spread(y);
      const same = map(IS_BEST, [x, best], { name: `${label}-ties`, shape: x.shape });
      const ties = foldAxes(same, over, { step: SUM_STEP, start: 0, clampRange: "sum", name: `${label}-ties` });
      return [map(SHARE, [spread(gradient), x, best, spread(ties)], { name: label, shape: x.shape })];
    }),
  );
}

/** The place of the best element along an axis, or among all elements in row-major order. */
function placeOf(how: Extreme, x: Value, axis: number | undefined, options: Options, label: string): Value {
  const name = typeof options === "string" ? options : label;
  expectValue(x, name, "x");
  if (x.rank === 0) return placeOf(how, reshape(x, [1]), 0, options, label);
  const axes = axis === undefined ? undefined : [axisOf(x, axis, name)];
  const reduced = reduction(x, axes, options, label);
  expectFloat(x, reduced.name);
  expectElements(x, reduced);
  const best = foldAxes(x, reduced.axes, { ...how, clampRange: "none", name: `${reduced.name}-value` });
  const { value, shape, reduce } = reduceLast(x, reduced.axes);
  const wide = broadcastTo(reshape(best, [...shape, ...reduce.map(() => 1)]), value.shape);
  const step = { name: reduced.name, shape, reduce, start: 2 ** 31 - 1, clampRange: "none" } as const;
  return reduced.finish(fold(FIRST, [value, wide, "index"], step));
}

type Options = string | Reduction | undefined;

/**
 * The greatest element over axes, which are removed: f32 [...] → [...]. As in PyTorch the gradient is divided
 * evenly among the elements that are equal to it.
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "amax"; or `{ keepdim, name }`
 * @throws {ShapeError} when x is not f32, an axis does not exist or is listed twice, or there are no elements
 */
export function amax(x: Value, axes?: readonly number[], options?: string | Reduction): Value {
  return extreme(GREATEST, x, axes, options, "amax");
}

/**
 * The least element over axes, which are removed: f32 [...] → [...]. As in PyTorch the gradient is divided
 * evenly among the elements that are equal to it.
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "amin"; or `{ keepdim, name }`
 * @throws {ShapeError} when x is not f32, an axis does not exist or is listed twice, or there are no elements
 */
export function amin(x: Value, axes?: readonly number[], options?: string | Reduction): Value {
  return extreme(LEAST, x, axes, options, "amin");
}

/**
 * The index of the greatest element along an axis, which is removed: f32 [..., n, ...] → i32 [..., ...]. The
 * lowest index wins a tie. No gradient flows.
 * @param axis counted from the end where negative; default all elements, counted in row-major order
 * @param options the label of the operator, "argmax"; or `{ keepdim, name }`
 * @throws {ShapeError} when x is not f32, the axis does not exist, or there are no elements or more than 2^22
 */
export function argmax(x: Value, axis?: number, options?: string | Reduction): Value {
  return placeOf(GREATEST, x, axis, options, "argmax");
}

/**
 * The index of the least element along an axis, which is removed: f32 [..., n, ...] → i32 [..., ...]. The
 * lowest index wins a tie. No gradient flows.
 * @param axis counted from the end where negative; default all elements, counted in row-major order
 * @param options the label of the operator, "argmin"; or `{ keepdim, name }`
 * @throws {ShapeError} when x is not f32, the axis does not exist, or there are no elements or more than 2^22
 */
export function argmin(x: Value, axis?: number, options?: string | Reduction): Value {
  return placeOf(LEAST, x, axis, options, "argmin");
}

amax.check = {
  number: 180,
  name: "amax",
  digests: {
    result: "0x225bbdf53adb36ad7ee9687162db03a066fb3ba94df2063ddd535ad3b2e0f8cc",
    "gradient 0": "0x2378631252ba5f21ec35348fd3f71810015c557f738d5783ff2c2b74093ce4cf",
  },
  vector: ({ x, floats }) => ({ y: amax(x, [0]), gradient: floats(3138, 37) }),
  gradient: [
    {
      operands: [{ shape: [2, 3, 4] }],
      apply: (x) => amax(x, [0, -1], { keepdim: true }),
      textbook: (m, x) => [0, 1, 2].map((j) => m.max(...x.filter((_, i) => Math.floor(i / 4) % 3 === j))),
    },
  ],
} satisfies Operator["check"];

amin.check = {
  number: 181,
  name: "amin",
  digests: {
    result: "0x9b0e8b4b51fe645ceee872338b5399a063969e8dc64d7a54b2dbc0a5ba546baf",
    "gradient 0": "0xcfd65b9730dc4b9af6a63892e1debd1a796e6467020f59d7ce1e58761a38eee0",
  },
  vector: ({ x, floats }) => ({ y: amin(x, [1]), gradient: floats(3139, 13) }),
  gradient: [
    {
      operands: [{ shape: [3, 32] }],
      apply: (x) => amin(x, [1]),
      textbook: (m, x) => rowsOf(x, 32).map((row) => m.min(...row)),
    },
  ],
} satisfies Operator["check"];

argmax.check = {
  number: 182,
  name: "argmax",
  digests: {
    result: "0x1a3d1f390d232eb5048e40fbfa71524febd6d9a401903e33f2b3cb790098a4ab",
  },
  vector: ({ x }) => ({ y: argmax(x, 0) }),
  gradient: "none",
} satisfies Operator["check"];

argmin.check = {
  number: 183,
  name: "argmin",
  digests: {
    result: "0xc9040aae0ca667c9e86d9abc5d3c5944885cc52a6722d3f6043e743a1350d8f9",
  },
  vector: ({ x }) => ({ y: argmin(x) }),
  gradient: "none",
} satisfies Operator["check"];
