/** Dropout: sets random elements to zero. */
import { uniform01 } from "../../repops/functions/threefry.ts";
import { floatSetting, SHARE } from "../../repops/numbers/settings.ts";
import { indices, type Operator } from "../operator.ts";
import { draw, type RandomSource } from "../random.ts";
import { builderOf, expectFloat, settingOf, type Value } from "../value.ts";
import { mul } from "./mul.ts";

/**
 * Zeroes each element with probability `rate` and scales the others by 1/(1 - rate): f32 [...] → [...]. Which
 * ones depends on the seed and the training step. A rate of 0 gives x itself, and so does a model that is
 * evaluated.
 *
 *     const y = dropout(x, job.random, 0.1);
 *
 * @param name the label of the operator; "dropout"
 * @throws {GraphError} for a rate outside [0, 1), also once it is rounded to binary32
 * @throws {ShapeError} when x is not f32
 */
export function dropout(x: Value, source: RandomSource, rate: number, name = "dropout"): Value {
  expectFloat(x, name);
  floatSetting("the rate", rate, SHARE, settingOf(x.builder.label(name)));
  if (rate === 0) return x;
  builderOf(name, { x, "the seed of the source": source?.seed });
  if (source.evaluating) return x;
  const keep = draw(
    source,
    x.shape,
    `${name}-mask`,
    () =>
      ([a]) =>
        uniform01(a)
          .lt(rate)
          .select(0, 1 / (1 - rate)),
  );
  return mul(x, keep);
}

dropout.check = {
  number: 35,
  name: "dropout",
  digests: {
    result: "0xda55a8c28bf3c6b8729ae7b5397e4d482fb9bf606f75ec6393c3ffa253e97223",
    "gradient 0": "0x54dbe0c6ce92a0f7fee793bb08a11d886293957c1b4fd25e6362903ec24f5005",
    "gradient 1": "0x0338dae77ad1b0a81276d7982e5766dc210115f09c148f3cf2f6715383ddbd9e",
  },
  vector: ({ x, g, random }) => ({ y: dropout(x, random, 0.3), gradient: g }),
  // No formula of a textbook says which elements are kept.
  gradient: [
    {
      operands: [{ shape: [5, 7] }, indices([], [20261120]), indices([], [3])],
      apply: (x, seed, step) => dropout(x, { seed, step }, 0.25),
    },
  ],
} satisfies Operator["check"];
