/** The optimizers that the recorded PyTorch does not have, against their formulas in float64. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { adafactor, lion, muon, type Optimizer } from "../../../src/job/index.ts";
import { type Given, jobOf, statesOf } from "./given-slopes.ts";

const { shapes, start, slopes } = JSON.parse(
  readFileSync(new URL("../../vectors/optimizers.json", import.meta.url), "utf8"),
) as Omit<Given, "pull">;

type Rule = (
  w: number[],
  g: number[],
  step: number,
  shape: readonly number[],
  state: Record<string, number[]>,
) => number[];

/** Ten steps of a formula. */
function expected(rule: Rule): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const state: Record<string, number[]> = {};
      let w = [...start[name]];
      slopes[name].forEach((slope, i) => {
        const g = slope.map((each, j) => each + w[j] / 4);
        w = rule(w, g, i + 1, shape, state);
      });
      return [name, w];
    }),
  );
}

async function compare(optimizer: () => Optimizer, rule: Rule, tolerance: number): Promise<void> {
  const last = (await statesOf(await jobOf(optimizer, { shapes, start, slopes, pull: 1 / 4 }))).at(-1)!;
  for (const [name, values] of Object.entries(expected(rule))) {
    const worst = Math.max(...values.map((value, i) => Math.abs(value - last.get(name)![i])));
    expect(worst, `${name}: ${worst}`).toBeLessThan(tolerance);
  }
}

const zerosOf = (x: number[]): number[] => x.map(() => 0);
const root = (x: number[]): number => Math.sqrt(x.reduce((sum, each) => sum + each * each, 0));

const adamW =
  (rate: number): Rule =>
  (w, g, step, _, state) => {
    state.m = (state.m ?? zerosOf(w)).map((m, i) => 0.9 * m + 0.1 * g[i]);
    state.v = (state.v ?? zerosOf(w)).map((v, i) => 0.999 * v + 0.001 * g[i] ** 2);
    return w.map((x, i) => {
      const update = state.m[i] / (1 - 0.9 ** step) / (Math.sqrt(state.v[i] / (1 - 0.999 ** step)) + 1e-8);
      return x * (1 - rate * 0.01) - rate * update;
    });
  };

describe("ten steps by the textbook", () => {
  test.each([0, 0.3])("lion with a decay of %s", (weightDecay) =>
    compare(
      () => lion({ learningRate: 0.05, weightDecay }),
      (w, g, _, __, state) => {
        const m = state.m ?? zerosOf(w);
        const next = w.map((x, i) => x * (1 - 0.05 * weightDecay) - 0.05 * Math.sign(0.9 * m[i] + 0.1 * g[i]));
        state.m = m.map((each, i) => 0.99 * each + 0.01 * g[i]);
        return next;
      },
      2e-6,
    ),
  );

  test.each([
    [0.01, {}],
    [0.5, { weightDecay: 0.2, clipping: 1.5, beta2Decay: -0.5, epsilon2: 0.8 }],
  ])("adafactor at %s with %j", (rate, own) => {
    const { weightDecay, clipping, beta2Decay, epsilon2 } = {
      weightDecay: 0,
      clipping: 1,
      beta2Decay: -0.8,
      epsilon2: 1e-3,
      ...own,
    };
    return compare(
      () => adafactor({ learningRate: rate, ...own }),
      (w, g, step, shape, state) => {
        const share = step ** beta2Decay;
        const size = Math.max(epsilon2, root(w) / Math.sqrt(w.length)) * Math.min(rate, 1 / Math.sqrt(step));
        const follow = (which: string, squares: number[]): number[] =>
          (state[which] = (state[which] ?? zerosOf(squares)).map((v, i) => v + (squares[i] - v) * share));
        let variance: number[];
        if (shape.length === 1)
          variance = follow(
            "v",
            g.map((x) => x * x),
          );
        else {
          const [m, n] = shape;
          const average = (count: number, at: (k: number) => number): number =>
            Array.from({ length: count }, (_, k) => g[at(k)] ** 2).reduce((a, b) => a + b) / count;
          const rows = follow(
            "rows",
            Array.from({ length: m }, (_, i) => average(n, (j) => i * n + j)),
          );
          const columns = follow(
            "columns",
            Array.from({ length: n }, (_, j) => average(m, (i) => i * n + j)),
          );
          const mean = rows.reduce((a, b) => a + b) / m;
          variance = g.map((_, k) => (rows[Math.floor(k / n)] * columns[k % n]) / Math.max(mean, 2 ** -23));
        }
        const direction = g.map((x, i) => x / Math.max(Math.sqrt(variance[i]), 2 ** -23));
        const clip = Math.max(1, root(direction) / Math.sqrt(w.length) / clipping);
        return w.map((x, i) => x * (1 - rate * weightDecay) - (size / clip) * direction[i]);
      },
      5e-6,
    );
  });

  test.each([
    ["by default", {}, 1],
    [
      "that matches the size of AdamW's steps",
      { adjust: "match-rms-adamw" as const, nesterov: false, momentum: 0.5 },
      0.4,
    ],
  ])("muon %s, with AdamW for the vector", (_, own, factor) => {
    const { nesterov, momentum } = { nesterov: true, momentum: 0.95, ...own };
    const other = adamW(0.01);
    return compare(
      () => muon({ learningRate: 0.1, others: { learningRate: 0.01 }, ...own }),
      (w, g, step, shape, state) => {
        if (shape.length === 1) return other(w, g, step, shape, state);
        state.m = (state.m ?? zerosOf(w)).map((m, i) => m + (g[i] - m) * (1 - momentum));
        const along = nesterov ? g.map((x, i) => x + (state.m[i] - x) * momentum) : state.m;
        const step0 = orthogonal(along, shape[0], shape[1]);
        return w.map((x, i) => x * (1 - 0.1 * 0.1) - 0.1 * factor * step0[i]);
      },
      2e-5,
    );
  });

  test("muon makes singular values of about 1, of wide and of tall matrices", () => {
    for (const [m, n] of [
      [4, 3],
      [3, 4],
    ]) {
      const x = orthogonal(start.matrix as number[], m, n);
      const gram = product(x, transposed(x, m, n), m, n, m);
      const trace = Array.from({ length: m }, (_, i) => gram[i * m + i]).reduce((a, b) => a + b);
      expect(trace).toBeGreaterThan(3 * 0.4);
      expect(trace).toBeLessThan(3 * 1.6);
    }
  });
});

const transposed = (x: number[], m: number, n: number): number[] => x.map((_, k) => x[(k % m) * n + Math.floor(k / m)]);

function product(a: number[], b: number[], m: number, k: number, n: number): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += a[Math.floor(at / n) * k + i] * b[i * n + (at % n)];
    return sum;
  });
}

/** Newton and Schulz with the published coefficients. */
function orthogonal(x: number[], m: number, n: number): number[] {
  if (m > n) return transposed(orthogonal(transposed(x, m, n), n, m), n, m);
  let y = x.map((each) => each / Math.max(root(x), 1e-7));
  for (let i = 0; i < 5; i++) {
    const gram = product(y, transposed(y, m, n), m, n, m);
    const square = product(gram, gram, m, m, m);
    const factor = gram.map((each, k) => -4.775 * each + 2.0315 * square[k]);
    const more = product(factor, y, m, m, n);
    y = y.map((each, k) => 3.4445 * each + more[k]);
  }
  return y;
}
