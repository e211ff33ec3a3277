/**
 * SWARM (arXiv 2301.11913): each stage of a pipeline has replicas, and a draw that everybody can repeat sends
 * each microbatch from one to another: `./verde rounds run examples/rounds/swarm.ts --out out/a`
 *
 * `--gone 1.2@2` has replica 2 of stage 1 away from round 2 on. The trainer's draw leaves it out.
 */
import { fileURLToPath } from "node:url";
// prettier-ignore
import {
  adamW, add, byteTokens, concat, count, gather, gradients, intTensor, mul, option, reshape, slice, stack, sum,
  type Value,
} from "@verde-ml/verde/job";
import { before, defineRounds, each, now, own, type Port, type Source, train, turn } from "@verde-ml/verde/rounds";
import { drawWindows, stageOf, type Weights, weightsOf } from "../stages.ts";
import { awakeOf, draw, lotsOf, takenBy } from "./swarm-route.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));
export default defineRounds({
  name: "swarm",
  rounds: 3,
  seed: 1,
  options: {
    stages: count(3, "how many stages, each of one block"),
    replicas: count(3, "how many replicas each stage has, at least 2", { from: 2 }),
    microbatches: count(6, "how many microbatches are sent through in a step"),
    seeds: option("plan", "what the draws follow from: plan, or record, by which nobody knows them before the round"),
    gone: option("", "replicas that are away, at most one of a stage: 1.2@3 is replica 2 of stage 1 from round 3 on"),
    batch: count(1, "windows of text in a microbatch"),
    context: count(16, "tokens in a window"),
    dim: count(16, "width of the model"),
    heads: count(2, "heads of attention"),
    rate: option(0.01, "learning rate of AdamW"),
  },
  seeds: ({ seeds }) => seeds,
  members: ({ stages, replicas }) => ({ trainer: 1, ...Object.fromEntries(Array.from({ length: stages }, (_, stage) => [`stage${stage}`, replicas])) }), // prettier-ignore
  async data(role, member, { stages, replicas, rounds, gone }) {
    const isAwake = awakeOf(gone, stages, replicas);
    const stage = Number(role.slice("stage".length));
    if (role !== "trainer") return { awake: intTensor([rounds + 1], Array.from({ length: rounds + 1 }, (_, round) => isAwake(stage, member, round))) }; // prettier-ignore
    const { data } = await byteTokens(PROSE);
    const size = Math.floor(0.9 * data.length);
    return { text: intTensor([size], data.slice(0, size)) };
  },
  turns({ stages, replicas, microbatches, batch, context, dim, heads, rate }) {
    const [rows, capacity] = [batch * context, Math.ceil(microbatches / (replicas - 1))];
    const sizes = { stages, context, dim, heads, subspace: 0, boundary: "whole", reduction: "none" } as const;
    const passed = { dtype: "f32", shape: [capacity * rows, dim] } as const;
    const ints = (...shape: number[]) => ({ dtype: "i32", shape }) as const;
    const order = Array.from({ length: stages }, (_, stage) => stage);
    const awake = (stage: number) =>
      turn({
        by: `stage${stage}`,
        reads: {},
        entries: () => ({ awake: ints(1) }),
        begin: ({ data }) => ({ awake: gather(data.awake, reshape(data.round, [1])) }),
      });
    const route = turn({
      by: "trainer",
      reads: Object.fromEntries(order.map((stage) => [`awake${stage}`, each(`awake${stage}`)])),
      entries: () => ({ windows: ints(microbatches, batch * (context + 1)), place: ints(stages, microbatches), held: ints(stages, replicas * capacity) }), // prettier-ignore
      begin({ data, random, reads }) {
        const windows = drawWindows(random, data.text, microbatches * batch, context);
        const lots = lotsOf(random, [stages, microbatches, replicas]);
        const drawn = order.map((stage) => {
          const there = concat(reads[`awake${stage}`].map((port) => port.entry("awake")), 0); // prettier-ignore
          return draw(there, reshape(slice(lots, 0, stage, stage + 1), [microbatches, replicas]), capacity);
        });
        return { windows: reshape(windows, [microbatches, -1]), place: stack(drawn.map(({ place }) => place)), held: stack(drawn.map(({ held }) => held)) }; // prettier-ignore
      },
    });
    const readsOf = (stage: number): Record<string, Source> => ({ drawn: now("route"), weights: before(`update${stage}`), ...(stage > 0 && { input: each(`forward${stage - 1}`) }) }); // prettier-ignore
    const compute = (stage: number, member: Value, reads: Record<string, any>) => {
      const { windows, collect, masked } = takenBy(reads.drawn, stage, member, { capacity, rows, dim });
      const used = new Map<string, Value>();
      const of: Weights = (name, shape) =>
        used.set(name, reads.weights.entry(name, { dtype: "f32", shape })).get(name)!;
      const x = stage > 0 ? collect(reads.input, "passed", stage - 1) : undefined;
      return { x, used, collect, y: masked(stageOf(sizes, stage, of, {}, windows(batch), x)) };
    };
    const forward = (stage: number) =>
      turn({ by: `stage${stage}`, reads: readsOf(stage), entries: () => ({ passed }), begin: ({ data, reads }) => ({ passed: compute(stage, data.member, reads).y }) }); // prettier-ignore
    const backward = (stage: number) =>
      turn({
        by: `stage${stage}`,
        reads: { ...readsOf(stage), ...(stage < stages - 1 && { later: each(`backward${stage + 1}`) }) },
        entries: () => ({ loss: { dtype: "f32", shape: [] }, ...(stage > 0 && { slope: passed }), ...Object.fromEntries(weightsOf(sizes, stage).map(({ name, shape }) => [`grad/${name}`, { dtype: "f32", shape }])) }), // prettier-ignore
        begin({ data, reads }) {
          const { x, y, used, collect } = compute(stage, data.member, reads);
          const { later } = reads as Record<string, readonly Port[]>;
          const loss = later ? sum(mul(y, collect(later, "slope", stage + 1))) : mul(sum(y), 1 / (microbatches * rows));
          const [names, values] = [[...used.keys()], [...used.values()]];
          const slopes = gradients(loss, x ? [...values, x] : values);
          return { loss, ...(x && { slope: slopes[values.length] }), ...Object.fromEntries(names.map((name, i) => [`grad/${name}`, slopes[i]])) }; // prettier-ignore
        },
      });
    const update = (stage: number) =>
      train({
        by: `stage${stage}`,
        steps: 1,
        weights: own(),
        reads: { made: each(`backward${stage}`) },
        // A sum of products whose gradients are the sums of what the replicas have found.
        loss: (job, { made }) =>
          weightsOf(sizes, stage)
            .map(({ name, shape, init }) => {
              const slopes = made.map((port) => port.entry(`grad/${name}`, { dtype: "f32", shape }));
              return sum(mul(job.parameter(name, shape, init), slopes.reduce((a, b) => add(a, b)))); // prettier-ignore
            })
            .reduce((a, b) => add(a, b)),
        optimizer: adamW({ learningRate: rate, weightDecay: 0 }),
      });
    return {
      ...Object.fromEntries(order.map((stage) => [`awake${stage}`, awake(stage)])),
      route,
      ...Object.fromEntries(order.slice(0, -1).map((stage) => [`forward${stage}`, forward(stage)])),
      ...Object.fromEntries(order.toReversed().map((stage) => [`backward${stage}`, backward(stage)])),
      ...Object.fromEntries(order.map((stage) => [`update${stage}`, update(stage)])),
    };
  },
});
