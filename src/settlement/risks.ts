/** Compares the terms of a task with a policy: which terms risk more than the policy allows, and why. */
import { parseEther, zeroAddress } from "viem";
import { ChainError } from "../errors/index.ts";
import { formatAmount, type Token } from "./amount.ts";
import { formatDuration } from "./duration.ts";
import type { Policy } from "./policy.ts";
import type { Terms } from "./task.ts";

/** Whose stake or bond is at risk. */
export type Role = "provider" | "challenger";

/** A term that a policy refuses. */
export interface Risk<Term extends string = RiskyTerm> {
  /** The name of the term. */
  readonly term: Term;
  /** Its value, for people. */
  readonly value: string;
  /** The bound of the policy, for people: `at least 12 h`. */
  readonly bound: string;
  /** What can happen. */
  readonly why: string;
}

/** What a rule is told, in addition to the terms. */
interface Surroundings {
  readonly policy: Policy;
  /** The longest time that the task's game may take, in seconds. 0 without a game. */
  readonly longestGame: number;
}

interface Rule {
  readonly unit: "time" | "amount";
  readonly roles: readonly Role[];
  value(terms: Terms): number | bigint;
  /** The least value. `undefined` where the term has no effect. */
  least?(terms: Terms, surroundings: Surroundings): number | bigint | undefined;
  most?(terms: Terms, surroundings: Surroundings): number | bigint | undefined;
  readonly why: string;
}

/** The gas of a provider from `accept` to `claim`, and twice that of a delivery. */
const [PROVIDER_GAS, DELIVERY_GAS] = [215_000n, 160_000n];
const WEI = parseEther("1");

/** What gas is worth, in the token's smallest units, rounded up. At least 1. */
export function worth(gas: bigint, { gasPrice, tokensPerEther = 0n }: Policy): bigint {
  const units = (gas * gasPrice * tokensPerEther + WEI - 1n) / WEI;
  return units > 1n ? units : 1n;
}

const BOTH = ["provider", "challenger"] as const;
const PROVIDER = ["provider"] as const;
const twice = ({ policy }: Surroundings): number => 2 * policy.inclusion;

/** The longest time that stake should wait for others to take their seats, in seconds: a week. */
const LONGEST_WAIT = 7 * 86_400;

/** One rule a term, and its reason. */
const RULES = {
  toAccept: {
    unit: "time",
    roles: PROVIDER,
    value: ({ periods }) => periods.toAccept,
    most: () => LONGEST_WAIT,
    why: "a task that never fills holds your stake and your place, and costs its client nothing",
  },
  toCommit: {
    unit: "time",
    roles: PROVIDER,
    value: ({ periods }) => periods.toCommit,
    least: (_, { policy }) => 2 * policy.ownRun + policy.inclusion,
    why: "a run that has to be started again, or an outage, costs the stake",
  },
  toReveal: {
    unit: "time",
    roles: BOTH,
    value: ({ periods }) => periods.toReveal,
    least: (_, around) => twice(around),
    why: "an outage while you have to reveal costs the stake",
  },
  toChallenge: {
    unit: "time",
    roles: PROVIDER,
    value: ({ periods }) => periods.toChallenge,
    least: (_, around) => around.policy.ownRun + twice(around),
    why: "nobody else has the time to run the job and to challenge a false claim",
  },
  toJudge: {
    unit: "time",
    roles: PROVIDER,
    value: ({ periods }) => periods.toJudge,
    least: ({ committee }, around) => (committee === zeroAddress ? undefined : twice(around)),
    why: "without a verdict in time nobody is paid",
  },
  toEscalate: {
    unit: "time",
    roles: BOTH,
    value: ({ periods }) => periods.toEscalate,
    least: ({ committee, game }, around) =>
      committee === zeroAddress || game === zeroAddress ? undefined : twice(around),
    why: "an outage after a wrong ruling costs the stake",
  },
  toPlay: {
    unit: "time",
    roles: BOTH,
    value: ({ periods }) => periods.toPlay,
    least: ({ game }, around) => (game === zeroAddress ? undefined : Math.max(around.longestGame, twice(around))),
    why: "a game that does not end in time decides nothing, so a false claim is not found out",
  },
  toAnswer: {
    unit: "time",
    roles: PROVIDER,
    value: ({ periods }) => periods.toAnswer,
    least: ({ maxDemands }, around) => (maxDemands === 0 ? undefined : twice(around)),
    why: "an outage while a chunk is demanded costs the stake",
  },
  reward: {
    unit: "amount",
    roles: PROVIDER,
    value: ({ reward }) => reward,
    least: (_, { policy }) => policy.price + worth(PROVIDER_GAS, policy),
    why: "it is less than the run and its gas cost",
  },
  stake: {
    unit: "amount",
    roles: PROVIDER,
    value: ({ stake }) => stake,
    most: (_, { policy }) => policy.maxStake,
    why: "one task would risk more than you allow",
  },
  bond: {
    unit: "amount",
    roles: PROVIDER,
    value: ({ bond }) => bond,
    least: ({ reward }) => reward,
    most: ({ stake }) => stake,
    why: "a low bond invites challenges without a reason, and with a high one nobody challenges a false claim",
  },
  chunkPrice: {
    unit: "amount",
    roles: PROVIDER,
    value: ({ chunkPrice }) => chunkPrice,
    least: ({ maxDemands }, { policy }) => (maxDemands === 0 ? undefined : worth(DELIVERY_GAS, policy)),
    why: "the client can make you pay more gas for deliveries than it pays for them",
  },
} as const satisfies Record<string, Rule>;

/** The name of a term that has a rule. */
export type RiskyTerm = keyof typeof RULES;
/** All terms that have a rule. */
export const RISKY_TERMS = Object.keys(RULES) as RiskyTerm[];

/**
 * The terms of a task that a policy refuses, each with its bound and the reason. Empty if there are none.
 * @param longestGame the longest time that the task's game may take, in seconds; 0 without a game
 * @param role whose stake or bond is at risk; default: a provider
 */
export function risksOf(
  terms: Terms,
  policy: Policy,
  token: Token,
  longestGame: number,
  role: Role = "provider",
): Risk[] {
  const around = { policy, longestGame };
  return RISKY_TERMS.flatMap((term) => {
    const rule: Rule = RULES[term];
    if (!rule.roles.includes(role)) return [];
    const [value, least, most] = [rule.value(terms), rule.least?.(terms, around), rule.most?.(terms, around)];
    return outOf({ term, unit: rule.unit, value, least, most, why: rule.why }, token);
  });
}

/**
 * A term with its bounds, in seconds or in the token's smallest units. Without a bound it may be anything.
 */
interface Bounded<Term extends string> {
  readonly term: Term;
  readonly unit: "time" | "amount";
  readonly value: number | bigint;
  readonly least: number | bigint | undefined;
  readonly most: number | bigint | undefined;
  readonly why: string;
}

/** The risk of a term that is out of its bounds. Empty if it is within them. */
export function outOf<Term extends string>(
  { term, unit, value, least, most, why }: Bounded<Term>,
  token: Token,
): Risk<Term>[] {
  const show = (found: number | bigint): string =>
    unit === "amount" ? formatAmount(BigInt(found), token) : formatDuration(Number(found));
  if (least !== undefined && value < least)
    return [{ term, value: show(value), bound: `at least ${show(least)}`, why }];
  return most !== undefined && value > most ? [{ term, value: show(value), bound: `at most ${show(most)}`, why }] : [];
}

/**
 * Refuses terms that risk more than a policy allows.
 * @param accepted the risks that are accepted nevertheless
 * @param what what the terms are of
 * @throws {ChainError} that names each other risk
 */
export function expectNoRisk<Term extends string>(
  risks: readonly Risk<Term>[],
  accepted: readonly Term[],
  what = "task",
): void {
  const left = risks.filter(({ term }) => !accepted.includes(term));
  if (left.length === 0) return;
  const list = left.map(({ term, value, bound, why }) => `${term} is ${value}, and has to be ${bound}: ${why}`);
  const flags = left.map(({ term }) => `--accept-risk ${term}`).join(" ");
  throw new ChainError(
    "POLICY",
    `your policy refuses the terms of this ${what}. ${list.join(". ")}. If you accept ${left.length > 1 ? "these risks" : "this risk"}, add ${flags}`,
    {
      terms: left.map(({ term }) => term),
      found: left.map(({ value }) => value),
      expected: left.map(({ bound }) => bound),
    },
  );
}
