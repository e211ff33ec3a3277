/**
 * Randomness inside the graph (spec 4.6): Threefry-2x32-20 with the key (seed, purpose) and the counter
 * (element, step), so that any element of any stream can be recomputed on its own.
 */
import { threefry2x32 } from "../repops/functions/threefry.ts";
import { defineProgram, type Float, int, type Int } from "../repops/programs/expressions.ts";
import { map } from "./emit.ts";
import { broadcastTo } from "./ops/sum.ts";
import type { Value } from "./value.ts";

/**
 * The source of a graph's random numbers: two i32 scalars of its state. A job's context has it as `random`.
 */
export interface RandomSource {
  /** The job's seed. */
  seed: Value;
  /** The number of the training step: each step draws other numbers. */
  step: Value;
}

/**
 * A new stream: f32 or i32 [count]. `element` makes element i from its two random words.
 * @param name the label of the operator
 */
export function stream(
  source: RandomSource,
  count: number,
  name: string,
  element: (bits: [Int, Int]) => Float | Int,
): Value {
  const { builder } = source.seed;
  const purpose = builder.nextPurpose();
  const program = defineProgram("iii", (seed, step, at) => {
    const word = (which: 0 | 1): Int => threefry2x32([seed, int(purpose)], [at, step], which);
    return element([word(0), word(1)]);
  });
  const scalars = [source.seed, source.step].map((scalar) => broadcastTo(scalar, [count]));
  return map(program, [...scalars, { coordinate: 0 }], { name, shape: [count] });
}
