/** `verde rounds` with seeds that follow from the record: what is said where two performances meet. */
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { Commands } from "../fixtures/commands.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { cliEnvironment } from "../fixtures/verde.ts";
import { beaconServer, bodyWith, publishedIn } from "../rounds/test-beacon.ts";

const PLAN = fileURLToPath(new URL("../rounds/seeds-plan.ts", import.meta.url));
const path = temporaryFolder();
const commands = new Commands(path("."));
const verde = (...args: string[]) => commands.run(["rounds", ...args], cliEnvironment(path(".")));
afterAll(() => commands.close());

test("two performances are audited and not compared, and a drill names who draws from another seed", async () => {
  expect(await verde("run", PLAN, "--out", "a", "--rounds", "2")).toMatchObject({ code: 0 });
  const drill = await verde(
    "run",
    PLAN,
    "--out",
    "b",
    "--rounds",
    "2",
    "--fault",
    "participant=client-1,round=2,seed:7",
  );
  expect(drill.stdout).toContain("local-1 of round 2 is wrong");
  const disputed = await verde("dispute", "a", "b");
  expect(disputed.code).toBe(3);
  expect(disputed.stdout).toContain("a and b are two performances of draws, whose seeds follow from the record: their jobs differ, so they can't be compared leaf by leaf; audit each of them (`verde rounds audit`)."); // prettier-ignore
  expect(JSON.parse((await verde("dispute", "a", "b", "--json")).stdout)).toMatchObject({ outcome: "undecided", losers: [], why: expect.stringContaining("audit each of them") as string }); // prettier-ignore
  expect(await verde("dispute", "a", "a")).toMatchObject({ code: 0 });
  expect(await verde("audit", "a")).toMatchObject({ code: 0 });
  const audited = await verde("audit", "b");
  expect(audited.code).toBe(1);
  expect(audited.stdout).toContain(
    "round 2, local-1: client-1 did not read what the plan says, so its job is another one.",
  );
  expect((await verde("inspect", "a")).stdout).toContain("seeds     follow from the record");
  expect(JSON.parse((await verde("inspect", "a", "--json")).stdout)).toMatchObject({ seeds: "record" });
  expect((await verde("inspect", "a", "--svg", "a.svg", "--against", "b")).stderr).toContain("can't be compared leaf by leaf"); // prettier-ignore
  expect((await verde("dispute", "a", "b", "--on-chain")).stderr).toContain('take seeds: "plan"');
  expect((await verde("run", PLAN, "--out", "c", "--seeds", "dice")).stderr).toContain('write "plan" or "record"');
});

test("values of a beacon are fetched from the servers that are named, and needed", async () => {
  const server = await beaconServer((round) => bodyWith(round, publishedIn(round)));
  try {
    const run = ["run", PLAN, "--out", "beacon", "--rounds", "1", "--published", "1"];
    expect((await verde(...run)).stderr).toContain("name a server that has them with --beacon");
    expect(await verde(...run, "--resume", "--beacon", server.url)).toMatchObject({ code: 0 });
    expect(await verde("audit", "beacon")).toMatchObject({ code: 0 });
    expect((await verde("inspect", "beacon")).stdout).toContain("follow from the record, and from the beacon 0x0303");
  } finally {
    server.close();
  }
});
