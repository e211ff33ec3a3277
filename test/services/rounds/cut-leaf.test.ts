/** Participants on a network whose processes are killed inside of a leaf: they continue it when they are back. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { auditRecord, runRounds } from "../../../src/rounds/index.ts";
import { Joined } from "../../../src/services/rounds/join.ts";
import { musterOn } from "../../../src/services/rounds/muster.ts";
import { Http } from "../../../src/services/transport/http.ts";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { contentOf, CUT_STEPS, cutPlan, untilKept } from "../../rounds/cut-plan.ts";
import { drawing } from "../../rounds/draw.ts";

const path = temporaryFolder();
const PROGRAM = fileURLToPath(new URL("./join-cut.ts", import.meta.url));
const SALT = new Uint8Array(32).fill(5);
const SEED = 20261130;
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

test("a participant that is killed inside of its leaf continues it, and the record has the same bytes", async () => {
  const plan = await cutPlan();
  await runRounds(plan, { state: path("keys"), salt: SALT, out: path("whole"), checkpointEvery: 0 });
  const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
  closing.push(() => hub.close());
  for (const participant of ["client-0", "server-0"]) {
    const joined = await Joined.open({ transport: new Http(hub.url), plan, participant, out: path(participant), state: path("keys"), backend: "wasm", patience: 60_000 }); // prettier-ignore
    closing.push(() => joined.close());
  }
  let text = "";
  const begun = (): ChildProcess => {
    const child = spawn(process.execPath, [PROGRAM, hub.url, "client-1", path("own"), path("keys")], { stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
    child.stdout!.on("data", (piece: Buffer) => (text += piece.toString()));
    return child;
  };
  let child = begun();
  closing.push(() => child.kill("SIGKILL"));
  const participants = await musterOn({ transport: new Http(hub.url), plan, patience: 120_000 });
  const running = runRounds(plan, { participants, state: path("keys"), salt: SALT, out: path("record") });
  const below = drawing(SEED);
  while (!existsSync(path("own")) || readdirSync(path("own")).length === 0) await pause(5);
  const [instance] = readdirSync(path("own"));
  for (const round of [1, 2]) {
    await untilKept(path(`own/${instance}`), `000${round}/local-1`, 1 + below(CUT_STEPS - 100));
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
    child = begun();
  }
  const record = await running;
  const news = text.trim().split("\n").map((line) => JSON.parse(line) as { step: number }); // prettier-ignore
  expect(news).toMatchObject([1, 2].map((round) => ({ kind: "continued", name: "local-1", round, steps: CUT_STEPS })));
  for (const { step } of news) expect(step, `the seed ${SEED}`).toBeGreaterThan(0);
  expect(contentOf(path("record"))).toEqual(contentOf(path("whole")));
  expect(record.second).toEqual([]);
  expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
  expect(Object.keys(contentOf(path("own"))).filter((name) => /\.(trace|data|safetensors)$/.test(name))).toEqual([]);
});
