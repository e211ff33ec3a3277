/** Kernels that differ in constants alone share a loop, and have the reference's bits. */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../../../src/encoding/tensor.ts";
import { executeOnce } from "../../../../src/repops/backends/backend.ts";
import { planNative, shapesOf } from "../../../../src/repops/backends/native/session.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import type { Arg, Kernel, KernelList } from "../../../../src/repops/kernels/kernel.ts";
import { fromBits } from "../../../../src/repops/numbers/vf32.ts";
import { defineProgram, float, int } from "../../../../src/repops/programs/expressions.ts";
import { shareLoops } from "../../../../src/repops/schedule/constants.ts";
import { floatBits } from "../../inputs.ts";
import { nativeBuilds } from "./here.ts";

const SEED = 20261129;
const builds = await nativeBuilds();
const ROWS = 5;
const COLUMNS = 37;
const [shape, count] = [[ROWS, COLUMNS], ROWS * COLUMNS];
const f32 = { dtype: "f32" as const, shape };
const read = (tensor: number, strides: number[], fill?: number): Arg => ({
  kind: "operand",
  tensor,
  clampRange: "none",
  view: { offset: 0, strides, ...(fill !== undefined && { bounds: [[1, 4], [0, 30]] as const, fill }) }, // prettier-ignore
});

/** Streams of pseudo-random numbers, each with a scale: an int and a float differ, and a float does not. */
const streams = [7, 1048576, -3].map(
  (stream, i): Kernel => ({
    kind: "map",
    type: f32,
    program: defineProgram(
      "fii",
      (x, row, column) =>
      row.mul(977).add(column).xor(stream).mul(0x9e3779b1).and(0xffff).toFloat().mul([0.25, 2, 2 ** -60][i]).add(x.mul(0.5)), // prettier-ignore
    ),
    args: [read(0, [COLUMNS, 1]), { kind: "coordinate", axis: 0 }, { kind: "coordinate", axis: 1 }],
  }),
);
/** Through a bounded view, so that each has several calls. */
const bounded = [1.5, -0.125].map(
  (by): Kernel => ({ kind: "map", type: f32, program: defineProgram("f", (x) => x.mul(by).max(-4)), args: [read(0, [COLUMNS, 1], 0x3f800000)] }), // prettier-ignore
);
const folds = [3, 2 ** -40].map(
  (by): Kernel => ({
    kind: "fold",
    type: { dtype: "f32", shape: [ROWS] },
    program: defineProgram("ff", (sum, x) => sum.add(x.mul(by))),
    start: 0x40000000,
    reduce: [COLUMNS],
    args: [read(0, [COLUMNS, 1])],
  }),
);
/** Without instructions, and with more constants that differ than a program has inputs. */
const constants = [1, 2].map((value): Kernel => ({ kind: "map", type: f32, program: defineProgram("", () => float(value)), args: [] })); // prettier-ignore
const many = [0, 1].map(
  (shift): Kernel => ({
    kind: "map",
    type: { dtype: "i32", shape },
    program: defineProgram("i", (x) => [...Array(9).keys()].reduce((y, i) => y.xor(int(100 * i + shift)).mul(3), x)),
    args: [{ kind: "coordinate", axis: 1 }],
  }),
);
const list: KernelList = { inputs: [f32], kernels: [...streams, ...bounded, ...folds, ...constants, ...many] };
const shapes = (kernels: readonly Kernel[]): number => {
  const { plans, groups } = planNative({ inputs: [f32], kernels }, kernels.map((_, i) => 1 + i)); // prettier-ignore
  return shapesOf(plans, groups).size;
};

describe("kernels that differ in constants", () => {
  test("share their loops, where that can be", () => {
    for (const [i, stream] of streams.entries()) expect(shapes([stream]), `stream ${i}`).toBe(1);
    expect(shapes(bounded)).toBe(shapes(bounded.slice(1)));
    expect(shapes(folds)).toBe(1);
    const { plans } = planNative(list, []);
    const programs = plans.map((plan) => (plan.kind === "loops" ? plan.calls[0].shape.program : undefined));
    expect(programs[1]).toEqual(programs[0]);
    expect(programs[2]).toEqual(programs[0]);
    expect(programs[0]!.inputs.join("")).toBe("fiifi");
    expect(programs[0]!.steps).toHaveLength(9);
    // These stay as they are.
    expect(programs.slice(-4).map((program) => program!.inputs.length)).toEqual([0, 0, 1, 1]);
  });

  test("keep their loops where nothing is alike", () => {
    const { plans } = planNative({ inputs: [f32], kernels: [streams[0], folds[0], constants[0]] }, []);
    expect(shareLoops(plans)).toEqual(plans);
    expect(plans.map((plan) => plan.kind === "loops" && plan.calls[0].parameters.args.length)).toEqual([3, 1, 0]);
  });

  test.each(builds.map((backend) => [backend.name, backend] as const))("have their bits on %s", async (_, backend) => {
    const next = floatBits(SEED);
    const data = Float32Array.from({ length: count }, () => fromBits(next()));
    const outputs = list.kernels.map((_, i) => 1 + i);
    const words = (tensors: readonly Tensor[]) => tensors.map((one) => new Uint32Array(one.data.buffer, one.data.byteOffset, one.data.length)); // prettier-ignore
    const expected = words(await executeOnce(reference, list, [{ ...f32, data }], outputs));
    expect(words(await executeOnce(backend, list, [{ ...f32, data }], outputs))).toEqual(expected);
  });
});
