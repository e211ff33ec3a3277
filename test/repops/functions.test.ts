import { describe, expect, test } from "vitest";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { interpret } from "../../src/repops/interpret.ts";
import { compileJavaScript } from "../../src/repops/javascript.ts";
import { MAX_VALUE, MIN_VALUE } from "../../src/repops/vf32.ts";
import { generator } from "../graph/numeric.ts";
import { floats, integers, isVf32 } from "./inputs.ts";

const SEED = 20261120;
const COUNT = 40_000;

/** Units in the last place between a result and a float64 value in vf32's range. */
function ulps(actual: number, wanted: number): number {
  const magnitude = Math.abs(wanted);
  if (magnitude < MIN_VALUE) return actual === 0 || Math.abs(actual) <= MIN_VALUE ? 0 : Number.POSITIVE_INFINITY;
  if (magnitude > MAX_VALUE) return Math.abs(actual) === MAX_VALUE ? 0 : Number.POSITIVE_INFINITY;
  return Math.abs(actual - wanted) / 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const geluSlope = 2 * Math.sqrt(2 / Math.PI);
const gelu = (x: number): number => x * sigmoid(geluSlope * (x + 0.044715 * x ** 3));

/** The function in float64, the largest error claimed, and the inputs it is claimed for. */
const ACCURACY: Record<string, { twin: (x: number) => number; limit: number; inside?: (x: number) => boolean }> = {
  exp: { twin: Math.exp, limit: 1 },
  log: { twin: Math.log, limit: 1, inside: (x) => x > 0 },
  tanh: { twin: Math.tanh, limit: 3 },
  sigmoid: { twin: sigmoid, limit: 3 },
  rsqrt: { twin: (x) => 1 / Math.sqrt(x), limit: 1, inside: (x) => x > 0 },
};
/** Functions that pass through 0 elsewhere than at 0 are held to an absolute error. */
const ABSOLUTE: Record<string, { twin: (x: number) => number; limit: number; inside: (x: number) => boolean }> = {
  sin: { twin: Math.sin, limit: 2 ** -22, inside: (x) => Math.abs(x) <= 8192 },
  cos: { twin: Math.cos, limit: 2 ** -22, inside: (x) => Math.abs(x) <= 8192 },
  gelu: { twin: gelu, limit: 2 ** -20, inside: (x) => Math.abs(x) < 8 },
  silu: { twin: (x) => x * sigmoid(x), limit: 2 ** -19, inside: (x) => Math.abs(x) < 8 },
  geluDerivative: {
    twin: (x) => (gelu(x + 1e-5) - gelu(x - 1e-5)) / 2e-5,
    limit: 2 ** -19,
    inside: (x) => Math.abs(x) < 8,
  },
  siluDerivative: {
    twin: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
    limit: 2 ** -20,
    inside: (x) => Math.abs(x) < 8,
  },
};

/** Half of the inputs of every magnitude, half where the function is interesting. */
function inputs(seed: number): () => number {
  const wide = floats(seed);
  const random = generator(seed + 1);
  return () => (random() < 0.5 ? wide() : Math.fround((random() - 0.5) * 2 ** (random() * 8)));
}

describe("accuracy against float64", () => {
  for (const [name, { twin, limit, inside = () => true }] of Object.entries(ACCURACY))
    test(`${name} within ${limit} ULP`, () => {
      const run = compileJavaScript(PROGRAMS[name as keyof typeof PROGRAMS]);
      const next = inputs(SEED);
      let worst = { error: 0, x: 0 };
      for (let i = 0; i < COUNT; i++) {
        const x = next();
        if (!isVf32(x) || !inside(x)) continue;
        const error = ulps(run(x), twin(x));
        if (error > worst.error) worst = { error, x };
      }
      expect(worst.error, `seed ${SEED}, x = ${worst.x}`).toBeLessThanOrEqual(limit);
    });

  for (const [name, { twin, limit, inside }] of Object.entries(ABSOLUTE))
    test(`${name} within ${limit.toExponential(1)}`, () => {
      const run = compileJavaScript(PROGRAMS[name as keyof typeof PROGRAMS]);
      const next = inputs(SEED);
      let worst = { error: 0, x: 0 };
      for (let i = 0; i < COUNT; i++) {
        const x = next();
        if (!isVf32(x) || !inside(x)) continue;
        const error = Math.abs(run(x) - twin(x));
        if (error > worst.error) worst = { error, x };
      }
      expect(worst.error, `seed ${SEED}, x = ${worst.x}`).toBeLessThanOrEqual(limit);
    });
});

describe("every program", () => {
  for (const [name, program] of Object.entries(PROGRAMS))
    test(`${name} is total, canonical, and the same compiled as interpreted`, () => {
      const [real, whole] = [floats(SEED), integers(SEED)];
      const run = compileJavaScript(program);
      for (let i = 0; i < 5000; i++) {
        const args = program.inputs.map((type) => (type === "f" ? real() : whole()));
        const [compiled, interpreted] = [run(...args), interpret(program, args)];
        expect(Object.is(compiled, interpreted), `seed ${SEED}, inputs ${args}: ${compiled}, ${interpreted}`).toBe(
          true,
        );
        if (!name.startsWith("threefry") && name !== "mulHigh") expect(isVf32(compiled)).toBe(true);
      }
    });

  test("has its stated values outside the domain", () => {
    const at = (name: keyof typeof PROGRAMS, x: number): number => interpret(PROGRAMS[name], [x]);
    expect(at("log", 0)).toBe(-MAX_VALUE);
    expect(at("log", -3)).toBe(-MAX_VALUE);
    expect(at("rsqrt", 0)).toBe(MAX_VALUE);
    expect(at("rsqrt", -1)).toBe(MAX_VALUE);
    expect(at("exp", MAX_VALUE)).toBe(MAX_VALUE);
    expect(at("exp", -MAX_VALUE)).toBe(0);
    expect(at("tanh", MAX_VALUE)).toBe(1);
    expect(at("sigmoid", -MAX_VALUE)).toBe(0);
    expect(at("gelu", -MAX_VALUE)).toBe(0);
    expect(at("gelu", MAX_VALUE)).toBe(MAX_VALUE);
  });
});

describe("random numbers", () => {
  test("Threefry-2x32-20 gives Random123's published words", () => {
    const vectors = [
      [
        [0, 0],
        [0, 0],
        [0x6b200159, 0x99ba4efe],
      ],
      [
        [-1, -1],
        [-1, -1],
        [0x1cb996fc, 0xbb002be7],
      ],
      [
        [0x13198a2e, 0x03707344],
        [0x243f6a88, 0x85a308d3],
        [0xc4923a9c, 0x483df7a0],
      ],
    ];
    for (const [key, counter, words] of vectors) {
      expect(interpret(PROGRAMS.threefry0, [...key, ...counter]) >>> 0).toBe(words[0]);
      expect(interpret(PROGRAMS.threefry1, [...key, ...counter]) >>> 0).toBe(words[1]);
    }
  });

  test("mulHigh is the upper half of the product", () => {
    const next = integers(SEED);
    for (let i = 0; i < 5000; i++) {
      const [a, b] = [next(), next()];
      const wanted = (BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n;
      expect(interpret(PROGRAMS.mulHigh, [a, b]) >>> 0).toBe(Number(wanted));
    }
  });

  test("uniform and normal numbers have the moments they should", () => {
    const count = 20_000;
    const word = (i: number, which: "threefry0" | "threefry1"): number => interpret(PROGRAMS[which], [1, 2, i, 3]);
    const moments = (values: number[]) => {
      const mean = values.reduce((a, b) => a + b) / count;
      return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / count];
    };
    const indices = Array.from({ length: count }, (_, i) => i);
    const [mean, variance] = moments(indices.map((i) => interpret(PROGRAMS.uniform01, [word(i, "threefry0")])));
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
    const normals = indices.map((i) => interpret(PROGRAMS.normal, [word(i, "threefry0"), word(i, "threefry1")]));
    const [center, spread] = moments(normals);
    expect(Math.abs(center)).toBeLessThan(0.03);
    expect(Math.abs(spread - 1)).toBeLessThan(0.03);
  });
});
