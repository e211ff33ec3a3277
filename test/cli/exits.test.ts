/** Tasks that do not go as hoped: silence, challenges, chunks that nobody has; by commands against a node. */
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { addressOf, type Person, Settlement } from "../fixtures/settlement.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const on = new Settlement();

beforeAll(async () => {
  for (const person of ["client", "ada", "ben", "cleo"] as const) await on.ok(person, "chain", "mint", "1000");
  for (const person of ["ada", "ben", "cleo"] as const) await on.ok(person, "stake", "deposit", "500");
  await on.ok(undefined, "run", JOB, "--out", "honest.trace");
  await on.ok(undefined, "run", JOB, "--out", "lie.trace", "--fault", "skip:step=3");
});

async function post(...terms: string[]): Promise<string> {
  return (await on.json("client", "task", "post", "honest.trace", "--reward", "10", ...terms)).task as string;
}

async function state(task: string): Promise<string> {
  const { state: name, phase } = await on.json(undefined, "task", "show", task);
  return phase === "None" ? `${name}` : `${name} ${phase}`;
}

/** From nothing to a standing claim of two providers. */
async function standing(trace: string, terms: readonly string[] = [], risks: readonly string[] = []): Promise<string> {
  const task = await post(...terms);
  const pair = ["ada", "ben"] as const satisfies Person[];
  for (const person of pair) await on.ok(person, "task", "accept", task, ...risks);
  for (const person of pair) await on.ok(person, "task", "commit", task, trace);
  for (const person of pair) await on.ok(person, "task", "reveal", task, trace);
  await on.ok("passer", "task", "compare", task);
  return task;
}

it("a seat that stays free ends in a refund", async () => {
  const task = await post("--to-accept", "2h");
  await on.ok("ada", "task", "accept", task);
  await on.fails(3, "this is not the time to expire it", "passer", "task", "expire", task);
  await on.skip("2h1m");
  await on.fails(3, "accept is refused: the deadline has passed; it was", "ben", "task", "accept", task);
  expect(await on.ok(undefined, "task", "list", "--state", "open")).toContain("over since");
  expect(await on.json("passer", "task", "expire", task)).toMatchObject({ state: "Refunded" });
  expect(await on.account("ada")).toMatchObject({ active: 500, exposed: 0 });
  await on.ok("client", "task", "claim");
  expect((await on.account("client")).balance).toBe(1000);
});

it("a lie that two agreed on falls to a challenge", async () => {
  const task = await standing("lie.trace");
  await on.fails(3, "has 0 VTT of free stake", "passer", "task", "challenge", task, "honest.trace");
  expect(await on.json("cleo", "task", "challenge", task, "honest.trace")).toMatchObject({ state: "Challengeable" });
  expect(await on.ok(undefined, "task", "show", task)).toContain(
    "it may be challenged: `verde task challenge`; 1 challenge so far",
  );
  await on.fails(3, "this is not the time to reveal", "cleo", "task", "reveal", task, "honest.trace");
  await on.skip("1d1m");
  await on.fails(3, "this is not the time to finalize", "passer", "task", "finalize", task);
  expect(await on.json("passer", "task", "expire", task)).toMatchObject({ phase: "Revealing" });
  await on.fails(3, "has not committed to the root of lie.trace", "cleo", "task", "reveal", task, "lie.trace");
  expect(await on.json("cleo", "task", "reveal", task, "honest.trace")).toMatchObject({ phase: "Judging" });

  // In the other order than the seats: what is signed is the same.
  await on.as(undefined, "dispute", "honest.trace", "lie.trace", "--verdict", "v.json");
  const sign = async (person: Person): Promise<string> => {
    await on.ok(person, "referee", "sign", task, "v.json", "--replay", "honest.trace", "--out", `${person}.json`);
    return `${person}.json`;
  };
  // The owners' keys are not at hand, so the verdict is a ruling, and nobody signs it unseen.
  await on.fails(2, "it rests on the word of the referee that made it", "referee3", "referee", "sign", task, "v.json", "--out", "no.json"); // prettier-ignore
  const seen = ["--replay", "honest.trace", "--out", "plan.json", "--dry-run"];
  const plan = await on.json("referee3", "referee", "sign", task, "v.json", ...seen);
  expect(plan).toMatchObject({ dryRun: true, verdict: { losers: "1" } });
  const files = [await sign("referee3"), await sign("referee1")];
  expect(await on.json("passer", "referee", "submit", task, ...files)).toMatchObject({ state: "Settled" });
  expect((await on.account("ada")).active + (await on.account("ben")).active).toBe(800);
  await on.skip("1d1m");
  expect(await on.json("passer", "task", "finalize", task)).toMatchObject({ state: "Final" });
  // Its reward, and 40 % of two stakes; the client has a reward back.
  expect((await on.account("cleo")).credit).toBe(10 + 80);
  expect((await on.account("client")).credit).toBe(10);
});

it("a challenger that stays silent loses its bond", async () => {
  const task = await standing("honest.trace");
  await on.ok("cleo", "task", "challenge", task, "lie.trace");
  await on.skip("1d1m");
  await on.ok("passer", "task", "expire", task);
  const silent = ["--challenge", addressOf("cleo")] as const;
  await on.fails(3, "this is not the time to slash the challenge", "passer", "task", "expire", task, ...silent);
  await on.skip("1d1m");
  expect(await on.json("passer", "task", "expire", task)).toMatchObject({ state: "Settled" });
  await on.ok("passer", "task", "expire", task, ...silent);
  await on.fails(3, "has no challenge that is not revealed", "passer", "task", "expire", task, ...silent);
  expect((await on.account("cleo")).active).toBe(450);
  await on.skip("1d1m");
  await on.ok("passer", "task", "finalize", task);
});

it("a chunk that nobody delivers costs all who claimed", async () => {
  const risks = ["--accept-risk", "toAnswer"];
  const short = await post("--to-answer", "2h");
  const words = "toAnswer is 2 h, and has to be at least 12 h: an outage while a chunk is demanded costs the stake";
  await on.fails(3, words, "ada", "task", "accept", short);
  await on.fails(3, words, "ada", "task", "accept", short, "--accept-risk", "toReveal");
  await on.fails(2, "--accept-risk outage is no term with a rule", "ada", "task", "accept", short, "--accept-risk", "outage"); // prettier-ignore
  const task = await standing("honest.trace", ["--to-answer", "2h"], risks);
  const { demand } = await on.json("client", "task", "demand", task, "honest.trace");
  await on.fails(
    3,
    "this is not the time to expire demand",
    "passer",
    "task",
    "expire",
    task,
    "--demand",
    String(demand),
  );
  await on.skip("2h1m");
  await on.fails(3, "the deadline has passed", "ada", "task", "deliver", task, "honest.trace");
  expect(await on.ok(undefined, "task", "show", task)).toMatch(/demand 0 .*over since/);
  await on.fails(3, "there is no open demand 7", "passer", "task", "expire", task, "--demand", "7");
  expect(await on.json("passer", "task", "expire", task, "--demand", "0")).toMatchObject({ state: "Refunded" });
  const { seats } = await on.json(undefined, "task", "show", task);
  expect((seats as { out: boolean }[]).map(({ out }) => out)).toEqual([true, true]);
  expect(await state(task)).toBe("Refunded");
});

it("terms that can't be carried out are refused in words", async () => {
  const refused = (words: string, code: number, ...terms: string[]) =>
    on.fails(code, words, "client", "task", "post", "honest.trace", "--reward", "1", ...terms);
  await refused("there have to be 2 to 16 providers", 3, "--providers", "1");
  await refused("no period may be shorter than 60 seconds", 3, "--to-judge", "59s");
  await refused("the task could last", 3, "--to-commit", "40d");
  await refused("must not be zero", 3, "--stake", "0");
  await refused("is not a length of time", 2, "--to-judge", "a day");
  await refused("is not a number from 0 to 255", 2, "--providers", "two");
  await on.fails(2, "--reward", "client", "task", "post", "honest.trace");
  await on.fails(2, "is not a task's id", undefined, "task", "show", "0x12");
  await on.fails(3, "there is no task", undefined, "task", "show", `0x${"12".repeat(32)}`);
});
