/** Initial values of the state: operators of the init graph. */
import type { Shape } from "../encoding/tensor.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { fill } from "../graph/fill.ts";
import { add } from "../graph/ops/add.ts";
import { mul } from "../graph/ops/mul.ts";
import { randomNormal } from "../graph/ops/random-normal.ts";
import { randomUniform } from "../graph/ops/random-uniform.ts";
import type { RandomSource } from "../graph/random.ts";
import { builderOf, type Value } from "../graph/value.ts";
import { ANY, NOT_NEGATIVE } from "../repops/numbers/settings.ts";
import { floatOf } from "./settings.ts";

/** Makes the initial value of an entry of the state, with the entry's shape and type. */
export type Initializer = (source: RandomSource, shape: Shape) => Value;

const graphOf = (name: string, source: RandomSource): GraphBuilder =>
  builderOf(name, { "the seed of the source": source?.seed });

/** f32 zeros. */
export const zeros: Initializer = (source, shape) => fill(graphOf("zeros", source), shape, 0, "zeros");

/** f32 ones. */
export const ones: Initializer = (source, shape) => fill(graphOf("ones", source), shape, 1, "ones");

/**
 * f32, every element `value`.
 * @throws {JobError} when the value is not a vf32 once it is rounded
 */
export function constant(value: number): Initializer {
  floatOf("constant", "the value", value, ANY);
  return (source, shape) => fill(graphOf("constant", source), shape, value, "constant");
}

/**
 * f32, normal with mean 0, drawn from the job's seed.
 * @param deviation the standard deviation, from 0
 * @throws {JobError} when it is negative, or not a vf32 once it is rounded
 */
export function normal(deviation: number): Initializer {
  floatOf("normal", "the deviation", deviation, NOT_NEGATIVE);
  return (source, shape) => randomNormal(source, shape, deviation);
}

/**
 * f32, uniform on [-limit, limit), drawn from the job's seed.
 * @param limit from 0
 * @throws {JobError} when it is negative, or not a vf32 once it is rounded
 */
export function uniform(limit: number): Initializer {
  floatOf("uniform", "the limit", limit, NOT_NEGATIVE);
  floatOf("uniform", "the width, twice the limit,", 2 * limit, NOT_NEGATIVE);
  return (source, shape) => add(mul(randomUniform(source, shape), 2 * limit), -limit);
}
