/** Who may take the seats of a task: named owners, a draw, leaving a seat, and canaries. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { addressOf, type Person, Settlement } from "../../fixtures/settlement.ts";

const JOB = fileURLToPath(new URL("../../fixtures/line.ts", import.meta.url));
const TEAM = ["ada", "ben", "cleo"] as const satisfies Person[];
const TASK = ["task", "post", JOB, "--reward", "10"];
const on = new Settlement();
const roots: Record<string, string> = {};

beforeAll(async () => {
  for (const person of ["client", ...TEAM] as const) await on.ok(person, "chain", "mint", "2000");
  for (const person of ["client", ...TEAM] as const) await on.ok(person, "stake", "deposit", "1000");
  for (const [name, ...options] of [["good"], ["bad", "--fault", "flip:step=7,operator=20,element=0,bit=12"]]) {
    const lines = await on.ok(undefined, "run", JOB, "--out", `${name}.trace`, "--json", ...options);
    roots[name] = (JSON.parse(lines.trim().split("\n").at(-1)!) as { runRoot: string }).runRoot;
  }
});

async function post(...options: string[]): Promise<string> {
  return (await on.json("client", ...TASK, ...options)).task as string;
}

/** From seats that are taken to one claim that stands. */
async function claim(task: string, trace: string, ...seated: Person[]): Promise<void> {
  for (const move of ["commit", "reveal"]) for (const person of seated) await on.ok(person, "task", move, task, trace);
  await on.ok("passer", "task", "compare", task);
}

describe("seats for owners whom the client names", () => {
  let task = "";

  it("are taken by them, and by nobody else", async () => {
    task = await post("--seats", `${addressOf("ada")},${addressOf("poor")}`);
    expect(await on.ok(undefined, "task", "show", task)).toContain("for owners that the client names, one for each");
    await on.fails(3, "its client has not named", "ben", "task", "accept", task);
    await on.ok("ada", "task", "accept", task);
    await on.fails(3, "has a seat in this task already", "ada", "task", "accept", task);
    // The contract names who may still come.
    await on.fails(3, "only", "ben", "task", "admit", task, addressOf("ben"));
    await on.ok("client", "task", "admit", task, addressOf("ben"));
    await on.fails(3, "no list", "client", "task", "admit", await post(), addressOf("ben"));
  });

  it("can be left as long as others are free", async () => {
    expect((await on.account("ada")).exposed).toBe(100);
    await on.fails(3, "has no seat in this task", "cleo", "task", "leave", task);
    expect(await on.json("ada", "task", "leave", task)).toMatchObject({ seat: 0, state: "Open" });
    expect((await on.account("ada")).exposed).toBe(0);
    for (const person of ["ben", "ada"] as const) await on.ok(person, "task", "accept", task);
    await on.fails(3, "this is not the time to leave a seat", "ada", "task", "leave", task);
  });

  it("are named with addresses", async () => {
    await on.fails(2, "is not an address", "client", ...TASK, "--seats", "ada");
    const salt = ["--salt", `0x${"a1".repeat(32)}`];
    await on.fails(2, "both use the salt of the terms", "client", ...TASK, "--seats", "drawn", ...salt);
    await on.fails(2, "both use the salt of the terms", "client", ...TASK, "--canary", "good.trace", ...salt);
  });
});

describe("seats that are drawn", () => {
  it("are taken by those who are drawn among the offers", async () => {
    const task = await post("--seats", "drawn");
    await on.fails(3, "offers are taken until", "client", "task", "draw", task);
    for (const person of TEAM) expect(await on.json(person, "task", "accept", task)).toMatchObject({ offered: true });
    expect(await on.ok(undefined, "task", "show", task)).toContain("drawn among those that offer (3 so far");
    await on.fails(3, "has offered, and the seats are not drawn yet", "ada", "task", "accept", task);
    await on.skip("12h1m");
    await on.fails(3, "offers for its seats were taken until", "client", "task", "accept", task);
    await on.fails(3, "commits to no secret of", "passer", "task", "draw", task);
    // The block after the one that decides comes by itself on other chains.
    const blocks = setInterval(() => void on.ask("evm_mine", []), 500);
    const result = await on.json("client", "task", "draw", task).finally(() => clearInterval(blocks));
    const { drawn, reserves, offers } = result as Record<string, string[]>;
    expect(offers).toBe(3);
    expect([...drawn, ...reserves].sort()).toEqual(TEAM.map(addressOf).sort());
    await on.fails(3, "drawn already", "client", "task", "draw", task);
    const [late] = TEAM.filter((person) => reserves.includes(addressOf(person)));
    await on.fails(3, "is a reserve", late, "task", "accept", task);
    await on.fails(3, "others were drawn", "client", "task", "accept", task);
    const [first] = TEAM.filter((person) => drawn.includes(addressOf(person)));
    await on.ok(first, "task", "accept", task);
    await on.skip("6h");
    expect(await on.json(late, "task", "accept", task)).toMatchObject({ seat: 1, state: "Accepted" });
  });

  it("are drawn once for each task, of a client that posts the same terms again", async () => {
    const [first, second] = [await post("--seats", "drawn"), await post("--seats", "drawn")];
    expect(first).not.toBe(second);
    await on.fails(3, "not drawn", "client", "task", "draw", await post());
    const plan = await on.as("client", ...TASK, "--seats", "drawn", "--dry-run");
    expect(plan.stdout).toContain("Nothing was signed or sent.");
  });
});

describe("a canary", () => {
  it("may be a task whose seats are drawn", async () => {
    const task = await post("--seats", "drawn", "--canary", "good.trace");
    for (const person of TEAM) await on.ok(person, "task", "accept", task);
    await on.skip("12h1m");
    await on.fails(3, "for a canary `--canary`", "client", "task", "draw", task);
    await on.fails(3, "does not hide the root", "client", "task", "draw", task, "--canary", "bad.trace");
    const blocks = setInterval(() => void on.ask("evm_mine", []), 500);
    const drawing = on.json("client", "task", "draw", task, "--canary", "good.trace");
    const { drawn } = (await drawing.finally(() => clearInterval(blocks))) as Record<string, string[]>;
    const pair = TEAM.filter((person) => drawn.includes(addressOf(person)));
    for (const person of pair) await on.ok(person, "task", "accept", task);
    await claim(task, "good.trace", ...pair);
    await on.skip("1d1m");
    await on.ok("passer", "task", "finalize", task);
    const shown = await on.json("client", "task", "canary", task, "good.trace");
    expect(shown).toMatchObject({ passed: pair.map(addressOf), failed: [] });
  });

  it("shows who has done the work", async () => {
    const task = await post("--canary", "good.trace");
    for (const person of ["ada", "ben"] as const) await on.ok(person, "task", "accept", task);
    await claim(task, "good.trace", "ada", "ben");
    await on.fails(3, "this is not the time to show", "client", "task", "canary", task, "good.trace");
    await on.skip("1d1m");
    await on.ok("passer", "task", "finalize", task);
    await on.fails(3, "does not hide the root", "ada", "task", "canary", task, "good.trace");
    const shown = await on.json("client", "task", "canary", task, "good.trace");
    expect(shown).toMatchObject({ root: roots.good, passed: [addressOf("ada"), addressOf("ben")], failed: [] });
    await on.fails(3, "it is known already", "client", "task", "canary", task, "good.trace");
    const owner = await on.json(undefined, "stake", "show", addressOf("ada"));
    const canaries = owner.canaries as Record<"passed" | "failed", number>;
    expect(canaries.failed).toBe(0);
    expect(canaries.passed).toBeGreaterThan(0);
  });

  it("slashes a team that agrees on a lie", async () => {
    // The terms of the first one, and another salt.
    const task = await post("--canary", "good.trace");
    for (const person of ["ben", "cleo"] as const) await on.ok(person, "task", "accept", task);
    await claim(task, "bad.trace", "ben", "cleo");
    await on.fails(3, "challenge it with `verde task challenge`", "client", "task", "canary", task, "good.trace");
    await on.ok("client", "task", "challenge", task, "good.trace");
    await on.skip("1d1m");
    await on.ok("passer", "task", "expire", task);
    await on.ok("client", "task", "reveal", task, "good.trace");
    await on.as(undefined, "dispute", "bad.trace", "good.trace", "--verdict", "verdict.json");
    for (const person of ["referee1", "referee2"] as const)
      await on.ok(person, "referee", "sign", task, "verdict.json", "--replay", "good.trace", "--out", `${person}.json`);
    await on.ok("passer", "referee", "submit", task, "referee1.json", "referee2.json");
    await on.skip("1d1m");
    await on.ok("passer", "task", "finalize", task);
    const shown = await on.json("client", "task", "canary", task, "good.trace");
    expect(shown).toMatchObject({ passed: [], failed: [addressOf("ben"), addressOf("cleo")] });
    expect((await on.account("ben")).active).toBe(900);
    expect((await on.account("client")).active).toBe(1000);
  });
});
