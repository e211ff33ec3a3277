/** Errors of sums and dot products, plain and in lanes, against double precision. */
import { fold } from "../../src/graph/emit.ts";
import { evaluate, tensor } from "../../src/graph/evaluate.ts";
import { dotRows, sumRows } from "../../src/graph/rows.ts";
import { words } from "../../src/repops/conformance/data.ts";
import { DOT_STEP, SUM_STEP } from "../../src/repops/kernels/kernel.ts";

/** The largest and the mean error of some rows, in units of 2^-24 of the sum of the terms' magnitudes. */
export interface FoldErrors {
  length: number;
  fold: "sum" | "dot";
  plain: { largest: number; mean: number };
  lanes: { largest: number; mean: number };
}

const LENGTHS = [64, 256, 1024, 4096, 16_384, 65_536];
const ELEMENTS = 2 ** 20;
const MOST_ROWS = 256;

/** Uniform numbers from -1 to 1, of 24 bits. */
function uniform(seed: number, count: number): Float32Array {
  const next = words(seed);
  return Float32Array.from({ length: count }, () => ((next() >>> 8) - 2 ** 23) * 2 ** -23);
}

export async function foldErrors(): Promise<FoldErrors[]> {
  const found: FoldErrors[] = [];
  for (const length of LENGTHS) {
    const rows = Math.min(MOST_ROWS, ELEMENTS / length);
    const [x, y] = [1, 2].map((seed) => uniform(seed + length, rows * length));
    const shape = [rows, length];
    const results = await evaluate(
      ({ x, y }) => ({
        sum: fold(SUM_STEP, [x], { name: "sum", shape: [rows], reduce: [length], start: 0, clampRange: "sum" }),
        dot: fold(DOT_STEP, [x, y], { name: "dot", shape: [rows], reduce: [length], start: 0, clampRange: "dot" }),
        lanedSum: sumRows(x, "sum"),
        lanedDot: dotRows(x, y, "dot"),
      }),
      { x: tensor(shape, x), y: tensor(shape, y) },
    );
    const errors = (results: ArrayLike<number>, term: (i: number) => number): FoldErrors["plain"] => {
      const each = Array.from({ length: rows }, (_, row) => {
        let [sum, size] = [0, 0];
        for (let i = row * length; i < (row + 1) * length; i++) [sum, size] = [sum + term(i), size + Math.abs(term(i))];
        return (Math.abs(results[row] - sum) / size) * 2 ** 24;
      });
      return { largest: Math.max(...each), mean: each.reduce((a, b) => a + b) / rows };
    };
    const [sums, products] = [(i: number) => x[i], (i: number) => x[i] * y[i]];
    found.push(
      { length, fold: "sum", plain: errors(results.sum.data, sums), lanes: errors(results.lanedSum.data, sums) },
      {
        length,
        fold: "dot",
        plain: errors(results.dot.data, products),
        lanes: errors(results.lanedDot.data, products),
      },
    );
  }
  return found;
}
