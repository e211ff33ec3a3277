/** How long does an element take outside matrix products? `node bench/elementwise.ts [BACKEND]` */
import { elementCount, type Shape } from "../src/encoding/tensor.ts";
import type { Backend } from "../src/repops/backends/backend.ts";
import { backendByName } from "../src/repops/backends/index.ts";
import { wasm } from "../src/repops/backends/wasm/backend.ts";
import { PROGRAMS } from "../src/repops/functions/index.ts";
import { exp } from "../src/repops/functions/exponential.ts";
import { type Arg, DOT_STEP, type Kernel, type ClampRange, SUM_STEP } from "../src/repops/kernels/kernel.ts";
import type { Program } from "../src/repops/programs/program.ts";
import { defineProgram } from "../src/repops/programs/expressions.ts";
import { medianMillis, type Sample } from "./measure.ts";

const SIDE = 256;
const LANES = 16;
const SQUARE = [SIDE, SIDE];

const ADD = defineProgram("ff", (x, y) => x.add(y));
const COPY = defineProgram("f", (x) => x);
const MAX_STEP = defineProgram("ff", (most, x) => most.max(x));
const SHIFTED_EXP = defineProgram("ff", (x, most) => exp(x.sub(most)));
const NORMALIZE = defineProgram("fff", (x, mean, scale) => x.sub(mean).mul(scale));
/** The part of AdamW that is the weight's, without its scalars. */
const ADAM_WEIGHT = defineProgram("fff", (w, m, v) => {
  const step = m.mul(1.5).div(v.max(0).sqrt().add(1e-8));
  return w.sub(w.mul(1e-5)).sub(step.mul(1e-3));
});

const operand = (tensor: number, strides: number[], clampRange: ClampRange = "none"): Arg => ({
  kind: "operand",
  tensor,
  view: { offset: 0, strides },
  clampRange,
});

const map = (program: Program, shape: Shape, ...args: Arg[]): Kernel => ({
  kind: "map",
  type: { dtype: "f32", shape },
  program,
  args,
});

const fold = (program: Program, shape: Shape, reduce: Shape, ...args: Arg[]): Kernel => ({
  kind: "fold",
  type: { dtype: "f32", shape },
  program,
  start: 0,
  reduce,
  args,
});

const flat = (tensor: number): Arg => operand(tensor, [SIDE, 1]);
const unary = (program: Program): Kernel => map(program, SQUARE, flat(0));

/** All read tensors of 256 x 256 elements, which stay in the second-level cache. */
const KERNELS = {
  copy: unary(COPY),
  transpose: map(COPY, SQUARE, operand(0, [1, SIDE])),
  add: map(ADD, SQUARE, flat(0), flat(1)),
  exp: unary(PROGRAMS.exp),
  log: unary(PROGRAMS.log),
  tanh: unary(PROGRAMS.tanh),
  gelu: unary(PROGRAMS.geluTanh),
  sin: unary(PROGRAMS.sin),
  "AdamW, weight": map(ADAM_WEIGHT, SQUARE, flat(0), flat(1), flat(2)),
  "softmax, exp(x - max)": map(SHIFTED_EXP, SQUARE, flat(0), operand(1, [1, 0])),
  "layer norm, (x - mean) * scale": map(NORMALIZE, SQUARE, flat(0), operand(1, [1, 0]), operand(2, [1, 0])),
  "column sum": fold(SUM_STEP, [SIDE], [SIDE], operand(0, [1, SIDE], "sum")),
  "row sum": fold(SUM_STEP, [SIDE], [SIDE], operand(0, [SIDE, 1], "sum")),
  "row sum in lanes": fold(SUM_STEP, [SIDE, LANES], [SIDE / LANES], operand(0, [SIDE, 1, LANES], "sum")),
  "row max": fold(MAX_STEP, [SIDE], [SIDE], operand(0, [SIDE, 1])),
  "row sum of products": fold(DOT_STEP, [SIDE], [SIDE], operand(0, [SIDE, 1], "dot"), operand(1, [SIDE, 1], "dot")),
} satisfies Record<string, Kernel>;

/** Nanoseconds for each element that a kernel goes through: of the output, times the fold's. */
export async function benchElementwise(backend: Backend = wasm): Promise<Sample[]> {
  const results: Sample[] = [];
  const inputs = [0, 1, 2].map(() => ({ dtype: "f32" as const, shape: SQUARE }));
  for (const [name, kernel] of Object.entries<Kernel>(KERNELS)) {
    const session = await backend.prepare({ inputs, kernels: [kernel] }, { keep: [inputs.length] });
    for (const [i, { dtype, shape }] of inputs.entries()) {
      const data = Float32Array.from({ length: elementCount(shape) }, (_, at) => ((at * 37 + i) % 101) / 17 - 3);
      await session.write(i, { dtype, shape, data });
    }
    const elements = SIDE * SIDE;
    const millis = await medianMillis(() => session.execute(), { calls: 30, warmup: 200 });
    results.push({ name, value: (1e6 * millis) / elements, unit: "ns" });
    await session.close();
  }
  return results;
}

if (import.meta.main)
  for (const result of await benchElementwise(backendByName(process.argv[2] ?? "wasm")))
    console.log(JSON.stringify(result));
