/** The error function. */
import { erf as errorFunction } from "../../repops/functions/error-function.ts";
import { exp } from "../../repops/functions/exponential.ts";
import { unary } from "../elementwise.ts";
import type { Textbook } from "../operator.ts";

/** 2/√π, the slope at 0. */
const SLOPE = 1.1283791670955126;

/** By a series of positive terms, for tests: 2/√π · e^(-x²) · Σ 2^n·x^(2n+1) / (1·3·…·(2n+1)). */
export function erfOf(m: Textbook, x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 100; n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / m.sqrt(Math.PI)) * m.exp(-x * x) * sum;
}

/**
 * The error function within 1.25 ULP, rising: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const erf = unary("erf", {
  number: 49,
  forward: ({ a }) => errorFunction(a),
  gradient: {
    a: ({ g, a }) => exp(a.mul(a).neg()).mul(SLOPE).mul(g),
  },
  textbook: (m, a) => erfOf(m, a),
  digests: {
    result: "0x337a487b5accd67f74093cedc851290adbdbfcf19bbf8b52192ffe1d7680ac22",
    "gradient 0": "0x5c87bc6298478d713e7a175ceee97b2d1cf16d9e09d970284bbda242ab63abfb",
  },
});
