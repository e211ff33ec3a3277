/**
 * A network under load, with liars and crashes: `node bench/network/sweep.ts --tasks 200 --providers 8 --seed 1
 * --out bench/results/network.json`. Providers and referees are processes of their own, on a local chain and a
 * hub. At the end the books are compared with the chain. `--plan small` and `--plan full` make the series of
 * docs/benchmarks.md. Runs that the file has are not made again; one that is ended early is kept as incomplete.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { countParameters } from "../../src/job/parameters.ts";
import { describeMachine, type Machine } from "../measure.ts";
import { Arena, MOST_PROVIDERS, pause } from "./arena.ts";
import { type Books, booksOf } from "./accounts.ts";
import { TaskBoard, TO_CHALLENGE } from "./followed.ts";
import { sweepJob } from "./job.ts";

const LOOK_MILLIS = 300;
/** Milliseconds until a killed provider is started again, at most. */
const AWAY_MILLIS = 3_000;
/** Milliseconds within which a process is killed after a task was posted: while it runs, commits or is asked. */
const KILLED_WITHIN = 8_000;
/** Tokens that each account starts with for each task: enough to lose a stake in all of them. */
const TOKENS_A_TASK = 220;

export interface SweepOptions {
  readonly tasks: number;
  readonly providers: number;
  /** The providers of each task. */
  readonly seats: number;
  /** The width of the model's layers. */
  readonly width: number;
  /** The share of providers that lie, and of seats whose provider is killed meanwhile. */
  readonly byzantine: number;
  readonly crash: number;
  readonly seed: number;
  /** The tasks that are posted at the same time. Default: as many as there are providers. */
  readonly together?: number;
}

/** A run of the sweep, as bench/results/network.json has it. */
export interface SweepRun extends Required<SweepOptions>, Books {
  readonly liars: number;
  readonly kills: number;
  readonly parameters: number;
  /** Whether all tasks were posted and are over. */
  readonly complete: boolean;
  readonly posted: number;
  readonly disputes: number;
  readonly seconds: number;
  readonly tasksPerMinute: number;
  /** Seconds from the first wrong claim on the chain to the ruling, and from the request for offers to the payment. */
  readonly disputeSeconds: Spread;
  readonly taskSeconds: Spread;
}

interface Spread {
  readonly median: number;
  readonly most: number;
}

export interface NetworkResult {
  schemaVersion: 1;
  kind: "network";
  machine: Machine;
  runs: SweepRun[];
}

function spreadOf(millis: readonly number[]): Spread {
  const sorted = millis.map((value) => Math.round(value / 100) / 10).sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, most: sorted.at(-1) ?? 0 };
}

/** @param stop ends it early: what was posted is followed to its end, and the run is incomplete */
export async function sweep(
  options: SweepOptions,
  say: (line: string) => void,
  stop: () => boolean = () => false,
): Promise<SweepRun> {
  const { tasks, providers, seats, width, byzantine, crash, seed, together = providers } = options;
  let state = seed >>> 0;
  const random = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const liars = Math.round(byzantine * providers);
  const { job, root, faults } = await sweepJob(width, liars);
  // The liars are the last ones: who is drawn does not depend on it.
  const own = Array.from({ length: providers }, (_, i) => faults[i - (providers - liars)]);
  const planned = crash === 0 ? 0 : Math.max(1, Math.round(crash * tasks * seats));
  const killedFor = Array.from({ length: planned }, () => random(tasks));
  const tokens = 1000 + TOKENS_A_TASK * tasks;
  const arena = await Arena.open({ job, faults: own, most: 3 * together, tokens });
  const board = new TaskBoard(arena, job, seats);
  try {
    await arena.begin();
    say(`${providers} providers, ${liars} of which lie, and 2 referees are there`);
    const began = performance.now();
    for (let posted = 0; posted < tasks && !stop(); ) {
      const wave = Math.min(together, tasks - posted);
      const kills: Promise<void>[] = [];
      await Promise.all(Array.from({ length: wave }, () => board.submit(random)));
      for (const {
        index,
        after,
        away,
      } of killedFor.flatMap((task) => task >= posted && task < posted + wave ? [{ index: arena.providers[random(providers)].index, after: random(KILLED_WITHIN), away: random(AWAY_MILLIS) }] : [])) // prettier-ignore
        kills.push(killLater(kills.at(-1), arena, index, after, away));
      posted += wave;
      await until(arena, board, () => board.isQuiet);
      await Promise.all(kills);
      say(`${posted} of ${tasks} tasks are claimed or decided, after ${Math.round((performance.now() - began) / 1000)} s`); // prettier-ignore
      // The challenge windows end. Nobody's offers are open now.
      await arena.mine(TO_CHALLENGE + 1);
    }
    await until(arena, board, () => board.isOver);
    const seconds = (performance.now() - began) / 1000;
    const books = await booksOf(arena, board.tasks, root, tokens);
    for (const line of books.wrong) say(line);
    const disputed = board.tasks.flatMap(({ seen, decided }) => (seen.has("Disputed") && decided !== undefined ? [decided - seen.get("Disputed")!] : [])); // prettier-ignore
    const ended = board.tasks.map(
      ({ began: from, seen }) => (seen.get("Final") ?? seen.get("Refunded") ?? from) - from,
    );
    return {
      ...options,
      together,
      liars,
      parameters: countParameters(job),
      ...books,
      kills: arena.kills,
      complete: board.tasks.length === tasks,
      posted: board.tasks.length,
      disputes: disputed.length,
      seconds: Math.round(seconds),
      tasksPerMinute: Number(((60 * board.tasks.length) / seconds).toPrecision(3)),
      disputeSeconds: spreadOf(disputed),
      taskSeconds: spreadOf(ended),
    };
  } catch (error) {
    say(arena.said);
    throw error;
  } finally {
    await board.close();
    await arena.close();
  }
}

/** Kills follow each other: a process is not killed before it was started again. */
async function killLater(
  before: Promise<void> | undefined,
  arena: Arena,
  index: number,
  after: number,
  away: number,
): Promise<void> {
  await before;
  await pause(after);
  await arena.kill(index, away);
}

/** Makes a block each second, since waiting processes read the chain's time from blocks, until something is so. */
async function until(arena: Arena, board: TaskBoard, isSo: () => boolean): Promise<void> {
  for (let looks = 0; ; looks++) {
    await board.look();
    if (isSo()) return;
    if (looks % 3 === 0) await arena.mine();
    await pause(LOOK_MILLIS);
  }
}

const STANDARD: SweepOptions = { tasks: 200, providers: 8, seats: 3, width: 16, byzantine: 0.2, crash: 0.05, seed: 1 };
/** The series of docs/benchmarks.md: how a run grows with tasks, providers and the model. */
const PLANS: Readonly<Record<string, readonly SweepOptions[]>> = {
  small: [
    { tasks: 6, providers: 4 },
    { tasks: 6, providers: 4, width: 128 },
    { tasks: 6, providers: 4, width: 512 },
    { tasks: 12, providers: 4 },
    { tasks: 12, providers: 6 },
    { tasks: 12, providers: 8 },
    { tasks: 6, providers: 8 },
  ].map((one) => ({ ...STANDARD, ...one })),
  full: [{}, { tasks: 50 }, { tasks: 100 }, { tasks: 50, providers: 4 }, { tasks: 50, providers: 6 }, { tasks: 50, width: 128 }, { tasks: 50, width: 512 }].map((one) => ({ ...STANDARD, ...one })), // prettier-ignore
};

const nameOf = ({ tasks, providers, seats, width, byzantine, crash, seed }: SweepOptions): string =>
  [tasks, providers, seats, width, byzantine, crash, seed].join();

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { tasks: text, providers: text, seats: text, width: text, byzantine: text, crash: text, seed: text, plan: text, out: text } }); // prettier-ignore
  const { plan, out, ...numbers } = values;
  const own = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)]));
  const wanted =
    plan === undefined ? [{ ...STANDARD, ...own }] : (PLANS[plan] ?? []).map((one) => ({ ...one, ...own }));
  const bad = wanted.find(({ tasks, providers, seats }) => !(tasks > 0 && seats >= 2 && providers >= seats && providers <= MOST_PROVIDERS)); // prettier-ignore
  if (wanted.length === 0 || bad)
    throw new Error(`give tasks, 2 or more seats, and as many providers or more, up to ${MOST_PROVIDERS}; or a plan: ${Object.keys(PLANS).join(", ")}`); // prettier-ignore
  const result: NetworkResult = out !== undefined && existsSync(out) ? (JSON.parse(readFileSync(out, "utf8")) as NetworkResult) : { schemaVersion: 1, kind: "network", machine: await describeMachine(), runs: [] }; // prettier-ignore
  let isStopped = false;
  process.once("SIGINT", () => (isStopped = true));
  for (const options of wanted) {
    const known = result.runs.find((run) => nameOf(run) === nameOf(options));
    if (known?.complete || isStopped) continue;
    const run = await sweep(options, (line) => console.error(line), () => isStopped); // prettier-ignore
    result.runs = [...result.runs.filter((one) => nameOf(one) !== nameOf(options)), run];
    console.log(JSON.stringify(run));
    if (out !== undefined) writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
    if (run.wrong.length > 0) process.exitCode = 1;
  }
}

if (import.meta.main) await main();
