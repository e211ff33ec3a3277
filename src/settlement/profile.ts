/**
 * The clocks for each kind of chain. They follow from one figure: how long a transaction that pays enough can
 * be kept out of the chain, by an outage, by censors, or by a sequencer that is down.
 */
import type { Pace } from "./game/match.ts";
import type { Terms } from "./task.ts";
import { DEFAULT_PERIODS } from "./terms.ts";

/** Clocks and periods for a kind of chain. All times are in seconds. */
export interface Profile {
  /** The kind of chain, for people. */
  readonly about: string;
  /**
   * The censorship bound: how long a party may be unable to get a transaction into the chain. No period that
   * costs a stake is shorter than twice this time.
   */
  readonly inclusion: number;
  /** The clocks of the game. */
  readonly pace: Pace;
  /** From a request to unbond until the stake may be withdrawn. No task lasts longer. */
  readonly unbonding: number;
  /** How long each stage of a task lasts by default. */
  readonly periods: Readonly<Terms["periods"]>;
}

const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400];

/** The same time for every stage, except for those that are named. */
const everyStage = (
  seconds: number,
  others: Pick<Terms["periods"], "toCommit" | "toPlay">,
): Readonly<Terms["periods"]> => ({
  toAccept: seconds,
  toReveal: seconds,
  toChallenge: seconds,
  toJudge: seconds,
  toEscalate: seconds,
  toAnswer: seconds,
  ...others,
});

/** The profiles that `verde chain deploy` and `verde task post` know. */
export const PROFILES = {
  l1: {
    about: "a chain of its own, whose validators are many",
    inclusion: 6 * HOUR,
    pace: { clock: DAY, response: 10 * MINUTE, recompute: HOUR },
    unbonding: 45 * DAY,
    periods: DEFAULT_PERIODS,
  },
  // The clock pays for two outages of a day each, in which the sequencer takes nothing.
  rollup: {
    about: "a rollup whose sequencer can be forced to include a transaction within a day",
    inclusion: 26 * HOUR,
    pace: { clock: 50 * HOUR, response: 20 * MINUTE, recompute: 2 * HOUR },
    unbonding: 100 * DAY,
    periods: everyStage(60 * HOUR, { toCommit: 4 * DAY, toPlay: 6 * DAY }),
  },
  local: {
    about: "a chain for development on one machine",
    inclusion: 30,
    pace: { clock: 60, response: 5, recompute: 10 },
    unbonding: DAY,
    periods: everyStage(2 * MINUTE, { toCommit: 10 * MINUTE, toPlay: 10 * MINUTE }),
  },
} as const satisfies Record<string, Profile>;

/** The name of a profile. */
export type ProfileName = keyof typeof PROFILES;

/** Whether a text names a profile. */
export const isProfile = (name: unknown): name is ProfileName => Object.hasOwn(PROFILES, String(name));
