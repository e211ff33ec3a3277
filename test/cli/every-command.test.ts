/**
 * The exit codes of every command where nothing can be written: stdout is full or closed, and there is no home. Nothing
 * of it is a verdict, and no command fails with a stack. A new command has to be entered here.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { isReserved } from "../../src/job/options.ts";
import { run } from "../../src/trace/run.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { cliEnvironment, MAIN } from "../fixtures/verde.ts";
import { smallJob } from "../referee/small-job.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const TASK = `0x${"12".repeat(32)}`;
const at = temporaryFolder();

/** The arguments of a command, and its exit code when nobody can read its output. `undefined`: it takes long, or does not end. */
type Row = readonly [args: readonly string[], code: 0 | 1 | 2 | 3 | undefined];
/** What needs a deployment, and finds none. */
const chain = (...args: string[]): Row => [[...args, "--json"], 2];
const EVERY: Readonly<Record<string, Row>> = {
  demo: [[], undefined],
  run: [[JOB, "--steps", "3", "--out", "run.trace", "--force", "--json"], 0],
  "job export": [[JOB, "--out", "/dev/null/j.verde", "--json"], 3],
  "job show": [[JOB, "--json"], 0],
  "trace repair": [["a.trace", "--dry-run", "--json"], 0],
  inspect: [["a.trace", "--json"], 0],
  validate: [["a.trace", "--json"], 0],
  audit: [["a.trace", "--json"], 0],
  diff: [["a.trace", "b.trace", "--json"], 1],
  dispute: [["a.trace", "b.trace", "--json"], 1],
  check: [["missing.json", "--a", TASK, "--json"], 2],
  worker: [["--listen", "127.0.0.1:0", "--json"], undefined],
  prove: [["a.trace", "--listen", "127.0.0.1:0", "--json"], undefined],
  serve: [["a.trace", "--port", "0", "--json"], undefined],
  "blob put": [["a.trace", "--store", "blobs", "--json"], 0],
  "blob get": [[TASK.slice(2), "--out", "blob", "--store", "blobs", "--json"], 2],
  "blob ls": [["--store", "blobs", "--json"], 0],
  "blob rm": [[TASK.slice(2), "--store", "blobs", "--json"], 2],
  "blob serve": [["--store", "blobs", "--listen", "127.0.0.1:0", "--json"], undefined],
  certify: [["--check", "missing.json", "--json"], 2],
  bench: [["--json"], undefined],
  doctor: [[], undefined],
  completion: [["bash"], 0],
  "config show": [["--json"], 0],
  "rounds run": [["missing.ts", "--out", "rounds", "--json"], 2],
  "rounds join": [["missing.ts", "--as", "a-0", "--network", "http://127.0.0.1:9", "--json"], 2],
  "rounds serve": [["missing", "--network", "http://127.0.0.1:9", "--json"], 2],
  "rounds fetch": [["missing", "--instance", TASK, "--network", "http://127.0.0.1:9", "--patience", "1s", "--json"], 3],
  "rounds inspect": [["missing", "--json"], 2],
  "rounds dispute": [["missing", "missing", "--json"], 2],
  "rounds audit": [["missing", "--json"], 2],
  "rounds post": [["missing.ts", "--account", "a-0=0x", "--recorder", "nobody", "--reward", "1", "--json"], 2],
  "rounds stake": [["missing.ts", "--terms", "missing.json", "--json"], 2],
  "rounds show": [["missing.json", "--json"], 2],
  "rounds record": [["missing", "--terms", "missing.json", "--json"], 2],
  "rounds demand": [["missing", "--terms", "missing.json", "--round", "1", "--leaf", "local-0", "--json"], 2],
  "rounds watch": [["missing", "--terms", "missing.json", "--json"], 2],
  "rounds close": [["missing.json", "--json"], 2],
  "rounds claim": chain(),
  "chain node": [["--port", "0", "--json"], undefined],
  "chain deploy": [["--committee", "nobody", "--json"], 2],
  "chain mint": chain("10"),
  "chain skip": [["10s", "--rpc", "http://127.0.0.1:9", "--json"], 3],
  "key new": [["/dev/null/key.json", "--json"], 2],
  "key import": [["key.json", "--json"], 2],
  "key show": [["missing.json", "--json"], 2],
  "stake deposit": chain("10"),
  "stake unbond": chain("10"),
  "stake withdraw": chain(),
  "stake show": chain(),
  "task post": chain(JOB, "--reward", "10"),
  "task accept": chain(TASK),
  "task leave": chain(TASK),
  "task admit": chain(TASK, `0x${"12".repeat(20)}`),
  "task draw": chain(TASK),
  "task canary": chain(TASK, "a.trace"),
  "task commit": chain(TASK, "a.trace"),
  "task reveal": chain(TASK, "a.trace"),
  "task compare": chain(TASK),
  "task challenge": chain(TASK, "a.trace"),
  "task demand": chain(TASK, JOB),
  "task deliver": chain(TASK, "a.trace"),
  "task finalize": chain(TASK),
  "task expire": chain(TASK),
  "task escalate": chain(TASK),
  "task claim": chain(),
  "task pledge": chain(TASK, "--price", "1"),
  "task sell": chain(TASK, "a.trace", "--out", "a.sealed"),
  "task buy": chain(TASK, "a.sealed"),
  "task release": chain(TASK),
  "task open": chain(TASK, "a.sealed", "--out", "a.safetensors"),
  "task settle": chain(TASK),
  "task sales": chain(TASK),
  "task show": chain(TASK),
  "task list": chain(),
  "referee sign": chain(TASK, "v.json", "--out", "s.json"),
  "referee submit": chain(TASK, "s.json"),
  "referee pay": chain(),
  "referee attest": chain(TASK, "s.json"),
  "referee register": chain(),
  "referee leave": chain(),
  "referee draw": chain(TASK),
  "referee settle": chain(TASK),
  "referee show": chain(),
  "provider run": [["--jobs", ".", "--folder", "/dev/null/p", "--json"], 3],
  "provider doctor": [["--folder", "doctor", "--json"], 3],
  "provider status": [["--folder", "none", "--json"], 2],
  "provider logs": [["--folder", "none", "--json"], 2],
  "provider stop": [["--folder", "none"], 2],
  defend: chain(TASK, "a.trace"),
  "client submit": chain(JOB, "--reward", "10"),
  "client providers": [["--network", "http://127.0.0.1:9", "--json"], 2],
  "referee serve": [["--network", "http://127.0.0.1:9", "--json"], 2],
  node: [["--jobs", ".", "--providers", "99", "--json"], 2],
  "simulate dispute": [["--steps", "0", "--json"], 2],
  watch: chain(TASK),
  test: [[], 2],
};

/** Commands of one group share most of their code: without VERDE_SWEEP, those that need a chain are sampled. */
const sampled = Object.entries(EVERY).filter(([name], i, all) => {
  const group = name.split(" ")[0];
  return process.env.VERDE_SWEEP === "1" || all.findIndex(([other]) => other.split(" ")[0] === group) === i;
});

function leaves(command: Command, words: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [words.join(" ")];
  return command.commands.flatMap((one) => leaves(one, [...words, one.name()]));
}

interface Ended {
  code: number | null;
  stderr: string;
}

/** @param stdout a file or device; without one, stdout is closed */
function verde(args: readonly string[], stdout?: string, env: Record<string, string> = {}): Promise<Ended> {
  const { VERDE_STATE: _, XDG_STATE_HOME: __, XDG_CACHE_HOME: ___, ...inherited } = cliEnvironment(at("."));
  const out = stdout === undefined ? undefined : openSync(stdout, "w");
  const command = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN, ...args];
  const [program, ...words] = out === undefined ? ["/bin/sh", "-c", 'exec "$0" "$@" >&-', ...command] : command;
  const child = spawn(program, words, {
    cwd: at("."),
    // Nothing can be made below it.
    env: { ...inherited, HOME: "/dev/null", ...env },
    stdio: ["ignore", out ?? "ignore", "pipe"],
  });
  if (out !== undefined) closeSync(out);
  let stderr = "";
  child.stderr!.on("data", (piece) => (stderr += String(piece)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}

beforeAll(async () => {
  const job = await smallJob();
  await run(job, { out: at("a.trace") });
  await run(job, { out: at("b.trace"), fault: { kind: "flip", step: 4, operator: 4, element: 13, bit: 28 } });
});

it("every command is entered here", async () =>
  expect(leaves(await buildProgram()).sort()).toEqual(Object.keys(EVERY).sort()));

it("no job can have an option with the name of one of a command that takes a job's options", async () => {
  const program = await buildProgram();
  const find = (name: string, commands: readonly Command[]) => commands.find((one) => one.name() === name)!;
  const { commands } = find("task", program.commands);
  const taking = [find("run", program.commands), ...["post", "accept", "demand"].map((name) => find(name, commands))];
  const names = taking.flatMap(({ options }) => options.flatMap(({ long }) => (long ? [long.slice(2)] : [])));
  expect(names.filter((name) => !isReserved(name))).toEqual([]);
  expect(names).toContain("commit-every");
});

describe.skipIf(process.platform === "win32")("where nothing can be written", () => {
  const STACK = /^ +at |node:internal|Node\.js v/m;

  it.runIf(existsSync("/dev/full"))(
    "a full stdout is a failure of every command that writes to it",
    async () => {
      const wrong: unknown[] = [];
      await each(sampled, async ([name, [args]]) => {
        const { code, stderr } = await verde([...name.split(" "), ...args], "/dev/full");
        // That one writes nothing but a message.
        const expected = name === "test" ? 2 : 3;
        if (code !== expected || STACK.test(stderr)) wrong.push({ name, code, stderr });
      });
      expect(wrong).toEqual([]);
    },
    600_000,
  );

  it("a closed stdout leaves every command its exit code", async () => {
    const wrong: unknown[] = [];
    await each(sampled, async ([name, [args, expected]]) => {
      if (expected === undefined) return;
      const { code, stderr } = await verde([...name.split(" "), ...args]);
      if (code !== expected || STACK.test(stderr)) wrong.push({ name, code, stderr });
    });
    expect(wrong).toEqual([]);
  });

  it("a user without a home is told what to set, and can read everything about the commands", async () => {
    const told = await verde(["run", JOB, "--out", "homeless.trace"], at("out.txt"), { HOME: "" });
    expect(told.code).toBe(0);
    expect(told.stderr).toContain("the run is written, but not claimed: this user has no home folder");
    expect(existsSync(at(".local"))).toBe(false);
    expect(await verde(["stake", "deposit", "--help"], at("out.txt"), { HOME: "" })).toEqual({ code: 0, stderr: "" });
  });
});

/** Two at a time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all([0, 1].map(async () => { for (let item = left.shift(); item; item = left.shift()) await work(item); })); // prettier-ignore
}
