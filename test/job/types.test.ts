/** What the type of a job's functions knows. `tsc` decides these; the runs show that the types are true. */
import { expect, expectTypeOf, test } from "vitest";
import type { Context } from "../../src/job/context.ts";
import { defineJob, linear, mean, sgd, sub, tensor, type Value } from "../../src/job/index.ts";

const shape = [2, 1];

test("a job's data has the keys that data() gives, and no others", async () => {
  const job = defineJob({
    name: "typed",
    steps: 1,
    options: { width: 3, activation: "gelu" },
    data: async ({ width, activation }) => {
      expectTypeOf(width).toEqualTypeOf<number>();
      expectTypeOf(activation).toEqualTypeOf<string>();
      return { x: tensor(shape, [1, 2]), y: tensor(shape, [3, 4]) };
    },
    loss(context, options) {
      // An index signature would give `Value | undefined` under noUncheckedIndexedAccess; known keys do not.
      expectTypeOf(context.data).toEqualTypeOf<{ readonly x: Value; readonly y: Value }>();
      expectTypeOf(options).toExtend<{ readonly width: number; readonly activation: string; readonly steps: number }>();
      // @ts-expect-error data() gives no z
      expect(() => context.data.z).toThrow("no tensor called z; it has x, y");
      // @ts-expect-error there is no option depth
      expect(options.depth).toBeUndefined();
      // @ts-expect-error a job's options are not written to
      expect(() => Object.freeze(options) && (options.width = 4)).toThrow(TypeError);
      expect(Object.keys(context.data)).toEqual(["x", "y"]);
      expect(options).toEqual({ width: 3, activation: "gelu", steps: 1 });
      return mean(sub(linear(context, "line", context.data.x, 1), context.data.y));
    },
    optimizer: ({ width }) => sgd({ learningRate: width }),
    // @ts-expect-error there is no option depth
    unit: ({ depth }) => ({ name: "rows", perStep: depth ?? 1 }),
  });
  expect((await job.close()).dataset.map(({ name }) => name)).toEqual(["data/x", "data/y"]);
});

test("a job without options has the number of its training steps alone", async () => {
  const job = defineJob({
    name: "bare",
    steps: 2,
    data: () => ({ x: tensor(shape, [1, 2]) }),
    loss(context, options) {
      expectTypeOf(options.steps).toEqualTypeOf<number>();
      // @ts-expect-error the job has no options
      expect(options.rate).toBeUndefined();
      return mean(linear(context, "line", context.data.x, 1));
    },
    optimizer: () => sgd({ learningRate: 1 }),
  });
  expect((await job.close()).steps).toBe(2);
});

test("a context of known data is one that every layer takes", () => {
  expectTypeOf<Context<{ readonly x: Value }>>().toExtend<Context>();
});
