/** Parts of blocks: SwiGLU, and a path around a layer. */
import { describe } from "../../errors/arguments.ts";
import { add } from "../../graph/ops/add.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import { mul } from "../../graph/ops/mul.ts";
import { silu } from "../../graph/ops/silu.ts";
import { Value } from "../../graph/value.ts";
import { SHARE } from "../../repops/numbers/settings.ts";
import type { Context } from "../context.ts";
import type { Initializer } from "../initializers.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import { expectLayer } from "./arguments.ts";
import { linear } from "./linear.ts";

/** The options of `swiGlu`. */
export interface SwiGluOptions {
  /** The initial weight of the layers `gate` and `up`. */
  init?: Initializer;
  /** The initial weight of the layer `down`. */
  residual?: Initializer;
  /** Whether the layers have a bias; default false. */
  bias?: boolean;
}

/**
 * down(silu(gate(x)) · up(x)): f32 [..., n] → [..., n], by the linear layers `gate`, `up` and `down`.
 * @param name the scope of its parameters and operators
 * @param hidden the width between the layers
 * @throws {JobError} when x is a scalar, an option is unknown, or the name is taken
 */
export function swiGlu(context: Context, name: string, x: Value, hidden: number, options: SwiGluOptions = {}): Value {
  const path = expectLayer("swiGlu", context, name, x);
  expectOptions(path, options, ["init", "residual", "bias"]);
  const dim = countOf(path, "the width, the last extent of x,", x.shape[x.rank - 1]);
  const { init, residual, bias = false } = options;
  return context.scope(name, () => {
    const inner = { bias, ...(init && { init }) };
    const gate = silu(linear(context, "gate", x, hidden, inner));
    const up = linear(context, "up", x, hidden, inner);
    return linear(context, "down", mul(gate, up), dim, { bias, ...(residual && { init: residual }) });
  });
}

/**
 * x + dropout(body(x)): f32 [...] → the same.
 *
 *     const y = residual(job, "mixed", x, (value) => attention(job, "attention", value, { heads: 4 }));
 *
 * @param name the scope of what `body` makes
 * @param body a layer whose result has the shape of x
 * @param rate the rate of dropout; default 0
 * @throws {JobError} when the body is no function of a value, or gives another shape; the rate is outside [0,
 *   1)
 */
export function residual(context: Context, name: string, x: Value, body: (x: Value) => Value, rate = 0): Value {
  const path = expectLayer("residual", context, name, x);
  if (typeof body !== "function") throw settingError(path, `the body is ${describe(body)}; pass a function of a value`);
  floatOf(path, "the rate of dropout", rate, SHARE);
  return context.scope(name, () => {
    const y: unknown = body(x);
    if (!(y instanceof Value) || y.shape.join() !== x.shape.join())
      throw settingError(path, `the body gives ${y instanceof Value ? y : describe(y)} for ${x}; keep the shape`);
    return add(x, dropout(y, context.random, rate));
  });
}
