/** A decoder-only transformer like GPT-2: pre-norm blocks, learned positions, GELU. */
import { JobError } from "../../errors/index.ts";
import { add } from "../../graph/ops/add.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import { slice } from "../../graph/ops/slice.ts";
import type { Value } from "../../graph/value.ts";
import { SHARE } from "../../repops/numbers/settings.ts";
import type { Context } from "../context.ts";
import { normal } from "../initializers.ts";
import { expectContext, expectOwn } from "../layers/arguments.ts";
import { causalSelfAttention } from "../layers/attention.ts";
import { embedding } from "../layers/embedding.ts";
import { linear } from "../layers/linear.ts";
import { mlp } from "../layers/mlp.ts";
import { norm } from "../layers/norm.ts";
import { countOf, expectOptions, floatOf } from "../settings.ts";

/** The size of a GPT. */
export interface GptOptions {
  /** The number of different tokens; 256 for bytes. */
  vocabulary: number;
  /** The number of blocks; each has an attention and a feed-forward layer. */
  layers: number;
  /** The number of attention heads in each block. */
  heads: number;
  /** The width; a multiple of `heads`. */
  dim: number;
  /** The length of the longest sequence, in tokens. */
  context: number;
  /** The rate of dropout, in [0, 1); default 0. */
  dropout?: number;
}

const DEVIATION = 0.02;

/**
 * Next-token logits: i32 [batch, length] → f32 [batch, length, vocabulary]. Initial weights are normal with
 * deviation 0.02; weights that add to the residual stream have deviation 0.02/sqrt(2·layers).
 *
 *     const { inputs, targets } = sampleWindows(job, job.data.text, { batch: 16, length: 64 });
 *     const logits = gpt(job, inputs, { vocabulary: 256, layers: 2, heads: 4, dim: 64, context: 64 });
 *     return crossEntropy(logits, targets);
 *
 * @throws {JobError} for an unknown option, a size that is not a whole number from 1, a rate of dropout
 *   outside [0, 1), a `dim` that is no multiple of `heads`, and a sequence that is longer than `context`
 * @throws {ShapeError} when the tokens are not i32
 */
export function gpt(context: Context, tokens: Value, options: GptOptions): Value {
  expectContext("gpt", context);
  expectOwn("gpt", context, "tokens", tokens);
  expectOptions("gpt", options, ["vocabulary", "layers", "heads", "dim", "context", "dropout"]);
  const { vocabulary, layers, heads, dim, dropout: rate = 0 } = options;
  for (const name of ["vocabulary", "heads", "dim", "context"] as const) countOf("gpt", name, options[name]);
  countOf("gpt", "layers", layers, 0);
  floatOf("gpt", "dropout", rate, SHARE);
  const [, length] = tokens.shape;
  if (tokens.rank !== 2) throw new JobError("SETTING", `a GPT takes tokens [batch, length], not ${tokens}`);
  if (dim % heads !== 0)
    throw new JobError(
      "SETTING",
      `a width of ${dim} can't be split among ${heads} heads; take a multiple of the heads`,
      { dim, heads },
    );
  if (length > options.context)
    throw new JobError(
      "SETTING",
      `a sequence of ${length} tokens is longer than the context of ${options.context}; shorten it, or enlarge the context`,
      { expected: `at most ${options.context}`, found: length },
    );
  const residual = normal(DEVIATION / Math.sqrt(2 * Math.max(layers, 1)));
  const rows = embedding(context, "tokens", tokens, vocabulary, dim, normal(DEVIATION));
  const positions = context.scope("positions", () =>
    slice(context.parameter("weight", [options.context, dim], normal(DEVIATION)), 0, 0, length),
  );
  let x = dropout(add(rows, positions), context.random, rate);
  for (let block = 0; block < layers; block++)
    x = context.scope(`blocks.${block}`, () => {
      const attended = causalSelfAttention(context, "attention", norm(context, "norm1", x), heads, residual, rate);
      const middle = add(x, attended);
      const out = mlp(context, "mlp", norm(context, "norm2", middle), residual);
      return add(middle, dropout(out, context.random, rate));
    });
  return linear(context, "head", norm(context, "norm", x), vocabulary, { init: normal(DEVIATION), bias: false });
}
