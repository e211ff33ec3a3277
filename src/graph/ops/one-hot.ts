/** Classes as rows with a single 1, and elements under a mask. */
import { ANY, floatSetting, wholeSetting } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { indices, type Operator } from "../operator.ts";
import { builderOf, expectFloat, expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { broadcastTo } from "./sum.ts";
import { unsqueeze } from "./split.ts";

const IS_CLASS = defineProgram("ii", (index, at) => index.eq(at).selectInt(1, 0));

/**
 * 1 at the place of the class, else 0: i32 [...] → i32 [..., classes], as in PyTorch; `toFloat` makes floats
 * of it. An index that is no class gives zeros.
 * @param classes how many there are; a whole number from 1
 * @param name the label of the operator; "one-hot"
 * @throws {ShapeError} when the index is not i32, {GraphError} when the number of classes is not whole
 */
export function oneHot(index: Value, classes: number, name = "one-hot"): Value {
  expectValue(index, name, "index");
  if (index.dtype !== "i32") throw shapeError("DTYPE", index.builder, name, `takes an i32 index, not ${index}`);
  wholeSetting("the number of classes", classes, {}, settingOf(index.builder.label(name)));
  const shape = [...index.shape, classes];
  const operands = [broadcastTo(unsqueeze(index, -1), shape), { coordinate: index.rank }];
  return map(IS_CLASS, operands, { name, shape });
}

/**
 * `value` where the mask is not 0, else x: f32 [...] → the same shape. Gradients flow to the elements that
 * stay.
 * @param mask i32 or f32, broadcast to the shape of x
 * @param value a vf32
 * @param name the label of the operator; "masked-fill"
 * @throws {ShapeError} when x is not f32, or the mask does not broadcast to its shape
 * @throws {GraphError} when the value is not a vf32
 */
export function maskedFill(x: Value, mask: Value, value: number, name = "masked-fill"): Value {
  const builder = builderOf(name, { x, mask });
  expectFloat(x, name);
  const filling = floatSetting("the value", value, ANY, settingOf(builder.label(name)));
  const wide = broadcastTo(mask, x.shape);
  const filled = (with_: number) =>
    mask.dtype === "i32"
      ? defineProgram("fi", (element, masked) => masked.eq(0).select(element, with_))
      : defineProgram("ff", (element, masked) => masked.eq(0).select(element, with_));
  const y = map(filled(filling), [x, wide], { name, shape: x.shape });
  return y.withOrigin([x], (gradient) => [
    map(filled(0), [gradient, wide], { name: `${name}-gradient`, shape: x.shape }),
  ]);
}

oneHot.check = {
  number: 172,
  name: "one hot",
  digests: {
    result: "0xb723c9f2a8c1d3175d54a04a3d1fa907499aa20a73f47162ffac194b2ba789e0",
  },
  vector: ({ classes }) => ({ y: oneHot(classes, 37) }),
  gradient: "none",
} satisfies Operator["check"];

maskedFill.check = {
  number: 173,
  name: "masked fill",
  digests: {
    result: "0x48e0be243cda008b2f520887384506321910332c6a70c8140206d33710587a5d",
    "gradient 0": "0xb9906095a6e227872b44a833d1a9aa06700aec8b2f3da42d1627711eb571994e",
  },
  vector: ({ x, g, classes }) => ({ y: maskedFill(x, oneHot(classes, 37), -3), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }, indices([3], [0, 5, 0])],
      apply: (x, mask) => maskedFill(x, mask, 2),
      textbook: (_, x) => x.map((value, i) => (i % 3 === 1 ? 2 : value)),
    },
  ],
} satisfies Operator["check"];
