/** An encoder of texts like BERT: learned positions, segments, norms after each sum, GELU. */
import { add } from "../../graph/ops/add.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { slice } from "../../graph/ops/slice.ts";
import type { Value } from "../../graph/value.ts";
import { SHARE } from "../../repops/numbers/settings.ts";
import type { Context } from "../context.ts";
import { normal } from "../initializers.ts";
import { expectContext, expectOwn } from "../layers/arguments.ts";
import { embedding } from "../layers/embedding.ts";
import { norm } from "../layers/norm.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import { encoderBlock } from "./transformer-encoder.ts";

/** The size of a BERT. */
export interface BertOptions {
  /** The number of different tokens. */
  vocabulary: number;
  /** The number of blocks. */
  layers: number;
  /** The number of attention heads in each block. */
  heads: number;
  /** The width; a multiple of `heads`. */
  dim: number;
  /** The length of the longest sequence, in tokens. */
  context: number;
  /** The width between the feed-forward layers; default 4 · dim. */
  hidden?: number;
  /** i32 [batch, length]: which of two segments a token belongs to, 0 or 1; default all 0. */
  segments?: Value;
  /** i32 [batch, length]: 1 for tokens, 0 for padding, to which nothing attends; default all 1. */
  mask?: Value;
  /** The rate of dropout, in [0, 1); default 0. */
  dropout?: number;
}

const OPTIONS = [
  "vocabulary",
  "layers",
  "heads",
  "dim",
  "context",
  "hidden",
  "segments",
  "mask",
  "dropout",
] as const satisfies readonly (keyof BertOptions)[];
const DEVIATION = 0.02;
const EPSILON = 1e-12;

/**
 * One vector for each token: i32 [batch, length] → f32 [batch, length, dim]. A classifier takes the first one
 * of a sequence; the training of BERT takes all and a linear layer over the vocabulary.
 * @throws {JobError} for an unknown option, a size that is not a whole number from 1, a rate of dropout
 *   outside [0, 1), a `dim` that is no multiple of `heads`, and a sequence that is longer than `context`
 * @throws {ShapeError} when the tokens are not i32
 */
export function bert(context: Context, tokens: Value, options: BertOptions): Value {
  expectContext("bert", context);
  expectOwn("bert", context, "tokens", tokens);
  expectOptions("bert", options, OPTIONS);
  const { vocabulary, layers, heads, dim, segments, mask, dropout: rate = 0 } = options;
  for (const name of ["vocabulary", "heads", "dim", "context"] as const) countOf("bert", name, options[name]);
  countOf("bert", "layers", layers, 0);
  const hidden = countOf("bert", "hidden", options.hidden ?? 4 * dim);
  floatOf("bert", "dropout", rate, SHARE);
  if (tokens.rank !== 2) throw settingError("bert", `a BERT takes tokens [batch, length], not ${tokens}`);
  const [batch, length] = tokens.shape;
  if (length > options.context)
    throw settingError("bert", `${length} tokens are longer than the context of ${options.context}; shorten them`);
  for (const [name, value] of Object.entries({ segments, mask })) {
    if (value === undefined) continue;
    expectOwn("bert", context, name, value);
    if (value.dtype !== "i32" || value.shape.join() !== tokens.shape.join())
      throw settingError("bert", `${name} is ${value}; give i32 [${batch}, ${length}]`);
  }
  const init = normal(DEVIATION);
  const words = embedding(context, "tokens", tokens, vocabulary, dim, init);
  const positions = context.scope("positions", () =>
    slice(context.parameter("weight", [options.context, dim], init), 0, 0, length),
  );
  let x = add(words, positions);
  if (segments) x = add(x, embedding(context, "segments", segments, 2, dim, init));
  x = dropout(norm(context, "norm", x, EPSILON), context.random, rate);
  const block = { heads, hidden, normFirst: false, epsilon: EPSILON, init, dropout: rate };
  const attended = mask && { mask: reshape(mask, [batch, 1, 1, length]) };
  for (let i = 0; i < layers; i++) x = encoderBlock(context, `blocks.${i}`, x, { ...block, ...attended });
  return x;
}
