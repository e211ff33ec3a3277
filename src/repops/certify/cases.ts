/** The conformance vectors: every instruction, every function, and every kind of kernel, on adversarial operands. */
import type { Tensor } from "../../encoding/tensor.ts";
import { PROGRAMS } from "../functions/index.ts";
import { INSTRUCTIONS, type InstructionName } from "../instructions.ts";
import { type Arg, DOT_STEP, type Kernel, type KernelList, type Ranging, SCATTER_STEP, SUM_STEP } from "../kernel.ts";
import { outputType, type Program } from "../program.ts";
import { defineProgram } from "../scalar.ts";
import { MAX_VALUE, bitsOf } from "../vf32.ts";
import { rowMajorStrides, type View } from "../view.ts";
import { floatTensor, intTensor } from "./data.ts";

/** One kernel with its operands. */
export interface ConformanceCase {
  name: string;
  list: KernelList;
  inputs: readonly Tensor[];
}

/** No multiple of a vector's or a workgroup's width. */
const ELEMENTS = 4099;

const read = (tensor: number, strides: readonly number[], more: Partial<View> & { ranging?: Ranging } = {}): Arg => {
  const { ranging = "none", ...view } = more;
  return { kind: "operand", tensor, ranging, view: { offset: 0, strides, ...view } };
};

function caseOf(name: string, inputs: readonly Tensor[], kernel: Kernel): ConformanceCase {
  return { name, inputs, list: { inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })), kernels: [kernel] } };
}

const dtypeOf = (program: Program) => (outputType(program) === "f" ? ("f32" as const) : ("i32" as const));

/** A program on one element after the other. */
function mapCase(name: string, program: Program, seed: number): ConformanceCase {
  const inputs = program.inputs.map((type, i) => (type === "f" ? floatTensor : intTensor)(seed + i, [ELEMENTS]));
  const type = { dtype: dtypeOf(program), shape: [ELEMENTS] };
  return caseOf(name, inputs, { kind: "map", type, program, args: inputs.map((_, i) => read(i, [1])) });
}

/** An instruction as a program of its own; bools are made by comparing, and made visible by selecting. */
function instructionProgram(name: InstructionName): Program {
  const { args, result } = INSTRUCTIONS[name];
  const inputs: ("f" | "i")[] = [];
  const steps: Program["steps"][number][] = [];
  const ints = result === "b" ? [1, 0] : [];
  const count = args.reduce((sum, type) => sum + (type === "b" ? 2 : 1), 0);
  const base = count + ints.length;
  const operands = args.map((type) => {
    if (type !== "b") return inputs.push(type) - 1;
    const first = inputs.push("i", "i") - 2;
    return base + steps.push({ name: "ilt", args: [first, first + 1] }) - 1;
  });
  const value = base + steps.push({ name, args: operands }) - 1;
  if (result === "b") steps.push({ name: "isel", args: [value, count, count + 1] });
  return { inputs, floats: [], ints, steps };
}

const MAX_STEP = defineProgram("ff", (acc, x) => acc.max(x));
const LAST_LARGE = defineProgram("ifi", (acc, x, k) => x.gt(1).selectInt(k, acc));
const PLACE = defineProgram("fii", (x, row, column) => row.lt(column).select(x, row.add(column).toFloat()));
const DECAY = defineProgram("fff", (acc, x, y) => acc.mul(0.9).add(x.div(y)));

interface Product {
  name: string;
  m: number;
  n: number;
  k: number;
  a?: "transposed";
  b?: "transposed";
  batch?: number;
}

const PRODUCTS: readonly Product[] = [
  { name: "A·B", m: 37, n: 29, k: 130 },
  { name: "Aᵀ·B", m: 37, n: 29, k: 130, a: "transposed" },
  { name: "A·Bᵀ", m: 37, n: 29, k: 130, b: "transposed" },
  { name: "Aᵀ·Bᵀ", m: 37, n: 29, k: 130, a: "transposed", b: "transposed" },
  { name: "batched A·Bᵀ", m: 9, n: 17, k: 33, b: "transposed", batch: 5 },
  { name: "A·B, long", m: 3, n: 5, k: 2500 },
  { name: "A·b", m: 65, n: 1, k: 77 },
  { name: "a·B", m: 1, n: 65, k: 77 },
  { name: "A·B over nothing", m: 4, n: 6, k: 0 },
];

function productCase({ name, m, n, k, a, b, batch = 1 }: Product, seed: number): ConformanceCase {
  const inputs = [floatTensor(seed, [batch, m, k]), floatTensor(seed + 1, [batch, k, n])];
  const [aStrides, bStrides] = [a ? [1, 0, m] : [k, 0, 1], b ? [0, k, 1] : [0, 1, n]];
  const args = [read(0, [m * k, ...aStrides], { ranging: "dot" }), read(1, [k * n, ...bStrides], { ranging: "dot" })];
  const type = { dtype: "f32" as const, shape: [batch, m, n] };
  return caseOf(`fold dot: ${name}`, inputs, { kind: "fold", type, program: DOT_STEP, start: 0, reduce: [k], args });
}

function foldCases(): ConformanceCase[] {
  const shape = [13, 7, 19];
  const x = floatTensor(900, shape);
  const y = floatTensor(901, shape);
  const [s0, s1, s2] = rowMajorStrides(shape);
  const f32 = (extents: number[]) => ({ dtype: "f32" as const, shape: extents });
  const fold = { kind: "fold" as const, start: 0 };
  const rows = [s0, s1, s2];
  return [
    caseOf("fold sum: rows", [x], {
      ...fold,
      type: f32([13, 7]),
      program: SUM_STEP,
      reduce: [19],
      args: [read(0, rows, { ranging: "sum" })],
    }),
    caseOf("fold sum: two axes, the first and the last", [x], {
      ...fold,
      type: f32([7]),
      program: SUM_STEP,
      reduce: [13, 19],
      args: [read(0, [s1, s0, s2], { ranging: "sum" })],
    }),
    caseOf("fold dot: rows of two tensors", [x, y], {
      ...fold,
      type: f32([13, 7]),
      program: DOT_STEP,
      reduce: [19],
      args: [read(0, rows, { ranging: "dot" }), read(1, rows, { ranging: "dot" })],
    }),
    caseOf("fold maximum", [x], {
      ...fold,
      type: f32([13, 7]),
      program: MAX_STEP,
      reduce: [19],
      start: bitsOf(-MAX_VALUE),
      args: [read(0, rows)],
    }),
    caseOf("fold with canon in every step", [x, y], {
      ...fold,
      type: f32([13, 7]),
      program: DECAY,
      reduce: [19],
      start: bitsOf(1),
      args: [read(0, rows), read(1, rows)],
    }),
    caseOf("fold to an index", [x], {
      ...fold,
      type: { dtype: "i32", shape: [13, 7] },
      program: LAST_LARGE,
      reduce: [19],
      start: 0xffffffff,
      args: [read(0, rows), { kind: "index" }],
    }),
    caseOf("fold ordered scatter-add", [intTensor(902, [61], 11), floatTensor(903, [61, 18])], {
      ...fold,
      type: f32([11, 18]),
      program: SCATTER_STEP,
      reduce: [61],
      args: [read(0, [0, 0, 1]), { kind: "coordinate", axis: 0 }, read(1, [0, 1, 18], { ranging: "sum" })],
    }),
  ];
}

function readingCases(): ConformanceCase[] {
  const x = floatTensor(950, [23, 31]);
  const copy = defineProgram("f", (v) => v);
  const map = { kind: "map" as const, program: copy };
  const f32 = (shape: number[]) => ({ dtype: "f32" as const, shape });
  const inside = { bounds: [[2, 25] as const, [3, 34] as const], fill: bitsOf(-1.5) };
  return [
    caseOf("map through a transposing view", [x], { ...map, type: f32([31, 23]), args: [read(0, [1, 31])] }),
    caseOf("map through a reversing view", [x], {
      ...map,
      type: f32([23, 31]),
      args: [read(0, [-31, -1], { offset: 23 * 31 - 1 })],
    }),
    caseOf("map through a broadcasting view", [x], { ...map, type: f32([5, 23, 31]), args: [read(0, [0, 31, 1])] }),
    caseOf("map through a bounded view", [x], {
      ...map,
      type: f32([27, 36]),
      args: [read(0, [31, 1], { offset: -2 * 31 - 3, ...inside })],
    }),
    caseOf("map with coordinates", [x], {
      kind: "map",
      program: PLACE,
      type: f32([23, 31]),
      args: [read(0, [31, 1]), { kind: "coordinate", axis: 0 }, { kind: "coordinate", axis: 1 }],
    }),
    caseOf("gather with rows outside", [x, intTensor(951, [7, 9], 23)], {
      kind: "gather",
      type: f32([7, 9, 31]),
      source: 0,
      index: 1,
      fill: bitsOf(0.25),
    }),
  ];
}

/** All vectors, in a fixed order. */
export function conformanceCases(): ConformanceCase[] {
  const names = Object.keys(INSTRUCTIONS) as InstructionName[];
  return [
    ...names.map((name, i) => mapCase(`instruction ${name}`, instructionProgram(name), 10 * i)),
    ...Object.entries(PROGRAMS).map(([name, program], i) => mapCase(`function ${name}`, program, 1000 + 10 * i)),
    ...PRODUCTS.map((product, i) => productCase(product, 800 + 2 * i)),
    ...foldCases(),
    ...readingCases(),
  ];
}
