import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import { outlineOf } from "../../src/job/closed.ts";
import { jobTermsOf } from "../../src/settlement/job-terms.ts";
import { DEFAULT_PERIODS, termsOf } from "../../src/settlement/terms.ts";
import { tinyJob } from "../referee/tiny-job.ts";

const job = jobTermsOf(outlineOf(tinyJob(3)), 2);
const [client, committee, game] = [1, 2, 3].map((n) => `0x${String(n).padStart(40, "0")}` as const);

describe("the terms of a task", () => {
  it("follow from the reward where the client does not choose", () => {
    const terms = termsOf(job, { client, committee, reward: 50n });
    expect(terms).toMatchObject({
      ...job,
      client,
      committee,
      game: zeroAddress,
      seatPolicy: zeroAddress,
      providers: 2,
    });
    expect(terms.reward).toBe(50n);
    expect(terms).toMatchObject({ stake: 500n, bond: 250n, chunkPrice: 5n, maxDemands: 3 });
    expect(terms.periods).toEqual(DEFAULT_PERIODS);
    expect(terms.steps).toBe(3);
    expect(terms.salt).toMatch(/^0x[0-9a-f]{64}$/);
    expect(termsOf(job, { client, committee, reward: 50n }).salt).not.toBe(terms.salt);
  });

  it("are what the client chooses", () => {
    const choice = {
      client,
      committee: zeroAddress,
      game,
      reward: 50n,
      stake: 60n,
      bond: 7n,
      chunkPrice: 0n,
      providers: 3,
      maxDemands: 0,
      seatPolicy: client,
      salt: `0x${"ab".repeat(32)}`,
      periods: { toPlay: 9 },
    } as const;
    expect(termsOf(job, choice)).toEqual({ ...job, ...choice, periods: { ...DEFAULT_PERIODS, toPlay: 9 } });
    expect(termsOf(job, { client, committee, reward: 50n, stake: 60n }).bond).toBe(30n);
  });

  it("name somebody who decides disputes", () =>
    expect(() => termsOf(job, { client, committee: zeroAddress, reward: 1n })).toThrow("a committee or a game"));
});
