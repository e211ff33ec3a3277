import { describe, expect, test } from "vitest";
import { type Claim, CLAIMS, errorInUlp, type UnaryName } from "../../../bench/accuracy.ts";
import { PROGRAMS } from "../../../src/repops/functions/index.ts";
import { compileJavaScript } from "../../../src/repops/programs/javascript.ts";
import { bitsOf, canonBits, fromBits, MAX_VALUE, MIN_VALUE } from "../../../src/repops/numbers/vf32.ts";
import { generator } from "../../graph/numeric.ts";
import { floats } from "../inputs.ts";

const SEED = 20261120;
const COUNT = 30_000;

/** Inputs where some function bends, saturates, vanishes or changes its method. */
const BENDS = [
  0,
  MIN_VALUE,
  2 ** -122,
  2 ** -60,
  2 ** -26,
  2 ** -25,
  2 ** -13,
  0.5,
  0.625,
  Math.SQRT1_2,
  Math.PI / 4,
  0.875,
  0.93,
  1,
  Math.SQRT2,
  3.92,
  4,
  6,
  9.972,
  10,
  30,
  86.64,
  86.7,
  88.03,
  161 * (Math.PI / 2),
  8192,
  2 ** 125,
  MAX_VALUE,
];

/** Inputs with the largest errors over all inputs: exp, log, tanh and so on, in the order of the claims. */
const WORST = [
  -81.3917618, 0.69893533, 0.631044209, -1.10546958, 0.929854274, -0.991758049, -1.21457303, -0.463834882, -1.47140348,
  -46.1273384, -0.922549963, -1.95843601, 621.242249, 14.953455, 1.99746418,
].map(Math.fround);

/**
 * Every bend with its neighbours, every magnitude, and the region where the functions are neither 0 nor 1.
 */
function inputs(count: number): number[] {
  const near = BENDS.flatMap((bend) => [-2, -1, 0, 1, 2].map((offset) => fromBits(canonBits(bitsOf(bend) + offset))));
  const wide = floats(SEED);
  const random = generator(SEED);
  const dense = (): number => Math.fround((random() - 0.5) * 2 ** (random() * 9));
  return [
    ...WORST,
    ...near.flatMap((x) => (x === 0 ? [0] : [x, -x])),
    ...Array.from({ length: count }, (_, i) => (i % 3 === 0 ? wide() : dense())),
  ];
}

describe("accuracy against float64", () => {
  const xs = inputs(COUNT);
  for (const name of Object.keys(CLAIMS) as UnaryName[]) {
    const { reference, ulp, from = -Infinity, absolute = 0 }: Claim = CLAIMS[name];
    test(`${name} within ${ulp} ULP`, () => {
      const run = compileJavaScript(PROGRAMS[name]);
      let worst = { error: 0, x: 0 };
      for (const x of xs) {
        const [y, exact] = [run(x), reference(x)];
        // An absolute error counts relative to the allowed one.
        const error = x >= from ? errorInUlp(y, exact) : (ulp * Math.abs(y - exact)) / absolute;
        if (error > worst.error) worst = { error, x };
      }
      expect(worst.error, `seed ${SEED}, x = ${worst.x}`).toBeLessThanOrEqual(ulp);
      // The measure itself sees errors: no function here rounds correctly.
      expect(worst.error).toBeGreaterThan(0.5);
    });
  }

  test("pow within 2 + 2·|y·ln x| ULP", () => {
    const run = compileJavaScript(PROGRAMS.pow);
    const random = generator(SEED);
    for (let i = 0; i < COUNT; i++) {
      const x = Math.fround(2 ** (40 * (random() - 0.5)));
      const y = Math.fround((random() - 0.5) * 2 ** (random() * 10));
      const power = y * Math.log(x);
      if (Math.abs(power) > 86) continue;
      const error = errorInUlp(run(x, y), Math.exp(power));
      expect(error, `x = ${x}, y = ${y}`).toBeLessThanOrEqual(2 + 2 * Math.abs(power));
    }
  });
});

test("functions have their stated values outside their domain", () => {
  const at = (name: keyof typeof PROGRAMS, ...x: number[]): number => compileJavaScript(PROGRAMS[name])(...x);
  for (const x of [0, -MIN_VALUE, -1, -MAX_VALUE]) {
    expect(at("log", x)).toBe(-MAX_VALUE);
    expect(at("rsqrt", x)).toBe(MAX_VALUE);
  }
  expect(at("exp", 88.04)).toBe(MAX_VALUE);
  expect(at("exp", MAX_VALUE)).toBe(MAX_VALUE);
  expect(at("exp", -86.65)).toBe(0);
  expect(at("exp", -MAX_VALUE)).toBe(0);
  for (const name of ["tanh", "erf", "sigmoid", "geluDerivative", "siluDerivative"] as const)
    expect(at(name, MAX_VALUE)).toBe(1);
  for (const name of ["tanh", "erf"] as const) expect(at(name, -MAX_VALUE)).toBe(-1);
  for (const name of ["sigmoid", "gelu", "silu", "geluDerivative", "siluDerivative"] as const)
    expect(at(name, -MAX_VALUE)).toBe(0);
  for (const name of ["gelu", "silu"] as const) expect(at(name, MAX_VALUE)).toBe(MAX_VALUE);
  for (const name of ["sin", "cos"] as const)
    for (const sign of [1, -1]) expect(at(name, sign * MAX_VALUE)).toBe(at(name, sign * 8192));
  for (const y of [-3, 0, 0.5, 2]) expect(at("pow", -2, y)).toBe(0);
  expect(at("pow", 0, MIN_VALUE)).toBe(0);
  expect(at("pow", 0, 0)).toBe(1);
  expect(at("pow", 0, -MIN_VALUE)).toBe(MAX_VALUE);
  expect(at("pow", 7, 0)).toBe(1);
});

test("functions keep their symmetries in every bit", () => {
  const next = floats(SEED);
  const run = (name: keyof typeof PROGRAMS, x: number): number => compileJavaScript(PROGRAMS[name])(x);
  for (let i = 0; i < 2000; i++) {
    const x = next();
    for (const name of ["tanh", "erf"] as const) expect(run(name, -x) + run(name, x), `${name} of ${x}`).toBe(0);
  }
});
