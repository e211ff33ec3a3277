import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { csvOf } from "../../src/cli/inspect/csv.ts";
import { openTrace, run, type RunResult } from "../../src/trace/index.ts";
import type { Trace } from "../../src/trace/open.ts";
import { readEvents } from "../fixtures/event-file.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { verdeIn } from "../fixtures/verde.ts";

const path = temporaryFolder();
const verde = verdeIn(path("."));
const LINE = new URL("../fixtures/line.ts", import.meta.url).pathname;
let honest: RunResult;

beforeAll(async () => {
  honest = await run(await line.close(), { out: path("a.trace"), commitEvery: 5, checkpointEvery: 5 });
});

const eventsIn = (folder: string) =>
  readdirSync(path(folder))
    .sort()
    .map((name) => readEvents(path(`${folder}/${name}`)));

test("a run writes its metrics with their steps and times, and is the same run", async () => {
  const began = Date.now() / 1000;
  const args = ["run", LINE, "--commit-every", "5", "--checkpoint-every", "5", "--out", "b.trace"];
  expect(await verde([...args, "--tensorboard", "board/b"])).toMatchObject({ code: 0, stderr: "" });
  expect(readFileSync(path("b.trace")).equals(readFileSync(path("a.trace")))).toBe(true);
  const [[version, ...events]] = eventsIn("board/b");
  expect(version).toMatchObject({ version: "brain.Event:2" });
  expect(events.map(({ step, values }) => [step, values])).toEqual(
    honest.metrics.slice(1).map((values, i) => [i + 1, values]),
  );
  const times = events.map(({ wallTime }) => wallTime);
  expect(times.every((time, i) => time >= (times[i - 1] ?? began) && time <= Date.now() / 1000)).toBe(true);

  // Cut after step 8: the newest checkpoint is that of step 5. TensorBoard then drops the older steps 6 to 12.
  truncateSync(path("b.trace"), (await (await openTrace(path("b.trace"))).tailOf(8)).offset);
  rmSync(path("b.data/step-00000012.safetensors"));
  rmSync(path("b.data/step-00000010.safetensors"));
  expect((await verde([...args, "--resume", "--tensorboard", "board/b"])).code).toBe(0);
  const resumed = eventsIn("board/b").find(([, second]) => second.session !== undefined)!;
  expect(resumed[1]).toMatchObject({ step: 6, session: 1 });
  expect(resumed.slice(2).map(({ step, values }) => [step, values])).toEqual(
    honest.metrics.slice(6).map((values, i) => [i + 6, values]),
  );
  // Nothing is left to do, so no file of no events is left either.
  const refused = await verde([...args, "--tensorboard", "board/none"]);
  expect([refused.code, readdirSync(path("board/none"))]).toEqual([2, []]);
});

test("a folder that can't be made ends the run before it begins", async () => {
  writeFileSync(path("file"), "");
  const { code, stdout, stderr } = await verde(["run", LINE, "--out", "c.trace", "--tensorboard", "file/x"]);
  expect([code, stdout]).toEqual([3, ""]);
  expect(stderr).toContain("file/x can't be written");
  expect(readdirSync(path(".")).filter((name) => name.startsWith("c."))).toEqual([]);
});

test("the metrics of a trace are written for TensorBoard, those that are only claimed under names of their own", async () => {
  const { code, stdout } = await verde(["inspect", "a.trace", "--tensorboard", "board/a", "--json"]);
  expect(code).toBe(0);
  const [name] = readdirSync(path("board/a"));
  expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, trace: "a.trace", file: `board/a/${name}`, steps: 12 });
  const [[, ...events]] = eventsIn("board/a");
  expect(events.map(({ step, values }) => [step, values])).toEqual(
    honest.metrics.slice(1).map((values, i) => {
      const proven = [5, 10, 12].includes(i + 1);
      const named = Object.entries(values).map(([key, value]) => [proven ? key : `claimed/${key}`, value]);
      return [i + 1, Object.fromEntries(named)];
    }),
  );
  expect(new Set(events.map(({ wallTime }) => wallTime))).toEqual(new Set([statSync(path("a.trace")).mtimeMs / 1000]));
});

test("the metrics of a trace are written as comma-separated values that read back exactly", async () => {
  const { code, stdout, stderr } = await verde(["inspect", "a.trace", "--csv"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [header, ...lines] = stdout.trimEnd().split("\n");
  expect(header).toBe("step,metrics,loss,learning-rate,gradient-norm");
  expect(lines.map((text) => text.split(","))).toEqual(
    honest.metrics
      .slice(1)
      .map((values, i) => [
        String(i + 1),
        [5, 10, 12].includes(i + 1) ? "proven" : "claimed",
        ...["loss", "learning-rate", "gradient-norm"].map((name) => String(values[name])),
      ]),
  );
  for (const [, , ...cells] of lines.map((text) => text.split(",")))
    for (const cell of cells) expect(Math.fround(Number(cell))).toBe(Number(cell));
  for (const more of [["--json"], ["--tensorboard", "x"]])
    expect((await verde(["inspect", "a.trace", "--csv", ...more])).code).toBe(2);
});

test("names of metrics are cells of a table, and no formulas", async () => {
  const names = ["=1+1", 'a "b"', "x,y", "two\nlines", "-z"];
  const scalar = { dtype: "f32", shape: [] };
  const inputs = names.map((name) => ({ name: `metrics/${name}`, ...scalar }));
  const step = { inputs, kernels: [], outputs: names.map((name, tensor) => ({ name: `metrics/${name}`, tensor })) };
  const trace = { manifest: { outline: { step } }, records: async function* () {} } as unknown as Trace;
  const lines: string[] = [];
  for await (const text of csvOf(trace)) lines.push(text);
  expect(lines).toEqual([`step,metrics,'=1+1,"a ""b""","x,y",two\\nlines,'-z`]);
});
