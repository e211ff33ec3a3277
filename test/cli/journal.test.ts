/** Commands that are killed while their transaction is on its way: the next one finds it, and does nothing twice. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { addressOf, keyOf, type Person, Settlement } from "../fixtures/settlement.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const on = new Settlement();

const signedSo = (functionName: string): boolean =>
  existsSync(on.at("verde-journal.jsonl")) &&
  readFileSync(on.at("verde-journal.jsonl"), "utf8")
    .trim()
    .split("\n")
    .at(-1)!
    .includes(`"functionName":"${functionName}"`);

/** Starts a command on a chain that makes no blocks, and kills it once its transaction has been signed. */
async function killed(person: Person, functionName: string, ...args: string[]): Promise<void> {
  await on.ask("evm_setAutomine", [false]);
  const env = { ...process.env, VERDE_RPC: on.url, VERDE_PRIVATE_KEY: keyOf(person) };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: on.at("."),
    env,
  });
  const ended = once(child, "exit");
  while (!signedSo(functionName)) {
    await sleep(20);
    expect(child.exitCode, `verde ${args.join(" ")} ended by itself`).toBe(null);
  }
  child.kill("SIGKILL");
  await ended;
  await on.ask("evm_setAutomine", [true]);
}

it("what can be done twice is found, and only done again when it is asked for again", async () => {
  await on.ok("ada", "chain", "mint", "100");
  await killed("ada", "mint", "chain", "mint", "5");
  await on.ask("evm_mine", []);
  await on.fails(
    3,
    "an earlier mint of this account was on its way, and is carried out now",
    "ada",
    "chain",
    "mint",
    "5",
  );
  expect((await on.account("ada")).balance).toBe(105);
  await on.ok("ada", "chain", "mint", "5");
  expect((await on.account("ada")).balance).toBe(110);
});

it("what can't be done twice is found, and the command goes on from there", async () => {
  await on.ok("client", "chain", "mint", "100");
  await on.ok("ada", "stake", "deposit", "100");
  const task = (await on.json("client", "task", "post", JOB, "--reward", "1")).task as string;
  await killed("ada", "accept", "task", "accept", task);
  await on.ask("evm_mine", []);
  const again = await on.as("ada", "task", "accept", task);
  expect(again.stderr).toMatch(/an earlier accept was on its way as 0x\w{64}: it is carried out/);
  expect(again.stderr).toContain("has a seat in this task already");
  expect((await on.json(undefined, "task", "show", task)).seats).toHaveLength(1);
});

it("what the node has forgotten is sent again as it was signed", async () => {
  await killed("client", "mint", "chain", "mint", "7", "--to", addressOf("poor"));
  const lines = readFileSync(on.at("verde-journal.jsonl"), "utf8").trim().split("\n");
  const { signed } = JSON.parse(lines.at(-1)!) as { signed: { hash: string } };
  await on.ask("hardhat_dropTransaction", [signed.hash]);
  await on.fails(3, "an earlier mint", "client", "chain", "mint", "7");
  expect((await on.account("poor")).balance).toBe(7);
  expect(readFileSync(on.at("verde-journal.jsonl"), "utf8")).not.toContain(keyOf("client").slice(2, 40));
});
