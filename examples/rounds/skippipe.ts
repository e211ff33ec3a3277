/**
 * A pipeline whose microbatches skip stages and take the others in an order of their own (SkipPipe, arXiv
 * 2502.19913): `./verde rounds run examples/rounds/skippipe.ts --out out/a`
 *
 * The schedule is an input: `--paths "0-1-2-3 0-1-5-4"` has two microbatches. A stage that is not on the path
 * of a microbatch does not see it, which is the identity. Stage 0 has the embedding and the head.
 */
import { fileURLToPath } from "node:url";
// prettier-ignore
import {
  adamW, add, byteTokens, count, gradients, intTensor, mul, option, stopGradient, sub, sum, type Value,
} from "@verde-ml/verde/job";
import { before, defineRounds, now, train, turn } from "@verde-ml/verde/rounds";
import { drawWindows, headLoss, once, stageOf, type Weights } from "../stages.ts";
import { collect, type Given, type Reads, readsOf, scheduleOf } from "./skippipe-schedule.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));
/** SkipPipe's published schedule. */
const PATHS = "0-1-2-3 0-1-5-4 0-4-3-5 0-2-4-5 0-1-3-2";
const weightsFrom = (port: Given[string]): Weights => (name, shape) => port.entry(name, { dtype: "f32", shape }); // prettier-ignore

export default defineRounds({
  name: "skippipe",
  rounds: 3,
  seed: 1,
  options: {
    stages: count(6, "how many stages, each of one block"),
    paths: option(PATHS, "the stages of each microbatch in their order"),
    batch: count(2, "windows of text in a microbatch"),
    context: count(16, "tokens in a window"),
    dim: count(32, "width of the model"),
    heads: count(2, "heads of attention"),
    rate: option(0.003, "learning rate of AdamW"),
  },
  members: ({ stages }) => Object.fromEntries(Array.from({ length: stages }, (_, stage) => [`stage${stage}`, 1])),
  async data(role) {
    if (role !== "stage0") return {};
    const { data } = await byteTokens(PROSE);
    const size = Math.floor(0.9 * data.length);
    return { text: intTensor([size], data.slice(0, size)) };
  },
  turns({ stages, paths, batch, context, dim, heads, rate }) {
    const { all, visits, passed, slope, paths: order } = scheduleOf(paths, stages);
    const [rows, hops] = [batch * context, order[0].length];
    // No stage is the last one of `stageOf`: the head is with the embedding.
    const sizes = { stages: stages + 1, context, dim, heads, subspace: 0, boundary: "whole" };
    const rowsOf = (count: number) => ({ dtype: "f32", shape: [count * rows, dim] }) as const;
    const windows = { dtype: "i32", shape: [all.length * batch, context + 1] } as const;
    const weights = (stage: number): Reads => ({ weights: before(`update${stage}`) });
    const start = turn({
      by: "stage0",
      reads: weights(0),
      entries: () => ({ passed: rowsOf(all.length), windows }),
      begin({ data, random, reads }) {
        const drawn = drawWindows(random, data.text, all.length * batch, context);
        return { windows: drawn, passed: stageOf(sizes, 0, weightsFrom(reads.weights), {}, drawn) };
      },
    });
    const parts = visits.map(({ hop, stage, microbatches }) => {
      const [input, later] = [microbatches.map((m) => passed(hop - 1, m)), microbatches.map((m) => slope(hop + 1, m))];
      const [by, entry] = [`stage${stage}`, rowsOf(microbatches.length)];
      const block = (reads: Given, of: Weights) => {
        const x = collect(reads, "passed", input, rowsOf);
        return { x, y: stageOf(sizes, stage, of, {}, x, x) };
      };
      const forward = turn({ by, reads: { ...weights(stage), ...readsOf(input) }, entries: () => ({ passed: entry }), begin: ({ reads }) => ({ passed: block(reads, weightsFrom(reads.weights)).y }) }); // prettier-ignore
      // A product whose slopes are those of the loss, as later turns have sent them.
      const along = (reads: Given, y: Value): Value => sum(mul(y, collect(reads, "slope", later, rowsOf)));
      const reads = { ...readsOf(input), ...readsOf(later) };
      const back = turn({
        by,
        reads: { ...weights(stage), ...reads },
        entries: () => ({ slope: entry }),
        begin({ reads: given }) {
          const { x, y } = block(given, weightsFrom(given.weights));
          return { slope: gradients(along(given, y), [x])[0] };
        },
      });
      return { name: `${hop}s${stage}`, stage, forward, back, reads, loss: (given: Given, of: Weights) => along(given, block(given, of).y) }; // prettier-ignore
    });
    const [ends, begins] = [all.map((m) => passed(hops - 1, m)), all.map((m) => slope(1, m))];
    const atHead: Reads = { start: now("start"), ...readsOf(ends) };
    const lossOf = (reads: Given, of: Weights) => {
      const x = collect(reads, "passed", ends, rowsOf);
      return { x, loss: headLoss(of, x, reads.start.entry("windows", windows), "mean") };
    };
    const head = turn({
      by: "stage0",
      reads: { ...weights(0), ...atHead },
      entries: () => ({ slope: rowsOf(all.length), loss: { dtype: "f32", shape: [] } }),
      begin({ reads }) {
        const { x, loss } = lossOf(reads, weightsFrom(reads.weights));
        return { loss, slope: gradients(loss, [x])[0] };
      },
    });
    const update = (stage: number) => {
      const own = parts.filter((part) => part.stage === stage);
      const reads: Reads = stage > 0 ? Object.assign({}, ...own.map((part) => part.reads)) : { ...atHead, ...readsOf(begins) }; // prettier-ignore
      const loss = (given: Given, of: Weights): Value => {
        if (stage > 0) return own.map((part) => part.loss(given, of)).reduce((a, b) => add(a, b));
        const first = stageOf(sizes, 0, of, {}, given.start.entry("windows", windows));
        const along = sum(mul(first, collect(given, "slope", begins, rowsOf)));
        // The value of the loss, with the slopes of both ends.
        return add(lossOf(given, of).loss, sub(along, stopGradient(along)));
      };
      return train({ by: `stage${stage}`, steps: 1, weights: before(`update${stage}`), reads, loss: (job, given) => loss(given, once((...weight) => job.parameter(...weight))), optimizer: adamW({ learningRate: rate, weightDecay: 0, clipNorm: 1 }) }); // prettier-ignore
    };
    const named = (of: readonly [string, object][]) =>
      Object.fromEntries(of) as Record<string, ReturnType<typeof turn>>;
    return {
      start,
      ...named(parts.map(({ name, forward }) => [`hop${name}`, forward])),
      head,
      ...named(parts.toReversed().map(({ name, back }) => [`back${name}`, back])),
      ...named(Array.from({ length: stages }, (_, stage) => [`update${stage}`, update(stage)])),
    };
  },
});
