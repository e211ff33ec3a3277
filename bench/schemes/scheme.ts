/** What the table of all schemes compares, and what its parts have in common. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byteLength } from "../../src/encoding/tensor.ts";
import type { ClosedJob, NamedTensor } from "../../src/job/index.ts";
import { type Away, type Plan, runRounds, type RoundsRecord } from "../../src/rounds/index.ts";
import { stateOf } from "../../src/rounds/template.ts";
import { run, type RunResult } from "../../src/trace/run.ts";
import { startFrom } from "../../src/trace/start.ts";

/** A scheme with what stands beside it. */
export interface Scheme {
  plan: Plan;
  /** Who stays away, where members may. */
  away?: readonly Away[];
  /** Steps of the optimizer in a round. */
  steps: number;
  /** Elements of all weights that are trained. */
  parameters: number;
  /** Bytes that participants send to each other in a round. */
  sent: number;
  /** Bytes that training in step sends for as many steps. */
  inStep: number;
  /** The loss on what nobody has trained on, after the last round. */
  loss(record: RoundsRecord): Promise<number>;
  /** The same loss after AdamW on the joined batch, for as many steps. */
  joined(record: RoundsRecord): Promise<number>;
  /** The same loss after one member has trained without the others. Stages of a model can't train alone. */
  lone?(record: RoundsRecord): Promise<number>;
}

/** A state's entries of a round, with their names. */
export async function stateIn(record: RoundsRecord, round: number, seat: number): Promise<NamedTensor[]> {
  const { plan } = record;
  const { tensors } = await record.state(record.at({ round, seat })!);
  return stateOf(plan.templates[plan.seats[seat].template]).map(({ name }, i) => ({ ...tensors[i], name }));
}

/** The state of all turns with such a name in a round; of several members that of the first. */
export async function statesOf(record: RoundsRecord, round: number, turns: RegExp): Promise<NamedTensor[]> {
  const { plan } = record;
  const found = new Map<string, NamedTensor>();
  for (const [seat, { turn, member }] of plan.seats.entries()) {
    if (member > 0 || !turns.test(plan.turns[turn].name)) continue;
    for (const each of await stateIn(record, round, seat)) found.set(each.name, each);
  }
  return [...found.values()];
}

export const bytesOf = (types: readonly Parameters<typeof byteLength>[0][]): number =>
  types.reduce((sum, type) => sum + byteLength(type), 0);

/** The types of what the first turn with such a name hands on. */
export function typesOf({ turns, seats, templates }: Plan, turn: RegExp) {
  const seat = seats.find((each) => turn.test(turns[each.turn].name));
  return seat ? stateOf(templates[seat.template]) : [];
}

/** What a job's state has beside weights and the moments of an optimizer, and its data. */
const OTHER = /^(metrics|rng|step|data)/;

/** Those entries of a state that a job has too. */
export function weightsFor(job: ClosedJob, state: readonly NamedTensor[]): NamedTensor[] {
  const names = new Set(job.step.inputs.map(({ name }) => name));
  return state.filter(({ name }) => names.has(name) && !OTHER.test(name));
}

/** Bytes of the weights of a job without moments. */
export const weightBytes = (held: ClosedJob): number =>
  bytesOf(held.step.inputs.filter(({ name }) => !OTHER.test(name)));

/** Runs a job that begins with given weights. */
async function runFrom(job: ClosedJob, state: readonly NamedTensor[]): Promise<RunResult> {
  return run((await startFrom(job, weightsFor(job, state), { partial: true })).job);
}

/** The loss of given weights, of a job whose data nobody has trained on. */
export const heldLoss = async (held: ClosedJob, state: readonly NamedTensor[]): Promise<number> =>
  (await runFrom(held, state)).metrics[1].loss;

/** The state after a job, which begins with given weights. */
export const trainedFrom = async (job: ClosedJob, state: readonly NamedTensor[]): Promise<readonly NamedTensor[]> =>
  (await runFrom(job, state)).state;

/** Seconds that a plan took, on the clock and of processors. */
export interface Took {
  seconds: number;
  processor: number;
}

/** Performs a plan in a folder of its own, which is there until the record has been used. */
export async function performed<T>(
  { plan, away }: Pick<Scheme, "plan" | "away">,
  use: (record: RoundsRecord, took: Took) => Promise<T>,
): Promise<T> {
  const out = mkdtempSync(join(tmpdir(), "verde-schemes-"));
  try {
    const [began, used] = [performance.now(), process.cpuUsage()];
    const record = await runRounds(plan, { out, state: join(out, "keys"), ...(away && { away }) });
    const { user, system } = process.cpuUsage(used);
    return await use(record, { seconds: (performance.now() - began) / 1000, processor: (user + system) / 1e6 });
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
