/** One job beside a pipeline: the same model, the same windows, and the same initial weights. */
import { intTensor, type NamedTensor, type Optimizer, reshape, gather, defineJob } from "../../src/job/index.ts";
import { sub } from "../../src/graph/index.ts";
import type { Plan, RoundsRecord } from "../../src/rounds/index.ts";
import { stateOf } from "../../src/rounds/template.ts";
import { run } from "../../src/trace/run.ts";
import { startFrom } from "../../src/trace/start.ts";
import { type Staged, stageOf } from "../../examples/stages.ts";

/** The state of a turn's first member after a round, by the names of its entries. */
export async function stateAfter(record: RoundsRecord, round: number, turn: string): Promise<Map<string, NamedTensor>> {
  const { plan } = record;
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turn);
  const { tensors } = await record.state(record.at({ round, seat })!);
  const types = stateOf(plan.templates[plan.seats[seat].template]);
  return new Map(types.map(({ name }, i) => [name, { ...tensors[i], name }]));
}

/** Whether an entry of a state is a weight of the model. */
export const isWeight = (name: string): boolean => /^(?:embedding|block|head)/.test(name);

/** The weights of all stages after a round. */
export async function weightsAfter(record: RoundsRecord, stages: number, round: number): Promise<NamedTensor[]> {
  const all: NamedTensor[] = [];
  for (let stage = 0; stage < stages; stage++)
    for (const [name, tensor] of await stateAfter(record, round, `backward${stage}`))
      if (isWeight(name)) all.push(tensor);
  return all;
}

/** Trains the whole model in one job, on the windows that the first stage of a record has drawn. */
export async function besideOneJob(record: RoundsRecord, sizes: Staged, optimizer: Optimizer) {
  const { rounds, seats }: Plan = record.plan;
  const drawn: NamedTensor[] = [];
  for (let round = 1; round <= rounds; round++)
    drawn.push((await stateAfter(record, round, "forward0")).get("windows")!);
  const [batch, length] = drawn[0].shape;
  const fixed = Object.fromEntries(
    seats[0].shard
      .filter(({ name }) => /basis|rows/.test(name))
      .map((tensor) => [tensor.name.slice("data/".length), tensor]),
  );
  const job = await defineJob({
    name: "whole",
    steps: rounds,
    data: () => ({
      windows: intTensor(
        [rounds, batch * length],
        drawn.flatMap(({ data }) => [...data]),
      ),
      ...fixed,
    }),
    loss(given) {
      const data = given.data as Record<string, typeof given.data.windows>;
      const row = gather(data.windows, reshape(sub(given.step, 1), [1]));
      const windows = reshape(row, [batch, length]);
      let x;
      for (let stage = 0; stage < sizes.stages; stage++)
        x = stageOf(sizes, stage, (name, shape, init) => given.parameter(name, shape, init), data, windows, x);
      return x!;
    },
    optimizer: () => optimizer,
  }).close();
  const { job: started } = await startFrom(job, await weightsAfter(record, sizes.stages, 0), { partial: true });
  const { state, metrics } = await run(started);
  return { weights: state.filter(({ name }) => isWeight(name)), state, losses: metrics.map(({ loss }) => loss) };
}
