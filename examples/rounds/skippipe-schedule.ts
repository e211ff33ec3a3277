/** The schedule of SkipPipe: which microbatch visits which stages, in which order, and when. */
import { concat, slice, type Value } from "@verde-ml/verde/job";
import { now, type Ports, type Source } from "@verde-ml/verde/rounds";

/** What a turn reads of turns of this round and earlier ones. */
export type Reads = Record<string, Source<"one">>;
export type Given = Ports<Reads>;

/** A stage's visit at a hop, and the microbatches that it takes there, in their order. */
export interface Visit {
  hop: number;
  stage: number;
  microbatches: readonly number[];
}
/** Where a microbatch is: the turn that has it, its position there, and how many the turn has. */
export interface Place {
  turn: string;
  at: number;
  of: number;
}

/** A schedule with the turns of a plan: `start`, `hopHsS` forward, `head`, and `backHsS` back. */
export interface Schedule {
  paths: readonly (readonly number[])[];
  /** All microbatches, as the turns `start` and `head` have them. */
  all: readonly number[];
  /** From the first hop to the last, and in a hop by stage. Stage 0 begins each path, and is not among them. */
  visits: readonly Visit[];
  /** Which turn hands on a microbatch after a hop; 0: the start. */
  passed(hop: number, microbatch: number): Place;
  /** Which turn hands back the slope of what a hop has made. */
  slope(hop: number, microbatch: number): Place;
}

/**
 * Reads `0-1-2-3 0-1-5-4`: the stages of each microbatch.
 * @throws {RangeError} when paths differ in length, do not begin at stage 0, name a stage twice, or leave one out
 */
export function scheduleOf(text: string, stages: number): Schedule {
  const paths = text.split(" ").map((path) => path.split("-").map(Number));
  const fail = (problem: string): never => {
    throw new RangeError(`the paths ${text} ${problem}; write such as "0-1-2 0-2-1" for 3 stages`);
  };
  for (const path of paths) {
    if (path.length !== paths[0].length || path.length < 2) fail("are not of one length from 2");
    if (path[0] !== 0) fail("do not all begin at stage 0");
    if (new Set(path).size !== path.length) fail("visit a stage twice");
    if (!path.every((stage) => Number.isInteger(stage) && stage >= 0 && stage < stages)) fail(`have no stages from 0 to ${stages - 1}`); // prettier-ignore
  }
  if (new Set(paths.flat()).size !== stages) fail(`do not visit all ${stages} stages`);
  const all = [...paths.keys()];
  const hops = [...paths[0].keys()].slice(1);
  const visits = hops.flatMap(
    (hop) =>
    Array.from({ length: stages }, (_, stage): Visit => ({ hop, stage, microbatches: all.filter((m) => paths[m][hop] === stage) })), // prettier-ignore
  );
  const place = (turn: string, end: boolean, hop: number, m: number): Place => {
    const held = end ? all : all.filter((other) => paths[other][hop] === paths[m][hop]);
    return { turn: end ? turn : `${turn}${hop}s${paths[m][hop]}`, at: held.indexOf(m), of: held.length };
  };
  return {
    paths,
    all,
    visits: visits.filter(({ microbatches }) => microbatches.length > 0),
    passed: (hop, m) => place(hop === 0 ? "start" : "hop", hop === 0, hop, m),
    slope: (hop, m) => place(hop >= paths[m].length ? "head" : "back", hop >= paths[m].length, hop, m),
  };
}

/**
 * When the nodes of a path process a lone microbatch, by the costs of SkipPipe's scheduler: forward, then a
 * quarter of that at the head of the first node, then back at one and a half: pairs of a node and a time.
 * @param delay seconds between two nodes
 * @param compute seconds of a node forward
 */
export function visitTimes(
  path: readonly number[],
  delay: (from: number, to: number) => number,
  compute: number,
): [number, number][] {
  const order = [...path, path[0], ...path.toReversed()];
  const costs = [...path.map(() => compute), compute / 4, ...path.map(() => 1.5 * compute)];
  let time = 0;
  return order.map((node, i) => {
    if (i > 0) time += costs[i - 1] + delay(order[i - 1], node);
    return [node, time];
  });
}

/** The turns of this round that have microbatches. */
export const readsOf = (places: readonly Place[]): Reads =>
  Object.fromEntries(places.map(({ turn }) => [turn, now(turn)]));

/**
 * The rows of microbatches in their order, from the turns that have them.
 * @param typeOf the type of an entry that has so many microbatches
 */
export function collect(
  reads: Given,
  entry: string,
  places: readonly Place[],
  typeOf: (count: number) => { readonly dtype: "f32"; readonly shape: readonly [number, number] },
): Value {
  const [rows] = typeOf(1).shape;
  const parts = places.map(({ turn, at, of }) => slice(reads[turn].entry(entry, typeOf(of)), 0, at * rows, (at + 1) * rows)); // prettier-ignore
  return concat(parts, 0);
}
