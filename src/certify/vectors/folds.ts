/** Vectors of folds: products and sums over rows, the ends of their ranges, and other steps. */
import type { Tensor } from "../../encoding/tensor.ts";
import { DOT_STEP, SCATTER_STEP, SUM_STEP } from "../../repops/kernels/kernel.ts";
import { interpret } from "../../repops/programs/interpret.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { bitsOf, fromBits, MAX_VALUE } from "../../repops/numbers/vf32.ts";
import { rowMajorStrides } from "../../repops/kernels/view.ts";
import { rangeEnd } from "../../repops/conformance/adversarial.ts";
import { caseOf, type ConformanceCase, f32, i32, read } from "../../repops/conformance/case.ts";
import { floatTensor, intTensor, words } from "../../repops/conformance/data.ts";

const MAX_STEP = defineProgram("ff", (acc, x) => acc.max(x));
const LAST_LARGE = defineProgram("ifi", (acc, x, k) => x.gt(1).selectInt(k, acc));
const DECAY = defineProgram("fff", (acc, x, y) => acc.mul(0.9).add(x.div(y)));

const ADD_INTS = defineProgram("iii", (acc, x, k) => acc.mul(3).add(x.xor(k)));
const PLACES = defineProgram("fiii", (acc, row, column, k) => acc.mul(0.5).add(row.sub(column).mul(k).toFloat()));
const FOLD = { kind: "fold" as const, start: 0 };

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
  { name: "A·B, several tiles", m: 141, n: 133, k: 67 },
  { name: "A·B over nothing", m: 4, n: 6, k: 0 },
  { name: "A·B over one", m: 33, n: 34, k: 1 },
];

function productCase({ name, m, n, k, a, b, batch = 1 }: Product, seed: number): ConformanceCase {
  const inputs = [floatTensor(seed, [batch, m, k]), floatTensor(seed + 1, [batch, k, n])];
  const [aStrides, bStrides] = [a ? [1, 0, m] : [k, 0, 1], b ? [0, k, 1] : [0, 1, n]];
  const args = [
    read(0, [m * k, ...aStrides], { clampRange: "dot" }),
    read(1, [k * n, ...bStrides], { clampRange: "dot" }),
  ];
  const type = { dtype: "f32" as const, shape: [batch, m, n] };
  return caseOf(`fold dot: ${name}`, inputs, { kind: "fold", type, program: DOT_STEP, start: 0, reduce: [k], args });
}

function stepCases(): ConformanceCase[] {
  const shape = [13, 7, 19];
  const x = floatTensor(900, shape);
  const y = floatTensor(901, shape);
  const [s0, s1, s2] = rowMajorStrides(shape);
  const rows = [s0, s1, s2];
  return [
    caseOf("fold sum: rows", [x], {
      ...FOLD,
      type: f32(13, 7),
      program: SUM_STEP,
      reduce: [19],
      args: [read(0, rows, { clampRange: "sum" })],
    }),
    caseOf("fold sum: two axes, the first and the last", [x], {
      ...FOLD,
      type: f32(7),
      program: SUM_STEP,
      reduce: [13, 19],
      args: [read(0, [s1, s0, s2], { clampRange: "sum" })],
    }),
    caseOf("fold dot: rows of two tensors", [x, y], {
      ...FOLD,
      type: f32(13, 7),
      program: DOT_STEP,
      reduce: [19],
      args: [read(0, rows, { clampRange: "dot" }), read(1, rows, { clampRange: "dot" })],
    }),
    caseOf("fold maximum", [x], {
      ...FOLD,
      type: f32(13, 7),
      program: MAX_STEP,
      reduce: [19],
      start: bitsOf(-MAX_VALUE),
      args: [read(0, rows)],
    }),
    caseOf("fold with canon in every step", [x, y], {
      ...FOLD,
      type: f32(13, 7),
      program: DECAY,
      reduce: [19],
      start: bitsOf(1),
      args: [read(0, rows), read(1, rows)],
    }),
    caseOf("fold to an index", [x], {
      ...FOLD,
      type: { dtype: "i32", shape: [13, 7] },
      program: LAST_LARGE,
      reduce: [19],
      start: 0xffffffff,
      args: [read(0, rows), { kind: "index" }],
    }),
    caseOf("fold ordered scatter-add", [intTensor(902, [61], 11), floatTensor(903, [61, 18])], {
      ...FOLD,
      type: f32(11, 18),
      program: SCATTER_STEP,
      reduce: [61],
      args: [read(0, [0, 0, 1]), { kind: "coordinate", axis: 0 }, read(1, [0, 1, 18], { clampRange: "sum" })],
    }),
  ];
}

function rangeEnds(seed: number, shape: readonly number[]): Tensor {
  const tensor = floatTensor(seed, shape);
  const next = words(seed);
  new Uint32Array(tensor.data.buffer).forEach((_, i, patterns) => (patterns[i] = rangeEnd(next)));
  return tensor;
}

/**
 * Rows -r, a, -s, b, … and 1, x, 1, y, …, where r is a·x rounded: every second sum is 0, unless a product was
 * fused with it.
 */
function cancellingRows(seed: number, rows: number, pairs: number): [Tensor, Tensor] {
  const [a, b] = [floatTensor(0, [rows, 2 * pairs]), floatTensor(0, [rows, 2 * pairs])];
  const next = words(seed);
  const moderate = (): number => fromBits(((119 + (next() % 9)) << 23) | (next() & 0x807fffff));
  for (let i = 0; i < a.data.length; i += 2) {
    const [x, y] = [moderate(), moderate()];
    const rounded = interpret(DOT_STEP, [0, x, y]);
    a.data.set([-rounded, x], i);
    b.data.set([1, y], i);
  }
  return [a, b];
}

function rangeCases(): ConformanceCase[] {
  const ranged = [rangeEnds(910, [17, 40]), rangeEnds(911, [40, 19])];
  const [a, b] = cancellingRows(912, 131, 9);
  const dot = { ...FOLD, program: DOT_STEP };
  const sum = { ...FOLD, program: SUM_STEP };
  return [
    caseOf("fold dot: ends of the range", ranged, {
      ...dot,
      type: f32(17, 19),
      reduce: [40],
      args: [read(0, [40, 0, 1], { clampRange: "dot" }), read(1, [0, 1, 19], { clampRange: "dot" })],
    }),
    caseOf("fold sum: ends of the range", ranged.slice(0, 1), {
      ...sum,
      type: f32(17),
      reduce: [40],
      args: [read(0, [40, 1], { clampRange: "sum" })],
    }),
    caseOf("fold dot: rows that cancel unless fused", [a, b], {
      ...dot,
      type: f32(131),
      reduce: [18],
      args: [read(0, [18, 1], { clampRange: "dot" }), read(1, [18, 1], { clampRange: "dot" })],
    }),
    caseOf("fold dot: A·Bᵀ that cancels on the diagonal unless fused", [a, b], {
      ...dot,
      type: f32(131, 131),
      reduce: [18],
      args: [read(0, [18, 0, 1], { clampRange: "dot" }), read(1, [0, 18, 1], { clampRange: "dot" })],
    }),
    caseOf("fold sum: 2^18 times one value", [rangeEnds(913, [5])], {
      ...sum,
      type: f32(5),
      reduce: [2 ** 18],
      args: [read(0, [1, 0], { clampRange: "sum" })],
    }),
    caseOf("fold sum: one", [ranged[0]], {
      ...sum,
      type: f32(17, 40),
      reduce: [1],
      args: [read(0, [40, 1, 0], { clampRange: "sum" })],
    }),
  ];
}

/**
 * Folds that are not products: bounded and reversed operands, integers, coordinates, and folds over nothing.
 */
function otherCases(): ConformanceCase[] {
  const x = floatTensor(920, [9, 35]);
  const bounds = [[0, 9] as const, [0, 31] as const, [1, 4] as const];
  const window = (exponent: number) => ({ bounds, fill: bitsOf(2 ** exponent) });
  return [
    caseOf("fold dot: a bounded window", [x, floatTensor(921, [5])], {
      ...FOLD,
      type: f32(9, 31),
      program: DOT_STEP,
      reduce: [5],
      args: [
        read(0, [35, 1, 1], { ...window(-60), clampRange: "dot" }),
        read(1, [0, 0, 1], { ...window(60), clampRange: "dot" }),
      ],
    }),
    caseOf("fold sum: backwards", [x], {
      ...FOLD,
      type: f32(35),
      program: SUM_STEP,
      reduce: [3, 3],
      args: [read(0, [-1, -105, -35], { offset: 9 * 35 - 1, clampRange: "sum" })],
    }),
    caseOf("fold of integers", [intTensor(922, [21, 33])], {
      ...FOLD,
      type: i32(21),
      program: ADD_INTS,
      reduce: [33],
      start: 0x80000001,
      args: [read(0, [33, 1]), { kind: "index" }],
    }),
    caseOf("fold of coordinates and the index", [], {
      ...FOLD,
      type: f32(6, 7),
      program: PLACES,
      reduce: [3, 4],
      args: [{ kind: "coordinate", axis: 0 }, { kind: "coordinate", axis: 1 }, { kind: "index" }],
    }),
    caseOf("fold maximum over nothing", [floatTensor(923, [0])], {
      ...FOLD,
      type: f32(5),
      program: MAX_STEP,
      reduce: [0],
      start: bitsOf(-MAX_VALUE),
      args: [read(0, [0, 1])],
    }),
  ];
}

export function foldCases(): ConformanceCase[] {
  return [
    ...PRODUCTS.map((product, i) => productCase(product, 800 + 2 * i)),
    ...stepCases(),
    ...rangeCases(),
    ...otherCases(),
  ];
}
