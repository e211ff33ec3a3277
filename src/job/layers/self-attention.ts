/** Attention with any masks, groups of queries and rotary positions. */
import { describe } from "../../errors/arguments.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import { type AttentionOptions, scaledDotProductAttention } from "../../graph/ops/attention.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { rotaryEmbedding, type RotaryOptions } from "../../graph/ops/rotary.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import type { Value } from "../../graph/value.ts";
import { SHARE } from "../../repops/numbers/settings.ts";
import type { Context } from "../context.ts";
import type { Initializer } from "../initializers.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import { expectLayer, expectOwn } from "./arguments.ts";
import { linear } from "./linear.ts";

/** The options of `attention`. */
export interface AttentionLayerOptions extends Pick<AttentionOptions, "isCausal" | "window" | "attnMask" | "scale"> {
  /** The number of heads of queries. */
  heads: number;
  /** The number of heads of keys and values, a divisor of `heads`; default `heads`. */
  kvHeads?: number;
  /** The width of a head; default the width of x divided by `heads`. */
  headDim?: number;
  /** What is attended to, f32 [batch, keys, width]; default x itself. */
  memory?: Value;
  /** Whether queries and keys are turned by their positions, or how; default false. */
  rotary?: boolean | RotaryOptions;
  /** Whether the four linear layers have a bias; default true. */
  bias?: boolean;
  /** The initial weight of the layers `q`, `k` and `v`. */
  init?: Initializer;
  /** The initial weight of the layer `out`. */
  residual?: Initializer;
  /** The rate of dropout of the attention weights and of the result; default 0. */
  dropout?: number;
}

const OPTIONS = [
  "heads",
  "kvHeads",
  "headDim",
  "memory",
  "rotary",
  "bias",
  "init",
  "residual",
  "dropout",
  "isCausal",
  "window",
  "attnMask",
  "scale",
] as const satisfies readonly (keyof AttentionLayerOptions)[];

/**
 * Multi-head attention: f32 [batch, length, dim] → the same, by the linear layers `q`, `k`, `v` and `out`.
 * With `kvHeads` several heads of queries share one of keys and values (grouped-query attention; 1:
 * multi-query).
 *
 *     const y = attention(job, "attention", x, { heads: 8, kvHeads: 2, isCausal: true, rotary: true });
 *
 * @param name the scope of its parameters and operators
 * @throws {JobError} when x has not three axes, the heads do not divide, an option is unknown or out of its
 *   range, or the name is taken
 * @throws {ShapeError | GraphError} as `scaledDotProductAttention` and `rotaryEmbedding` do
 */
export function attention(context: Context, name: string, x: Value, options: AttentionLayerOptions): Value {
  const path = expectLayer("attention", context, name, x);
  expectOptions(path, options, OPTIONS);
  const { heads, memory = x, rotary = false, bias = true, init, residual, dropout: rate = 0 } = options;
  if (x.rank !== 3) throw settingError(path, `attention takes [batch, length, dim], not ${x}; reshape it`);
  countOf(path, "heads", heads);
  const kvHeads = countOf(path, "kvHeads", options.kvHeads ?? heads);
  const [batch, length, dim] = x.shape;
  if (options.headDim === undefined && dim % heads !== 0)
    throw settingError(path, `a width of ${dim} can't be split among ${heads} heads; take a multiple, or set headDim`);
  const headDim = countOf(path, "headDim", options.headDim ?? dim / heads);
  if (heads % kvHeads !== 0)
    throw settingError(path, `${heads} heads can't share ${kvHeads} heads of keys; take a divisor of the heads`);
  floatOf(path, "the rate of dropout", rate, SHARE);
  if (typeof bias !== "boolean") throw settingError(path, `bias is ${describe(bias)}; take true or false`);
  expectOwn(path, context, "memory", memory);
  if (memory.rank !== 3 || memory.shape[0] !== batch)
    throw settingError(path, `memory is ${memory}; give [${batch}, keys, width]`);
  return context.scope(name, () => {
    const project = (label: string, from: Value, count: number): Value => {
      const y = linear(context, label, from, count * headDim, { bias, ...(init && { init }) });
      return transpose(reshape(y, [batch, from.shape[1], count, headDim]), [0, 2, 1, 3]);
    };
    const turned = (value: Value): Value =>
      rotary === false ? value : rotaryEmbedding(value, rotary === true ? {} : rotary);
    const q = turned(project("q", x, heads));
    const k = turned(project("k", memory, kvHeads));
    const v = project("v", memory, kvHeads);
    const { isCausal, window, attnMask, scale } = options;
    const masks = {
      ...(isCausal !== undefined && { isCausal }),
      ...(window !== undefined && { window }),
      ...(attnMask && { attnMask }),
      ...(scale !== undefined && { scale }),
      ...(rate > 0 && { dropout: { rate, random: context.random } }),
    };
    const mixed = transpose(scaledDotProductAttention(q, k, v, masks), [0, 2, 1, 3]);
    const own = residual && { init: residual };
    const y = linear(context, "out", reshape(mixed, [batch, length, heads * headDim]), dim, { bias, ...own });
    return dropout(y, context.random, rate);
  });
}
