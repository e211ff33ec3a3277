/** Plays a game with two provers, and counts what it costs. */
import type { Bytes } from "../encoding/bytes.ts";
import {
  advance,
  answerLengths,
  type Bottom,
  type Forfeit,
  type GameState,
  isRunning,
  type Machine,
  question,
  startGame,
} from "./bisection.ts";
import { type Answer, bothSides, type Pair, type Side } from "./level.ts";
import type { Prover } from "./prover.ts";
import { receive, type Received, receivedAnswer } from "./received.ts";

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

/**
 * The milliseconds that a party has for one answer by default: ten minutes. For one answer a party executes
 * at most the training steps since its last checkpoint, which takes seconds in most jobs. A party that is
 * silent holds up a dispute only once.
 */
export const ANSWER_MILLIS = 600_000;
/** Timers count milliseconds in 31 bits. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** How long to wait: the milliseconds that a party has for one answer. Default: ten minutes. */
export interface Patience {
  /** `Infinity` waits for ever. */
  timeout?: number;
  /**
   * Ask both parties at once. It halves the time if the provers compute elsewhere, such as in processes of
   * their own. Provers that share this thread would use up each other's time. Default: one after the other.
   */
  together?: boolean;
}

/** Waits for an answer. An answer that is too late counts as none. */
export async function ask<T>(make: () => Promise<T | undefined>, { timeout }: Patience, tally: Tally) {
  const began = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = timeout ?? ANSWER_MILLIS;
  const late = new Promise<undefined>((resolve) => {
    if (limit <= LONGEST_TIMER) timer = setTimeout(resolve, limit, undefined);
  });
  try {
    return await Promise.race([make(), late]);
  } finally {
    clearTimeout(timer);
    tally.waited += performance.now() - began;
  }
}

/** Waits for an answer of each party. */
async function askBoth<T>(
  make: (side: Side) => Promise<T | undefined>,
  patience: Patience,
  tally: Tally,
): Promise<Pair<T | undefined>> {
  if (!patience.together) return [await ask(() => make(0), patience, tally), await ask(() => make(1), patience, tally)];
  const waits = bothSides(newTally);
  const heard = await Promise.all(bothSides((side) => ask(() => make(side), patience, waits[side])));
  tally.waited += Math.max(...waits.map(({ waited }) => waited));
  return heard;
}

/**
 * Plays to the bottom, or until a party forfeits. A party that throws, or gives anything but a valid answer,
 * forfeits: whatever the provers are, the game ends.
 * @throws {DisputeError} when the claims are equal
 */
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
    const lengths = answerLengths(state);
    const what = `the answer to the question for the ${asked.kind} in the ${state.level.name} tree`;
    const answerOf = (side: Side): Promise<Received<Answer>> =>
      receive(
        () => provers[side].answer(asked),
        (value) => receivedAnswer(value, lengths, what),
      );
    const heard = await askBoth(answerOf, patience, tally);
    tally.rounds++;
    for (const answer of heard) tally.bytes += byteLength(answer?.value);
    state = withProblems(advance(machine, state, [heard[0]?.value, heard[1]?.value]), heard);
  }
  return state;
}

/** A forfeit whose reasons tell why a party gave no valid answer, where that is known. */
function withProblems(state: GameState, heard: Pair<Received<unknown> | undefined>): GameState {
  if (state.phase !== "forfeit") return state;
  return { ...state, reasons: bothSides((side) => heard[side]?.problem ?? state.reasons[side]) };
}

/** The bytes of an answer: the length of byte strings and tensors, 4 for a number, 1 for a letter. */
export function byteLength(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === "number") return 4;
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + byteLength(part), 0);
}
