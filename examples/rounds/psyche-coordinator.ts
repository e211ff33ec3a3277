/**
 * The states of Psyche's coordinator as integers of a graph. A round of training ends when its witnesses have
 * sent what they have seen, or at a time.
 */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import { count, plus } from "./psyche-hash.ts";

const { eq, ge, lt, ne, where } = job;
const both = (...all: Value[]): Value => all.reduce((a, b) => job.logicalAnd(a, b));
const either = (...all: Value[]): Value => all.reduce((a, b) => job.logicalOr(a, b));
const not = job.logicalNot;

/** How many witnesses have to agree. Of four these are two. */
export const quorumOf = (witnesses: number): number => [1, 1, 2, 2][witnesses] ?? Math.floor((2 * witnesses) / 3);

/** The states of a run, and the commands that are given to it. */
export const RUN = { uninitialized: 0, waiting: 1, warmup: 2, train: 3, witness: 4, cooldown: 5, finished: 6, paused: 7 } as const; // prettier-ignore
export const COMMAND = { pause: 1, resume: 2 } as const;
/** Numbers of clients, witnesses and steps; the others are seconds. */
export type Config = Readonly<Record<"initMin" | "min" | "witnesses" | "steps" | "extra" | "warmup" | "train" | "witness" | "cooldown" | "epoch", number>>; // prettier-ignore
/** `clients` and `gone` (dropped or withdrawn, but not yet taken out) are masks; all others are i32 []. */
export type State = Readonly<Record<"run" | "since" | "step" | "last" | "begun" | "pausing" | "witnesses" | "clients" | "gone", Value>>; // prettier-ignore
/**
 * The time, who wants to join and who has dropped as masks, how many witnesses have come, and a command or 0.
 */
export type Event = Readonly<Record<"now" | "pending" | "dropped" | "arrived" | "command", Value>>;

/** What a tick makes of a state. A time is not over at the second at which a state began. */
export function tick(config: Config, state: State, { now, pending, dropped, arrived, command }: Event): State {
  const number = (value: number) => job.fillInt(now.builder, [], value);
  const idle = either(eq(state.run, RUN.waiting), eq(state.run, RUN.warmup));
  const halted = either(eq(state.run, RUN.uninitialized), eq(state.run, RUN.finished), eq(state.run, RUN.paused));
  const pause = both(eq(command, COMMAND.pause), not(halted));
  const resume = both(eq(command, COMMAND.resume), eq(state.run, RUN.paused));
  const open = (step: Value) => where(lt(step, config.steps), number(RUN.waiting), number(RUN.finished));
  const from = where(both(pause, idle), number(RUN.paused), where(resume, open(state.step), state.run));
  const since = where(ne(from, state.run), now, state.since);
  const pausing = either(state.pausing, both(pause, not(idle)));
  const gone = both(state.clients, either(state.gone, dropped));
  const over = (seconds: number, start = since) => both(ne(now, start), ge(now, plus(start, seconds)));
  const isIn = (run: number, ...more: Value[]) => both(eq(from, run), ...more);
  const stay = both(state.clients, not(gone));
  const witnesses = plus(state.witnesses, arrived);
  const allIn = ge(witnesses, config.witnesses);

  const joined = isIn(RUN.waiting, ge(count(pending), config.initMin), over(config.extra));
  const warm = isIn(RUN.warmup, either(over(config.warmup), allIn));
  // A client that drops in the tick that ends the warmup is counted once more.
  const few = isIn(RUN.warmup, lt(where(warm, count(state.clients), count(stay)), config.min));
  const trained = isIn(RUN.train, either(over(config.train), allIn));
  const done = isIn(RUN.witness, over(config.witness));
  const step = plus(state.step, done);
  const isLate = both(done, over(config.epoch, state.begun), eq(state.last, 0), ge(step, 2), ne(witnesses, 0));
  const last = where(joined, 0, where(isLate, plus(step, 2), state.last));
  const empty = both(done, eq(witnesses, 0));
  const ends = both(done, either(both(ne(last, 0), eq(step, last)), lt(count(stay), config.min), lt(witnesses, quorumOf(config.witnesses)), ge(step, config.steps), pausing)); // prettier-ignore
  const cooled = isIn(RUN.cooldown, over(config.cooldown));
  const stopped = both(cooled, pausing);
  const moves: [Value, Value][] = [[joined, number(RUN.warmup)], [few, open(step)], [warm, number(RUN.train)], [trained, number(RUN.witness)], [ends, number(RUN.cooldown)], [done, number(RUN.train)], [stopped, number(RUN.paused)], [cooled, open(step)]]; // prettier-ignore
  const run = moves.reduceRight((next, [when, then]) => where(when, then, next), from);
  const moved = either(isIn(RUN.warmup, not(warm)), done, cooled);
  const clients = where(joined, pending, where(moved, stay, state.clients));
  const left = where(either(joined, moved), 0, gone);
  return {
    run, step, last, clients, begun: where(joined, now, state.begun), pausing: both(pausing, not(stopped)),
    since: where(ne(run, from), now, since), witnesses: where(either(warm, done), 0, witnesses), gone: where(either(empty, stopped), clients, left),
  }; // prettier-ignore
}
