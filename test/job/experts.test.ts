/** A mixture of experts against the textbook in float64. */
import { describe, expect, test } from "vitest";
import { add, defineJob, experts, mean, sgd, square, tensor } from "../../src/job/index.ts";
import { erfOf } from "../../src/graph/ops/erf.ts";
import { startFrom } from "../../src/trace/start.ts";
import { statesOf } from "./optimizers/given-slopes.ts";

const [POSITIONS, WIDTH, COUNT, HIDDEN] = [5, 3, 4, 2];
const spread = (count: number, factor: number): number[] =>
  Array.from({ length: count }, (_, i) => (((i * factor) % 17) - 8) / 8);
const x = spread(POSITIONS * WIDTH, 5);
const weights = {
  router: spread(WIDTH * COUNT, 7),
  in: spread(COUNT * WIDTH * HIDDEN, 3),
  out: spread(COUNT * HIDDEN * WIDTH, 11),
};

const SHAPES = { router: [WIDTH, COUNT], in: [COUNT, WIDTH, HIDDEN], out: [COUNT, HIDDEN, WIDTH] };
const NAMES = ["router", "in", "out"] as const;

/** One training step of size 1 from given weights; the loss is mean(y²) + balance. */
async function stepOf(top: number, own: typeof weights): Promise<Map<string, number[]>> {
  const closed = await defineJob({
    name: "experts",
    steps: 1,
    data: () => ({ x: tensor([POSITIONS, WIDTH], x) }),
    loss: (job) => {
      const { y, balance } = experts(job, "moe", job.data.x, { experts: COUNT, top, hidden: HIDDEN });
      job.metric("balance", balance);
      return add(mean(square(y)), balance);
    },
    optimizer: () => sgd({ learningRate: 1 }),
  }).close();
  const given = NAMES.map((name) => ({ name: `moe.${name}`, ...tensor(SHAPES[name], own[name]) }));
  return (await statesOf((await startFrom(closed, given)).job))[0];
}

/** Σ over the chosen experts of share · gelu(x·in)·out, and the balance. */
function textbook(top: number, own: typeof weights): { loss: number; balance: number } {
  const gelu = (z: number): number => 0.5 * z * (1 + erfOf(Math, z * Math.SQRT1_2));
  let squares = 0;
  const often = new Array<number>(COUNT).fill(0);
  const average = new Array<number>(COUNT).fill(0);
  for (let p = 0; p < POSITIONS; p++) {
    const row = x.slice(p * WIDTH, (p + 1) * WIDTH);
    const logits = Array.from({ length: COUNT }, (_, e) =>
      row.reduce((sum, v, k) => sum + v * own.router[k * COUNT + e], 0),
    );
    const powers = logits.map((z) => Math.exp(z - Math.max(...logits)));
    const shares = powers.map((z) => z / powers.reduce((a, b) => a + b));
    const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a] || a - b).slice(0, top);
    const total = top === 1 ? 1 : order.reduce((sum, e) => sum + shares[e], 0);
    const y = new Array<number>(WIDTH).fill(0);
    for (const e of order) {
      often[e] += COUNT / top / POSITIONS;
      for (let h = 0; h < HIDDEN; h++) {
        const z = row.reduce((sum, v, k) => sum + v * own.in[(e * WIDTH + k) * HIDDEN + h], 0);
        for (let j = 0; j < WIDTH; j++) y[j] += (shares[e] / total) * gelu(z) * own.out[(e * HIDDEN + h) * WIDTH + j];
      }
    }
    shares.forEach((share, e) => (average[e] += share / POSITIONS));
    squares += y.reduce((sum, v) => sum + v * v, 0);
  }
  const balance = often.reduce((sum, each, e) => sum + each * average[e], 0);
  return { balance, loss: squares / POSITIONS / WIDTH + balance };
}

describe("experts", () => {
  test.each([1, 2, 4])("give the result and the gradients of the textbook with the best %s", async (top) => {
    const state = await stepOf(top, weights);
    const expected = textbook(top, weights);
    expect(state.get("metrics/balance")![0]).toBeCloseTo(expected.balance, 5);
    expect(state.get("metrics/loss")![0]).toBeCloseTo(expected.loss, 5);
    for (const name of NAMES)
      weights[name].forEach((value, i) => {
        const at = (shift: number): number =>
          textbook(top, { ...weights, [name]: weights[name].with(i, value + shift) }).loss;
        const slope = (at(1e-5) - at(-1e-5)) / 2e-5;
        expect(value - state.get(`moe.${name}`)![i], `${name} ${i}`).toBeCloseTo(slope, 3);
      });
  });

  test("with equal shares come in their order, and are balanced", async () => {
    const equal = { ...weights, router: weights.router.map(() => 0) };
    const state = await stepOf(2, equal);
    expect(state.get("metrics/loss")![0]).toBeCloseTo(textbook(2, equal).loss, 5);
    expect(state.get("metrics/balance")![0]).toBeCloseTo(1, 6);
    const half = weights.out.length / 2;
    expect(state.get("moe.out")!.slice(half)).toEqual(weights.out.slice(half));
    expect(state.get("moe.out")!.slice(0, half)).not.toEqual(weights.out.slice(0, half));
  });

  test("refuse more experts than there are", async () => {
    await expect(stepOf(5, weights)).rejects.toThrow("moe: top is 5, and there are 4 experts; take at most 4");
  });
});
