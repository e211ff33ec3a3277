/** A committee whose members are drawn: the pool, two draws, a verdict, and pay, by commands against a node. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { addressOf, PEOPLE, type Person, Settlement } from "../../fixtures/settlement.ts";

const JOB = fileURLToPath(new URL("../../fixtures/line.ts", import.meta.url));
const POOL = ["referee1", "referee2", "referee3", "passer", "cleo"] as const satisfies Person[];
const on = new Settlement("--committee", "rotating", "--candidate-stake", "50");
const nameOf = (address: string): Person =>
  (Object.keys(PEOPLE) as Person[]).find((person) => addressOf(person) === address)!;
let task = "";

beforeAll(async () => {
  for (const person of ["client", "ada", "ben", ...POOL] as const) await on.ok(person, "chain", "mint", "1000");
  for (const person of ["ada", "ben"] as const) await on.ok(person, "stake", "deposit", "300");
  for (const [name, ...options] of [["ada"], ["ben", "--fault", "flip:step=7,operator=20,element=0,bit=12"]])
    await on.ok(undefined, "run", JOB, "--out", `${name}.trace`, ...options);
});

const shown = async (): Promise<string> => on.ok(undefined, "task", "show", task);

/** Draws a round, which the client has to help with. @returns who is drawn */
async function draw(): Promise<Person[]> {
  expect(await on.json("poor", "referee", "draw", task)).toMatchObject({ drawn: [] });
  await on.fails(3, "the client may open its secret until", "poor", "referee", "draw", task);
  await on.skip("1s");
  const { drawn } = await on.json("client", "referee", "draw", task);
  return (drawn as string[]).map(nameOf);
}

describe("a committee that is drawn for each dispute", () => {
  it("has a pool that anyone with the stake may join", async () => {
    for (const person of POOL) await on.ok(person, "referee", "register");
    await on.fails(3, "nothing to pay", "cleo", "referee", "register");
    await on.fails(3, "are needed", "poor", "referee", "register");
    const pool = await on.json("client", "referee", "show");
    expect(pool).toMatchObject({ candidates: 5, members: 3, threshold: 2, isCandidate: false });
    expect(await on.ok(undefined, "referee", "show", addressOf("cleo"))).toMatch(/stake +50 VTT, can be drawn/);
  });

  it("judges no task of another game", async () => {
    const post = ["task", "post", JOB, "--reward", "10", "--game", addressOf("passer")];
    await on.fails(2, "so it judges nothing in such a task", "client", ...post);
  });

  it("is shown with the task, before and after its draw", async () => {
    task = (await on.json("client", "task", "post", JOB, "--reward", "10")).task as string;
    expect(await shown()).toContain("2 of 3 members, drawn for each dispute");
    for (const person of ["ada", "ben"] as const) await on.ok(person, "task", "accept", task);
    for (const move of ["commit", "reveal"])
      for (const person of ["ada", "ben"] as const) await on.ok(person, "task", move, task, `${person}.trace`);
    await on.fails(3, "no committee has to be drawn", "client", "referee", "draw", task);
    await on.ok("ada", "task", "compare", task);
    // The seats have claimed their traces.
    await on.as(undefined, "dispute", "ada.trace", "ben.trace", "--verdict", "verdict.json");
    expect(await shown()).toContain("not drawn yet: `verde referee draw`");
    const first = await draw();
    expect(new Set(first).size).toBe(3);
    expect([...POOL]).toEqual(expect.arrayContaining(first));
    const text = await shown();
    expect(text).toMatch(/drawn in round 1, until /);
    for (const person of first) expect(text).toContain(addressOf(person));
    await on.fails(3, "have time until", "client", "referee", "draw", task);
  });

  it("replaces those that were silent, and keeps the one that has shown its signature", async () => {
    const { committee } = await on.json(undefined, "task", "show", task);
    const first = (committee as { hearing: { drawn: string[] } }).hearing.drawn.map(nameOf);
    await sign(first[0]);
    await on.ok("poor", "referee", "attest", task, `${first[0]}.json`);
    expect(await shown()).toMatch(new RegExp(`${addressOf(first[0])} +has signed`));
    await on.skip("8h1m");
    const second = await draw();
    expect(second).toContain(first[0]);
    for (const silent of first.slice(1)) expect(second).not.toContain(silent);
    await on.fails(2, "or is not drawn for this dispute", first[1], ...signing("no.json"));
    // Two others sign, and all three are paid.
    const others = second.filter((person) => person !== first[0]);
    for (const person of others) await sign(person);
    const files = others.map((person) => `${person}.json`);
    expect(await on.json("poor", "referee", "submit", task, ...files)).toMatchObject({ state: "Challengeable" });
    // Others have decided, so the silent ones lose.
    expect(await on.json(first[1], "referee", "show")).toMatchObject({ stake: `${49n * 10n ** 18n}` });
    const { pay } = await on.json(first[0], "referee", "show");
    expect(Number(pay) / 1e18).toBeCloseTo(10 / 3, 12);
    expect(await on.json(first[0], "referee", "pay")).toMatchObject({ amount: pay });
    await on.fails(3, "is settled, or the dispute is not over", "poor", "referee", "settle", task);
  });

  it("pays a stake back after its delay", async () => {
    await on.ok("cleo", "referee", "leave");
    await on.fails(3, "the account leaves the pool", "cleo", "referee", "leave");
    const { stake } = await on.json("cleo", "referee", "show");
    await on.skip("45d");
    expect(await on.json("cleo", "referee", "leave")).toMatchObject({ amount: stake });
  });
});

const signing = (out: string): string[] => [
  "referee",
  "sign",
  task,
  "verdict.json",
  "--replay",
  "ada.trace",
  "--out",
  out,
];
const sign = (person: Person): Promise<string> => on.ok(person, ...signing(`${person}.json`));
