/** Random integers. */
import type { Shape } from "../../encoding/tensor.ts";
import { mulHigh } from "../../repops/functions/wide.ts";
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { int } from "../../repops/programs/expressions.ts";
import type { Operator } from "../operator.ts";
import { draw, type RandomSource } from "../random.ts";
import { settingOf, type Value } from "../value.ts";

/**
 * i32 `shape`, from 0 to limit - 1, by the high word of a product: the bias of any value is at most
 * limit/2^32. Every call draws from a stream of its own (spec 4.6).
 * @param limit 1 to 2^31 - 1
 * @param name the label of the operator; "random-int"
 * @throws {GraphError} for another limit
 */
export function randomInt(source: RandomSource, shape: Shape, limit: number, name = "random-int"): Value {
  return draw(source, shape, name, (where) => {
    wholeSetting("the limit", limit, {}, settingOf(where));
    return ([a]) => mulHigh(a, int(limit));
  });
}

randomInt.check = {
  number: 38,
  name: "random int",
  digests: {
    result: "0x641a1be69373590b20736104225d9744351eda9c5cc98a20530e4aa12841b6d1",
  },
  vector: ({ random }) => ({ y: randomInt(random, [513], 1000) }),
  gradient: "none",
} satisfies Operator["check"];
