/** Times register tiles on this machine. */
import type { Compiler } from "./compiler.ts";
import { sourceOf } from "./core.ts";
import { functionsOf, loadKoffi, loadObject } from "./koffi.ts";
import { objectOf } from "./objects.ts";

/** Each tile is timed in so many rounds, in turn, with so many turns of some 20 µs in each. */
const ROUNDS = 40;
const TURNS = 6;

/** The exported functions of core/trial.c. */
interface Trial {
  /** @returns nanoseconds of the fastest turn */
  verde_trial(number: number, turns: number): number;
  verde_trial_operations(number: number): number;
}
const SIGNATURES = { verde_trial: ["int64_t", 2], verde_trial_operations: ["int64_t", 1] } as const;

/** Billions of operations a second, by tile. */
export type Rates = Readonly<Record<string, number>>;

/** The source of an object with trials of these tiles. */
export async function trialSource(tiles: readonly string[]): Promise<string> {
  const each = tiles.map((tile) => `f(${tile.replace("x", ", ")})`).join(" ");
  return `#define EACH_TRIAL(f) ${each}\n${await sourceOf("trial.c")}`;
}

/**
 * Measures tiles. Other programs make all of them slower, so only the fastest turn of each counts.
 * @throws {BackendError} when there is no koffi, or the trial can't be compiled
 */
export async function measureTiles(compiler: Compiler, tiles: readonly string[]): Promise<Rates> {
  const koffi = await loadKoffi();
  const trial = loadObject(koffi, await objectOf(compiler, await trialSource(tiles)), compiler);
  const { functions } = functionsOf<Trial>(trial, SIGNATURES);
  const best = tiles.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++)
    for (const number of tiles.keys()) best[number] = Math.min(best[number], functions.verde_trial(number, TURNS));
  return Object.fromEntries(
    tiles.map((tile, number) => [tile, functions.verde_trial_operations(number) / best[number]]),
  );
}
