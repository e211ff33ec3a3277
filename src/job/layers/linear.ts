/** The affine layer. */
import { describe } from "../../errors/arguments.ts";
import { add } from "../../graph/ops/add.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import type { Value } from "../../graph/value.ts";
import type { Context } from "../context.ts";
import { type Initializer, normal, zeros } from "../initializers.ts";
import { countOf, expectOptions, settingError } from "../settings.ts";
import { expectLayer } from "./arguments.ts";

/** The options of `linear`. */
export interface LinearOptions {
  /** The initial `weight`; default normal with deviation 1/sqrt(inputs). */
  init?: Initializer;
  /** Whether a trained `bias` is added; default true. */
  bias?: boolean;
}

/**
 * x·W + b over the last axis: f32 [..., inputs] → [..., outputs]. Parameters `weight` [inputs, outputs] and
 * `bias` [outputs], which is initially zero.
 *
 *     const hidden = gelu(linear(job, "hidden", job.data.x, 32));
 *
 * @param name the scope of its parameters and operators
 * @throws {JobError} when x is a scalar, there are no inputs or outputs, or the name is taken
 * @throws {ShapeError} when x is not f32
 */
export function linear(context: Context, name: string, x: Value, outputs: number, options: LinearOptions = {}): Value {
  const path = expectLayer("linear", context, name, x);
  expectOptions(path, options, ["init", "bias"]);
  if (options.bias !== undefined && typeof options.bias !== "boolean")
    throw settingError(path, `bias is ${describe(options.bias)}; take true or false`);
  if (x.rank === 0) throw settingError(path, "a linear layer takes at least one axis, not a scalar; give it an axis");
  const inputs = countOf(path, "the number of its inputs, the last extent of x,", x.shape[x.rank - 1]);
  countOf(path, "the number of its outputs", outputs);
  return context.scope(name, () => {
    const init = options.init ?? normal(1 / Math.sqrt(inputs));
    const weight = context.parameter("weight", [inputs, outputs], init);
    const rows = reshape(x, [-1, inputs]);
    const product = matmul(rows, weight);
    const adapted = context.adapter?.of(context, rows, { name: context.parameterName("weight"), shape: weight.shape });
    const sum = adapted ? add(product, adapted) : product;
    const y = options.bias === false ? sum : add(sum, context.parameter("bias", [outputs], zeros));
    return reshape(y, [...x.shape.slice(0, -1), outputs]);
  });
}
