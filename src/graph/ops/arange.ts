/** Tensors of numbers at equal distances, and what is made of them. */
import { wholeSetting, ANY, floatSetting } from "../../repops/numbers/settings.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { asOne } from "../as-one.ts";
import { GraphBuilder } from "../builder.ts";
import { map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { argumentError, builderOf, settingOf, shapeError, type Value } from "../value.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo } from "./sum.ts";

function expectBuilder(builder: unknown, name: string): asserts builder is GraphBuilder {
  if (!(builder instanceof GraphBuilder))
    throw argumentError(name, "builder", builder, "the graph builder, which a job's context has as `builder`");
}

/**
 * Whole numbers from `start` up to, not including, `end`: i32 [⌈(end - start) / step⌉].
 *
 *     arange(job.builder, 0, 10, 3); // 0, 3, 6, 9
 *
 * @param step a whole number other than 0; 1
 * @param name the label of the operator; "arange"
 * @throws {GraphError} when a number is not whole or does not fit 32 bits, or the step is 0
 */
export function arange(builder: GraphBuilder, start: number, end: number, step = 1, name = "arange"): Value {
  expectBuilder(builder, name);
  const refuse = settingOf(builder.label(name));
  const range = { least: -(2 ** 31), most: 2 ** 31 - 1 };
  for (const [key, given] of Object.entries({ start, end, step })) wholeSetting(`the ${key}`, given, range, refuse);
  if (step === 0) throw refuse("the step is 0; take 1 or another one", { found: step });
  const shape = [Math.max(0, Math.ceil((end - start) / step))];
  const program = defineProgram("i", (at) => at.mul(step).add(start));
  return map(program, [{ coordinate: 0 }], { name, shape, builder });
}

/**
 * `count` numbers at equal distances from `start` to `end`, both included: f32 [count]. As in PyTorch, the
 * first half is start + i · step, and the second half end - (count - 1 - i) · step.
 * @param count a whole number from 0; a single number is `start`
 * @param name the label of the operator; "linspace"
 * @throws {GraphError} when a number is not a vf32, or the count is not whole
 */
export function linspace(builder: GraphBuilder, start: number, end: number, count: number, name = "linspace"): Value {
  expectBuilder(builder, name);
  const refuse = settingOf(builder.label(name));
  for (const [key, given] of Object.entries({ start, end })) floatSetting(`the ${key}`, given, ANY, refuse);
  wholeSetting("the count", count, { least: 0 }, refuse);
  const step = floatSetting("the distance", (end - start) / Math.max(1, count - 1), ANY, refuse);
  const program = defineProgram("i", (at) => {
    const [low, high] = [at, at.mul(-1).add(count - 1)].map((places) => places.toFloat().mul(step));
    return at.lt(count >> 1).select(float(start).add(low), count === 1 ? start : float(end).sub(high));
  });
  return map(program, [{ coordinate: 0 }], { name, shape: [count], builder });
}

/**
 * The identity matrix: f32 [rows, columns], 1 on the main diagonal, else 0.
 * @param columns rows
 * @param name the label of the operator; "eye"
 * @throws {GraphError} when an extent is not whole, or negative
 */
export function eye(builder: GraphBuilder, rows: number, columns = rows, name = "eye"): Value {
  expectBuilder(builder, name);
  const refuse = settingOf(builder.label(name));
  for (const [key, given] of Object.entries({ rows, columns }))
    wholeSetting(`the number of ${key}`, given, { least: 0 }, refuse);
  const program = defineProgram("ii", (row, column) => row.eq(column).select(1, 0));
  return map(program, [{ coordinate: 0 }, { coordinate: 1 }], { name, shape: [rows, columns], builder });
}

/**
 * The coordinates of a grid: [n], [m] … → [n, m, …] each. Value i of the result has the elements of row i of
 * the list along axis i (PyTorch's indexing "ij"). They are views.
 * @throws {ShapeError} when a value is no row, {GraphError} when they belong to two graphs
 */
export function meshgrid(values: readonly Value[]): Value[] {
  if (!Array.isArray(values)) throw argumentError("meshgrid", "values", values, "a list of values");
  const list = Array.from(values as readonly Value[]);
  const builder = builderOf("meshgrid", Object.fromEntries(list.map((value, i) => [`value ${i}`, value])));
  for (const [i, value] of list.entries())
    if (value.rank !== 1) throw shapeError("AXIS", builder, "meshgrid", `value ${i}, ${value}, is no row; flatten it`);
  const shape = list.map((value) => value.shape[0]);
  return list.map((value, i) =>
    broadcastTo(
      reshape(
        value,
        shape.map((extent, axis) => (axis === i ? extent : 1)),
      ),
      shape,
    ),
  );
}

arange.check = {
  number: 168,
  name: "arange",
  digests: {
    result: "0x7b3198d23a35cf7092835554fbcc975234883822183e4f3685a448083727ab41",
  },
  vector: ({ x }) => ({ y: arange(x.builder, 40, -60, -7) }),
  gradient: "none",
} satisfies Operator["check"];

linspace.check = {
  number: 169,
  name: "linspace",
  digests: {
    result: "0xe871920170234242fafb0ab808cb7bfcece5a81cd0f800ecac210ff3c6deb639",
  },
  vector: ({ x }) => ({ y: linspace(x.builder, -1, 2, 38) }),
  gradient: "none",
} satisfies Operator["check"];

eye.check = {
  number: 170,
  name: "eye",
  digests: {
    result: "0x0546a15712054b539c84316298bd9997716e4d392fba0f1e99aa1f6d5421bc74",
  },
  vector: ({ x }) => ({ y: eye(x.builder, 5, 9) }),
  gradient: "none",
} satisfies Operator["check"];

meshgrid.check = {
  number: 171,
  name: "meshgrid",
  digests: {
    result: "0x8116d23a1903694d0e0dcecf88dde7fe1216543a29de48394e4faaac93d2a9c5",
    "gradient 0": "0x0c851f0bd089f6f7c7af7223009cadfce14fe6bf9979284221f2e7571fe8c8f6",
  },
  vector: ({ floats }) => ({ y: asOne(meshgrid([floats(3121, 3), floats(3122, 5)])[0]), gradient: floats(3123, 3, 5) }),
  gradient: [
    {
      operands: [{ shape: [2] }, { shape: [3] }],
      apply: (x, y) => meshgrid([x, y])[1],
      textbook: (_, _x, y) => [...y, ...y],
    },
  ],
} satisfies Operator["check"];
