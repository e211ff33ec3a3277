/** Nothing that exists is overwritten or dropped without a word that asks for it. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { dispute } from "../../src/referee/index.ts";
import { checkpointsOf, openTrace, run } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";
import { copyTrace, filesOf } from "./files.ts";

const path = temporaryFolder();
const job = regression();
const options = { checkpointEvery: 5 };

beforeAll(async () => {
  await run(job, { ...options, out: path("whole.trace") });
});

describe("a run", () => {
  test("does not share the data folder of another trace", async () => {
    copyTrace(path, "whole", "a");
    const before = filesOf(path, "a");
    for (const extra of [{}, { force: true }, { resume: true }])
      await expect(run(job, { ...options, out: path("a"), ...extra })).rejects.toMatchObject({
        code: "VERDE_USAGE_EXISTS",
        message: expect.stringContaining(`which belongs to ${path("a.trace")}; choose another name`),
      });
    expect(filesOf(path, "a")).toEqual(before);
    await run(job, { ...options, out: path("b") });
    await expect(run(job, { ...options, out: path("b.trace") })).rejects.toThrow(`which belongs to ${path("b")};`);
    expect((await openTrace(path("b"))).complete).toBe(true);
    // What is no trace has no data folder.
    writeFileSync(path("c"), "notes");
    mkdirSync(path("d"));
    for (const name of ["c.trace", "d.trace"]) await run(job, { ...options, out: path(name) });
  });

  test("keeps a data folder whose trace is gone", async () => {
    copyTrace(path, "whole", "lost");
    rmSync(path("lost.trace"));
    const before = readdirSync(path("lost.data"));
    for (const extra of [{}, { resume: true }])
      await expect(run(job, { ...options, out: path("lost.trace"), ...extra })).rejects.toMatchObject({
        code: "VERDE_USAGE_EXISTS",
        message: expect.stringMatching(/lost\.data holds files of an earlier run .*there is no .*--force/),
      });
    expect(readdirSync(path("lost.data"))).toEqual(before);
    // The beginning of the file alone does not vouch for the checkpoints either.
    writeFileSync(path("lost.trace"), readFileSync(path("whole.trace")).subarray(0, 40));
    await expect(run(job, { ...options, out: path("lost.trace"), resume: true })).rejects.toThrow("has no records");
    await run(job, { ...options, out: path("lost.trace"), force: true });
    expect(filesOf(path, "lost")).toEqual(filesOf(path, "whole"));
  });

  test("leaves files of others in its folder", async () => {
    copyTrace(path, "whole", "mine");
    for (const name of ["notes.txt", "step-2.safetensors", "model.safetensors"])
      writeFileSync(path(`mine.data/${name}`), "mine");
    await run(job, { ...options, out: path("mine.trace"), force: true });
    expect(readdirSync(path("mine.data"))).toEqual(
      [...readdirSync(path("whole.data")), "notes.txt", "step-2.safetensors", "model.safetensors"].sort(),
    );
  });
});

describe("a stray file", () => {
  test("that the trace does not name is not read", async () => {
    copyTrace(path, "whole", "stray");
    await run(job, { ...options, out: path("other.trace"), fault: { kind: "skip", step: 7 } });
    writeFileSync(path("stray.data/step-2.safetensors"), "stray");
    // There is such a step, but the run has no checkpoint of it.
    writeFileSync(path("stray.data/step-00000003.safetensors"), "stray");
    copyFileSync(path("whole.data/step-00000005.safetensors"), path("stray.data/step-00000006.safetensors"));
    mkdirSync(path("stray.data/step-00000007.safetensors"));
    expect(await checkpointsOf(await openTrace(path("stray.trace")))).toEqual([0, 5, 10]);
    const result = await dispute(path("stray.trace"), path("other.trace"));
    expect(result).toMatchObject({ outcome: "divergence", step: 7 });
    expect(existsSync(path("stray.data/step-2.safetensors"))).toBe(true);
  });
});
