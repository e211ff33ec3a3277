/** Commands that are killed while their transaction is on its way: the next one finds it, and does nothing twice. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { takeLock } from "../../src/files/lock.ts";
import { addressOf, keyOf, type Person, Settlement } from "../fixtures/settlement.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const on = new Settlement();

/** The records of a person's journal. */
function journalOf(person: Person): { kind: string; what?: string; hash?: string }[] {
  const folder = on.at("journals");
  const name = existsSync(folder) && readdirSync(folder).find((file) => file.endsWith(`${addressOf(person)}.jsonl`));
  if (!name) return [];
  const lines = readFileSync(join(folder, name), "utf8").trim().split("\n");
  return lines.filter((line) => line !== "").map((line) => (JSON.parse(line) as { record: { kind: string } }).record);
}

/** Whether the last thing that was begun is this, and is signed. */
function signedSo(person: Person, functionName: string): boolean {
  const records = journalOf(person);
  const begun = records.findLast(({ kind }) => kind === "action");
  return begun?.what === functionName && records.at(-1)?.kind === "signed";
}

/** Starts a command on a chain that makes no blocks, and kills it once its transaction has been signed. */
async function killed(person: Person, functionName: string, ...args: string[]): Promise<void> {
  await on.ask("evm_setAutomine", [false]);
  const env = { ...process.env, ...on.environment(person) };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: on.at("."),
    env,
  });
  const ended = once(child, "exit");
  while (!signedSo(person, functionName)) {
    await sleep(20);
    expect(child.exitCode, `verde ${args.join(" ")} ended by itself`).toBe(null);
  }
  child.kill("SIGKILL");
  await ended;
  await on.ask("evm_setAutomine", [true]);
}

it("what was asked for again is found, and not done twice", async () => {
  await on.ok("ada", "chain", "mint", "100");
  await killed("ada", "mint", "chain", "mint", "5");
  await on.ask("evm_mine", []);
  const again = await on.as("ada", "chain", "mint", "5");
  expect(again.stderr).toMatch(/an earlier mint was already sent as 0x\w{64}: it has taken effect/);
  expect(again.code).toBe(0);
  expect((await on.account("ada")).balance).toBe(105);
  await on.ok("ada", "chain", "mint", "5");
  expect((await on.account("ada")).balance).toBe(110);
});

it("what is like what was asked for again is only done when it is asked for once more", async () => {
  await on.ok("client", "chain", "mint", "100");
  await on.ok("ada", "stake", "deposit", "100");
  await killed("client", "mint", "chain", "mint", "3");
  await on.ask("evm_mine", []);
  await on.fails(
    3,
    "an earlier mint of this account was already sent, and has taken effect now",
    "client",
    "chain",
    "mint",
    "4",
  );
  expect((await on.account("client")).balance).toBe(103);
});

it("what can't be done twice is found, and the command ends as if it had not been killed", async () => {
  const task = (await on.json("client", "task", "post", JOB, "--reward", "1")).task as string;
  await killed("ada", "accept", "task", "accept", task);
  await on.ask("evm_mine", []);
  const again = await on.as("ada", "task", "accept", task);
  expect(again.stderr).toMatch(/an earlier accept was already sent as 0x\w{64}: it has taken effect/);
  expect((await on.json(undefined, "task", "show", task)).seats).toHaveLength(1);
});

it("what the node has forgotten is sent again as it was signed", async () => {
  await killed("client", "mint", "chain", "mint", "7", "--to", addressOf("poor"));
  await on.ask("hardhat_dropTransaction", [journalOf("client").at(-1)!.hash]);
  await on.ok("client", "chain", "mint", "7", "--to", addressOf("poor"));
  expect((await on.account("poor")).balance).toBe(7);
  expect(JSON.stringify(journalOf("client"))).not.toContain(keyOf("client").slice(2, 40));
});

it("what is damaged is told, with the line", async () => {
  const file = on.at(`journals/${readdirSync(on.at("journals")).find((name) => name.includes(addressOf("ada")))!}`);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"mint"', '"Mint"'));
  await on.fails(2, "line 2 of the journal", "ada", "chain", "mint", "1");
  // A last line that a crash has cut was never acted on.
  writeFileSync(file, `${text}{"record":{"kind":"act`);
  await on.ok("ada", "chain", "mint", "1");
  const lock = takeLock(`${file}.lock`, "this test");
  await on.fails(3, `is being written by process ${process.pid} (`, "ada", "chain", "mint", "1");
  lock.release();
  await on.ok("ada", "chain", "mint", "1");
});
