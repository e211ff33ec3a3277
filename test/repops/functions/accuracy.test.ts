import { describe, expect, test } from "vitest";
import { errorInUlp } from "../../../bench/accuracy/inputs.ts";
import { type Claim, CLAIMS, type UnaryName } from "../../../bench/accuracy/references.ts";
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
  0.914,
  1,
  Math.SQRT2,
  0.4054651,
  0.4150375,
  0.5625,
  0.5849625,
  0.6,
  0.82,
  2.4142137,
  3.25,
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
  13.5,
  127,
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

  test("pow within 2 ULP", () => {
    const run = compileJavaScript(PROGRAMS.pow);
    const random = generator(SEED);
    const kinds = [
      (): number => 2 ** (240 * (random() - 0.5)),
      (): number => 1 + (random() - 0.5) * 2 ** (-22 * random()),
      (): number => 0.01 + 3 * random(),
    ];
    for (let i = 0; i < COUNT; i++) {
      const x = Math.fround(kinds[i % 3]());
      const y = Math.fround(i % 5 === 0 ? Math.floor(20 * random()) - 10 : ((random() - 0.5) * 250) / Math.log2(x));
      const logarithm = y * Math.log2(x);
      if (Math.abs(logarithm) < 124.9)
        expect(errorInUlp(run(x, y), x ** y), `x = ${x}, y = ${y}`).toBeLessThanOrEqual(2);
    }
  });
});

/** Right values, from arithmetic in higher precision. Without an exact reduction all of them are wrong. */
test("sine and cosine reduce any argument exactly", () => {
  const [sine, cosine] = [compileJavaScript(PROGRAMS.sin), compileJavaScript(PROGRAMS.cos)];
  for (const [x, sin, cos] of [
    [8193.0, -0.2702383292282666, 0.9627934593753299],
    [10000.0, -0.30561438888825215, -0.9521553682590148],
    [131071.0, -0.5752416837547893, -0.8179834993879491],
    [252.89820861816406, 1.0, -4.185706803757208e-9],
    [7.729178919452902e28, 1.0, -1.6147697982476211e-9],
    [1.7014118346046923e38, 0.6233855129558702, 0.78191463871496],
    [6.500000147127868e37, 0.4537559871886797, -0.8911259754324451],
    [711.0, 0.8415035574058807, 0.5402515736888212],
    [3000000028082176.0, 0.7310437463631392, 0.6823305950221975],
    [1.0000000200408773e20, 0.6565766778545903, 0.7542592830701055],
    [2.350988701644575e-38, 2.350988701644575e-38, 1.0],
    [7.729178919452902e28, 1.0, -1.6147697982476211e-9],
    [21999384576.0, 1.0, -2.0126460319185528e-9],
    [1.5458357838905804e29, -3.2295395964952422e-9, -1.0],
    [43998769152.0, -4.0252920638371055e-9, -1.0],
    [3.0916715677811608e29, 6.4590791929904845e-9, 1.0],
  ] as const) {
    expect(errorInUlp(sine(x), sin), `sin ${x}`).toBeLessThanOrEqual(1);
    expect(errorInUlp(sine(-x), -sin), `sin ${-x}`).toBeLessThanOrEqual(1);
    expect(errorInUlp(cosine(x), cos), `cos ${x}`).toBeLessThanOrEqual(1);
    expect(errorInUlp(cosine(-x), cos), `cos ${-x}`).toBeLessThanOrEqual(1);
  }
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
  for (const name of ["tanh", "erf", "sigmoid", "geluDerivative", "geluTanhDerivative", "siluDerivative"] as const)
    expect(at(name, MAX_VALUE)).toBe(1);
  for (const name of ["tanh", "erf"] as const) expect(at(name, -MAX_VALUE)).toBe(-1);
  for (const name of ["sigmoid", "gelu", "geluTanh", "silu", "geluTanhDerivative", "siluDerivative"] as const)
    expect(at(name, -MAX_VALUE)).toBe(0);
  for (const name of ["gelu", "geluTanh", "silu"] as const) expect(at(name, MAX_VALUE)).toBe(MAX_VALUE);
  for (const [x, y, power] of [
    [-2, 3, -8],
    [-2, 2, 4],
    [-2, -3, -0.125],
    [-2, 0, 1],
    [-2, 0.5, 0],
    [-1, 2 ** 24 + 2, 1],
    [-1, 2 ** 24 - 1, -1],
    [-1, -MAX_VALUE, 1],
    [1, MAX_VALUE, 1],
    [2, 127, MAX_VALUE],
    [2, 128, MAX_VALUE],
    [2, -125, MIN_VALUE],
    [2, -126, 0],
    [10, 3, 1000],
  ] as const)
    expect(at("pow", x, y), `${x}^${y}`).toBe(power);
  for (const x of [-1, -2, -MAX_VALUE]) expect(at("log1p", x)).toBe(-MAX_VALUE);
  for (const x of [0, -1]) expect(at("log2", x)).toBe(-MAX_VALUE);
  expect(at("expm1", 88.04)).toBe(MAX_VALUE);
  expect(at("expm1", -MAX_VALUE)).toBe(-1);
  expect(at("exp2", 127)).toBe(MAX_VALUE);
  expect(at("exp2", -125)).toBe(MIN_VALUE);
  expect(at("softplus", MAX_VALUE)).toBe(MAX_VALUE);
  expect(at("softplus", -MAX_VALUE)).toBe(0);
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
    for (const name of ["tanh", "erf", "sin", "atan"] as const)
      expect(run(name, -x) + run(name, x), `${name} of ${x}`).toBe(0);
  }
});
