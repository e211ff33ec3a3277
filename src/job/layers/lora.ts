/** LoRA: a model with frozen weights, and small trained products beside its linear layers. */
import type { Shape } from "../../encoding/tensor.ts";
import { describe } from "../../errors/arguments.ts";
import { JobError } from "../../errors/index.ts";
import { add } from "../../graph/ops/add.ts";
import { dropout } from "../../graph/ops/dropout.ts";
import { matmul } from "../../graph/ops/matmul.ts";
import { mul } from "../../graph/ops/mul.ts";
import { evaluate } from "../../graph/evaluate.ts";
import type { Value } from "../../graph/value.ts";
import type { Backend } from "../../repops/backends/backend.ts";
import { POSITIVE, SHARE } from "../../repops/numbers/settings.ts";
import { checkTensorType } from "../../repops/numbers/tensors.ts";
import type { NamedTensor } from "../closed.ts";
import type { Context } from "../context.ts";
import { uniform, zeros } from "../initializers.ts";
import { type Match, expectMatch, matches } from "../optimizers/groups.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import { expectContext } from "./arguments.ts";

/** The size of the trained products, and the layers that have one. */
export interface LoraOptions {
  /** The inner extent of a product; default 8. */
  rank?: number;
  /** A product is multiplied by alpha/rank; default 8. */
  alpha?: number;
  /** The rate of dropout of a product's operand, in [0, 1); default 0. */
  dropout?: number;
  /** The linear layers that have a product, by the name and shape of their `weight`; default all. */
  match?: Match;
}

/** What `linear` adds to its result. */
export interface Adapter {
  /**
   * @param x f32 [rows, inputs]
   * @param weight the name and the shape of the layer's weight
   * @returns f32 [rows, outputs]; `undefined` for a layer that has no product
   */
  of(context: Context, x: Value, weight: { name: string; shape: Shape }): Value | undefined;
}

/**
 * Runs `body`, which makes a model. Its parameters are frozen; each linear layer that matches has two trained
 * ones beside its `weight`, `lora.a` [inputs, rank] and `lora.b` [rank, outputs], and gives x·weight + x·a·b
 * · alpha/rank + bias. `a` is uniform on ±1/sqrt(inputs) and `b` zero at first, so training begins with the
 * frozen model. Give its weights to the run with `--from`, and `--partial` for those of LoRA.
 *
 *     const logits = lora(job, { rank: 4, match: /qkv/ }, () => gpt(job, inputs, sizes));
 *
 * @throws {JobError} for an unknown option, a value that is out of its range, and where no layer matches
 */
export function lora<T>(context: Context, options: LoraOptions, body: () => T): T {
  expectContext("lora", context);
  expectOptions("lora", options, ["rank", "alpha", "dropout", "match"]);
  const rank = countOf("lora", "rank", options.rank ?? 8);
  const alpha = floatOf("lora", "alpha", options.alpha ?? 8, POSITIVE);
  const rate = floatOf("lora", "dropout", options.dropout ?? 0, SHARE);
  const { match = () => true } = options;
  expectMatch("lora", match);
  if (typeof body !== "function") throw settingError("lora", `the body is ${describe(body)}; pass a function`);
  const names: string[] = [];
  let used = false;
  const before = context.adapter;
  context.adapter = {
    of(own, x, weight) {
      names.push(weight.name);
      if (!matches(match, weight)) return undefined;
      used = true;
      const [inputs, outputs] = weight.shape;
      return own.scope("lora", () => {
        const init = uniform(1 / Math.sqrt(inputs));
        const a = own.train(() => own.parameter("a", [inputs, rank], init));
        const b = own.train(() => own.parameter("b", [rank, outputs], zeros));
        return mul(matmul(matmul(dropout(x, own.random, rate), a), b), alpha / rank);
      });
    },
  };
  try {
    const made = context.freeze(body);
    if (!used)
      throw settingError(
        "lora",
        `match fits no linear layer; the body has ${names.length === 0 ? "none" : names.join(", ")}`,
      );
    return made;
  } finally {
    context.adapter = before;
  }
}

/**
 * The tensors of a model with LoRA as those of the model without it: weight + a·b · alpha/rank in the place
 * of each three. Other tensors are returned as they are.
 *
 *     const merged = await mergeLora(parameters, { alpha: 8 });
 *
 * @param tensors such as the state after the last step, or the weights that `verde weights` writes
 * @param options `alpha`: the one that the model was trained with; default 8. `backend`: default WASM
 * @throws {JobError} when one of the three is missing, or the shapes do not fit
 */
export async function mergeLora(
  tensors: readonly NamedTensor[],
  options: { alpha?: number; backend?: Backend } = {},
): Promise<NamedTensor[]> {
  expectOptions("mergeLora", options, ["alpha", "backend"]);
  if (!Array.isArray(tensors))
    throw settingError("mergeLora", `the tensors are ${describe(tensors)}; pass a list of named tensors`);
  for (const [i, tensor] of (tensors as readonly NamedTensor[]).entries()) {
    checkTensorType(tensor, `tensor ${i}`);
    if (typeof tensor.name !== "string") throw settingError("mergeLora", `tensor ${i} has no name; give it one`);
  }
  const alpha = floatOf("mergeLora", "alpha", options.alpha ?? 8, POSITIVE);
  const known = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const isOf = (name: string): boolean => /(^|[./])lora\.[ab]$/.test(name);
  return Promise.all(
    tensors
      .filter(({ name }) => !isOf(name))
      .map(async (tensor) => {
        if (!/(^|\.)weight$/.test(tensor.name)) return tensor;
        const layer = tensor.name.slice(0, -"weight".length);
        const [a, b] = ["a", "b"].map((side) => known.get(`${layer}lora.${side}`));
        if (!a && !b) return tensor;
        const [inputs, outputs] = tensor.shape;
        const rank = a?.shape[1] ?? 0;
        if (!a || !b || [inputs, rank].join() !== a.shape.join() || [rank, outputs].join() !== b.shape.join())
          throw new JobError(
            "STATE",
            `${layer}lora.a and ${layer}lora.b do not fit ${tensor.name} of shape [${tensor.shape.join(", ")}]; ` +
              "pass both with it",
            { name: tensor.name },
          );
        const sum = (given: Record<"w" | "a" | "b", Value>): Value =>
          add(given.w, mul(matmul(given.a, given.b), alpha / rank));
        const { backend } = options;
        const merged = await evaluate(sum, { w: tensor, a, b }, backend ? { backend } : {});
        return { ...merged, name: tensor.name };
      }),
  );
}
