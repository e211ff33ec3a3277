/** Providers as daemons: tasks from the offer to the payment, whatever ends the processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { addressOf, type Person, Settlement } from "../fixtures/settlement.ts";
import { cliEnvironment, MAIN } from "../fixtures/verde.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
/** The seed of the moments at which processes are killed. */
const SEED = 20261129;
const KILLS = 5;
/** Milliseconds for one stage, on a machine that does other things. */
const PATIENCE = 400_000;
vi.setConfig({ testTimeout: 2 * PATIENCE });
const on = new Settlement();
const running = new Map<Person, ChildProcess>();
afterAll(() => {
  for (const child of running.values()) child.kill("SIGKILL");
});

beforeAll(async () => {
  for (const person of ["client", "ada", "ben"] as const) await on.ok(person, "chain", "mint", "1000");
  for (const person of ["ada", "ben"] as const) await on.ok(person, "stake", "deposit", "500");
  mkdirSync(on.at("jobs"));
  await on.ok(undefined, "job", "export", JOB, "--out", "jobs/line.verde");
});

let said = "";
function start(person: Person, ...options: string[]): void {
  const env = { ...cliEnvironment(on.at(".")), ...on.environment(person), VERDE_STATE: on.at(`state-${person}`) };
  const args = ["provider", "run", "--jobs", "jobs", "--every", "1s", "--json", ...options];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: on.at("."),
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on("line", (line) => (said += `${person}: ${line}\n`));
  running.set(person, child);
}

async function kill(person: Person): Promise<void> {
  const child = running.get(person)!;
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "close");
}

async function state(task: string): Promise<string> {
  const { state: name } = await on.json(undefined, "task", "show", task);
  return name as string;
}

async function until(task: string, wanted: string, meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    if ((await state(task)) === wanted) return;
    await meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect.unreachable(`the task is ${await state(task)}, not ${wanted}\n${said}`);
}

it("two providers that are killed again and again are both paid", async () => {
  const posted = await on.json("client", "task", "post", "jobs/line.verde", "--reward", "10");
  const task = posted.task as string;
  start("ada", "--metrics", "127.0.0.1:0");
  start("ben");
  let random = SEED;
  let kills = 0;
  await until(task, "Challengeable", async () => {
    if (kills++ >= KILLS) return;
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const person = random % 2 === 0 ? "ada" : "ben";
    await new Promise((resolve) => setTimeout(resolve, (random >>> 8) % 2500));
    await kill(person);
    start(person, ...(person === "ada" ? ["--metrics", "127.0.0.1:0"] : []));
  });
  await on.skip("1d1m");
  await until(task, "Final");
  for (const person of ["ada", "ben"] as const) {
    for (let looks = 0; looks < 240 && (await on.account(person)).balance !== 510; looks++)
      await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await on.account(person), said).toMatchObject({ balance: 510, active: 500, exposed: 0, credit: 0 });
  }
});

it("a provider shows what it has, and ends when it is told to", async () => {
  const env = { VERDE_STATE: on.at("state-ada") };
  let shown = await on.verde(["provider", "status", "--json"], env);
  // It looks at the end of a task twice.
  for (let looks = 0; looks < 240 && !shown.stdout.includes('"done"'); looks++)
    shown = await on.verde(["provider", "status", "--json"], env);
  expect(JSON.parse(shown.stdout), shown.stderr).toMatchObject({ running: true, tasks: [{ stage: "done", outcome: "paid" }] }); // prettier-ignore
  expect((await on.verde(["provider", "logs"], env)).stdout).toContain("is over: paid");
  const lines = (await on.verde(["provider", "logs", "--json"], env)).stdout.trim().split("\n").map((line) => JSON.parse(line)); // prettier-ignore
  const [{ task }] = JSON.parse(shown.stdout).tasks;
  expect(lines.find(({ message }) => message.endsWith("is over: paid"))).toMatchObject({ task });
  const url = [...said.matchAll(/ada: .*can be asked at (http:\S+\/)/g)].at(-1)![1];
  expect(await (await fetch(`${url}ready`)).json()).toEqual({ ready: true });
  expect(await (await fetch(`${url}metrics`)).text()).toContain('verde_tasks_over{outcome="paid"} 1');
  const closed = once(running.get("ada")!, "close");
  expect((await on.verde(["provider", "stop"], env)).stdout).toContain("was told to end");
  await closed;
  expect(JSON.parse((await on.verde(["provider", "status", "--json"], env)).stdout)).toMatchObject({ running: false });
  await kill("ben");
});

it("a provider that cheats loses its stake to one that is killed meanwhile", async () => {
  const judges = ["--committee", "none", "--game", "deployed"];
  const posted = await on.json("client", "task", "post", "jobs/line.verde", "--reward", "10", ...judges);
  const task = posted.task as string;
  start("ada");
  start("ben", "--fault", "flip:step=7,operator=20,element=0,bit=12");
  let kills = 0;
  await until(task, "Challengeable", async () => {
    if ((await state(task)) !== "Disputed" || kills++ > 1) return;
    await kill("ada");
    start("ada");
  });
  await on.skip("1d1m");
  await until(task, "Final");
  expect((await on.account("ben")).active, said).toBe(400);
  for (let looks = 0; looks < 240 && (await on.account("ada")).credit !== 0; looks++)
    await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await on.account("ada")).balance, said).toBeGreaterThan(520);
});

it("providers offer for seats that are drawn, and take them when they are", async () => {
  await kill("ben");
  said = "";
  start("ben");
  const posted = await on.json("client", "task", "post", "jobs/line.verde", "--reward", "10", "--seats", "drawn");
  const task = posted.task as string;
  const offered = async (): Promise<number> => {
    const { stdout } = await on.as(undefined, "task", "show", task);
    return Number(/offer \((\d+) so far/.exec(stdout)?.[1] ?? 0);
  };
  for (let looks = 0; looks < 240 && (await offered()) < 2; looks++)
    await new Promise((resolve) => setTimeout(resolve, 500));
  await on.skip("12h1m");
  // The block after the one that decides comes by itself on other chains.
  const blocks = setInterval(() => void on.ask("evm_mine", []), 500);
  await on.ok("client", "task", "draw", task).finally(() => clearInterval(blocks));
  await until(task, "Challengeable");
  await on.skip("1d1m");
  await until(task, "Final");
  // A task for others is not taken.
  const strangers = ["--seats", addressOf("passer")];
  const other = await on.json("client", "task", "post", "jobs/line.verde", "--reward", "10", ...strangers);
  for (let looks = 0; looks < 240 && !said.includes("its client has not named"); looks++)
    await new Promise((resolve) => setTimeout(resolve, 500));
  expect(said).toContain("its client has not named");
  expect((await on.json(undefined, "task", "show", other.task as string)).seats).toEqual([]);
});

it("a task that it can't run or afford is not taken, and the reason is said once", async () => {
  said = "";
  await on.ok("client", "task", "post", JOB, "--steps", "9", "--reward", "10");
  const greedy = await on.json("client", "task", "post", "jobs/line.verde", "--reward", "10", "--stake", "9000");
  // Ben, who may run too, may be the first to say it.
  for (let looks = 0; looks < 240 && !/ada: .*needs a stake of 9,000 VTT/.test(said); looks++)
    await new Promise((resolve) => setTimeout(resolve, 500));
  expect(said).toMatch(/is not taken: there is no job file for 0x/);
  expect(said).toContain("needs a stake of 9,000 VTT");
  expect(said.match(/ada: .*needs a stake of 9,000/g)).toHaveLength(1);
  expect((await on.json(undefined, "task", "show", greedy.task as string)).seats).toEqual([]);
});
