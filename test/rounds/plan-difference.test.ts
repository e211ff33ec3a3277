/** A record that is continued with other options: the error names the first difference of the plans. */
import { describe, expect, test } from "vitest";
import { type Plan, runRounds } from "../../src/rounds/index.ts";
import { planDifference } from "../../src/rounds/plan-difference.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { membershipPlan } from "./membership-plan.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
type Options = Parameters<typeof smallPlan.close>[0];

describe("two plans", () => {
  test.each<[Options, RegExp]>([
    [{ rounds: 3 }, /^its rounds: 2 and 3$/],
    [{ clients: 2 }, /^the members of local: 3 and 2$/],
    [{ inner: 3 }, /^the steps of local: 2 and 3$/],
    [{ seed: 4 }, /^the initial values of local: .*/],
    [{ rate: 0.06 }, /^the step of local: .*/],
    [{ rows: 7 }, /^the data of local-0: data\/x$/],
  ])("that differ in %j are told apart", async (options, expected) => {
    const [a, b] = [await smallPlan.close(), await smallPlan.close(options)];
    expect(planDifference(a, b)).toMatch(expected);
    expect(planDifference(b, a)).toMatch(expected.source.includes("and") ? /\d and \d$/ : expected);
  });

  test("that differ in their data, turns or quorum, or in nothing", async () => {
    const plan = await smallPlan.close();
    const seats = plan.seats.map((seat, i) => (i === 1 ? { ...seat, shardRoots: [...seat.shardRoots].reverse() } : seat)); // prettier-ignore
    expect(planDifference(plan, { ...plan, seats })).toBe("the data of local-1: data/x");
    expect(planDifference(plan, { ...plan, turns: plan.turns.slice(0, 1) } as Plan)).toBe("its turns: local, merge and local"); // prettier-ignore
    const members = await membershipPlan.close();
    const turns = members.turns.map((turn) => ({ ...turn, quorum: 1 }));
    expect(planDifference(members, { ...members, turns })).toBe("the quorum of local: 2 and 1");
    expect(planDifference(plan, { ...plan, name: "other" })).toBe("its name: line and other");
    expect(planDifference(plan, await smallPlan.close())).toBeUndefined();
  });
});

test("a record is not continued with other options, and the error says which differ", async () => {
  const out = path("a");
  await runRounds(await smallPlan.close(), { out, state: path("keys") });
  const other = await smallPlan.close({ rounds: 4 });
  await expect(runRounds(other, { out, state: path("keys"), resume: true })).rejects.toMatchObject({
    code: "VERDE_ROUNDS_FOREIGN",
    message: expect.stringContaining("they differ in its rounds: 2 and 4; give the same module and options") as string,
  });
});
