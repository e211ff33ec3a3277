/** Random integers. */
import { elementCount, type Shape } from "../../encoding/tensor.ts";
import { GraphError } from "../../errors/index.ts";
import { mulHigh } from "../../repops/functions/threefry.ts";
import { int } from "../../repops/programs/expressions.ts";
import type { Operator } from "../operator.ts";
import { type RandomSource, stream } from "../random.ts";
import type { Value } from "../value.ts";
import { reshape } from "./reshape.ts";

/**
 * i32 `shape`, from 0 to limit - 1, by the high word of a product: the bias of any value is at most
 * limit/2^32. Every call draws from a stream of its own (spec 4.6).
 * @param limit 1 to 2^31 - 1
 * @param name the label of the operator; "random-int"
 * @throws {GraphError} for another limit
 */
export function randomInt(source: RandomSource, shape: Shape, limit: number, name = "random-int"): Value {
  if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 31 - 1)
    throw new GraphError(
      "SETTING",
      `${source.seed.builder.label(name)}: ${limit} is not a possible limit; take 1 to 2^31 - 1`,
      {
        limit,
      },
    );
  return reshape(
    stream(source, elementCount(shape), name, ([a]) => mulHigh(a, int(limit))),
    shape,
  );
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
