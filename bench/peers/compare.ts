/** Two contenders take turns at one task, pair by pair; their results are compared, and their times. */
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../measure.ts";
import { type Contender, Unable } from "./contender.ts";
import { type Task, titleOf, workOf } from "./tasks.ts";

/** One comparison, as `verde bench --peers --json` prints it. */
export interface Comparison {
  name: string;
  ours: number;
  peer: number;
  peerName: string;
  /** Of `ours` and `peer`: medians. */
  unit: string;
  /** The median of the pairs' ratios: above 1 where ours is better. */
  ratio: number;
  threads: number;
  /** The quartiles of the pairs' ratios. */
  spread: readonly [number, number];
}

/** One task for two contenders. */
export interface Case {
  task: Task;
  /** What the peer does instead, where it is not the same; then results are not compared. */
  peerTask?: Task;
  /** The amounts of work and the unit of their speed, where they are not those of the task. */
  speed?: { ours: number; peer: number; unit: string };
  pairs?: number;
  /** Added to the name. */
  note?: string;
}

const PAIRS = 11;
/** A turn repeats a short task for this long. */
const TURN_MILLIS = 80;
/**
 * The threads of a library look out for more work for a while before they sleep. That would take a core from
 * the other contender, so each begins its turn after a pause.
 */
const PAUSE_MILLIS = 200;
/** Results may differ by this share of the greatest one: the peer's order and its functions are its own. */
const TOLERANCE = 2e-3;

/** The quartile of a sorted list. */
const quartile = (sorted: readonly number[], which: 1 | 3): number =>
  sorted[Math.round(((sorted.length - 1) * which) / 4)];

/**
 * @throws {Unable} when one of the two can't do the task
 * @throws {Error} when their results differ: then they have not done the same work
 */
export async function compare(ours: Contender, peer: Contender, one: Case, threads: number): Promise<Comparison> {
  const { task, peerTask = task, pairs = PAIRS, note } = one;
  const title = `${titleOf(task)}${note === undefined ? "" : `, ${note}`}`;
  const [mine, theirs] = [await ours.prepare(task), await peer.prepare(peerTask)];
  if (!one.peerTask) checkEqual(title, mine.check, theirs.check);
  const [oursCalls, peerCalls] = [await callsOf(ours), await callsOf(peer)];
  const times: { ours: number; peer: number }[] = [];
  const turn = async (contender: Contender, calls: number): Promise<number> => {
    if (threads > 1) await sleep(PAUSE_MILLIS);
    return contender.time(calls);
  };
  // The turns alternate, and so does which of the two begins.
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair % 2 === 0 ? await turn(ours, oursCalls) : undefined;
    const peerMillis = await turn(peer, peerCalls);
    times.push({ ours: first ?? (await turn(ours, oursCalls)), peer: peerMillis });
  }
  const { amount, unit } = workOf(task);
  const speed = one.speed ?? { ours: amount, peer: amount, unit };
  const ratios = times.map((pair) => speed.ours / pair.ours / (speed.peer / pair.peer)).sort((a, b) => a - b);
  const [oursMillis, peerMillis] = [median(times.map((pair) => pair.ours)), median(times.map((pair) => pair.peer))];
  return {
    name: title,
    ours: inUnit(speed.unit, speed.ours, oursMillis),
    peer: inUnit(speed.unit, speed.peer, peerMillis),
    peerName: peer.hello.name,
    unit: speed.unit,
    ratio: median(ratios),
    threads,
    spread: [quartile(ratios, 1), quartile(ratios, 3)],
  };
}

function inUnit(unit: string, amount: number, millis: number): number {
  if (unit === "ms") return millis;
  if (unit === "ns") return (1e6 * millis) / amount;
  return amount / millis / 1e6;
}

/**
 * So many calls that a turn is neither shorter than the clock's noise nor long. The first call is warm-up.
 */
async function callsOf(contender: Contender): Promise<number> {
  const first = await contender.time(1);
  if (first > TURN_MILLIS) return 1;
  const next = await contender.time(Math.max(1, Math.min(20, Math.round(20 / first))));
  return Math.max(1, Math.round(TURN_MILLIS / next));
}

function checkEqual(title: string, mine: readonly number[], theirs: readonly number[]): void {
  if (mine.length !== theirs.length || mine.length === 0)
    throw new Error(`${title}: ${mine.length} results are compared with ${theirs.length}`);
  const scale = mine.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  // A result that is no number differs from any.
  const at = mine.findIndex((value, i) => !(Math.abs(value - theirs[i]) <= TOLERANCE * scale));
  if (at >= 0)
    throw new Error(
      `${title}: the peer has not done the same work: its result ${at} is ${theirs[at]}, ours ${mine[at]}`,
    );
}

/** The most memory that both have held since they started, for a comparison. */
export async function comparePeaks(
  ours: Contender,
  peer: Contender,
  name: string,
  threads: number,
): Promise<Comparison> {
  const [mine, theirs] = [await ours.peak(), await peer.peak()].map((bytes) => bytes / 2 ** 30);
  const ratio = theirs / mine;
  return {
    name,
    ours: mine,
    peer: theirs,
    peerName: peer.hello.name,
    unit: "GiB",
    ratio,
    threads,
    spread: [ratio, ratio],
  };
}

/** @throws {Unable} when the contender computes on fewer threads than it was asked to */
export function expectThreads({ hello }: Contender, threads: number): void {
  if (hello.threads < threads)
    throw new Unable(`${hello.name} computes on ${hello.threads} thread here, not on ${threads}`);
}
