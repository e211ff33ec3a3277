/**
 * A client posts terms that nobody can keep through an outage, that pay nothing, or that nobody can challenge. A provider
 * that accepts them loses its stake without having done anything wrong. Its policy refuses them before it risks anything.
 */
import { type Address, zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import { outlineOf } from "../../../src/job/closed.ts";
import { jobTermsOf } from "../../../src/settlement/job-terms.ts";
import { defaultPolicy, parsePolicy, type Policy } from "../../../src/settlement/policy.ts";
import { type ProfileName, PROFILES } from "../../../src/settlement/profile.ts";
import { expectNoRisk, RISKY_TERMS, type RiskyTerm, risksOf } from "../../../src/settlement/risks.ts";
import type { Terms } from "../../../src/settlement/task.ts";
import { termsOf } from "../../../src/settlement/terms.ts";
import { tinyJob } from "../../referee/tiny-job.ts";

const job = jobTermsOf(outlineOf(tinyJob(3)), 2);
const [client, committee, game] = [1, 2, 3].map((n): Address => `0x${String(n).padStart(40, "0")}`);
const TOKEN = { symbol: "VTT", decimals: 18 };
const UNIT = 10n ** 18n;
const HOUR = 3_600;
/** What the game of these tasks takes at the longest. */
const LONGEST = 60 * HOUR;
/** Every field has a value, so that every rule has a bound. */
const POLICY: Policy = {
  ...defaultPolicy("l1"),
  price: 3n * UNIT,
  maxStake: 200n * UNIT,
  tokensPerEther: 1_000n * UNIT,
};

type Change = Partial<Omit<Terms, "periods">> & { periods?: Partial<Terms["periods"]> };

/** Terms that grant exactly what the policy asks for, with changes. */
function bare(change: Change = {}): Terms {
  const periods = {
    toAccept: 60,
    toCommit: 2 * HOUR + 6 * HOUR,
    toReveal: 12 * HOUR,
    toChallenge: HOUR + 12 * HOUR,
    toJudge: 12 * HOUR,
    toEscalate: 12 * HOUR,
    toPlay: LONGEST,
    toAnswer: 12 * HOUR,
    ...change.periods,
  };
  // 215,000 gas at 20 gwei are 0.0043 ether, and 160,000 are 0.0032.
  const reward = 3n * UNIT + (43n * UNIT) / 10n;
  const amounts = { reward, stake: 200n * UNIT, bond: reward, chunkPrice: (32n * UNIT) / 10n };
  const chosen = termsOf(job, { client, committee, game, ...amounts });
  return { ...chosen, ...change, periods };
}

const risks = (terms: Terms, policy = POLICY): RiskyTerm[] =>
  risksOf(terms, policy, TOKEN, LONGEST).map(({ term }) => term);

const ONE_LESS: Readonly<Record<RiskyTerm, Change>> = {
  toAccept: { periods: { toAccept: 7 * 24 * HOUR + 1 } },
  toCommit: { periods: { toCommit: bare().periods.toCommit - 1 } },
  toReveal: { periods: { toReveal: bare().periods.toReveal - 1 } },
  toChallenge: { periods: { toChallenge: bare().periods.toChallenge - 1 } },
  toJudge: { periods: { toJudge: bare().periods.toJudge - 1 } },
  toEscalate: { periods: { toEscalate: bare().periods.toEscalate - 1 } },
  toPlay: { periods: { toPlay: LONGEST - 1 } },
  toAnswer: { periods: { toAnswer: bare().periods.toAnswer - 1 } },
  // The bond follows the reward: its own rule must not see it.
  reward: { reward: bare().reward - 1n },
  stake: { stake: 200n * UNIT + 1n },
  bond: { bond: bare().reward - 1n },
  chunkPrice: { chunkPrice: bare().chunkPrice - 1n },
};

describe("a policy", () => {
  test("accepts terms that grant exactly what it asks for", () => {
    expect(risks(bare())).toEqual([]);
  });

  test.each(RISKY_TERMS)("refuses %s that is one below its floor, and names it alone", (term) => {
    const terms = bare(ONE_LESS[term]);
    const found = risksOf(terms, POLICY, TOKEN, LONGEST);
    expect(found.map((risk) => risk.term)).toEqual([term]);
    expect(() => expectNoRisk(found, [])).toThrow(`${term} is ${found[0].value}, and has to be ${found[0].bound}`);
    expect(() => expectNoRisk(found, [])).toThrow(`--accept-risk ${term}`);
    expectNoRisk(found, [term]);
    const other = RISKY_TERMS.find((one) => one !== term)!;
    expect(() => expectNoRisk(found, [other])).toThrow("your policy refuses");
  });

  test("refuses a bond above the stake, which nobody would post", () => {
    expect(risks(bare({ bond: 200n * UNIT + 1n }))).toEqual(["bond"]);
  });

  test("names every term of an offer that is made to take stakes, with its value, its floor and the reason", () => {
    const minute = Object.fromEntries(Object.keys(bare().periods).map((name) => [name, 60])) as Terms["periods"];
    const trap = bare({ periods: minute, reward: 0n, bond: 1n, chunkPrice: 0n, maxDemands: 64 });
    const found = risksOf(trap, defaultPolicy("l1"), TOKEN, LONGEST);
    expect(found.map(({ term }) => term)).toEqual(
      RISKY_TERMS.filter((term) => !["toAccept", "stake", "bond"].includes(term)),
    );
    expect(found.find(({ term }) => term === "toReveal")).toEqual({
      term: "toReveal",
      value: "1 m",
      bound: "at least 12 h",
      why: "an outage while you have to reveal costs the stake",
    });
    expect(() => expectNoRisk(found, ["toReveal"])).toThrow(
      /toCommit is 1 m.*reward is 0 VTT, and has to be at least 0\.0+1 VTT/s,
    );
    expect(() => expectNoRisk(found, ["toReveal"])).not.toThrow(/toReveal/);
  });

  test("does not ask for what has no effect: no game, no committee, no demands", () => {
    const none = bare({
      maxDemands: 0,
      chunkPrice: 0n,
      periods: { toAnswer: 60, toEscalate: 60, toPlay: 60 },
      game: zeroAddress,
    });
    expect(risks(none)).toEqual([]);
    expect(risks(bare({ committee: zeroAddress, periods: { toJudge: 60, toEscalate: 60 } }))).toEqual([]);
  });

  test("of a challenger looks only at what can cost its bond", () => {
    const short = bare({ periods: { toReveal: 60, toCommit: 60, toAnswer: 60 }, reward: 0n });
    const found = risksOf(short, POLICY, TOKEN, LONGEST, "challenger");
    expect(found.map(({ term }) => term)).toEqual(["toReveal"]);
  });

  test.each(Object.keys(PROFILES) as ProfileName[])("that says nothing accepts the default terms on %s", (profile) => {
    const { periods } = PROFILES[profile];
    const terms = termsOf(job, { client, committee, game, reward: UNIT, periods });
    expect(risksOf(terms, defaultPolicy(profile), TOKEN, periods.toPlay)).toEqual([]);
  });
});

describe("a policy's file", () => {
  const read = (value: unknown): Policy => parsePolicy(JSON.stringify(value), "own.json", "l1", TOKEN);

  test("says what it wants, and the rest has its defaults", () => {
    const policy = read({ inclusion: "26h", ownRun: 90, price: "1.5", maxStake: 20, gasPrice: "0.5" });
    expect(policy).toEqual({
      inclusion: 26 * HOUR,
      ownRun: 90,
      price: (3n * UNIT) / 2n,
      maxStake: 20n * UNIT,
      gasPrice: 500_000_000n,
    });
    expect(read({})).toEqual(defaultPolicy("l1"));
    expect(parsePolicy("{}", "own.json", "rollup", TOKEN).inclusion).toBe(26 * HOUR);
  });

  test.each([
    [[], "is no JSON object"],
    [null, "is no JSON object"],
    [{ inclusoin: "6h" }, 'has a field "inclusoin", which no policy has; choose from inclusion, ownRun'],
    [{ inclusion: "soon" }, "its inclusion is"],
    [{ inclusion: ["6h"] }, "it is no text"],
    [{ gasPrice: "-1" }, "it is not an amount in gwei"],
    [{ price: "1 VTT" }, "its price is"],
  ])("that is %j is refused with what is wrong", (value, words) => {
    expect(() => read(value)).toThrow(words);
  });

  test("that is cut is not taken for an empty one", () => {
    expect(() => parsePolicy('{"inclusion": "26h"', "own.json", "l1", TOKEN)).toThrow("own.json is cut");
  });
});
