/** The blocks of an encoder: every position attends to every other. */
import { add } from "../../graph/ops/add.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import { gelu } from "../../graph/ops/gelu.ts";
import type { Value } from "../../graph/value.ts";
import type { Context } from "../context.ts";
import type { Initializer } from "../initializers.ts";
import { linear } from "../layers/linear.ts";
import { norm } from "../layers/norm.ts";
import { attention } from "../layers/self-attention.ts";

/** What all blocks of an encoder have. */
export interface EncoderBlock {
  heads: number;
  /** The width of the feed-forward half. */
  hidden: number;
  /** Norms before the two halves (as in ViT), or after each sum (as in BERT). */
  normFirst: boolean;
  epsilon: number;
  /** The initial weights of linear layers; default that of `linear`. */
  init?: Initializer;
  dropout: number;
  /** f32 or i32, as `attention` takes it: what keys a query may attend to. */
  mask?: Value;
}

/** Attention and two affine layers with GELU in its exact form: f32 [batch, length, dim] → the same. */
export function encoderBlock(context: Context, name: string, x: Value, block: EncoderBlock): Value {
  const { heads, hidden, normFirst, epsilon, init, dropout: rate, mask } = block;
  const [, , dim] = x.shape;
  const own = init ? { init } : {};
  const mix = (y: Value): Value =>
    attention(context, "attention", y, {
      heads,
      ...(init && { init, residual: init }),
      dropout: rate,
      ...(mask && { attnMask: mask }),
    });
  const feed = (y: Value): Value => {
    const inner = gelu(linear(context, "mlp.in", y, hidden, own));
    return dropout(linear(context, "mlp.out", inner, dim, own), context.random, rate);
  };
  const normal = (label: string, y: Value): Value => norm(context, label, y, epsilon);
  return context.scope(name, () => {
    if (normFirst) {
      const middle = add(x, mix(normal("norm1", x)));
      return add(middle, feed(normal("norm2", middle)));
    }
    const middle = normal("norm1", add(x, mix(x)));
    return normal("norm2", add(middle, feed(middle)));
  });
}
