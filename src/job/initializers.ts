/** Initial values of the state: nodes of the init graph. */
import type { Shape } from "../encoding/tensor.ts";
import { add, mul } from "../graph/ops/elementwise.ts";
import { fill } from "../graph/ops/fill.ts";
import { randomNormal, type RandomSource, randomUniform } from "../graph/ops/random.ts";
import type { Value } from "../graph/value.ts";

export type Initializer = (source: RandomSource, shape: Shape) => Value;

export const zeros: Initializer = (source, shape) => fill(source.seed.builder, shape, 0, "zeros");
export const ones: Initializer = (source, shape) => fill(source.seed.builder, shape, 1, "ones");

export function constant(value: number): Initializer {
  return (source, shape) => fill(source.seed.builder, shape, value, "constant");
}

/** Normal with mean 0. */
export function normal(deviation: number): Initializer {
  return (source, shape) => randomNormal(source, shape, deviation);
}

/** Uniform on [-limit, limit). */
export function uniform(limit: number): Initializer {
  return (source, shape) => add(mul(randomUniform(source, shape), 2 * limit), -limit);
}
