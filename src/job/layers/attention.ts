/** Causal attention: no position attends to a later one. */
import { JobError } from "../../errors/index.ts";
import { map } from "../../graph/emit.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { slice } from "../../graph/ops/slice.ts";
import { softmax } from "../../graph/ops/softmax.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import type { Value } from "../../graph/value.ts";
import { SHARE } from "../../repops/numbers/settings.ts";
import { MAX_VALUE } from "../../repops/numbers/vf32.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { normal } from "../initializers.ts";
import { countOf, floatOf, settingError } from "../settings.ts";
import { expectLayer } from "./arguments.ts";
import { linear } from "./linear.ts";

const DEVIATION = 0.02;

/**
 * Multi-head attention in which a position attends to itself and to earlier positions: f32 [batch, length,
 * dim] → [batch, length, dim]. It has the layers `qkv` (to 3·dim) and `out`, with normally distributed
 * initial weights.
 * @param name the scope of its parameters and operators
 * @param heads a divisor of dim
 * @param residual the initial weight of `out`; default normal with deviation 0.02
 * @param rate the rate of dropout of the attention weights and of the result; default 0
 * @throws {JobError} when x has not three axes, dim is no multiple of `heads`, the rate is outside [0, 1), or
 *   the name is taken
 */
export function causalSelfAttention(
  context: Context,
  name: string,
  x: Value,
  heads: number,
  residual = normal(DEVIATION),
  rate = 0,
): Value {
  const path = expectLayer("causalSelfAttention", context, name, x);
  const [batch, length, dim] = x.shape;
  if (x.rank !== 3) throw settingError(path, `attention takes [batch, length, dim], not ${x}; reshape it`);
  countOf(path, "the number of heads", heads);
  countOf(path, "the width, the last extent of x,", dim);
  floatOf(path, "the rate of dropout", rate, SHARE);
  if (dim % heads !== 0)
    throw new JobError(
      "SETTING",
      `a width of ${dim} can't be split among ${heads} heads; take a multiple of the heads`,
      { dim, heads },
    );
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

/**
 * scores · scale where the key is not after the query, else -2^127, which softmax turns into exactly 0.
 */
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
