/** Random numbers with the uniform distribution. */
import type { Shape } from "../../encoding/tensor.ts";
import { uniform01 } from "../../repops/functions/threefry.ts";
import type { Operator } from "../operator.ts";
import { draw, type RandomSource } from "../random.ts";
import type { Value } from "../value.ts";

/**
 * f32 `shape`, uniform on [0, 1), in steps of 2^-24. Every call draws from a stream of its own (spec 4.6). No
 * gradient flows.
 * @param name the label of the operator; "uniform"
 */
export function randomUniform(source: RandomSource, shape: Shape, name = "uniform"): Value {
  return draw(
    source,
    shape,
    name,
    () =>
      ([a]) =>
        uniform01(a),
  );
}

randomUniform.check = {
  number: 36,
  name: "random uniform",
  digests: {
    result: "0x794abb57f78d9ece8f6e3b90216c916b6e90f3de13937d0b1a2b7951d5c4c3f2",
  },
  vector: ({ random }) => ({ y: randomUniform(random, [513]) }),
  gradient: "none",
} satisfies Operator["check"];
