/** A classifier of images like ViT: patches are tokens of an encoder. */
import { add } from "../../graph/ops/add.ts";
import { concat } from "../../graph/ops/concat.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { slice } from "../../graph/ops/slice.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import type { Value } from "../../graph/value.ts";
import { SHARE } from "../../repops/numbers/settings.ts";
import type { Context } from "../context.ts";
import { normal, zeros } from "../initializers.ts";
import { expectContext, expectOwn } from "../layers/arguments.ts";
import { linear } from "../layers/linear.ts";
import { norm } from "../layers/norm.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import { encoderBlock } from "./transformer-encoder.ts";

/** The size of a ViT. */
export interface VitOptions {
  /** The number of classes. */
  classes: number;
  /** The height and width of a patch; a divisor of the image's. */
  patch: number;
  /** The number of blocks. */
  layers: number;
  /** The number of attention heads in each block. */
  heads: number;
  /** The width; a multiple of `heads`. */
  dim: number;
  /** The width between the feed-forward layers; default 4 · dim. */
  hidden?: number;
  /** The rate of dropout, in [0, 1); default 0. */
  dropout?: number;
}

const OPTIONS = [
  "classes",
  "patch",
  "layers",
  "heads",
  "dim",
  "hidden",
  "dropout",
] as const satisfies readonly (keyof VitOptions)[];
const DEVIATION = 0.02;

/**
 * Logits: f32 [batch, channels, height, width] → [batch, classes]. A learned token in front of the patches
 * collects what is classified. The head begins with zeros, and positions with a deviation of 0.02.
 * @throws {JobError} for an unknown option, a size that is not a whole number from 1, a rate of dropout
 *   outside [0, 1), a `dim` that is no multiple of `heads`, and patches that do not fill the image
 * @throws {ShapeError} when the images are not f32
 */
export function vit(context: Context, images: Value, options: VitOptions): Value {
  expectContext("vit", context);
  expectOwn("vit", context, "images", images);
  expectOptions("vit", options, OPTIONS);
  const { classes, patch, layers, heads, dim, dropout: rate = 0 } = options;
  for (const name of ["classes", "patch", "heads", "dim"] as const) countOf("vit", name, options[name]);
  countOf("vit", "layers", layers, 0);
  const hidden = countOf("vit", "hidden", options.hidden ?? 4 * dim);
  floatOf("vit", "dropout", rate, SHARE);
  const [batch] = images.shape;
  const patches = patchesOf(images, patch);
  const embedded = linear(context, "patches", patches, dim);
  const first = context.scope("class", () => context.parameter("weight", [1, 1, dim], zeros));
  const tokens = concat([broadcastTo(first, [batch, 1, dim]), embedded], 1);
  const positions = context.scope("positions", () =>
    context.parameter("weight", [tokens.shape[1], dim], normal(DEVIATION)),
  );
  let x = dropout(add(tokens, positions), context.random, rate);
  const block = { heads, hidden, normFirst: true, epsilon: 1e-6, dropout: rate };
  for (let i = 0; i < layers; i++) x = encoderBlock(context, `blocks.${i}`, x, block);
  const collected = reshape(slice(norm(context, "norm", x, 1e-6), 1, 0, 1), [batch, dim]);
  return linear(context, "head", collected, classes, { init: zeros });
}

/** [batch, channels, height, width] → [batch, patches, channels · patch · patch], by rows. */
function patchesOf(images: Value, patch: number): Value {
  if (images.rank !== 4)
    throw settingError("vit", `a ViT takes images [batch, channels, height, width], not ${images}`);
  const [batch, channels, height, width] = images.shape;
  if (height % patch !== 0 || width % patch !== 0)
    throw settingError(
      "vit",
      `patches of ${patch} by ${patch} do not fill images of ${height} by ${width}; take a divisor`,
    );
  const [rows, columns] = [height / patch, width / patch];
  const cut = reshape(images, [batch, channels, rows, patch, columns, patch]);
  return reshape(transpose(cut, [0, 2, 4, 1, 3, 5]), [batch, rows * columns, channels * patch * patch]);
}
