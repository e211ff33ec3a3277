/**
 * Randomness inside the graph (spec 4.6): Threefry-2x32-20 with the key (seed, purpose) and the counter
 * (element, step), so that any element of any stream can be recomputed on its own.
 */
import { elementCount, type Shape } from "../encoding/tensor.ts";
import { threefry2x32 } from "../repops/functions/threefry.ts";
import { defineProgram, type Float, int, type Int } from "../repops/programs/expressions.ts";
import type { GraphBuilder } from "./builder.ts";
import { map } from "./emit.ts";
import { reshape } from "./ops/reshape.ts";
import { broadcastTo } from "./ops/sum.ts";
import { builderOf, shapeError, shapeOf, type Value } from "./value.ts";

/**
 * The source of a graph's random numbers: two i32 scalars of its state. A job's context has it as `random`.
 */
export interface RandomSource {
  /** The job's seed. */
  seed: Value;
  /** The number of the training step: each step draws other numbers. */
  step: Value;
  /** Whether a model is evaluated: `dropout` leaves its operand as it is. */
  evaluating?: boolean;
}

/**
 * The graph of a source.
 * @throws {GraphError} when it has no values, {ShapeError} when they are no i32 scalars
 */
export function expectSource(source: RandomSource, name: string): GraphBuilder {
  const { seed, step } = (source ?? {}) as Partial<RandomSource>;
  const builder = builderOf(name, { "the seed of the source": seed, "the step of the source": step });
  for (const scalar of [source.seed, source.step])
    if (scalar.dtype !== "i32" || scalar.rank !== 0)
      throw shapeError("DTYPE", builder, name, `draws from a seed and a step that are i32 scalars, not ${scalar}`);
  return builder;
}

/**
 * A new stream, cut into a shape: f32 or i32 `shape`.
 * @param elementFor checks the operator's settings, for errors that begin with its label, and gives the
 *   element for two random words
 * @throws {GraphError} when the source has no i32 scalars, {ShapeError} when `shape` is no shape
 */
export function draw(
  source: RandomSource,
  shape: Shape,
  name: string,
  elementFor: (where: string) => (bits: [Int, Int]) => Float | Int,
): Value {
  const where = expectSource(source, name).label(name);
  const extents = shapeOf(shape, where);
  return reshape(stream(source, elementCount(extents), name, elementFor(where)), extents);
}

/**
 * A new stream: f32 or i32 [count]. `element` makes element i from its two random words.
 * @param name the label of the operator
 */
function stream(source: RandomSource, count: number, name: string, element: (bits: [Int, Int]) => Float | Int): Value {
  const { builder } = source.seed;
  const purpose = builder.nextPurpose();
  const program = defineProgram("iii", (seed, step, at) => {
    const word = (which: 0 | 1): Int => threefry2x32([seed, int(purpose)], [at, step], which);
    return element([word(0), word(1)]);
  });
  const scalars = [source.seed, source.step].map((scalar) => broadcastTo(scalar, [count]));
  return map(program, [...scalars, { coordinate: 0 }], { name, shape: [count] });
}
