/** `verde rounds run` that is killed inside of leaves: `--resume` says where they continue, and what differs. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../fixtures/folder.ts";
import { cliEnvironment, MAIN, verdeIn } from "../fixtures/verde.ts";
import { untilKept } from "../rounds/cut-plan.ts";

const PLAN = fileURLToPath(new URL("../rounds/small-plan.ts", import.meta.url));
const path = temporaryFolder();
const run = (out: string, ...more: string[]): string[] => ["rounds", "run", PLAN, "--out", out, "--rounds", "1", "--clients", "2", "--checkpoint-every", "20", ...more]; // prettier-ignore

/** Starts a run, and kills it when a leaf has kept a state. @param keeps the folder of its record or participant */
async function killed(args: readonly string[], keeps: () => string | undefined): Promise<void> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], { cwd: path("."), env: cliEnvironment(path(".")), stdio: "ignore" }); // prettier-ignore
  const ended = new Promise((resolve) => child.once("close", resolve));
  let folder = keeps();
  for (; folder === undefined; folder = keeps()) await pause(5);
  await untilKept(folder, "0001/local-1", 20);
  child.kill("SIGKILL");
  await ended;
}

test("in one process: it says at which step the leaf continues, as text and as JSON", async () => {
  const args = run("a", "--inner", "400");
  await killed(args, () => path("a"));
  const { code, stdout } = await verdeIn(path("."))([...args, "--resume"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^continues local-1 of round 1 at step [1-9]\d* of 400\nround 1\/1 {2}local-1 {2}loss/);
  await killed(run("j", "--inner", "400"), () => path("j"));
  const json = await verdeIn(path("."))([...run("j", "--inner", "400"), "--resume", "--json"]);
  const [first] = json.stdout.split("\n");
  expect(JSON.parse(first)).toMatchObject({ round: 1, leaf: "local-1", participant: "client-1", checkpoint: { kind: "continued", steps: 400 } }); // prettier-ignore
  const wrong = await verdeIn(path("."))([...args, "--checkpoint-every", "often"]);
  expect(wrong.stderr).toContain('"often" is not a whole number');
});

test("on a network of its own: processes of participants continue their leaves", async () => {
  const args = run("n", "--inner", "4000", "--participants", "nats", "--patience", "5m");
  const own = path("n/processes/client-1");
  await killed(args, () => (existsSync(own) ? readdirSync(own).map((name) => `${own}/${name}`)[0] : undefined));
  const { code, stdout, stderr } = await verdeIn(path("."))([...args, "--resume"]);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/^client-1: continues local-1 of round 1 at step [1-9]\d* of 4000$/m);
  expect(stdout).toContain("line: 1 rounds, 6 leaves of 3 participants.");
  expect(existsSync(path("n/processes"))).toBe(false);
  const elsewhere = await verdeIn(path("."))([
    ...run("e", "--participants", "nats"),
    "--network",
    "http://127.0.0.1:9",
  ]);
  expect(elsewhere.stderr).toContain("give --checkpoint-every to `verde rounds join`");
});
