/** Participants in processes of their own that are killed, or too slow, where the plan may miss them. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { auditRecord, parseAway, runRounds, type RunRoundsOptions } from "../../src/rounds/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { membershipPlan } from "./membership-plan.ts";
import { signalTo } from "./participant-processes.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
const SALT = new Uint8Array(32).fill(5);

/** A record of the plan in which client 1 stays away in round 2. */
async function awayInRound2(options: Omit<RunRoundsOptions, "out">) {
  const plan = await membershipPlan.close();
  await runRounds(plan, { ...options, out: path("expected"), force: true, away: [parseAway(plan, "client-1=2")] });
  return { plan, expected: readFileSync(path("expected/record.log")) };
}

test("one that is killed is absent in the turn, and comes back for the next round", async () => {
  const { plan, expected } = await awayInRound2({ state: path("keys"), salt: SALT });
  const absent: string[] = [];
  const record = await runRounds(plan, {
    participants: "processes",
    state: path("keys"),
    salt: SALT,
    out: path("killed"),
    onLeaf: ({ round, name }) => void (round === 1 && name === "merge-0" && signalTo(path(""), 1, "SIGKILL")),
    onAbsent: ({ round, name, why }) => absent.push(`${round} ${name}: ${why}`),
  });
  expect(absent).toEqual([expect.stringMatching(/^2 local-1: the process of client-1 has ended/)]);
  expect(readFileSync(path("killed/record.log"))).toEqual(expected);
  expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
});

test("one that is too slow is absent, its late leaf is refused, and it takes part again", async () => {
  const { plan, expected } = await awayInRound2({ state: path("keys"), salt: SALT });
  const [absent, late]: string[][] = [[], []];
  await runRounds(plan, {
    participants: "processes",
    patience: 300,
    state: path("keys"),
    salt: SALT,
    out: path("slow"),
    onLeaf: ({ round, name }) => void (round === 1 && name === "merge-0" && signalTo(path(""), 1, "SIGSTOP")),
    onAbsent({ round, name, why }) {
      absent.push(`${round} ${name}: ${why}`);
      signalTo(path(""), 1, "SIGCONT");
    },
    onLate: ({ round, name, participant }) => late.push(`${round} ${name} of ${participant}`),
  });
  expect(absent).toEqual(["2 local-1: it has not delivered in time"]);
  expect(late).toEqual(["2 local-1 of client-1"]);
  expect(readFileSync(path("slow/record.log"))).toEqual(expected);
});

test("one that the plan can't miss ends the run, as before", async () => {
  const plan = await smallPlan.close();
  const run = runRounds(plan, {
    participants: "processes",
    state: path("keys"),
    out: path("needed"),
    onLeaf: ({ round, name }) => void (round === 1 && name === "merge-0" && signalTo(path(""), 1, "SIGKILL")),
  });
  await expect(run).rejects.toThrow("the process of client-1 has ended");
  const record = await runRounds(plan, { participants: "processes", state: path("keys"), out: path("needed"), resume: true }); // prettier-ignore
  expect(record.complete).toBe(3);
});
