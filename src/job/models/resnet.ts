/** A convolutional classifier of images like ResNet: residual blocks of two convolutions with batch norm. */
import { rootOf } from "../../graph/constants.ts";
import { add } from "../../graph/ops/add.ts";
import { mean } from "../../graph/ops/mean.ts";
import { relu } from "../../graph/ops/relu.ts";
import type { Value } from "../../graph/value.ts";
import type { Context } from "../context.ts";
import { normal } from "../initializers.ts";
import { expectContext, expectOwn } from "../layers/arguments.ts";
import { conv2dLayer } from "../layers/convolution.ts";
import { linear } from "../layers/linear.ts";
import { batchNormLayer } from "../layers/norms.ts";
import { countOf, expectOptions, settingError } from "../settings.ts";

/** The size of a ResNet. */
export interface ResnetOptions {
  /** The number of classes. */
  classes: number;
  /** The channels of the first stage; each further stage has twice as many. */
  width: number;
  /**
   * The number of residual blocks of each stage; from the second stage on, the first block halves the image.
   */
  blocks: readonly number[];
}

/**
 * Logits: f32 [batch, channels, height, width] → [batch, classes]. The stem is one convolution of 3 by 3, as
 * for small images. Where a model is evaluated, the norms take their running statistics.
 * @throws {JobError} for an unknown option, a size that is not a whole number from 1, and images that are too
 *   small
 * @throws {ShapeError} when the images are not f32
 */
export function resnet(context: Context, images: Value, options: ResnetOptions): Value {
  expectContext("resnet", context);
  expectOwn("resnet", context, "images", images);
  expectOptions("resnet", options, ["classes", "width", "blocks"]);
  const { classes, width, blocks } = options;
  countOf("resnet", "classes", classes);
  countOf("resnet", "width", width);
  if (!Array.isArray(blocks) || blocks.length === 0)
    throw settingError("resnet", "blocks has the number of blocks of each stage; give a list, such as [2, 2, 2]");
  if (images.rank !== 4)
    throw settingError("resnet", `a ResNet takes images [batch, channels, height, width], not ${images}`);
  let x = convolved(context, "stem", images, width, 3, 1);
  for (const [stage, count] of (blocks as readonly number[]).entries())
    for (let i = 0; i < countOf("resnet", `blocks ${stage}`, count); i++)
      x = block(context, `stages.${stage}.${i}`, relu(x), width * 2 ** stage, stage > 0 && i === 0 ? 2 : 1);
  return linear(context, "head", mean(relu(x), [2, 3]), classes);
}

/** A convolution without bias, and its batch norm. */
function convolved(context: Context, name: string, x: Value, outputs: number, kernel: number, stride: number): Value {
  const init = normal(rootOf(2 / (outputs * kernel * kernel)));
  const padding = (kernel - 1) / 2;
  return context.scope(name, () => {
    const y = conv2dLayer(context, "conv", x, outputs, kernel, { stride, padding, bias: false, init });
    return batchNormLayer(context, "norm", y);
  });
}

/** x + two convolutions of x; x is brought to the same shape by a convolution of 1 by 1. */
function block(context: Context, name: string, x: Value, outputs: number, stride: number): Value {
  return context.scope(name, () => {
    const inner = relu(convolved(context, "first", x, outputs, 3, stride));
    const second = convolved(context, "second", inner, outputs, 3, 1);
    const same = stride === 1 && x.shape[1] === outputs;
    return add(second, same ? x : convolved(context, "shortcut", x, outputs, 1, stride));
  });
}
