import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex } from "../../../../src/encoding/bytes.ts";
import { rootOf } from "../../../../src/encoding/merkle.ts";
import { chunkTree } from "../../../../src/encoding/tensor.ts";
import { ConstantPool } from "../../../../src/repops/backends/wasm/constants.ts";
import { buildCoreModule, type CoreExports } from "../../../../src/repops/backends/wasm/core.ts";
import {
  MATMUL_SCRATCH_BYTES,
  type MatmulProblem,
  problemWords,
} from "../../../../src/repops/backends/wasm/multiply.ts";
import { treeRoot, treeScratchBytes } from "../../../../src/repops/backends/wasm/sha256.ts";
import { generator } from "../../../graph/numeric.ts";
import { floatBits } from "../../inputs.ts";

const SEED = 20261120;
const pool = new ConstantPool(1024);
const memory = new WebAssembly.Memory({ initial: 512 });
const module = new WebAssembly.Module(buildCoreModule(pool, false));
const core = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as CoreExports;
pool.write(memory, pool.end);
const [WORDS, A, B, C, SCRATCH] = [4096, 1 << 20, 6 << 20, 11 << 20, 16 << 20];
const words = new Uint32Array(memory.buffer);
const values = new Float32Array(memory.buffer);
const GUARD = 0x5eadbeef;
let turn = 0;

/** Puts the words of a call into memory. */
function given(...call: number[]): number {
  words.set(call, WORDS / 4);
  return WORDS;
}

const PLAIN = { aLanes: 0, aDepths: 0, aFill: 0, bLanes: 0, bDepths: 0, bFill: 0 };
const ONCE = { count: 1, aNext: 0, bNext: 0, cNext: 0, ...PLAIN };
type Product = Omit<MatmulProblem, keyof typeof ONCE>;

/** Multiplies once. Strides are in elements here, and in bytes in memory. */
function matmul(product: Product, from = ++turn): void {
  const bytes = (name: keyof Product): number => 4 * product[name];
  const strides = { aRow: bytes("aRow"), aDepth: bytes("aDepth"), bDepth: bytes("bDepth"), bColumn: bytes("bColumn") };
  core.multiply(given(...problemWords({ ...product, ...strides, cRow: bytes("cRow"), ...ONCE })), SCRATCH, from);
}

/**
 * A second way to compute the bits: the accumulators of a row advance together, in binary64 rounded at each
 * operation.
 */
function product({ m, n, k, a, aRow, aDepth, b, bDepth, bColumn }: Product): Float32Array {
  const ranged = (x: number): number =>
    Math.abs(x) < 2 ** -51 ? 0 : Math.abs(x) > 2 ** 51 ? Math.sign(x) * 2 ** 51 : x;
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let p = 0; p < k; p++) {
      const x = ranged(values[a / 4 + i * aRow + p * aDepth]);
      for (let j = 0; j < n; j++) out[i * n + j] += Math.fround(x * ranged(values[b / 4 + p * bDepth + j * bColumn]));
    }
  return out;
}

describe("matrix products", () => {
  const next = floatBits(SEED);
  const size = fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 17, 33, 41, 65);
  const depth = fc.constantFrom(0, 1, 2, 3, 4, 7, 8, 9, 17, 65, 383, 384, 385, 800);

  /**
   * Compares every word of C, of the gaps between its rows and around it, and the words after the scratch.
   */
  function compare(m: number, n: number, k: number, ta: boolean, tb: boolean, gap: number): void {
    for (let i = 0; i < (m + gap) * (k + gap) + 16; i++) words[A / 4 + i] = next();
    for (let i = 0; i < (n + gap) * (k + gap) + 16; i++) words[B / 4 + i] = next();
    const [aWide, bWide, cRow] = [(ta ? m : k) + gap, (tb ? k : n) + gap, n + gap];
    const problem: Product = {
      m,
      n,
      k,
      a: A,
      b: B,
      c: C,
      cRow,
      ...(ta ? { aRow: 1, aDepth: aWide } : { aRow: aWide, aDepth: 1 }),
      ...(tb ? { bDepth: 1, bColumn: bWide } : { bDepth: bWide, bColumn: 1 }),
    };
    const behind = (SCRATCH + MATMUL_SCRATCH_BYTES) / 4;
    words.fill(GUARD, C / 4 - 8, C / 4 + (m + 1) * cRow + 8);
    words.fill(GUARD, behind, behind + 64);
    matmul(problem);
    const wanted = new Uint32Array(product(problem).buffer);
    for (let i = -8; i < (m + 1) * cRow + 8; i++) {
      const inside = i >= 0 && i < m * cRow && i % cRow < n;
      const expected = inside ? wanted[Math.floor(i / cRow) * n + (i % cRow)] : GUARD;
      if (words[C / 4 + i] !== expected) expect.fail(`word ${i} of ${m}x${n}x${k}: ${words[C / 4 + i].toString(16)}`);
    }
    expect(words.slice(behind, behind + 64)).toEqual(new Uint32Array(64).fill(GUARD));
  }

  test("have the bits of the plain loop, at every size, stride and magnitude", () => {
    fc.assert(
      fc.property(size, size, depth, fc.boolean(), fc.boolean(), fc.nat(3), (m, n, k, ta, tb, gap) => {
        fc.pre(m * n * k < 200_000);
        compare(m, n, k, ta, tb, gap);
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test.each([
    ["full blocks of rows and depth", 243, 9, 384],
    ["full blocks of columns and depth", 3, 1027, 384],
    ["three blocks of rows and of depth", 485, 11, 770],
    ["blocks of rows and columns at once", 243, 1030, 5],
  ])("cross the seams: %s", (_, m, n, k) => {
    for (const ta of [false, true]) for (const tb of [false, true]) compare(m, n, k, ta, tb, 1);
  });

  test("read strided operands", () => {
    const next2 = floatBits(SEED + 1);
    for (let i = 0; i < 40_000; i++) words[A / 4 + i] = next2();
    const problem = {
      m: 13,
      n: 19,
      k: 21,
      a: A,
      aRow: 3,
      aDepth: 50,
      b: A + 4000,
      bDepth: 7,
      bColumn: 200,
      c: C,
      cRow: 19,
    };
    matmul(problem);
    expect(words.slice(C / 4, C / 4 + 13 * 19)).toEqual(new Uint32Array(product(problem).buffer));
  });
});

describe("matrix products of one turn", () => {
  const next = floatBits(SEED + 3);
  const fill = (at: number, count: number): void => {
    for (let i = 0; i < count; i++) words[at / 4 + i] = next();
  };
  const sizes = { m: 7, n: 11, k: 13, aRow: 13, aDepth: 1, bDepth: 11, bColumn: 1, c: C, cRow: 11 };
  const wanted = (problem: Product): Uint32Array => new Uint32Array(product(problem).buffer);
  const found = (): Uint32Array => words.slice(C / 4, C / 4 + 7 * 11);

  test("pack an operand once, and one at another address anew", () => {
    fill(A, 400);
    fill(B, 400);
    const [one, other] = [
      { ...sizes, a: A, b: B },
      { ...sizes, a: A + 64, b: B + 64 },
    ];
    const expected = wanted(one);
    matmul(one, ++turn);
    // The operand that is packed is not read again.
    fill(B, 143);
    matmul(one, turn);
    expect(found()).toEqual(expected);
    matmul(other, turn);
    expect(found()).toEqual(wanted(other));
    matmul(one, turn);
    expect(found()).toEqual(wanted(one));
    fill(B, 143);
    matmul(one, ++turn);
    expect(found()).toEqual(wanted(one));
  });

  test("repeat along a batch, with an operand that is shared or not", () => {
    for (const bNext of [0, 143]) {
      fill(A, 400);
      fill(B, 600);
      const problem: Product = { ...sizes, a: A, b: B };
      const strides = { aRow: 52, aDepth: 4, bDepth: 44, bColumn: 4, cRow: 44 };
      const batch = { ...PLAIN, count: 3, aNext: 4 * 91, bNext: 4 * bNext, cNext: 4 * 77 };
      core.multiply(given(...problemWords({ ...problem, ...strides, ...batch })), SCRATCH, ++turn);
      for (let i = 0; i < 3; i++)
        expect(words.slice(C / 4 + 77 * i, C / 4 + 77 * (i + 1))).toEqual(
          wanted({ ...problem, a: A + 4 * 91 * i, b: B + 4 * bNext * i }),
        );
    }
  });
});

describe("tensor roots in lanes", () => {
  const hash4 = (...call: number[]): undefined => void core.hash4(given(...call));

  test("equal those of the portable tree", async () => {
    const random = generator(SEED);
    const lengths = [0, 4, 252, 256, 260, 512, 1020, 1024, 1028, 2048, 4096, 16380, 16384, 16388, 70_000, 3_000_004];
    for (let i = 0; i < 3_000_004 / 4; i++) words[A / 4 + i] = random() * 2 ** 32;
    for (const length of lengths) {
      const behind = (SCRATCH + treeScratchBytes(length)) / 4;
      words.fill(GUARD, behind, behind + 64);
      expect(toHex(await treeRoot(hash4, memory, A, length, SCRATCH)), `${length} bytes`).toBe(
        toHex(rootOf(chunkTree(new Uint8Array(memory.buffer, A, length)))),
      );
      expect(words.slice(behind, behind + 64), `behind ${length} bytes`).toEqual(new Uint32Array(64).fill(GUARD));
    }
  });
});

describe("rows", () => {
  const ranged = (x: number): number => (Math.abs(x) < 2 ** -102 ? 0 : Math.max(-(2 ** 102), Math.min(2 ** 102, x)));

  test("gathers fill what lies outside and count it", () => {
    for (const row of [1, 2, 3, 4, 5, 16, 17]) {
      const index = [0, 2, -1, 4, 3, 5, 2 ** 31 - 1, -(2 ** 31)];
      for (let i = 0; i < 5 * row; i++) words[A / 4 + i] = 1000 + i;
      new Int32Array(memory.buffer).set(index, B / 4);
      words.fill(GUARD, C / 4, C / 4 + 9 * row);
      expect(core.gatherRows(given(A, B, C, index.length, 4 * row, 5, 0x3f800000))).toBe(4);
      const wanted = index.flatMap((at) =>
        Array.from({ length: row }, (_, j) => (at >= 0 && at < 5 ? 1000 + at * row + j : 0x3f800000)),
      );
      expect(words.slice(C / 4, C / 4 + 9 * row)).toEqual(Uint32Array.from([...wanted, ...new Array(row).fill(GUARD)]));
    }
  });

  test("are added back in order", () => {
    const next = floatBits(SEED + 2);
    const random = generator(SEED);
    for (const row of [1, 3, 4, 5, 8, 18]) {
      const [count, rows, stride] = [60, 7, row + 2];
      const index = Int32Array.from({ length: count }, () => Math.floor(random() * (rows + 2)) - 1);
      for (let i = 0; i < count * stride; i++) words[A / 4 + i] = next();
      new Int32Array(memory.buffer).set(index, B / 4);
      words.fill(GUARD, C / 4, C / 4 + rows * row + 8);
      core.scatterAdd(given(A, B, C, count, 4 * row, rows, 4 * stride, 4 * row));
      const wanted = new Float32Array(rows * row);
      for (let v = 0; v < rows; v++)
        for (let d = 0; d < row; d++)
          for (let t = 0; t < count; t++)
            wanted[v * row + d] += index[t] === v ? ranged(values[A / 4 + t * stride + d]) : 0;
      expect(words.slice(C / 4, C / 4 + rows * row)).toEqual(new Uint32Array(wanted.buffer));
      expect(words.slice(C / 4 + rows * row, C / 4 + rows * row + 8)).toEqual(new Uint32Array(8).fill(GUARD));
    }
  });

  test("are added to some columns of a wider table", () => {
    const [count, rows, inner, pitch] = [9, 3, 6, 10];
    for (let t = 0; t < count; t++) {
      words[B / 4 + t] = t % 4;
      for (let d = 0; d < inner; d++) values[A / 4 + t * inner + d] = t + 10 * d;
    }
    words.fill(GUARD, C / 4, C / 4 + rows * pitch);
    core.scatterAdd(given(A, B, C, count, 4 * inner, rows, 4 * inner, 4 * pitch));
    for (let v = 0; v < rows; v++)
      for (let d = 0; d < pitch; d++) {
        const ts = [...Array(count).keys()].filter((t) => t % 4 === v);
        if (d < inner) expect(values[C / 4 + v * pitch + d]).toBe(ts.reduce((sum, t) => sum + t + 10 * d, 0));
        else expect(words[C / 4 + v * pitch + d]).toBe(GUARD);
      }
  });

  // Next to larger values the small ones vanish: here each is alone in its row, whole vectors and tails.
  test("clamp a single value into the sum range", () => {
    const ends = [-102, 102].flatMap((e) => [2 ** e * (1 - 2 ** -24), 2 ** e, 2 ** e * (1 + 2 ** -23)]);
    const singles = [0, 1, 2 ** -125, 2 ** 127, ...ends].flatMap((x) => (x === 0 ? [x] : [x, -x]));
    for (const row of [1, 4, 7]) {
      const count = singles.length;
      for (let t = 0; t < count; t++) {
        words[B / 4 + t] = count - 1 - t;
        for (let d = 0; d < row; d++) values[A / 4 + t * row + d] = singles[(t + d) % count];
      }
      core.scatterAdd(given(A, B, C, count, 4 * row, count, 4 * row, 4 * row));
      for (let t = 0; t < count; t++)
        for (let d = 0; d < row; d++) {
          const x = singles[(t + d) % count];
          expect(values[C / 4 + (count - 1 - t) * row + d], `${x} in a row of ${row}`).toBe(ranged(x));
        }
    }
  });
});
