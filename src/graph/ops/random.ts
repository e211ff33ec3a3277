/**
 * Randomness inside the graph (spec 4.6): Threefry-2x32-20 with the key (seed, purpose) and the counter (element, step),
 * so that any element of any stream can be recomputed by itself.
 */
import { type Shape, elementCount } from "../../encoding/tensor.ts";
import { GraphError } from "../../errors/index.ts";
import { mulHigh, normal, threefry2x32, uniform01 } from "../../repops/functions/threefry.ts";
import { defineProgram, int, type Int } from "../../repops/programs/expressions.ts";
import { mul } from "./elementwise.ts";
import { map } from "../emit.ts";
import { broadcastTo } from "./reduce.ts";
import { type Value } from "../value.ts";
import { reshape } from "./views.ts";

/** Where a graph's random numbers come from: two i32 scalars of its state. */
export interface RandomSource {
  seed: Value;
  step: Value;
}

/** Element `i` of stream `purpose` at `step`: two random words. */
function stream(
  source: RandomSource,
  count: number,
  name: string,
  words: (bits: [Int, Int]) => ReturnType<typeof uniform01> | Int,
): Value {
  const { builder } = source.seed;
  const purpose = builder.nextPurpose();
  const program = defineProgram("iii", (seed, step, element) => {
    const word = (which: 0 | 1): Int => threefry2x32([seed, int(purpose)], [element, step], which);
    return words([word(0), word(1)]);
  });
  const scalars = [source.seed, source.step].map((scalar) => broadcastTo(scalar, [count]));
  return map(program, [...scalars, { coordinate: 0 }], { name, shape: [count] });
}

/** Uniform on [0, 1), in steps of 2^-24. */
export function randomUniform(source: RandomSource, shape: Shape, name = "uniform"): Value {
  return reshape(
    stream(source, elementCount(shape), name, ([a]) => uniform01(a)),
    shape,
  );
}

/** Normal with mean 0 and the given standard deviation. */
export function randomNormal(source: RandomSource, shape: Shape, deviation = 1, name = "normal"): Value {
  return reshape(
    stream(source, elementCount(shape), name, ([a, b]) => normal(a, b).mul(deviation)),
    shape,
  );
}

/** Integers from 0 to limit - 1, by the high word of a product: no value is favoured by more than limit/2^32. */
export function randomInt(source: RandomSource, shape: Shape, limit: number, name = "random-int"): Value {
  if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 31 - 1)
    throw new GraphError("SETTING", `${source.seed.builder.label(name)}: ${limit} is no limit; take 1 to 2^31 - 1`, {
      limit,
    });
  return reshape(
    stream(source, elementCount(shape), name, ([a]) => mulHigh(a, int(limit))),
    shape,
  );
}

/**
 * Zeroes each element with probability `rate` and scales the others by 1/(1 - rate).
 * @throws {GraphError} for a rate outside [0, 1)
 */
export function dropout(x: Value, source: RandomSource, rate: number, name = "dropout"): Value {
  if (!(rate >= 0 && rate < 1))
    throw new GraphError("SETTING", `${x.builder.label(name)}: a rate of ${rate}; take one in [0, 1)`);
  if (rate === 0) return x;
  const keep = stream(source, elementCount(x.shape), `${name}-mask`, ([a]) =>
    uniform01(a)
      .lt(rate)
      .select(0, 1 / (1 - rate)),
  );
  return mul(x, reshape(keep, x.shape));
}
