/**
 * Experts of different sizes that train apart (HDEE, arXiv 2502.19385), each on a domain of its own, and a
 * mixture of them that a judge evaluates: `./verde rounds run examples/rounds/hdee.ts --out out/a`
 *
 * The weight of an expert at a token is its posterior after the tokens before: by how well it predicted them.
 */
import { fileURLToPath } from "node:url";
import {
  adamW,
  add,
  byteTokens,
  concat,
  count,
  cumsum,
  fill,
  intTensor,
  logSoftmax,
  logSumExp,
  mean,
  neg,
  option,
  reshape,
  slice,
  stack,
  type Value,
} from "@verde-ml/verde/job";
import { defineRounds, now, own, type Source, train, turn } from "@verde-ml/verde/rounds";
import { drawWindows, stageOf, type Weights } from "../stages.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));
/** The widths of the experts, one for each domain: prose, prose read backwards, and sums. */
const DIMS = [8, 12, 16];

/** The texts of the domains. The judge has what follows the first 18,000 tokens of each. */
async function domains(): Promise<number[][]> {
  const prose = [...(await byteTokens(PROSE)).data];
  const sums = Array.from({ length: 3000 }, (_, i) => `${(i * 37) % 101}+${(i * 11) % 97}=${((i * 37) % 101) + ((i * 11) % 97)};`); // prettier-ignore
  return [prose, prose.slice(20_000, 40_000).reverse(), [...new TextEncoder().encode(sums.join(""))]];
}

/**
 * The mixture of experts by their posterior: log-probabilities of the tokens, f32 [experts, batch, context] →
 * those of the mixture [batch, context], and the posterior's logarithm [experts, batch, context].
 */
export function mixtureOf(tokens: Value): { mixture: Value; posterior: Value } {
  const [experts, batch, context] = tokens.shape;
  // The posterior of a token is made of those before it, and not of itself.
  const earlier = slice(cumsum(tokens, 2), 2, 0, context - 1);
  const none = fill(tokens.builder, [experts, batch, 1], 0);
  const posterior = logSoftmax(concat([none, earlier], 2), 0);
  return { mixture: logSumExp(add(posterior, tokens), 0), posterior };
}

export default defineRounds({
  name: "hdee",
  rounds: 2,
  seed: 1,
  options: {
    inner: count(20, "steps of an expert in a round"),
    batch: count(4, "windows of text in a step"),
    context: count(16, "tokens in a window"),
    tests: count(4, "windows of each domain that the judge evaluates"),
    rate: option(0.01, "learning rate of AdamW"),
  },
  members: () => ({ ...Object.fromEntries(DIMS.map((_, i) => [`expert${i}`, 1])), judge: 1 }),
  async data(role, _, { context, tests }) {
    const texts = await domains();
    const own = texts[Number(role.slice("expert".length))];
    if (role !== "judge") return { text: intTensor([18_000], own.slice(0, 18_000)) };
    const length = context + 1;
    const held = texts.flatMap((text) => text.slice(18_000, 18_000 + tests * length));
    return { windows: intTensor([texts.length * tests, length], held) };
  },
  turns({ inner, batch, context, tests, rate }) {
    const modelOf = (expert: number, weights: Weights, windows: Value, reduction: "mean" | "none") => {
      const sizes = { stages: 1, context, dim: DIMS[expert], heads: 2, subspace: 0, boundary: "whole", reduction };
      return stageOf(sizes, 0, weights, {}, windows);
    };
    const local = (expert: number) =>
      train({
        by: `expert${expert}`,
        steps: inner,
        weights: own(),
        loss(job) {
          const windows = drawWindows(job.random, job.data.text, batch, context);
          return modelOf(expert, (name, shape, init) => job.parameter(name, shape, init), windows, "mean");
        },
        optimizer: adamW({ learningRate: rate }),
      });
    const shape = [DIMS.length, DIMS.length * tests, context];
    const reads: Record<string, Source<"one">> = {};
    for (const expert of DIMS.keys()) reads[`expert${expert}`] = now(`local${expert}`);
    const evaluate = turn({
      by: "judge",
      reads,
      entries: () => ({
        tokens: { dtype: "f32", shape },
        posterior: { dtype: "f32", shape },
        single: { dtype: "f32", shape: [DIMS.length] },
        mixture: { dtype: "f32", shape: [] },
      }),
      begin({ data, reads: experts }) {
        const losses = DIMS.map((_, i) => {
          const of: Weights = (name, extents) => experts[`expert${i}`].entry(name, { dtype: "f32", shape: extents });
          return reshape(modelOf(i, of, data.windows, "none"), shape.slice(1));
        });
        const tokens = neg(stack(losses));
        const { mixture, posterior } = mixtureOf(tokens);
        return { tokens, posterior, single: neg(mean(tokens, [1, 2])), mixture: neg(mean(mixture)) };
      },
    });
    return { ...Object.fromEntries(DIMS.map((_, i) => [`local${i}`, local(i)])), evaluate };
  },
});
