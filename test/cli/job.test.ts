import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { jobTerms } from "../../src/cli/task/job.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { jobId } from "../../src/job/closed.ts";
import { readJobFile, run, startFrom, writeSafetensors } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { verdeIn } from "../fixtures/verde.ts";

const path = temporaryFolder();
const verde = verdeIn(path("."));
const LINE = new URL("../fixtures/line.ts", import.meta.url).pathname;

test("a job is exported, shown, and run without its module", async () => {
  const job = await line.close({ width: 4, steps: 5, seed: 3 });
  const id = toHex(jobId(job));
  const options = ["--width", "4", "--steps", "5", "--seed", "3"];
  const exported = await verde(["job", "export", LINE, ...options, "--out", "line.verde"]);
  expect(exported).toMatchObject({ code: 0, stderr: "" });
  expect(exported.stdout).toContain(`job          line  ${id}\n`);
  expect(exported.stdout).toContain("Run it with `verde run line.verde`");
  expect(toHex(jobId(await readJobFile(path("line.verde"))))).toBe(id);

  const facts = {
    schemaVersion: 1,
    kind: "job",
    job: "line",
    jobId: id,
    steps: 5,
    unit: { name: "samples", perStep: 4 },
    parameters: { trained: 2 * 4 + 4 + 4 + 1, frozen: 0 },
    stateEntries: job.step.outputs.length,
    operators: job.step.kernels.length,
    scalarStepsPerStep: expect.any(Number),
    init: "graph",
    initOperators: expect.any(Number),
    dataset: [
      { name: "data/x", type: "f32[9, 2]", bytes: 72 },
      { name: "data/y", type: "f32[9, 1]", bytes: 36 },
    ],
  };
  expect(JSON.parse((await verde(["job", "show", "line.verde", "--json"])).stdout)).toEqual(facts);
  expect(JSON.parse((await verde(["job", "show", LINE, ...options, "--json"])).stdout)).toEqual(facts);
  expect((await verde(["job", "show", "line.verde"])).stdout).toContain("model        17 parameters");

  // Neither the name nor the place of the file matters, only what it holds.
  writeFileSync(path("renamed"), readFileSync(path("line.verde")));
  const { runRoot } = await run(job, { out: path("own.trace") });
  const ran = await verde(["run", "renamed", "--out", "a.trace"]);
  expect(ran.stdout).toContain(`run root       ${toHex(runRoot)}\n`);
  expect(readFileSync(path("a.trace")).equals(readFileSync(path("own.trace")))).toBe(true);
  const terms = await jobTerms(path("line.verde"), undefined, {}, []);
  expect(terms.terms).toMatchObject({ job: id, steps: 5 });
  expect(terms.terms).toEqual((await jobTerms(path("a.trace"), undefined, {}, [])).terms);
});

test("what is fixed can't be changed, and nothing is overwritten unasked", async () => {
  await verde(["job", "export", LINE, "--out", "fixed.verde"]);
  for (const words of [
    ["--steps", "3"],
    ["--seed", "1"],
    ["--width", "2"],
  ]) {
    const { code, stderr } = await verde(["run", "fixed.verde", ...words]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(
        `fixed.verde is a closed job: its options are part of its graphs and of its id, so ${words[0]} can't be changed any more`,
      ),
    ]);
  }
  const before = readFileSync(path("fixed.verde"));
  const again = await verde(["job", "export", LINE, "--width", "3", "--out", "fixed.verde"]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("overwrite it with --force")]);
  expect(readFileSync(path("fixed.verde")).equals(before)).toBe(true);
  expect((await verde(["job", "export", LINE, "--width", "3", "--out", "fixed.verde", "--force"])).code).toBe(0);
  expect(readFileSync(path("fixed.verde")).equals(before)).toBe(false);
  const wrong = await verde(["job", "export", LINE, "--widht", "3", "--out", "wrong.verde"]);
  expect([wrong.code, existsSync(path("wrong.verde"))]).toEqual([2, false]);
});

test("weights are exported with the job", async () => {
  const state = (await run(await line.close())).state.filter(
    ({ name }) => !/^(optimizer|metrics|rng)\b|^step$/.test(name),
  );
  await writeSafetensors(path("w.safetensors"), state);
  const { code, stdout } = await verde([
    "job",
    "export",
    LINE,
    "--from",
    "w.safetensors",
    "--out",
    "w.verde",
    "--json",
  ]);
  const { job } = await startFrom(await line.close(), state);
  expect(code).toBe(0);
  const [report, facts] = stdout
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(report).toMatchObject({ from: { file: "w.safetensors" } });
  expect(facts).toMatchObject({ jobId: toHex(jobId(job)), init: "checkpoint", initOperators: null, file: "w.verde" });
  expect(toHex(jobId(await readJobFile(path("w.verde"))))).toBe(toHex(jobId(job)));
});

test("files of other kinds are named where a job is expected", async () => {
  await run(await line.close(), { out: path("t.trace") });
  writeFileSync(path("no.verde"), "hello");
  for (const [name, sentence] of [
    ["t.trace", "t.trace is a Verde trace, not a job; name a job module or a job file"],
    ["no.verde", "no.verde is something else, not a Verde job file"],
    ["missing.verde", "missing.verde can't be read"],
  ]) {
    const { code, stderr } = await verde(["run", name]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  }
});
