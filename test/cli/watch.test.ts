/** `verde watch`: every event once, through a node that goes away and comes back, until the task has ended. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { Line } from "../fixtures/node/line.ts";
import { Settlement } from "../fixtures/settlement.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
const on = new Settlement();
let task = "";

beforeAll(async () => {
  await on.ok("client", "chain", "mint", "100");
  task = (await on.json("client", "task", "post", JOB, "--reward", "1", "--to-accept", "1h")).task as string;
});

function start(url: string, ...args: string[]) {
  const env = { ...process.env, NO_COLOR: "1", VERDE_RPC: url };
  const all = ["--disable-warning=ExperimentalWarning", MAIN, "watch", task, "--every", "1", ...args];
  const child = spawn(process.execPath, all, { cwd: on.at("."), env });
  const told = { out: "", err: "" };
  child.stdout.on("data", (data: Buffer) => (told.out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (told.err += data.toString()));
  const until = async (where: "out" | "err", words: string): Promise<void> => {
    while (!told[where].includes(words)) await once(where === "out" ? child.stdout : child.stderr, "data");
  };
  return { told, until, ended: once(child, "exit") };
}

it("tells what has been, what comes, and a line that is cut; then ends with the task", async () => {
  const line = new Line(on.url);
  await line.open();
  const people = start(line.url);
  const programs = start(on.url, "--json");
  await people.until("out", "Open until");
  line.cut();
  await people.until("err", "the node does not answer");
  await line.open();
  await people.until("err", "the node answers again");

  // What the chain takes back is told as well.
  const before = await on.ask("evm_snapshot", []);
  await on.ok("ada", "chain", "mint", "100");
  await on.ok("ada", "stake", "deposit", "10");
  await on.ok("ada", "task", "accept", task);
  await people.until("out", "seat 0 is taken");
  await programs.until("out", "SeatTaken");
  await on.ask("evm_revert", [before]);
  await people.until("out", "undone by the chain: seat 0 is taken");
  await programs.until("out", '"undone":true');

  await on.skip("1h1m");
  await on.ok("passer", "task", "expire", task);
  expect((await people.ended)[0]).toBe(0);
  expect((await programs.ended)[0]).toBe(0);
  await line.close();
  const sentences = people.told.out
    .trim()
    .split("\n")
    .map((text) => text.replace(/^.*UTC {2}/, ""));
  expect(sentences[0]).toMatch(/^posted by 0x\w{40}: 2 seats, a reward of 1 VTT each$/);
  expect(sentences.slice(-2)).toEqual(["refunded: 2 VTT for the client", "Refunded"]);
  expect(sentences.filter((text) => text.startsWith("posted by"))).toHaveLength(1);
  const events = programs.told.out
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(events.map(({ event, undone }) => (undone ? `-${event}` : event))).toEqual([
    "TaskPosted",
    "TaskMoved",
    "SeatTaken",
    "-SeatTaken",
    "TaskRefunded",
    "TaskMoved",
  ]);
  expect(events.at(-1)).toMatchObject({ schemaVersion: 1, args: { state: "Refunded", phase: "None" } });
});

it("knows at once that there is no such task", async () => {
  await on.fails(3, "there is no task", undefined, "watch", `0x${"34".repeat(32)}`);
});
