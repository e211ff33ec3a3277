/** A network like U-Net that predicts the noise in an image, as diffusion models train it. */
import { logOf } from "../../graph/constants.ts";
import { map } from "../../graph/emit.ts";
import { add } from "../../graph/ops/add.ts";
import { concat } from "../../graph/ops/concat.ts";
import { cos } from "../../graph/ops/cos.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { silu } from "../../graph/ops/silu.ts";
import { sin } from "../../graph/ops/sin.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import type { Value } from "../../graph/value.ts";
import { exp } from "../../repops/functions/exponential.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { zeros } from "../initializers.ts";
import { expectContext, expectOwn } from "../layers/arguments.ts";
import { conv2dLayer } from "../layers/convolution.ts";
import { linear } from "../layers/linear.ts";
import { groupNormLayer } from "../layers/norms.ts";
import { countOf, expectOptions, settingError } from "../settings.ts";

/** The size of a U-Net. */
export interface UnetOptions {
  /** The channels of the first level, a multiple of `groups`; each further level has twice as many. */
  width: number;
  /** The number of levels; each but the first halves the image. */
  levels: number;
  /** The groups of channels of the norms; default 4. */
  groups?: number;
}

/** The longest wave of the embedding of times, in steps of noise. */
const LONGEST = 10_000;

/**
 * The noise in images: f32 [batch, channels, height, width] → the same. Each level down and up is a residual
 * block that knows the time; levels of equal size are joined.
 * @param times i32 [batch]: how noisy each image is, from 0
 * @throws {JobError} for an unknown option, a size that is not a whole number from 1, a width that is no
 *   multiple of twice the groups, and images that can't be halved so often
 * @throws {ShapeError} when the images are not f32
 */
export function unet(context: Context, images: Value, times: Value, options: UnetOptions): Value {
  expectContext("unet", context);
  expectOwn("unet", context, "images", images);
  expectOwn("unet", context, "times", times);
  expectOptions("unet", options, ["width", "levels", "groups"]);
  const { width, levels, groups = 4 } = options;
  for (const [name, value] of Object.entries({ width, levels, groups })) countOf("unet", name, value);
  if (images.rank !== 4)
    throw settingError("unet", `a U-Net takes images [batch, channels, height, width], not ${images}`);
  const [batch, channels, height, columns] = images.shape;
  if (times.dtype !== "i32" || times.shape.join() !== `${batch}`)
    throw settingError("unet", `the times are ${times}; give i32 [${batch}]`);
  const factor = 2 ** (levels - 1);
  if (height % factor !== 0 || columns % factor !== 0)
    throw settingError(
      "unet",
      `images of ${height} by ${columns} can't be halved ${levels - 1} times; take fewer levels`,
    );
  if (width % (2 * groups) !== 0)
    throw settingError("unet", `a width of ${width} is no multiple of twice the ${groups} groups; take one`);

  const time = context.scope("time", () => {
    const hidden = silu(linear(context, "in", waves(times, width), 4 * width));
    return silu(linear(context, "out", hidden, 4 * width));
  });
  const block = (name: string, x: Value, outputs: number): Value => timedBlock(context, name, x, time, outputs, groups);
  let x = conv2dLayer(context, "stem", images, width, 3, { padding: 1 });
  const skipped: Value[] = [];
  for (let level = 0; level < levels; level++) {
    if (level > 0) x = conv2dLayer(context, `down.${level}.half`, x, x.shape[1], 3, { stride: 2, padding: 1 });
    x = block(`down.${level}`, x, width * 2 ** level);
    skipped.push(x);
  }
  x = block("middle", x, x.shape[1]);
  for (let level = levels - 1; level >= 0; level--) {
    if (level < levels - 1) x = conv2dLayer(context, `up.${level}.double`, doubled(x), x.shape[1], 3, { padding: 1 });
    x = block(`up.${level}`, concat([x, skipped[level]], 1), width * 2 ** level);
  }
  const last = silu(groupNormLayer(context, "norm", x, groups));
  return conv2dLayer(context, "head", last, channels, 3, { padding: 1, init: zeros });
}

/** Sines and cosines of the times: i32 [batch] → f32 [batch, width]. */
function waves(times: Value, width: number): Value {
  const half = width / 2;
  const shape = [times.shape[0], half];
  const fall = -logOf(LONGEST) / half;
  const angle = defineProgram("ii", (time, i) => time.toFloat().mul(exp(i.toFloat().mul(fall))));
  const angles = map(angle, [broadcastTo(reshape(times, [-1, 1]), shape), { coordinate: 1 }], {
    name: "angles",
    shape,
  });
  return concat([sin(angles), cos(angles)], 1);
}

/** Two convolutions with the time added between them, and x. */
function timedBlock(context: Context, name: string, x: Value, time: Value, outputs: number, groups: number): Value {
  return context.scope(name, () => {
    const first = silu(groupNormLayer(context, "norm1", x, groups));
    const inner = conv2dLayer(context, "conv1", first, outputs, 3, { padding: 1 });
    const shift = reshape(linear(context, "time", time, outputs), [-1, outputs, 1, 1]);
    const second = silu(groupNormLayer(context, "norm2", add(inner, shift), groups));
    const y = conv2dLayer(context, "conv2", second, outputs, 3, { padding: 1, init: zeros });
    const same = x.shape[1] === outputs;
    return add(y, same ? x : conv2dLayer(context, "shortcut", x, outputs, 1));
  });
}

/** Each pixel four times: [batch, channels, height, width] → [batch, channels, 2 · height, 2 · width]. */
function doubled(x: Value): Value {
  const [batch, channels, height, width] = x.shape;
  const apart = reshape(x, [batch, channels, height, 1, width, 1]);
  return reshape(broadcastTo(apart, [batch, channels, height, 2, width, 2]), [batch, channels, 2 * height, 2 * width]);
}
