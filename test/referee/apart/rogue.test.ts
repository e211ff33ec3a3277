import { describe, expect, it } from "vitest";
import type { Decision } from "../../../src/referee/decision.ts";
import { outlineOf } from "../../../src/job/closed.ts";
import { type ApartParty, openPartyApart, type Refusal } from "../../../src/referee/apart/open.ts";
import { trainingProver } from "../../../src/referee/claim.ts";
import { jobFacts } from "../../../src/referee/facts.ts";
import { arbitrate } from "../../../src/referee/referee.ts";
import { rememberedRun } from "../remembered-run.ts";
import { tinyJob } from "../tiny-job.ts";
import { COMMIT_EVERY, type Way } from "./ways.ts";

const job = tinyJob(4);
const facts = jobFacts(outlineOf(job), COMMIT_EVERY);
const honest = await rememberedRun(job, COMMIT_EVERY);
const ENTRY = new URL("rogue.ts", import.meta.url);

/** Long enough for a busy machine to answer, where a way does not depend on it. */
const PATIENT = 60_000;
const LIMITS: Partial<Record<Way, { timeout?: number; memory?: number }>> = {
  "is silent": { timeout: 3000 },
  blocks: { timeout: 3000 },
  "takes memory": { memory: 300 },
  "takes buffers": { memory: 300 },
};

const rogue = (way: Way, at: number, seed = 1): Promise<ApartParty | Refusal> =>
  openPartyApart(
    "rogue.trace",
    { timeout: PATIENT, ...LIMITS[way] },
    { entry: ENTRY, args: [way, `${at}`, `${seed}`] },
  );

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

interface Course {
  decision: Decision;
  failure: string | undefined;
}

async function disputed(way: Way, at: number, seed?: number): Promise<Course> {
  const { finding, failure } = await heard(way, at, seed, true);
  if (finding.kind === "undecided") throw new Error("undecided");
  return { decision: finding, failure };
}

async function heard(way: Way, at: number, seed: number | undefined, forfeitSilent: boolean) {
  const party = await rogue(way, at, seed);
  if (!party.ok) throw new Error(party.message);
  try {
    const provers = [trainingProver(honest), party.prover] as const;
    const claims = [{ run: honest.runRoot }, { run: party.runRoot }] as const;
    const { finding } = await arbitrate(facts, provers, claims, { timeout: PATIENT, forfeitSilent });
    return { finding, failure: party.failure() };
  } finally {
    await party.close();
    expect(isAlive(party.pid)).toBe(false);
  }
}

/** What each way gives at a question in the middle. Request 0 opens the trace. */
const AT_A_QUESTION: Partial<Record<Way, RegExp>> = {
  "is silent": /^no answer within 3 s$/,
  blocks: /^no answer within 3 s$/,
  exits: /^its process ended with the code 0$/,
  "exits with a code": /^its process ended with the code 42$/,
  throws: /^its process ended with the code 1: .*not my day$/,
  "takes memory": /^its process needs more memory than it may use$/,
  "takes buffers": /^its process needs more memory than it may use$/,
  "sends noise": /a message of \d+ bytes; it has at most \d+|^its process sent/,
  "sends a frame of noise": /a reply|valid reply/,
  "sends nothing in a frame": /a reply is cut/,
  "announces 4 GB": /a message of 4294967295 bytes; it has at most \d{4}$/,
  "replies twice": /several replies|not asked for/,
  "cuts its reply and exits": /^its process ended with the code 0$/,
  "sends another kind of message": /another kind of message/,
  "sends another length": /bytes too many|at most/,
  "sends another version": /version 9/,
  "gives an essay as its reason": /^it gave no reason$/,
  "gives a code of its own": /other characters/,
};

describe("a party in a process of its own", () => {
  it.each(Object.entries(AT_A_QUESTION))("forfeits with a reason: it %s", async (way, reason) => {
    const { decision, failure } = await disputed(way as Way, 4);
    expect(decision).toMatchObject({ kind: "forfeit", losers: [1] });
    expect(failure ?? "").toMatch(reason);
    expect(failure ?? "").not.toMatch(/\p{Cc}/u);
  });

  it.each(["obeys", "replies byte by byte", "floods its outputs"] as const)(
    "is heard, and loses for its fault: it %s",
    async (way) => {
      expect(await disputed(way, 3)).toMatchObject({ decision: { kind: "scalar", losers: [1] }, failure: undefined });
    },
  );

  it("forfeits by the game's own check if it contradicts itself", async () => {
    const { decision } = await disputed("contradicts itself", 4);
    expect(decision.reasons?.[1]).toMatch(/hash/);
  });

  it("loses if it sends again after its answer: by the fault, or by what it sent", async () => {
    expect((await disputed("replies again later", 4)).decision.losers).toEqual([1]);
  });

  it("leaves the dispute undecided if it says nothing, but loses by what it says wrongly", async () => {
    for (const way of ["is silent", "exits", "takes memory"] as const) {
      const { finding, failure } = await heard(way, 4, 1, false);
      expect(finding).toMatchObject({ kind: "undecided", reasons: [undefined, failure] });
    }
    for (const way of ["sends noise", "sends another length", "replies twice", "contradicts itself"] as const)
      expect((await heard(way, 4, 1, false)).finding).toMatchObject({ kind: "forfeit", losers: [1] });
  });

  it("is refused by name if it misbehaves while its trace is opened", async () => {
    for (const way of ["exits", "sends a frame of noise", "announces 4 GB", "is silent", "throws"] as const)
      expect(await rogue(way, 0)).toMatchObject({ ok: false, code: expect.stringMatching(/^[A-Z_]+$/), message: expect.stringMatching(/./) }); // prettier-ignore
  });

  it("never wins nor throws, wherever it sends noise", async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const { decision } = await disputed(seed % 2 ? "sends noise" : "sends a frame of noise", 1 + 3 * seed, seed);
      expect(decision.losers).toEqual([1]);
    }
  });
});
