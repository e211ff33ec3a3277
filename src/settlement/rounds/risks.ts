/** Compares the terms of a performance with a policy: what risks more than the policy allows, and why. */
import type { Token } from "../amount.ts";
import type { Policy } from "../policy.ts";
import { outOf, type Risk, worth } from "../risks.ts";
import type { RoundTerms } from "./terms.ts";

/** Whose stake is at risk. */
export type RoundRole = "participant" | "store" | "recorder";

interface Rule {
  readonly unit: "time" | "amount";
  /** Absent: all. */
  readonly roles?: readonly RoundRole[];
  value(terms: RoundTerms): number | bigint;
  least?(terms: RoundTerms, policy: Policy, role: RoundRole): number | bigint | undefined;
  most?(terms: RoundTerms, policy: Policy): number | bigint | undefined;
  readonly why: string;
}

/** The gas of joining and withdrawing, of a recorder for showing a leaf, and of a store for a chunk. */
const [MEMBER_GAS, SHOW_GAS, COPY_GAS] = [215_000n, 200_000n, 90_000n];

const RULES = {
  toRecord: {
    unit: "time",
    value: ({ periods }) => periods.toRecord,
    least: (_, { ownRun, inclusion }) => 2 * ownRun + inclusion,
    why: "without a record in time nobody is paid for what it has computed",
  },
  toChallenge: {
    unit: "time",
    value: ({ periods }) => periods.toChallenge,
    least: (_, { ownRun, inclusion }) => ownRun + 2 * inclusion,
    why: "nobody has the time to execute leaves again and to challenge a false one",
  },
  toAnswer: {
    unit: "time",
    value: ({ periods }) => periods.toAnswer,
    least: (_, { inclusion }) => 2 * inclusion,
    why: "an outage while you have to answer an accusation or a demand costs the stake",
  },
  reward: {
    unit: "amount",
    value: ({ reward }) => reward,
    least: (_, policy, role) => (role === "store" ? 0n : policy.price) + worth(MEMBER_GAS, policy),
    why: "it is less than the run and its gas cost",
  },
  stake: {
    unit: "amount",
    value: ({ stake }) => stake,
    most: (_, { maxStake }) => maxStake,
    why: "one performance would risk more than you allow",
  },
  bond: {
    unit: "amount",
    roles: ["participant"],
    value: ({ bond }) => bond,
    least: ({ reward }) => reward,
    most: ({ stake }) => stake,
    why: "a low bond invites challenges without a reason, and with a high one nobody challenges a false leaf",
  },
  price: {
    unit: "amount",
    roles: ["recorder", "store"],
    value: ({ price }) => price,
    least: (_, policy, role) => worth(role === "store" ? COPY_GAS : SHOW_GAS, policy),
    why: "anyone can make you pay more gas for showing leaves than is paid for them",
  },
} as const satisfies Record<string, Rule>;

/** The name of a term of rounds that has a rule. */
export type RoundRiskyTerm = keyof typeof RULES;
/** All terms of rounds that have a rule. */
export const ROUND_RISKY_TERMS = Object.keys(RULES) as RoundRiskyTerm[];

/** The terms that a policy refuses, each with its bound and the reason. Empty if there are none. */
export function roundRisksOf(terms: RoundTerms, policy: Policy, token: Token, role: RoundRole): Risk<RoundRiskyTerm>[] {
  return ROUND_RISKY_TERMS.flatMap((term) => {
    const rule: Rule = RULES[term];
    if (rule.roles && !rule.roles.includes(role)) return [];
    const [value, least, most] = [rule.value(terms), rule.least?.(terms, policy, role), rule.most?.(terms, policy)];
    return outOf({ term, unit: rule.unit, value, least, most, why: rule.why }, token);
  });
}
