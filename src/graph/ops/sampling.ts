/** Random choices: by the greatest of logits plus Gumbel noise, so that no sum of probabilities is needed. */
import { log } from "../../repops/functions/logarithm.ts";
import { uniform01 } from "../../repops/functions/threefry.ts";
import { floatSetting, POSITIVE, wholeSetting } from "../../repops/numbers/settings.ts";
import { checkOptions } from "../../errors/arguments.ts";
import type { Shape } from "../../encoding/tensor.ts";
import { defineProgram, type Float, type Int } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { fill } from "../fill.ts";
import type { Operator } from "../operator.ts";
import { draw, type RandomSource } from "../random.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { argmax } from "./extremes.ts";
import { topKFilter, topPFilter } from "./filters.ts";
import { topk } from "./sort.ts";
import { broadcastTo } from "./sum.ts";
import { transpose } from "./transpose.ts";

/**
 * -log(-log(1 - u)) for u = (word + 1/2) · 2^-32, rounded. u is small where the noise is great, so great
 * noise has a fine resolution. log(1 - u) is the logarithm of the rounded difference, times what the rounding
 * lost.
 */
function gumbel(word: Int): Float {
  const u = word
    .toFloatUnsigned()
    .add(0.5)
    .mul(2 ** -32);
  const rest = u.sub(1).neg();
  const exponential = rest.eq(1).select(
    u,
    log(rest)
      .neg()
      .mul(u.div(rest.sub(1).neg())),
  );
  return log(exponential).neg();
}

const noise = (source: RandomSource, shape: Shape, name: string): Value =>
  draw(
    source,
    shape,
    `${name}-noise`,
    () =>
      ([word]) =>
        gumbel(word),
  );

const ADD = defineProgram("ff", (x, y) => x.add(y));

const BELOW = defineProgram("ff", (uniform, probability) => uniform.lt(probability).select(1, 0));

/** The options of `categorical`. */
export interface CategoricalOptions {
  /** Logits are divided by it; 1. Small ones make the likeliest class likelier. */
  readonly temperature?: number;
  /** Only the k greatest logits are kept (`topKFilter`). */
  readonly topK?: number;
  /** Then only the likeliest, up to this share (`topPFilter`). */
  readonly topP?: number;
  /** The label of the operator. */
  readonly name?: string;
}

/**
 * A class for each row of logits, drawn with the probabilities of their softmax: f32 [..., n] → i32 [...]. It
 * is the greatest of logit / temperature + Gumbel noise; the lowest index wins a tie. No gradient flows.
 *
 *     const token = categorical(logits, job.random, { temperature: 0.8, topP: 0.95 });
 *
 * @param options `{ temperature, topK, topP, name }`; a temperature of 1, no filter and "categorical" by
 *   default
 * @throws {ShapeError} when the logits are no rows of f32, {GraphError} for other options
 */
export function categorical(logits: Value, source: RandomSource, options: CategoricalOptions = {}): Value {
  checkOptions(options, ["temperature", "topK", "topP", "name"], settingOf("categorical"));
  const { temperature = 1, topK, topP, name = "categorical" } = options;
  const builder = builderOf(name, { logits, "the seed of the source": source?.seed });
  expectFloat(logits, name, "logits");
  if (logits.rank === 0)
    throw shapeError("AXIS", builder, name, `takes rows of classes, not ${logits}; give it an axis`);
  floatSetting("the temperature", temperature, POSITIVE, settingOf(builder.label(name)));
  const cooled = defineProgram("f", (x) => x.div(temperature));
  const { shape } = logits;
  let x = temperature === 1 ? logits : map(cooled, [logits], { name: `${name}-cooled`, shape });
  if (topK !== undefined) x = topKFilter(x, topK, `${name}-top-k`);
  if (topP !== undefined) x = topPFilter(x, topP, `${name}-top-p`);
  return argmax(map(ADD, [x, noise(source, shape, name)], { name: `${name}-noisy`, shape }), -1, name);
}

/** Weights as logits: of 0, and of a negative number, so low that none is chosen before another one. */
const LOG = defineProgram("f", (weight) => log(weight).max(-(2 ** 100)));

/**
 * Classes drawn with probabilities in proportion to weights: f32 [..., n] → i32 [..., count], as in PyTorch.
 * Without replacement no class is drawn twice in a row: they are the greatest of log(weight) + Gumbel noise,
 * in the order in which they are drawn. A class of weight 0 is drawn only where a row has none left. No
 * gradient flows.
 * @param count how many for each row; without replacement n at most
 * @param replacement whether a class may be drawn again; false, as in PyTorch
 * @param name the label of the operator; "multinomial"
 * @throws {ShapeError} when the weights are no rows of f32, {GraphError} when the count is not whole, or
 *   above n
 */
export function multinomial(
  weights: Value,
  source: RandomSource,
  count: number,
  replacement = false,
  name = "multinomial",
): Value {
  const builder = builderOf(name, { weights, "the seed of the source": source?.seed });
  expectFloat(weights, name, "weights");
  if (weights.rank === 0)
    throw shapeError("AXIS", builder, name, `takes rows of weights, not ${weights}; give it an axis`);
  const { shape } = weights;
  const most = replacement ? {} : { most: shape[shape.length - 1] };
  wholeSetting("the count", count, most, settingOf(builder.label(name)));
  const logits = map(LOG, [weights], { name: `${name}-log`, shape });
  const noisy = (space: Shape): Value =>
    map(ADD, [broadcastTo(logits, space), noise(source, space, name)], { name: `${name}-noisy`, shape: space });
  if (!replacement) return topk(noisy(shape), count, -1, { name }).indices;
  const drawn = argmax(noisy([count, ...shape]), -1, name);
  return transpose(drawn, [...shape.slice(1).keys()].map((axis) => axis + 1).concat(0));
}

/**
 * 1 with a probability, else 0: f32 [...] → f32 of the same shape. Probabilities count in steps of 2^-24. No
 * gradient flows.
 * @param probability f32 from 0 to 1
 * @param name the label of the operator; "bernoulli"
 * @throws {ShapeError} when the probabilities are not f32
 */
export function bernoulli(probability: Value, source: RandomSource, name = "bernoulli"): Value {
  builderOf(name, { probability, "the seed of the source": source?.seed });
  expectFloat(probability, name, "probability");
  const { shape } = probability;
  const uniform = draw(
    source,
    shape,
    `${name}-uniform`,
    () =>
      ([word]) =>
        uniform01(word),
  );
  return map(BELOW, [uniform, probability], { name, shape });
}

categorical.check = {
  number: 228,
  name: "categorical",
  digests: {
    result: "0x66e683958ec4fd003918dda9e69215d85871cae29ba9fc13ee0ae9ca8ef98a4b",
  },
  vector: ({ x, random }) => ({ y: categorical(x, random, { temperature: 2, topK: 30, topP: 0.95 }) }),
  gradient: "none",
} satisfies Operator["check"];

multinomial.check = {
  number: 229,
  name: "multinomial",
  digests: {
    result: "0x7fa3972cb1952e376cbee425078f16dc2c9f1e1de1f4d5c8f7eb5d05e174910d",
  },
  vector: ({ x, random }) => ({ y: multinomial(x, random, 6) }),
  gradient: "none",
} satisfies Operator["check"];

bernoulli.check = {
  number: 230,
  name: "bernoulli",
  digests: {
    result: "0xe9666170ad5ace9f2c2832487b484e6e9d90c9bd7a4594c02a95357ddf5c6e35",
  },
  vector: ({ x, random }) => ({ y: bernoulli(fill(x.builder, [513], 0.3), random) }),
  gradient: "none",
} satisfies Operator["check"];
