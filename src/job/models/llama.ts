/** A decoder-only transformer like Llama: RMS norm, rotary positions, grouped queries, SwiGLU. */
import { describe } from "../../errors/arguments.ts";
import { rootOf } from "../../graph/constants.ts";
import { add } from "../../graph/ops/add.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import type { Value } from "../../graph/value.ts";
import { POSITIVE } from "../../repops/numbers/settings.ts";
import type { Context } from "../context.ts";
import { normal } from "../initializers.ts";
import { expectContext, expectOwn } from "../layers/arguments.ts";
import { swiGlu } from "../layers/blocks.ts";
import { embedding } from "../layers/embedding.ts";
import { linear } from "../layers/linear.ts";
import { rmsNormLayer } from "../layers/norms.ts";
import { attention } from "../layers/self-attention.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";

/** The size of a Llama. */
export interface LlamaOptions {
  /** The number of different tokens; 256 for bytes. */
  vocabulary: number;
  /** The number of blocks. */
  layers: number;
  /** The number of heads of queries in each block. */
  heads: number;
  /** The number of heads of keys and values, a divisor of `heads`; default `heads`. */
  kvHeads?: number;
  /** The width; a multiple of `heads`. */
  dim: number;
  /** The width between the layers of SwiGLU; default 8/3 · dim, up to the next multiple of 8. */
  hidden?: number;
  /** The base of the rotary angles; default 10000. */
  base?: number;
  /** Added to the mean squares of RMS norm; default 1e-5. */
  epsilon?: number;
  /** A query attends to this many tokens at most, itself among them; default all before it. */
  window?: number;
  /** Whether the logits are products with the table of tokens; default false. */
  tied?: boolean;
}

const OPTIONS = [
  "vocabulary",
  "layers",
  "heads",
  "kvHeads",
  "dim",
  "hidden",
  "base",
  "epsilon",
  "window",
  "tied",
] as const satisfies readonly (keyof LlamaOptions)[];
const DEVIATION = 0.02;

/**
 * Next-token logits: i32 [batch, length] → f32 [batch, length, vocabulary]. No layer has a bias. Initial
 * weights are normal with deviation 0.02; those that add to the residual stream have 0.02/sqrt(2·layers).
 *
 *     const logits = llama(job, inputs, { vocabulary: 256, layers: 4, heads: 8, kvHeads: 2, dim: 128 });
 *
 * @throws {JobError} for an unknown option, a size that is not a whole number from 1, a `dim` that is no
 *   multiple of `heads`, and heads that are no multiple of `kvHeads`
 * @throws {ShapeError} when the tokens are not i32
 */
export function llama(context: Context, tokens: Value, options: LlamaOptions): Value {
  expectContext("llama", context);
  expectOwn("llama", context, "tokens", tokens);
  expectOptions("llama", options, OPTIONS);
  const { vocabulary, layers, heads, kvHeads = heads, dim, base = 10_000, epsilon = 1e-5, window, tied } = options;
  for (const name of ["vocabulary", "heads", "dim"] as const) countOf("llama", name, options[name]);
  countOf("llama", "layers", layers, 0);
  const hidden = countOf("llama", "hidden", options.hidden ?? 8 * Math.ceil(dim / 3));
  floatOf("llama", "base", base, POSITIVE);
  if (tied !== undefined && typeof tied !== "boolean")
    throw settingError("llama", `tied is ${describe(tied)}; take true or false`);
  if (tokens.rank !== 2) throw settingError("llama", `a Llama takes tokens [batch, length], not ${tokens}`);
  const init = normal(DEVIATION);
  const residual = normal(DEVIATION / rootOf(2 * Math.max(layers, 1)));
  let x = embedding(context, "tokens", tokens, vocabulary, dim, init);
  for (let block = 0; block < layers; block++)
    x = context.scope(`blocks.${block}`, () => {
      const attended = attention(context, "attention", rmsNormLayer(context, "norm1", x, epsilon), {
        heads,
        kvHeads,
        isCausal: true,
        rotary: { base },
        bias: false,
        init,
        residual,
        ...(window !== undefined && { window }),
      });
      const middle = add(x, attended);
      const inner = rmsNormLayer(context, "norm2", middle, epsilon);
      return add(middle, swiGlu(context, "mlp", inner, hidden, { init, residual }));
    });
  const last = rmsNormLayer(context, "norm", x, epsilon);
  if (!tied) return linear(context, "head", last, vocabulary, { init, bias: false });
  const table = context.scope("tokens", () =>
    context.reuse(() => context.parameter("weight", [vocabulary, dim], init)),
  );
  return context.scope("head", () => matmul(last, transpose(table)));
}
