/** A decoder-only transformer in the manner of GPT-2: pre-norm blocks, learned positions, GELU. */
import { JobError } from "../../errors/index.ts";
import { add, gelu } from "../../graph/ops/elementwise.ts";
import { map } from "../../graph/emit.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { softmax } from "../../graph/ops/normalize.ts";
import { dropout } from "../../graph/ops/random.ts";
import type { Value } from "../../graph/value.ts";
import { reshape, slice, transpose } from "../../graph/ops/views.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { MAX_VALUE } from "../../repops/numbers/vf32.ts";
import type { Context } from "../context.ts";
import { normal } from "../initializers.ts";
import { embedding, linear, norm } from "./linear.ts";

export interface GptOptions {
  vocabulary: number;
  layers: number;
  heads: number;
  /** A multiple of `heads`. */
  dim: number;
  /** The longest sequence. */
  context: number;
  /** 0 */
  dropout?: number;
}

const DEVIATION = 0.02;

/**
 * Next-token logits: i32 [batch, length] → f32 [batch, length, vocabulary].
 * @throws {JobError} when `dim` is no multiple of `heads`, or the sequence is longer than `context`
 */
export function gpt(context: Context, tokens: Value, options: GptOptions): Value {
  const { vocabulary, layers, heads, dim, dropout: rate = 0 } = options;
  const [, length] = tokens.shape;
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
  const residual = normal(DEVIATION / Math.sqrt(2 * layers));
  const rows = embedding(context, "tokens", tokens, vocabulary, dim, normal(DEVIATION));
  const positions = context.scope("positions", () =>
    slice(context.parameter("weight", [options.context, dim], normal(DEVIATION)), 0, 0, length),
  );
  let x = dropout(add(rows, positions), context.random, rate);
  for (let block = 0; block < layers; block++)
    x = context.scope(`blocks.${block}`, () => {
      const attended = causalSelfAttention(context, "attention", norm(context, "norm1", x), heads, residual, rate);
      const middle = add(x, attended);
      const hidden = gelu(
        linear(context, "mlp.in", norm(context, "norm2", middle), 4 * dim, { init: normal(DEVIATION) }),
      );
      const out = linear(context, "mlp.out", hidden, dim, { init: residual });
      return add(middle, dropout(out, context.random, rate));
    });
  return linear(context, "head", norm(context, "norm", x), vocabulary, { init: normal(DEVIATION), bias: false });
}

/** Multi-head attention in which a position sees itself and what stands before it: f32 [batch, length, dim]. */
export function causalSelfAttention(
  context: Context,
  name: string,
  x: Value,
  heads: number,
  residual = normal(DEVIATION),
  rate = 0,
): Value {
  const [batch, length, dim] = x.shape;
  return context.scope(name, () => {
    const qkv = linear(context, "qkv", x, 3 * dim, { init: normal(DEVIATION) });
    const [q, k, v] = [0, 1, 2].map((part) => {
      const rows = slice(qkv, 2, part * dim, (part + 1) * dim);
      return transpose(reshape(rows, [batch, length, heads, dim / heads]), [0, 2, 1, 3]);
    });
    const scores = causalMask(matmul(q, transpose(k), "scores"), 1 / Math.sqrt(dim / heads));
    const weights = dropout(softmax(scores), context.random, rate);
    const mixed = reshape(transpose(matmul(weights, v, "mixed"), [0, 2, 1, 3]), [batch, length, dim]);
    return dropout(linear(context, "out", mixed, dim, { init: residual }), context.random, rate);
  });
}

/** scores · scale where the key does not come after the query, else -2^127, which softmax turns into exactly 0. */
function causalMask(scores: Value, scale: number): Value {
  const { shape } = scores;
  const axes = [{ coordinate: shape.length - 2 }, { coordinate: shape.length - 1 }];
  const masked = (outside: number) =>
    defineProgram("fii", (x, query, key) => query.lt(key).select(outside, x.mul(scale)));
  const out = map(masked(-MAX_VALUE), [scores, ...axes], { name: "mask", shape });
  return out.withOrigin([scores], (gradient) => [
    map(masked(0), [gradient, ...axes], { name: "mask-gradient", shape }),
  ]);
}
