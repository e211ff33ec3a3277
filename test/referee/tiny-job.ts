/** A job with every kind of kernel, of a size that makes its disputes cheap: views, bounds, fills, empty folds, aliases. */
import { elementCount, type Tensor } from "../../src/encoding/tensor.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { checkJob, type ClosedJob } from "../../src/job/closed.ts";
import { type Arg, DOT_STEP } from "../../src/repops/kernels/kernel.ts";
import { defineProgram, float, int } from "../../src/repops/programs/expressions.ts";
import { bitsOf, importFloats } from "../../src/repops/numbers/vf32.ts";
import type { View } from "../../src/repops/kernels/view.ts";

type ClampRange = "none" | "dot" | "sum";
const read = (tensor: number, strides: number[], clampRange: ClampRange = "none", view: Partial<View> = {}): Arg => ({
  kind: "operand",
  tensor,
  clampRange,
  view: { offset: 0, strides, ...view },
});
const coordinate = (axis: number): Arg => ({ kind: "coordinate", axis });
const f32 = (...shape: number[]) => ({ dtype: "f32", shape }) as const;
const i32 = (...shape: number[]) => ({ dtype: "i32", shape }) as const;

const MIX = defineProgram("i", (i) => i.mul(0x9e3779b1).sar(8).toFloat().ldexp(-22));
const MIX2 = defineProgram("ii", (i, j) => i.mul(31).add(j).mul(0x9e3779b1).sar(8).toFloat().ldexp(-24));
const ZERO = defineProgram("", () => float(0));
const SUM_SCALED = defineProgram("ffii", (acc, x, k, j) => acc.add(x.mul(k.add(j).add(1).toFloat())));
const COUNT_ABOVE = defineProgram("iffi", (acc, x, y, k) => y.lt(x).selectInt(acc.add(k), acc));

const init: Graph = {
  inputs: [],
  kernels: [
    { kind: "map", type: f32(12, 7), program: MIX2, args: [coordinate(0), coordinate(1)] },
    { kind: "map", type: f32(12, 7), program: ZERO, args: [] },
    { kind: "map", type: f32(3), program: MIX, args: [coordinate(0)] },
    { kind: "map", type: f32(10, 7), program: MIX2, args: [coordinate(1), coordinate(0)] },
    { kind: "map", type: i32(), program: defineProgram("", () => int(0)), args: [] },
    { kind: "map", type: f32(4), program: ZERO, args: [] },
    { kind: "map", type: f32(0, 3), program: ZERO, args: [] },
    { kind: "map", type: i32(12), program: defineProgram("i", (i) => i.mul(3)), args: [coordinate(0)] },
  ],
  labels: ["w/init", "m/init", "kept/init", "echo/init", "count/init", "none/init", "empty/init", "above/init"],
  outputs: ["w", "m", "kept", "echo", "count", "none", "empty", "above"].map((name, tensor) => ({ name, tensor })),
};

/** Tensors 0–7 are the state, 8–10 the dataset, 11 … the kernels' outputs. */
const step: Graph = {
  inputs: [
    { name: "w", ...f32(12, 7) },
    { name: "m", ...f32(12, 7) },
    { name: "kept", ...f32(3) },
    { name: "echo", ...f32(10, 7) },
    { name: "count", ...i32() },
    { name: "none", ...f32(4) },
    { name: "empty", ...f32(0, 3) },
    { name: "above", ...i32(12) },
    { name: "data/x", ...f32(10, 7) },
    { name: "data/y", ...f32(10) },
    { name: "data/table", ...i32(6) },
  ],
  kernels: [
    {
      kind: "map",
      type: i32(6),
      program: defineProgram("iii", (t, c, i) => t.add(c).add(i).and(15)),
      args: [read(10, [1]), read(4, [0]), coordinate(0)],
    },
    { kind: "gather", type: f32(6, 7), source: 8, index: 11, fill: bitsOf(0.5) },
    {
      kind: "fold",
      type: f32(6, 12),
      program: DOT_STEP,
      start: 0,
      reduce: [7],
      args: [read(12, [7, 0, 1], "dot"), read(0, [0, 7, 1], "dot")],
    },
    {
      kind: "map",
      type: f32(6, 12),
      program: defineProgram("ff", (h, y) => h.mul(h).add(y)),
      args: [
        read(13, [12, 1]),
        read(9, [0, 1], "none", {
          offset: -1,
          bounds: [
            [0, 6],
            [1, 11],
          ],
          fill: bitsOf(0.25),
        }),
      ],
    },
    {
      kind: "fold",
      type: f32(12),
      program: SUM_SCALED,
      start: bitsOf(-1),
      reduce: [2, 3],
      args: [read(14, [1, 36, 12], "sum"), { kind: "index" }, coordinate(0)],
    },
    {
      kind: "map",
      type: f32(12, 7),
      program: defineProgram("fff", (m, g, x) => m.mul(0.875).add(g.mul(x).mul(0.0009765625))),
      args: [read(1, [7, 1]), read(15, [1, 0]), read(0, [7, 1])],
    },
    {
      kind: "map",
      type: f32(12, 7),
      program: defineProgram("ff", (w, m) => w.sub(m.mul(0.125))),
      args: [read(0, [7, 1]), read(16, [7, 1])],
    },
    { kind: "map", type: i32(), program: defineProgram("i", (c) => c.add(1)), args: [read(4, [])] },
    {
      kind: "fold",
      type: f32(4),
      program: DOT_STEP,
      start: bitsOf(0),
      reduce: [0],
      args: [read(9, [1, 0], "dot"), read(9, [1, 0], "dot")],
    },
    { kind: "map", type: f32(0, 3), program: ZERO, args: [] },
    {
      kind: "fold",
      type: i32(12),
      program: COUNT_ABOVE,
      start: -5 >>> 0,
      reduce: [7],
      args: [read(17, [7, 1]), read(2, [0, 0], "none", { offset: 1 }), { kind: "index" }],
    },
  ],
  labels: ["batch", "rows", "hidden", "square", "gradient", "momentum", "update", "count", "none", "empty", "above"],
  outputs: [
    { name: "w", tensor: 17 },
    { name: "m", tensor: 16 },
    { name: "kept", tensor: 2 },
    { name: "echo", tensor: 8 },
    { name: "count", tensor: 18 },
    { name: "none", tensor: 19 },
    { name: "empty", tensor: 20 },
    { name: "above", tensor: 21 },
  ],
};

const floats = (shape: number[], from: number): Tensor => {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(from + i) * (1 + (i % 5)));
  return { dtype: "f32", shape, data: importFloats(values) };
};

export function tinyJob(steps: number): ClosedJob {
  const job: ClosedJob = {
    name: "tiny",
    steps,
    step,
    init: { kind: "graph", graph: init },
    dataset: [
      { name: "data/x", ...floats([10, 7], 1) },
      { name: "data/y", ...floats([10], 5) },
      { name: "data/table", dtype: "i32", shape: [6], data: Int32Array.of(3, 9, 0, 14, 7, 2) },
    ],
    unit: { name: "samples", perStep: 6 },
  };
  checkJob(job);
  return job;
}

/** The same job, beginning with a checkpoint. */
export function tinyCheckpointJob(steps: number): ClosedJob {
  const state = step.inputs.slice(0, 8).map(({ name, dtype, shape }, i) => ({
    name,
    ...(dtype === "f32" ? floats([...shape], i) : { dtype, shape, data: new Int32Array(elementCount(shape)).fill(2) }),
  }));
  return { ...tinyJob(steps), init: { kind: "checkpoint", state } };
}
