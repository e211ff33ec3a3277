/**
 * The sequencer of a rollup is down for a day, twice in one dispute, and each time it is the honest side's turn. Clocks
 * that are made for another kind of chain would take its stake.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { parseDeployment } from "../../../src/settlement/deployment.ts";
import { type Profile, type ProfileName, PROFILES } from "../../../src/settlement/profile.ts";
import type { Fault } from "../../referee/remembered-run.ts";
import { tinyJob } from "../../referee/tiny-job.ts";
import { DAY, GameWorld } from "./game-world.ts";

const job = tinyJob(3);
const FAULT: Fault = { step: 2, at: { kernel: 2 }, element: 5, flip: 0x3f000001 };
const [HOUR, MINUTE] = [3_600, 60];
const names = Object.keys(PROFILES) as ProfileName[];

describe("the clocks of a profile", () => {
  test.each(names)("%s: no period is shorter than twice the time for which a party may be shut out", (name) => {
    const { inclusion, periods }: Profile = PROFILES[name];
    for (const [period, seconds] of Object.entries(periods))
      expect([period, seconds >= 2 * inclusion]).toEqual([period, true]);
  });

  test.each(names)("%s: a task with default terms is not longer than stake stays locked", (name) => {
    const { periods, unbonding }: Profile = PROFILES[name];
    const { toAccept, toCommit, toReveal, toJudge, toEscalate, toPlay, toChallenge, toAnswer } = periods;
    const dispute = toReveal + toJudge + toEscalate + toPlay;
    expect(toAccept + toCommit + 2 * dispute + toChallenge + 2 * toAnswer).toBeLessThanOrEqual(unbonding);
  });

  test.each(names)("%s: neither is one whose game may take five rounds", (name) => {
    const { pace, periods, unbonding }: Profile = PROFILES[name];
    // A run of 2^20 segments of one training step: `DisputeGame.longestGame`.
    const toPlay = 5 * (2 * pace.clock + Math.floor((68 + 20) / 2) * pace.response + 14 * pace.recompute);
    const { toAccept, toCommit, toReveal, toJudge, toEscalate, toChallenge, toAnswer } = periods;
    const dispute = toReveal + toJudge + toEscalate + toPlay;
    expect(toAccept + toCommit + 2 * dispute + toChallenge + 2 * toAnswer).toBeLessThanOrEqual(unbonding);
  });

  test("pay for two outages of a day on a rollup", () => {
    expect(PROFILES.rollup.pace.clock).toBeGreaterThanOrEqual(2 * DAY + 2 * HOUR);
    expect(PROFILES.l1).toMatchObject({ inclusion: 6 * HOUR, pace: { clock: DAY, response: 600, recompute: HOUR } });
    expect(PROFILES.local.pace).toEqual({ clock: MINUTE, response: 5, recompute: 10 });
  });

  test("are named in the deployment's file, and other names are refused", () => {
    const at = `0x${"11".repeat(20)}`;
    const file = { schemaVersion: 2, chainId: 10, block: 1, token: at, manager: at, vault: at, committee: at };
    const read = (extra: object) => parseDeployment(JSON.stringify({ ...file, ...extra }), "d.json");
    expect(read({ profile: "rollup" }).profile).toBe("rollup");
    expect(read({}).profile).toBeUndefined();
    expect(() => read({ profile: "l2" })).toThrow("its profile is none of l1, rollup, local");
    expect(() => read({ profile: "toString" })).toThrow("its profile is none of");
  });
});

describe.each([
  ["rollup", false],
  ["l1", true],
] as const)("two outages of a day, with the clocks of %s", (name, late) => {
  let world: GameWorld;
  beforeAll(async () => {
    world = await GameWorld.open({ job, commitEvery: 1, faults: [[FAULT], []], pace: PROFILES[name].pace });
    return () => world.settlement.close();
  });

  test(late ? "cost an honest seat its stake" : "cost an honest seat nothing: it wins", async () => {
    const [LIAR, HONEST] = [0, 1];
    let outages = 0;
    let moves = 0;
    for (let idle = 0; idle < 2; ) {
      if ((await world.view()).phase !== "Playing") break;
      const [own] = await world.due(HONEST);
      if (own?.what === "move" && ++moves > 1 && outages < 2) {
        outages++;
        await world.pass(DAY);
      }
      if (own) await world.send(HONEST, own);
      const [other] = await world.due(LIAR);
      if (other) await world.send(LIAR, other);
      idle = own || other ? 0 : idle + 1;
    }
    const { seats } = await world.view();
    // With a clock of a day, the first outage is enough.
    expect(outages).toBe(late ? 1 : 2);
    expect(seats.map(({ out }) => out)).toEqual(late ? [false, true] : [true, false]);
  });
});
