/** A dispute that goes before the game: commands in processes of their own, a node behind a port, and the EVM as the referee. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Address, type Hex, keccak256 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { beforeAll, expect, it } from "vitest";
import { signRuling } from "../../src/settlement/ruling.ts";
import { Line } from "../fixtures/node/line.ts";
import { addressOf, keyOf, type Person, Settlement } from "../fixtures/settlement.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const on = new Settlement();
/** What `chain deploy` sets unless it is told otherwise, in wei. */
const BOND = String(132n * 10n ** 15n);
/** Its own bond, and half of the loser's. */
const WON = String((3n * BigInt(BOND)) / 2n);
let task = "";
let roots: Record<string, string> = {};

beforeAll(async () => {
  for (const person of ["client", "ada", "ben"] as const) await on.ok(person, "chain", "mint", "1000");
  for (const person of ["ada", "ben"] as const) await on.ok(person, "stake", "deposit", "300");
  roots = {};
  for (const [name, ...options] of [["ada"], ["ben", "--fault", "flip:step=7,operator=20,element=0,bit=12"]]) {
    const lines = await on.ok(undefined, "run", JOB, "--out", `${name}.trace`, "--json", ...options);
    roots[name] = (JSON.parse(lines.trim().split("\n").at(-1)!) as { runRoot: string }).runRoot;
  }
});

const show = (): Promise<Record<string, unknown>> => on.json(undefined, "task", "show", task);

it("a task that names the game gives it the time that it may take", async () => {
  const posted = await on.json("client", "task", "post", JOB, "--reward", "10", "--game", "deployed");
  expect(posted.gasBond).toBe(BOND);
  task = posted.task as string;
  const { periods } = posted.terms as { periods: { toPlay: number } };
  expect(periods.toPlay).toBeGreaterThan(2 * 86_400);
  expect(posted.mostExpensiveStep).toMatchObject({ label: expect.any(String), bytes: expect.any(Number) });
  expect((posted.mostExpensiveStep as { gas: number }).gas).toBeGreaterThan(50_000);
  for (const person of ["ada", "ben"] as const) await on.ok(person, "task", "accept", task, "--job", JOB);
  for (const person of ["ada", "ben"] as const) await on.ok(person, "task", "commit", task, `${person}.trace`);
  for (const person of ["ada", "ben"] as const) await on.ok(person, "task", "reveal", task, `${person}.trace`);
  await on.ok("passer", "task", "compare", task);
  expect(await show()).toMatchObject({ state: "Disputed", phase: "Judging" });
});

it("a liar that has a ruling brought before the game by its victim loses there", async () => {
  // A committee that errs: two members sign that Ada is wrong, with a verdict that they made up.
  const { chainId, committee } = JSON.parse(readFileSync(on.at("deployment.json"), "utf8")) as {
    chainId: number;
    committee: Address;
  };
  const claims = [roots.ada, roots.ben] as Hex[];
  const verdict = { dispute: 1n, claims, losers: 1n, file: keccak256("0x"), validUntil: 2n ** 40n };
  const bench = { chainId, committee, task: task as Hex };
  const files: string[] = [];
  for (const person of ["referee1", "referee2"] as const) {
    const account = privateKeyToAccount(keyOf(person));
    const signature = await signRuling(account, bench, verdict);
    const plain = { ...verdict, dispute: "1", losers: "1", validUntil: String(verdict.validUntil) };
    const content = { schemaVersion: 1, ...bench, verdict: plain, signer: account.address, signature };
    files.push(`${person}.json`);
    writeFileSync(on.at(`${person}.json`), JSON.stringify(content));
  }
  await on.ok("passer", "referee", "submit", task, ...files);
  expect(await show()).toMatchObject({ state: "Disputed", phase: "Ruled" });
  await on.fails(3, "", "passer", "task", "escalate", task);
  expect(await show()).toMatchObject({ gasBond: BOND });
  expect(await on.ok(undefined, "task", "show", task)).toContain("0.132 ETH from each player");
  const defended = (person: Person) =>
    on.as(person, "defend", task, `${person}.trace`, "--every", "1s", "--until-decided", "--json");
  const [ada, ben] = await Promise.all([defended("ada"), defended("ben")]);
  const moves = ada.stdout.split("\n").filter((line) => line.includes('"what":"move"'));
  const values = moves.map((line) => (JSON.parse(line) as { value: string }).value);
  // She has posted her bond with the escalation.
  expect(values.length).toBeGreaterThan(3);
  expect(values.every((value) => value === "0")).toBe(true);
  const last = (text: string): unknown => JSON.parse(text.trim().split("\n").at(-1)!);
  expect(ada.code, ada.stderr).toBe(0);
  expect(ben.code, ben.stderr).toBe(1);
  expect(last(ben.stdout)).toMatchObject({ lost: true, bonds: "0" });
  expect(last(ada.stdout)).toMatchObject({ lost: false, bonds: WON });
  expect(await show()).toMatchObject({ state: "Challengeable" });
  expect((await on.account("ben")).active).toBe(200);
  // What is shown is what she gets.
  expect(await on.ok(undefined, "stake", "show", addressOf("ada"))).toContain(
    "0.198 ETH in the game, withdraw them with",
  );
  await on.fails(3, "has no credit in the vault or the exchange, and no bonds in the game", "ben", "task", "claim");
  await on.fails(3, "has no credit in the vault", "passer", "task", "claim", "--owner", addressOf("ada"));
  const planned = await on.json("ada", "task", "claim", "--dry-run");
  expect(planned).toMatchObject({ dryRun: true, amount: "0", bonds: WON });
  expect(await on.ok("ada", "task", "claim")).toContain("has 0.198 ETH more");
  expect(await on.json(undefined, "stake", "show", addressOf("ada"))).toMatchObject({ bonds: "0" });
  await on.fails(2, "is not a task's id", "ada", "defend", addressOf("ada"), "ada.trace");
});

it("without a committee different claims are before the game at once, and the liar loses there", async () => {
  await on.fails(2, "name one with --game", "client", "task", "post", JOB, "--reward", "10", "--committee", "none");
  const judges = ["--committee", "none", "--game", "deployed"];
  const posted = await on.json("client", "task", "post", JOB, "--reward", "10", ...judges);
  task = posted.task as string;
  expect(await on.ok(undefined, "task", "show", task)).toContain("none, the game decides");
  for (const person of ["ada", "ben"] as const) await on.ok(person, "task", "accept", task, "--job", JOB);
  for (const person of ["ada", "ben"] as const) await on.ok(person, "task", "commit", task, `${person}.trace`);
  for (const person of ["ada", "ben"] as const) await on.ok(person, "task", "reveal", task, `${person}.trace`);
  await on.ok("passer", "task", "compare", task);
  expect(await show()).toMatchObject({ state: "Disputed", phase: "Playing" });
  // Ada's node is away at the start, and again in the middle of the game.
  const line = new Line(on.url);
  await line.open();
  line.cut();
  const options = ["--every", "1s", "--json"];
  const both = Promise.all([
    on.as("ada", "defend", task, "ada.trace", ...options, "--rpc", line.url),
    on.as("ben", "defend", task, "ben.trace", ...options),
  ]);
  // A request is three attempts.
  await line.tried(4);
  await line.open();
  const before = await on.sentBy("ada");
  while ((await on.sentBy("ada")) < before + 2) await new Promise((resolve) => setTimeout(resolve, 100));
  line.cut();
  await line.tried(20);
  await line.open();
  const [ada, ben] = await both;
  await line.close();
  expect(ada.code, ada.stderr).toBe(0);
  expect(ada.stderr).toContain("no chain answers at");
  expect(ada.stderr).toContain("trying again until it works");
  expect(ada.stderr).toContain("it works again, after");
  expect(ben.code, ben.stderr).toBe(1);
  expect(JSON.parse(ada.stdout.trim().split("\n").at(-1)!)).toMatchObject({ lost: false });
  expect(JSON.parse(ben.stdout.trim().split("\n").at(-1)!)).toMatchObject({ lost: true });
  expect(await show()).toMatchObject({ state: "Challengeable" });
});
