/** Plays a game with two provers, and counts what it costs. */
import type { Bytes } from "../encoding/bytes.ts";
import { advance, type Bottom, type Forfeit, isRunning, type Machine, question, startGame } from "./bisection.ts";
import type { Pair } from "./level.ts";
import type { Prover } from "./prover.ts";

/** What a dispute has cost so far. */
export interface Tally {
  /** Questions that both parties were asked. */
  rounds: number;
  /** Bytes of all answers. */
  bytes: number;
  /** Milliseconds spent waiting for the parties. */
  waited: number;
}

/** A tally that starts at zero. */
export function newTally(): Tally {
  return { rounds: 0, bytes: 0, waited: 0 };
}

/** How long to wait: the milliseconds that a party has for one answer. If absent, there is no limit. */
export interface Patience {
  timeout?: number;
}

/** Waits for an answer. An answer that is too late counts as none. */
export async function ask<T>(make: () => Promise<T | undefined>, { timeout }: Patience, tally: Tally) {
  const began = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    if (timeout !== undefined) timer = setTimeout(resolve, timeout, undefined);
  });
  try {
    return await Promise.race([make(), late]);
  } finally {
    clearTimeout(timer);
    tally.waited += performance.now() - began;
  }
}

/** Plays to the bottom, or until a party forfeits. */
export async function play(
  machine: Machine,
  provers: Pair<Pick<Prover<unknown>, "answer">>,
  claims: Pair<Bytes>,
  tally: Tally,
  patience: Patience = {},
): Promise<Bottom | Forfeit> {
  let state = startGame(machine, claims);
  while (isRunning(state)) {
    const asked = question(state);
    const first = await ask(() => provers[0].answer(asked), patience, tally);
    const second = await ask(() => provers[1].answer(asked), patience, tally);
    const answers = [first, second] as const;
    tally.rounds++;
    for (const answer of answers) tally.bytes += byteLength(answer);
    state = advance(machine, state, answers);
  }
  return state;
}

/** The bytes of an answer: the length of byte strings and tensors, 4 for a number, 1 for a letter. */
export function byteLength(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === "number") return 4;
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + byteLength(part), 0);
}
