import { execFile } from "node:child_process";
import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { jobId } from "../../src/job/closed.ts";
import { openTrace, parseFault, run, type RunResult } from "../../src/trace/index.ts";
import { TraceWriter } from "../../src/trace/writer.ts";
import line from "../fixtures/line.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

describe("verde inspect", () => {
  let folder = "";
  let honest: RunResult;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "verde-cli-"));
    honest = await run(await line.close(), { out: join(folder, "a.trace"), checkpointEvery: 5 });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function inspect(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", MAIN, "inspect", ...args],
        { cwd: folder, env: { ...process.env, NO_COLOR: "1" } },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  }

  it("prints one object for programs", async () => {
    const job = await line.close();
    const { code, stdout, stderr } = await inspect("a.trace", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 3,
      trace: "a.trace",
      job: "line",
      jobId: toHex(jobId(job)),
      steps: 12,
      recordedSteps: 12,
      runRoot: toHex(honest.runRoot),
      claim: toHex(honest.runRoot),
      commitEvery: 1,
      checkpointEvery: 5,
      detail: "steps",
      backend: "wasm",
      fault: null,
      // A layer of 2 to 5 and one of 5 to 1, with their biases.
      parameters: { trained: 2 * 5 + 5 + 5 + 1, frozen: 0 },
      stateEntries: job.step.outputs.length,
      dataset: [
        { name: "data/x", type: "f32[9, 2]" },
        { name: "data/y", type: "f32[9, 1]" },
      ],
      kernels: job.step.kernels.length,
      scalarStepsPerStep: expect.any(Number),
      roots: honest.segmentRoots.map((root, step) => ({ step, root: toHex(root) })),
      metrics: honest.metrics.map((values, step) => ({ step, committed: true, values })),
      checkpoints: [0, 5, 10, 12],
    });
  });

  it("shows roots, checkpoints and the curve of the loss", async () => {
    const { stdout } = await inspect("a.trace");
    expect(stdout).toContain(`run root     ${toHex(honest.runRoot)}\n`);
    expect(stdout).toContain("checkpoints  0, 5, 10, 12\n");
    expect(stdout).toContain(`      12  ${toHex(honest.segmentRoots[12])}\n`);
    expect(stdout).toMatch(/loss, training steps 1 to 12, each proven by its state root\n[^\n]*┤/);
    expect(stdout).not.toContain("fault");
  });

  it("tells a drill and an unfinished run from an honest one", async () => {
    const fault = parseFault("lr:from=2,factor=3");
    await run(await line.close(), { out: join(folder, "b.trace"), fault });
    const { offset } = await (await openTrace(join(folder, "b.trace"))).tailOf(10);
    truncateSync(join(folder, "b.trace"), offset + 3);
    const { code, stdout } = await inspect("b.trace");
    expect(code).toBe(0);
    expect(stdout).toContain("lr:from=2,factor=3 (a drill: this run is not honest)");
    expect(stdout).toMatch(/run root +none: the run is not finished; continue it with `verde run --resume`/);
    expect(stdout).toMatch(/steps +10 of 12/);
    rmSync(join(folder, "b.data"), { recursive: true });
    expect((await inspect("b.trace")).stdout).toContain("none on disk");
  });

  it("tells metrics that a state root proves from those that are only claimed", async () => {
    await run(await line.close(), { out: join(folder, "sparse.trace"), commitEvery: 5 });
    const { metrics, roots } = JSON.parse((await inspect("sparse.trace", "--json")).stdout);
    const committed = [0, 5, 10, 12];
    expect(metrics).toEqual(
      honest.metrics.map((values, step) => ({ step, committed: committed.includes(step), values })),
    );
    expect(roots.map(({ step }: { step: number }) => step)).toEqual(committed);
    expect((await inspect("sparse.trace")).stdout).toContain(
      "loss, training steps 1 to 12: 3 proven by state roots, the others only claimed\n",
    );
    const { offset } = await (await openTrace(join(folder, "sparse.trace"))).tailOf(4);
    truncateSync(join(folder, "sparse.trace"), offset);
    expect((await inspect("sparse.trace")).stdout).toContain(
      "loss, training steps 1 to 4, only claimed: no state root proves them yet\n",
    );
  });

  it("refuses an invented loss under the true root", async () => {
    const source = await openTrace(join(folder, "a.trace"));
    const writer = await TraceWriter.create(join(folder, "invented.trace"), source.manifest);
    for await (const record of source.records())
      await writer.step({
        ...record,
        metrics: record.metrics.map((bits) => (record.step === 0 ? bits : (bits ^ (2 ** 20)) >>> 0)),
      });
    await writer.end(source.runRoot!);
    await writer.close();
    const { code, stdout, stderr } = await inspect("invented.trace");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/record 2 \(step\).*its metrics are not those of the state that it commits to/);
  });

  it("refuses what is no trace with code 2", async () => {
    writeFileSync(join(folder, "not.trace"), "no");
    for (const [file, sentence] of [
      ["not.trace", "is not a Verde trace"],
      ["missing.trace", "can't be read"],
      [".", "can't be read"],
    ]) {
      const { code, stdout, stderr } = await inspect(file);
      expect({ file, code, stdout }).toEqual({ file, code: 2, stdout: "" });
      expect(stderr).toContain(sentence);
    }
  });
});
