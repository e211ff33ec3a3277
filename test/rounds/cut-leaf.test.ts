/** Leaves that were cut off inside, wherever that comes: they continue, and the record is the same to the byte. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { auditRecord, parseRoundFault, RoundsRecord, runRounds, type RunRoundsOptions } from "../../src/rounds/index.ts"; // prettier-ignore
import { temporaryFolder } from "../fixtures/folder.ts";
import { contentOf, CUT_STEPS, cutPlan, keptStep, untilKept } from "./cut-plan.ts";
import { drawing } from "./draw.ts";
import { signalTo } from "./participant-processes.ts";

const path = temporaryFolder();
const PROGRAM = fileURLToPath(new URL("./run-cut.ts", import.meta.url));
const SALT = new Uint8Array(32).fill(5);
const SEED = 20261130;
const LEAVES = ["0001/local-0", "0001/local-1", "0002/local-0"];

/** A record that nothing has cut. */
async function whole(out: string, options: Partial<RunRoundsOptions> = {}): Promise<Record<string, string>> {
  await runRounds(await cutPlan(), { state: path("keys"), salt: SALT, out: path(out), checkpointEvery: 0, ...options });
  return contentOf(path(out));
}

/** Runs the plan in a process of its own. @returns what it says of checkpoints, and its end */
function program(out: string, faults: readonly string[] = []) {
  const child = spawn(process.execPath, [PROGRAM, out, path("keys"), ...faults], { stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
  let text = "";
  child.stdout.on("data", (piece: Buffer) => (text += piece.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const news = () => text.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  return { kill: () => child.kill("SIGKILL"), ended, news };
}

/** Kills a run once inside of each of these leaves, after drawn steps, and lets it end. @returns all news */
async function cut(out: string, leaves: readonly string[], faults: readonly string[] = []) {
  const below = drawing(SEED);
  const all: Record<string, unknown>[] = [];
  for (const leaf of leaves) {
    const running = program(out, faults);
    await untilKept(out, leaf, 1 + below(CUT_STEPS - 100));
    running.kill();
    await running.ended;
    all.push(...running.news());
    expect(keptStep(out, leaf), `${leaf} with the seed ${SEED}`).toBeGreaterThan(0);
  }
  const last = program(out, faults);
  expect(await last.ended).toBe(0);
  return [...all, ...last.news()];
}

describe("a leaf that is cut off by kill -9", () => {
  test("continues in one process, and the record has the same bytes", async () => {
    const expected = await whole("whole");
    const news = await cut(path("cut"), LEAVES);
    expect(news.map(({ kind, round, name }) => `${String(kind)} ${String(round)} ${String(name)}`)).toEqual(
      LEAVES.map((leaf) => `continued ${Number(leaf.slice(0, 4))} ${leaf.slice(5)}`),
    );
    for (const { step } of news) expect(step).toBeGreaterThan(0);
    expect(contentOf(path("cut"))).toEqual(expected);
    const record = await RoundsRecord.open(path("cut"));
    expect(record.second).toEqual([]);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
  });

  test("has the fault of a drill before and after the cut", async () => {
    const faults = ["participant=client-1,round=1,flip:step=3,operator=2,bit=22", "participant=client-0,round=2,flip:step=299,operator=2,bit=22"]; // prettier-ignore
    const planted = await Promise.all(faults.map(async (text) => parseRoundFault(await cutPlan(), text)));
    const expected = await whole("drill", { faults: planted });
    const news = await cut(path("cut-drill"), LEAVES.slice(1, 3), faults);
    expect(news).toMatchObject([
      { kind: "continued", name: "local-1" },
      { kind: "continued", name: "local-0" },
    ]);
    expect(contentOf(path("cut-drill"))).toEqual(expected);
    const { liars } = await auditRecord(await RoundsRecord.open(path("cut-drill")));
    expect(liars.map(({ round, participant }) => `${round} ${participant}`)).toEqual(["1 client-1", "2 client-0"]);
  });

  test("continues in a process of its own", async () => {
    const expected = await whole("whole-2");
    const below = drawing(SEED);
    const out = path("processes");
    const options: RunRoundsOptions = { participants: "processes", state: path("keys"), salt: SALT, out, checkpointEvery: 10 }; // prettier-ignore
    const news: string[] = [];
    for (const leaf of LEAVES.slice(1)) {
      const run = runRounds(await cutPlan(), { ...options, resume: true, onNews: ({ name, round }, { kind }) => news.push(`${kind} ${round} ${name}`) }); // prettier-ignore
      run.catch(() => undefined);
      await untilKept(out, leaf, 1 + below(CUT_STEPS - 100));
      signalTo(path(""), Number(leaf.at(-1)), "SIGKILL");
      await expect(run).rejects.toThrow(`the process of client-${leaf.at(-1)} has ended`);
    }
    await runRounds(await cutPlan(), { ...options, resume: true, onNews: ({ name, round }, { kind }) => news.push(`${kind} ${round} ${name}`) }); // prettier-ignore
    for (const leaf of LEAVES.slice(1))
      expect(news).toContain(`continued ${Number(leaf.slice(0, 4))} ${leaf.slice(5)}`);
    expect(news.filter((line) => !line.startsWith("continued"))).toEqual([]);
    expect(contentOf(out)).toEqual(expected);
  });
});
