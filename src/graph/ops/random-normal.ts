/** Random numbers with the normal distribution. */
import type { Shape } from "../../encoding/tensor.ts";
import { normal } from "../../repops/functions/threefry.ts";
import { floatSetting, NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import type { Operator } from "../operator.ts";
import { draw, type RandomSource } from "../random.ts";
import { settingOf, type Value } from "../value.ts";

/**
 * f32 `shape`, normal with mean 0. Every call draws from a stream of its own (spec 4.6). No gradient flows.
 * @param deviation the standard deviation; 1
 * @param name the label of the operator; "normal"
 * @throws {GraphError} when the deviation is negative or, once it is rounded, not a vf32
 */
export function randomNormal(source: RandomSource, shape: Shape, deviation = 1, name = "normal"): Value {
  return draw(source, shape, name, (where) => {
    const scale = floatSetting("the deviation", deviation, NOT_NEGATIVE, settingOf(where));
    return ([a, b]) => normal(a, b).mul(scale);
  });
}

randomNormal.check = {
  number: 37,
  name: "random normal",
  digests: {
    result: "0x82dc15e00610ede683039b7937e667817770235ee35b4c6d4f63335b73138ba6",
  },
  vector: ({ random }) => ({ y: randomNormal(random, [513], 0.02) }),
  gradient: "none",
} satisfies Operator["check"];
