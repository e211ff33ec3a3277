/** Norms of gradients of any magnitude, clipping, and steps that are skipped. */
import { describe, expect, test } from "vitest";
import { adamW, evaluate, globalNorm, type Optimizer, sgd, tensor } from "../../../src/job/index.ts";
import { jobOf, statesOf } from "./given-slopes.ts";

const SEED = 20261129;

/** Multiples of 2^-16 in [-1, 1). */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield ((state >>> 8) % 2 ** 17) / 2 ** 16 - 1;
  }
}

const normOf = (values: readonly number[]): number => {
  const largest = Math.max(...values.map(Math.abs), Number.MIN_VALUE);
  return largest * Math.sqrt(values.reduce((sum, x) => sum + (x / largest) ** 2, 0));
};

describe("globalNorm", () => {
  const shapes = [[], [7], [64], [5, 9], [3, 4, 32], [40, 1]];
  test.each([1e-37, 1e-30, 1e-20, 1e-10, 1, 1e10, 1e20, 1e30, 1e36])(
    `is that of float64 for gradients of %s (seed ${SEED})`,
    async (magnitude) => {
      const source = numbers(SEED);
      const tensors = shapes.map((shape) =>
        tensor(
          shape,
          Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => source.next().value! * magnitude),
        ),
      );
      const given = Object.fromEntries(tensors.map((each, i) => [`g${i}`, each]));
      const norm = await evaluate((values) => globalNorm(Object.values(values)), given);
      const expected = normOf(tensors.flatMap(({ data }) => [...data]));
      expect(Math.abs(norm.data[0] / expected - 1)).toBeLessThan(1e-6);
    },
  );

  test("of the largest numbers saturates only where the norm does, and of zeros is 0", async () => {
    const of = async (...values: number[]): Promise<number> =>
      (await evaluate(({ x }) => globalNorm([x]), { x: tensor([values.length], values) })).data[0];
    expect(await of(2 ** 127)).toBe(2 ** 127);
    expect(await of(2 ** 127, 2 ** 127)).toBe(2 ** 127);
    expect(await of(2 ** 126)).toBe(2 ** 126);
    expect(await of(3 * 2 ** 124, 4 * 2 ** 124)).toBe(5 * 2 ** 124);
    expect(await of(3 * 2 ** -125, 4 * 2 ** -125)).toBe(5 * 2 ** -125);
    expect(await of(0, 0)).toBe(0);
    expect(await of(1e20)).toBeCloseTo(1e20, -14);
  });
});

const last = async (optimizer: () => Optimizer, slopes: number[][], start = [1, -1]) => {
  const closed = await jobOf(optimizer, { shapes: { w: [2] }, start: { w: start }, slopes: { w: slopes }, pull: 0 });
  return statesOf(closed);
};

describe("clipping by norm", () => {
  test.each([1e20, 1e30, 1e-30])("of gradients of %s steps as far as the limit says", async (size) => {
    const [state] = await last(() => sgd({ learningRate: 1, clipNorm: 0.5 }), [[0.6 * size, -0.8 * size]]);
    const factor = size > 1 ? 0.5 : size;
    expect(state.get("metrics/gradient-norm")![0] / size).toBeCloseTo(1, 6);
    const moved = state.get("w")!.map((w, i) => [1, -1][i] - w);
    expect(moved[0]).toBeCloseTo(0.6 * factor, 6);
    expect(moved[1]).toBeCloseTo(-0.8 * factor, 6);
  });

  test("comes after clipping by value", async () => {
    const [state] = await last(() => sgd({ learningRate: 1, clipNorm: 1, clipValue: 0.75 }), [[1e20, -1]]);
    expect(state.get("metrics/gradient-norm")![0]).toBeCloseTo(0.75 * Math.SQRT2, 6);
    expect(state.get("w")![0]).toBeCloseTo(1 - Math.SQRT1_2, 6);
  });

  test("of gradients that saturate leaves AdamW's step finite", async () => {
    const states = await last(
      () => adamW({ learningRate: 0.1, weightDecay: 0 }),
      [
        [1e30, -1e38],
        [1, 1],
      ],
    );
    expect(states[0].get("w")![0]).toBeCloseTo(0.9, 5);
    expect(states[0].get("w")![1]).toBeCloseTo(-0.9, 5);
  });
});

describe("skipAbove", () => {
  const names = ["w", "optimizer/m/w", "optimizer/v/w", "optimizer/total-weight/0.9"];

  test("leaves the state as it is where the norm is above a limit", async () => {
    const states = await last(
      () => adamW({ learningRate: 0.1, skipAbove: 2 }),
      [
        [1, 1],
        [3, 1e30],
        [1, 1],
        [2, 0],
      ],
    );
    expect(states.map((state) => state.get("metrics/skipped")![0])).toEqual([0, 1, 0, 0]);
    for (const name of names) {
      expect(states[1].get(name), name).toEqual(states[0].get(name));
      expect(states[2].get(name), name).not.toEqual(states[1].get(name));
    }
    expect(states.map((state) => state.get("step")![0])).toEqual([1, 2, 3, 4]);
    expect(states[1].get("metrics/gradient-norm")![0]).toBeCloseTo(1e30, -24);
  });

  test("skips a multiple of the usual norm once that is known, and follows norms that stay large", async () => {
    const sizes = [5, 1, 1, 1, 40, 1, ...new Array<number>(12).fill(8)];
    const skipAbove = { ratio: 4, decay: 0.5, after: 3 };
    const states = await last(
      () => sgd({ learningRate: 0.1, skipAbove }),
      sizes.map((size) => [size, 0]),
    );
    let [usual, expected] = [0, [] as number[]];
    sizes.forEach((size, i) => {
      const limit = i < skipAbove.after ? Infinity : usual * skipAbove.ratio;
      expected.push(size > limit ? 1 : 0);
      usual = i === 0 ? size : usual * 0.5 + Math.min(size, limit) * 0.5;
    });
    expect(states.map((state) => state.get("metrics/skipped")![0])).toEqual(expected);
    expect(expected.slice(0, 5)).toEqual([0, 0, 0, 0, 1]);
    expect(expected.at(-1)).toBe(0);
    states.forEach((state, i) => {
      if (expected[i]) expect(state.get("w")).toEqual(states[i - 1].get("w"));
    });
  });

  test.each<[object | number, string]>([
    [0, "skipAbove is 0; take a number above 0"],
    [{}, "neither norm nor ratio is given"],
    [{ ratio: 1 }, "ratio is 1; take a number above 1"],
    [{ ratio: 2, decay: 1 }, "decay is 1"],
    [{ ratio: 2, after: 0 }, "after is 0"],
    [{ rate: 2 }, "did you mean ratio?"],
  ])("refuses %j", (skipAbove, message) => {
    expect(() => sgd({ learningRate: 1, skipAbove: skipAbove as number })).toThrow(message);
  });
});
