/**
 * Products of the native core against the reference, in every way that they can run: several blocks of rows,
 * columns and depth, several tasks on several threads, few rows and few columns, and each register tile.
 * The gate takes a part of it, `VERDE_SWEEP=1` all.
 */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { hex32 } from "../../../../src/encoding/bytes.ts";
import type { Tensor } from "../../../../src/encoding/tensor.ts";
import { BackendError } from "../../../../src/errors/index.ts";
import { type Backend, executeOnce } from "../../../../src/repops/backends/backend.ts";
import { type NativeOptions, nativeWith } from "../../../../src/repops/backends/native/backend.ts";
import { TILES } from "../../../../src/repops/backends/native/tile.ts";
import { reference } from "../../../../src/repops/backends/reference.ts";
import { setThreads } from "../../../../src/repops/backends/threads.ts";
import { type Arg, DOT_STEP, type FoldKernel } from "../../../../src/repops/kernels/kernel.ts";
import { fromBits } from "../../../../src/repops/numbers/vf32.ts";
import { addressRange } from "../../../../src/repops/kernels/view.ts";
import { floatBits } from "../../inputs.ts";
import type { Case } from "../../kernels.ts";

const SEED = 20261129;
const SWEEP = process.env.VERDE_SWEEP !== undefined;

interface Shape {
  batch: readonly number[];
  m: number;
  n: number;
  k: number;
  /**
   * Of A and of B: whether it is stored transposed, how far apart its elements are, and what is between its
   * rows.
   */
  a: { transposed: boolean; step: number; gap: number };
  b: { transposed: boolean; step: number; gap: number };
  /** The output is stored transposed. */
  exchanged: boolean;
  /** Numbers in the dot range, of which no one but perhaps the last of A becomes another. */
  ordinary: "all" | "most" | "none";
  seed: number;
}

/** Strides of a matrix of so many rows and columns. */
function layout(rows: number, columns: number, { transposed, step, gap }: Shape["a"]): [number, number] {
  return transposed ? [step, rows * step + gap] : [columns * step + gap, step];
}

/** The same number with an exponent between -40 and 40; a number in 16 is 0. */
function inDotRange(bits: number): number {
  if (bits % 16 === 0) return 0;
  const exponent = 127 - 40 + ((bits >>> 23) % 81);
  return ((bits & 0x807fffff) | (exponent << 23)) >>> 0;
}

/** The product as a kernel. */
function caseOf({ batch, m, n, k, a, b, exchanged, ordinary, seed }: Shape): Case {
  const anyBits = floatBits(seed);
  const next = ordinary === "none" ? anyBits : () => inDotRange(anyBits());
  const [aRow, aDepth] = layout(m, k, a);
  const [bDepth, bColumn] = layout(k, n, b);
  const space = [...batch, ...(exchanged ? [n, m] : [m, n]), k];
  const inputs: Tensor[] = [];
  const arg = (row: number, column: number, depth: number, block: number): Arg => {
    const own = exchanged ? [column, row, depth] : [row, column, depth];
    const strides = [...batch.map((_, i) => block * batch.slice(i + 1).reduce((x, y) => x * y, 1)), ...own];
    const range = addressRange(
      { offset: 0, strides },
      space.map((extent) => [0, extent]),
    );
    const data = new Float32Array((range?.[1] ?? 0) + 1);
    for (let i = 0; i < data.length; i++) data[i] = fromBits(next());
    inputs.push({ dtype: "f32", shape: [data.length], data });
    return { kind: "operand", tensor: inputs.length - 1, view: { offset: 0, strides }, clampRange: "dot" };
  };
  const args = [arg(aRow, 0, aDepth, m * k * a.step), arg(0, bColumn, bDepth, k * n * b.step)];
  if (ordinary === "most") inputs[0].data[inputs[0].data.length - 1] = 2 ** -60;
  const type = { dtype: "f32" as const, shape: space.slice(0, -1) };
  const kernel: FoldKernel = { kind: "fold", type, program: DOT_STEP, start: 0, reduce: [k], args };
  return { list: { inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })), kernels: [kernel] }, inputs };
}

const matrix = fc.record({
  transposed: fc.boolean(),
  step: fc.constantFrom(1, 1, 1, 2),
  gap: fc.constantFrom(0, 0, 1, 9),
});
const shapes: fc.Arbitrary<Shape> = fc.record({
  batch: fc.constantFrom([], [], [3], [17], [2, 5]),
  m: fc.constantFrom(1, 2, 3, 5, 6, 7, 8, 13, 29, 50, 97),
  n: fc.constantFrom(1, 2, 4, 6, 7, 8, 9, 15, 16, 17, 33, 70, 129),
  k: fc.constantFrom(0, 1, 3, 8, 15, 16, 17, 40, 67),
  a: matrix,
  b: matrix,
  exchanged: fc.boolean(),
  ordinary: fc.constantFrom("all", "all", "most", "none"),
  seed: fc.nat(2 ** 30),
});

const sample = fc.sample(shapes, { seed: SEED, numRuns: SWEEP ? 120 : 60 });
/** Larger than the blocks as they are. */
const PLAIN = { transposed: false, step: 1, gap: 0 };
const large: Shape[] = [
  { batch: [], m: 200, n: 70, k: 300, a: PLAIN, b: PLAIN, exchanged: false, ordinary: "none", seed: 1 },
  {
    batch: [],
    m: 31,
    n: 2100,
    k: 20,
    a: { ...PLAIN, transposed: true },
    b: PLAIN,
    exchanged: false,
    ordinary: "none",
    seed: 2,
  },
  { batch: [], m: 1, n: 2100, k: 530, a: PLAIN, b: PLAIN, exchanged: false, ordinary: "none", seed: 3 },
  { batch: [], m: 1050, n: 3, k: 300, a: PLAIN, b: PLAIN, exchanged: false, ordinary: "none", seed: 4 },
  {
    batch: [70],
    m: 40,
    n: 36,
    k: 33,
    a: PLAIN,
    b: { ...PLAIN, transposed: true },
    exchanged: true,
    ordinary: "none",
    seed: 5,
  },
  { batch: [3], m: 90, n: 40, k: 300, a: { ...PLAIN, gap: 4 }, b: PLAIN, exchanged: false, ordinary: "all", seed: 6 },
  { batch: [], m: 90, n: 40, k: 512, a: PLAIN, b: PLAIN, exchanged: false, ordinary: "all", seed: 7 },
  { batch: [], m: 401, n: 600, k: 20, a: PLAIN, b: PLAIN, exchanged: false, ordinary: "all", seed: 8 },
];
const wordsOf = ({ data }: Tensor): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length);

/** The product, and what its report says of it. */
async function productOn(backend: Backend, { list, inputs }: Case): Promise<{ words: Uint32Array; noted: unknown }> {
  let noted: unknown;
  const [result] = await executeOnce(backend, list, inputs, [inputs.length], (report) => (noted = report.noted));
  return { words: wordsOf(result), noted };
}

let wanted: Promise<{ shape: Shape; one: Case; words: Uint32Array; noted: unknown }[]> | undefined;
const expected = () =>
  (wanted ??= Promise.all(
    [...sample, ...large].map(async (shape) => {
      const one = caseOf(shape);
      return { shape, one, ...(await productOn(reference, one)) };
    }),
  ));

async function expectProducts(backend: Backend): Promise<void> {
  for (const { shape, one, words, noted } of await expected()) {
    const { words: actual, noted: actuallyNoted } = await productOn(backend, one);
    expect(actuallyNoted, `${JSON.stringify(shape)}, seed ${SEED}`).toEqual(noted);
    const at = words.findIndex((word, i) => word !== actual[i]);
    if (at >= 0)
      expect.unreachable(
        `${JSON.stringify(shape)}, seed ${SEED}, element ${at}: ${hex32(actual[at])} instead of ${hex32(words[at])}`,
      );
  }
}

/** Blocks so small that small products have several of each, and a task for each of them. */
const SMALL = ["DEPTH_BLOCK=16", "ROW_TILES=2", "NEAR_PANELS=2", "COLUMN_BLOCK=48", "OWN_COLUMNS=32", "LEAST_WORK=1"];
SMALL.push("LEAST_CHUNK=200", "LEAST_COLUMNS=16", "PACKED_PANELS=1", "THIN_COLUMNS=32", "THIN_DEPTH=16");
const small = SMALL.map((name) => `-D${name}`);
/** Whether this machine has a compiler; the conformance test says what is missing. */
const here = await nativeWith({}).describe!().then(
  () => true,
  (error: unknown) => {
    if (!(error instanceof BackendError)) throw error;
    return false;
  },
);

afterAll(() => setThreads(undefined));

describe.skipIf(!here)("products of the native core", () => {
  const builds: readonly NativeOptions[] = [
    { name: "as it is" },
    { name: "in small blocks", flags: small },
    { name: "in small blocks of 4 lanes", flags: [...small, "-mno-avx512f", "-mno-avx2", "-mno-avx"] },
  ];
  const counts = SWEEP ? [1, 2, 3, 7] : [1, 3];
  test.each(builds.flatMap((options) => counts.map((threads) => ({ options, threads, name: options.name }))))(
    "$name, on $threads threads",
    async ({ options, threads }) => {
      setThreads(threads);
      await expectProducts(nativeWith(options));
    },
  );

  /** Those of which one is chosen, and others. */
  const tiles = new Set([...Object.values(TILES).flat(), "4x2"]);
  test.each([...tiles])("in tiles of %s vectors", async (tile) => {
    const [rows, vectors] = tile.split("x");
    setThreads(2);
    const flags = [...small, `-DTILE_ROWS=${rows}`, `-DTILE_VECTORS=${vectors}`];
    await expectProducts(nativeWith({ name: tile, flags }));
  });
});
