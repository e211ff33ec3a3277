/** `verde rounds` where members are away: what acts is said, as text, JSON and a picture. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Commands } from "../fixtures/commands.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { cliEnvironment } from "../fixtures/verde.ts";

const PLAN = fileURLToPath(new URL("../rounds/membership-plan.ts", import.meta.url));
const path = temporaryFolder();
let commands: Commands;
const verde = (...args: string[]) => commands.run(["rounds", ...args], cliEnvironment(path(".")));

afterAll(() => commands.close());
beforeAll(async () => {
  commands = new Commands(path("."));
  expect(await verde("run", PLAN, "--out", "all", "--rounds", "2")).toMatchObject({ code: 0 });
});

test("a run says who was absent, and why; inspect, its picture and JSON show it", async () => {
  const { code, stdout } = await verde("run", PLAN, "--out", "away", "--rounds", "2", "--away", "client-1=1..2");
  expect(code).toBe(0);
  expect(stdout).toContain("round 1/2  local-1  absent: it stays away, as --away says\n");
  expect(stdout).toContain("members: 2 rounds, 10 leaves of 4 participants; 2 were absent.");
  const shown = await verde("inspect", "away", "--svg", "away.svg");
  expect(shown.stdout).toContain("members: 2 rounds of local (3 clients, 2 or more in a round), merge (1 server).");
  expect(shown.stdout).toContain("leaves    10 of 12, 2 absent; 2 of 2 rounds are whole");
  expect(shown.stdout).toContain("absent    local-1 in round 2; its leaf of round 0 stands");
  const picture = readFileSync(path("away.svg"), "utf8");
  expect(picture.match(/<rect x=/g)).toHaveLength(10);
  expect(picture.match(/local-1 absent/g)).toHaveLength(2);
  expect(JSON.parse((await verde("inspect", "away", "--json")).stdout)).toMatchObject({
    turns: [{ name: "local", members: 3, quorum: 2 }, { name: "merge", members: 1, quorum: 1 }],
    rolls: [1, 2].map((round) => ({ round, turn: "local", present: [true, false, true] })),
    absent: [1, 2].map((round) => ({ round, leaf: "local-1", participant: "client-1", standing: 0 })),
  }); // prettier-ignore
  const lines = (await verde("run", PLAN, "--out", "json", "--rounds", "2", "--away", "client-1=2", "--json")).stdout.trim().split("\n"); // prettier-ignore
  const all = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(all.filter(({ absent }) => absent === true)).toMatchObject([{ round: 2, leaf: "local-1", participant: "client-1" }]); // prettier-ignore
  expect(all.at(-1)).toMatchObject({ leaves: 11, absent: 1 });
});

test("records that differ in who was there are both right, and a quorum that is not there is an error", async () => {
  const disputed = await verde("dispute", "all", "away");
  expect(disputed.code).toBe(3);
  expect(disputed.stdout).toContain("all and away differ first in round 1 of 2, at local-1.");
  expect(disputed.stdout).toContain("away says that client-1 was absent.");
  expect(disputed.stdout).toContain("Performances may differ in who was there.");
  expect(JSON.parse((await verde("dispute", "all", "away", "--json")).stdout)).toMatchObject({ outcome: "undecided", losers: [], absent: ["b"] }); // prettier-ignore
  expect(await verde("audit", "away")).toMatchObject({ code: 0 });
  const few = await verde("run", PLAN, "--out", "few", "--rounds", "2", "--away", "client-1=2", "--away", "client-2=2");
  expect(few.code).toBe(2);
  expect(few.stderr).toContain("VERDE_ROUNDS_QUORUM");
  expect((await verde("run", PLAN, "--out", "few", "--rounds", "2", "--resume")).code).toBe(0);
  expect((await verde("run", PLAN, "--out", "none", "--away", "server-0=1")).stderr).toContain("VERDE_ROUNDS_FAULT");
  const onChain = await verde("dispute", "all", "away", "--on-chain");
  expect(onChain.code).toBe(3);
  expect(onChain.stdout).toContain("Nobody has lost.");
});
