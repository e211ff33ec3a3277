/** `verde rounds` with stores: runs and records say what these have signed, drills say how they are found, and audits name who lied. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { Commands } from "../fixtures/commands.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { cliEnvironment } from "../fixtures/verde.ts";

const PLAN = fileURLToPath(new URL("../rounds/membership-plan.ts", import.meta.url));
const path = temporaryFolder();
const commands = new Commands(path("."));
const verde = (...args: string[]) => commands.run(["rounds", ...args], cliEnvironment(path(".")));
const run = (out: string, ...args: string[]) => verde("run", PLAN, "--stores", "3", "--rounds", "2", "--out", out, ...args); // prettier-ignore
afterAll(() => commands.close());

test("a run says which store is silent; inspect, its picture and JSON show receipts and notes", async () => {
  const { code, stdout } = await run("kept", "--away", "client-1=2", "--away", "store-2=2");
  expect(code).toBe(0);
  expect(stdout).toContain("round 2/2  local-0  store-2 has not signed: it stays away, as --away says\n");
  expect(stdout).toContain("members: 2 rounds, 11 leaves of 7 participants; 1 was absent.");
  const shown = await verde("inspect", "kept", "--svg", "kept.svg");
  expect(shown.stdout).toContain("storage   2 of 3 stores hold each leaf");
  expect(shown.stdout).toContain("  store-0          store            11 receipts, 1 note of absence\n");
  expect(shown.stdout).toContain("  store-2          store            8 receipts\n");
  const picture = readFileSync(path("kept.svg"), "utf8");
  expect(picture.match(/<rect x=/g)).toHaveLength(11);
  expect(picture).not.toContain("store-0");
  const json = JSON.parse((await verde("inspect", "kept", "--json")).stdout) as { statements: { receipts: string[] }[] }; // prettier-ignore
  expect(json).toMatchObject({
    storage: { by: "store", members: 3, copies: 2, stores: [{ name: "store-0", receipts: 11, notes: 1 }, {}, { receipts: 8, notes: 0 }] }, // prettier-ignore
    absent: [{ round: 2, leaf: "local-1", notes: ["store-0", "store-1"] }],
  });
  expect(json.statements.map(({ receipts }) => receipts.length)).toEqual([...Array<number>(8).fill(3), 2, 2, 2]);
  const plain = JSON.parse((await verde("run", PLAN, "--out", "plain", "--rounds", "1", "--json")).stdout.trim().split("\n").at(-1)!) as object; // prettier-ignore
  expect(plain).toMatchObject({ leaves: 8 });
  expect(JSON.parse((await verde("inspect", "plain", "--json")).stdout)).not.toHaveProperty("storage");
  const lines = (await run("json", "--away", "store-1=2", "--json")).stdout.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  expect(lines.filter(({ silent }) => silent === true)).toHaveLength(4);
  expect(lines.find(({ silent }) => silent === true)).toMatchObject({ round: 2, leaf: "local-0", store: "store-1" });
});

test("drills say how they are found, and an audit names the recorder or the stores", async () => {
  const censored = await run("censored", "--censor", "client-1=2");
  expect(censored.stdout).toContain("round 2/2  local-1  absent: it is left out, as --censor says\n");
  expect(censored.stdout).toContain("The recorder has left out client-1=2 (a drill: this record is not honest); the receipts are in censored/receipts.log, which `verde rounds audit censored --evidence censored` reads."); // prettier-ignore
  const audit = await verde("audit", "censored", "--evidence", "censored");
  expect(audit.code).toBe(1);
  expect(audit.stdout).toContain("round 2, local-1: recorder lists a leaf without receipts of enough stores, or calls a member absent without their notes.\n"); // prettier-ignore
  expect(audit.stdout).toContain("11 leaves, 11 executed again, 1 fault.\n");
  const json = JSON.parse((await verde("audit", "censored", "--json")).stdout) as object;
  expect(json).toMatchObject({ outcome: "divergence", liars: [{ round: 2, leaf: "local-1", participant: "recorder", reason: "receipts" }] }); // prettier-ignore
  expect((await run("twice", "--twice", "store-1=1")).stdout).toContain("The store store-1=1 has signed twice");
  const named = (await verde("audit", "twice")).stdout;
  expect(named).toContain("round 1, merge-0: store-1 signed two statements for this place.");
  // A fault of a store is none of the leaf.
  expect(named).toContain("12 leaves, 12 executed again, 4 faults.\n");
});

test("what can't be is refused", async () => {
  expect((await run("none", "--censor", "store-1=1")).stderr).toContain("VERDE_ROUNDS_FAULT");
  expect((await run("none", "--twice", "store-1=1", "--participants", "nats")).stderr).toContain("--twice is of stores in this process"); // prettier-ignore
  const few = await run("few", "--away", "store-1=1", "--away", "store-2=1", "--quorum", "3");
  expect(few.code).toBe(2);
  expect(few.stderr).toContain("VERDE_ROUNDS_STORES");
  expect((await run("few", "--quorum", "3", "--resume")).code).toBe(0);
});
