/** A task from its posting to the payment, by commands in separate processes against a node. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { addressOf, keyOf, PEOPLE, type Person, Settlement } from "../../fixtures/settlement.ts";

const JOB = fileURLToPath(new URL("../../fixtures/line.ts", import.meta.url));
const TEAM = ["ada", "ben", "cleo"] as const satisfies Person[];
const on = new Settlement();
let task = "";
const roots: Record<string, string> = {};

beforeAll(async () => {
  for (const person of ["client", ...TEAM] as const) await on.ok(person, "chain", "mint", "1000");
  for (const person of TEAM) await on.ok(person, "stake", "deposit", "300");
  const traces: [string, ...string[]][] = [
    ["ada"],
    ["ben", "--fault", "flip:step=7,operator=20,element=0,bit=12"],
    ["cleo"],
    ["long", "--steps", "13"],
    ["sparse", "--commit-every", "2"],
  ];
  for (const [name, ...options] of traces) {
    const lines = await on.ok(undefined, "run", JOB, "--out", `${name}.trace`, "--json", ...options);
    roots[name] = (JSON.parse(lines.trim().split("\n").at(-1)!) as { runRoot: string }).runRoot;
  }
});

async function state(): Promise<string> {
  const { state: name, phase } = await on.json(undefined, "task", "show", task);
  return phase === "None" ? `${name}` : `${name} ${phase}`;
}

describe("a task of three providers, of which one cheats,", () => {
  it("is posted with terms that follow from the reward", async () => {
    const posted = await on.json("client", "task", "post", JOB, "--reward", "10", "--providers", "3");
    task = posted.task as string;
    expect(posted).toMatchObject({
      name: "line",
      terms: { steps: 12, commitEvery: 1, providers: 3, stake: `${100n * 10n ** 18n}`, bond: `${50n * 10n ** 18n}` },
    });
    expect(await state()).toBe("Open");
    expect((await on.account("client")).balance).toBe(970);
    expect(await on.ok(undefined, "task", "list")).toContain(task);
    expect(await on.ok(undefined, "task", "list", "--state", "final")).toContain("no task in the state Final");
  });

  it("is accepted for its job, under a committee that is trusted, and with a stake", async () => {
    await on.fails(2, "is another job than the task's", "ada", "task", "accept", task, "--job", "long.trace");
    const other = ["--committee", addressOf("passer")];
    await on.fails(3, "disputes of this task are decided by", "ada", "task", "accept", task, ...other);
    await on.fails(3, "stake", "poor", "task", "accept", task);
    for (const [seat, person] of TEAM.entries())
      expect(await on.json(person, "task", "accept", task, "--job", JOB)).toMatchObject({ seat });
    expect(await state()).toBe("Accepted");
    expect((await on.account("ada")).exposed).toBe(100);
  });

  it("takes commitments to runs of its job alone", async () => {
    await on.fails(2, "the task is for the job", "ada", "task", "commit", task, "long.trace");
    await on.fails(2, "run the job again with --commit-every 1", "ada", "task", "commit", task, "sparse.trace");
    await on.fails(2, "can't be read", "ada", "task", "commit", task, "none.trace");
    await on.fails(3, "has no seat in this task", "passer", "task", "commit", task, "ada.trace");
    await on.fails(3, "this is not the time to reveal", "ada", "task", "reveal", task, "ada.trace");
    await on.ok("ada", "task", "commit", task, "ada.trace");
    await on.fails(3, "seat 0 has committed already", "ada", "task", "commit", task, "ada.trace");
    for (const person of ["ben", "cleo"] as const) await on.ok(person, "task", "commit", task, `${person}.trace`);
  });

  it("reveals what was committed to, and the claims differ", async () => {
    await on.fails(3, "has not committed to the root of ada.trace", "ben", "task", "reveal", task, "ada.trace");
    for (const person of TEAM) await on.ok(person, "task", "reveal", task, `${person}.trace`);
    expect(await state()).toBe("Revealed");
    await on.ok("passer", "task", "compare", task);
    expect(await state()).toBe("Disputed Judging");
    expect((await on.json(undefined, "task", "show", task)).claims).toEqual([roots.ada, roots.ben]);
    expect(roots.ada).toBe(roots.cleo);
  });

  it("is judged by two of three members, who check the verdict first", async () => {
    const disputed = await on.as(undefined, "dispute", "ada.trace", "ben.trace", "--verdict", "verdict.json");
    expect(disputed.code).toBe(1);
    await on.as(undefined, "dispute", "ada.trace", "long.trace", "--verdict", "foreign.json");
    const sign = (file: string): string[] => ["referee", "sign", task, file, "--replay", "cleo.trace", "--out"];
    await on.fails(2, "is not a member of the task's committee", "ada", ...sign("verdict.json"), "no.json");
    await on.fails(2, "a verdict of schema version", "referee1", ...sign("deployment.json"), "no.json");
    for (const person of ["referee1", "referee2"] as const)
      await on.ok(person, ...sign("verdict.json"), `${person}.json`);
    await on.fails(2, "referee1.json exists", "referee1", ...sign("verdict.json"), "referee1.json");

    const submit = ["referee", "submit", task];
    await on.fails(2, "1 of 2 signatures", "passer", ...submit, "referee1.json", "referee1.json");
    await on.fails(2, "is not a signature of a verdict", "passer", ...submit, "referee1.json", "verdict.json");
    expect(await on.json("passer", ...submit, "referee2.json", "referee1.json")).toMatchObject({
      state: "Challengeable",
      losers: "2",
    });
    expect((await on.account("ben")).active).toBe(200);
  });

  it("delivers a chunk that the client demands", async () => {
    await on.fails(2, "has another state", "client", "task", "demand", task, JOB, "--width", "6");
    const asked = await on.json("client", "task", "demand", task, JOB, "--tensor", "hidden.weight", "--chunk", "0");
    expect(asked).toMatchObject({ demand: 0, name: "hidden.weight", chunk: 0 });
    await on.fails(3, "1 demanded chunk", "passer", "task", "finalize", task);
    await on.fails(2, "but the chunk is demanded of", "ben", "task", "deliver", task, "ben.trace");
    expect(await on.json("cleo", "task", "deliver", task, "cleo.trace")).toMatchObject({ delivered: [0] });
    await on.fails(3, "no demanded chunk waits", "cleo", "task", "deliver", task, "cleo.trace");
  });

  it("ends after its window, and pays", async () => {
    await on.fails(3, "this is not the time to finalize", "passer", "task", "finalize", task);
    await on.fails(3, "nothing to challenge", "passer", "task", "challenge", task, "ada.trace");
    await on.skip("1d1m");
    await on.ok("passer", "task", "finalize", task);
    expect(await state()).toBe("Final");
    // Two winners share 40 % of the stake and the price of the chunk.
    expect((await on.account("ada")).credit).toBe(10 + 20 + 0.5);
    expect((await on.account("client")).credit).toBe(10);
    await on.ok("ada", "task", "claim");
    expect(await on.account("ada")).toMatchObject({ balance: 730.5, credit: 0, active: 300, exposed: 0 });
    await on.fails(3, "has no credit", "ada", "task", "claim");
    await on.ok("referee1", "referee", "pay");
    expect((await on.account("referee1")).balance).toBeCloseTo(10 / 3, 12);
  });

  it("hands over the final weights for a price", async () => {
    const [{ sale }] = (await on.json("client", "task", "pledge", task, "--price", "5", "--seat", "0")).sales as {
      sale: string;
    }[];
    await on.json("ada", "task", "sell", sale, "ada.trace", "--out", "ada.sealed");
    await on.fails(2, "exists", "ada", "task", "sell", sale, "ada.trace", "--out", "ada.sealed");
    await on.json("client", "task", "buy", sale, "ada.sealed");
    await on.json("ada", "task", "release", sale);
    const open = ["task", "open", sale, "ada.sealed", "--out", "weights.safetensors", "--finish"];
    expect(await on.json("client", ...open)).toMatchObject({ state: "Paid", wrong: null });
    expect(await on.ok(undefined, "task", "sales", task)).toContain("the seller has the price");
    await on.fails(3, "the seller has the price", "passer", "task", "settle", sale);
    // The price and the bond, which is as much.
    expect(await on.json("ada", "task", "claim")).toMatchObject({ amount: `${10n * 10n ** 18n}` });
  });

  it("never shows a key", () => {
    const told = on.outputs.join("\n").toLowerCase();
    expect(told.length).toBeGreaterThan(10_000);
    for (const person of Object.keys(PEOPLE) as Person[]) expect(told).not.toContain(keyOf(person).slice(2, 40));
  });
});
