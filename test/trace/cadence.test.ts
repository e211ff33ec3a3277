/** How often a run commits and keeps a checkpoint, where that is left to Verde. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { GraphBuilder, indexAdd } from "../../src/graph/index.ts";
import { loadJob } from "../../src/job/load.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { countInstructions } from "../../src/repops/schedule/work.ts";
import {
  commitCadence,
  type Measured,
  measuredCadence,
  mostReplayed,
  plannedCadence,
} from "../../src/trace/cadence.ts";
import { openExecution } from "../../src/trace/drill/faulty.ts";
import { HERE } from "../../src/trace/here.ts";
import { openTrace, run } from "../../src/trace/index.ts";
import { openingOf } from "../../src/trace/records.ts";
import { Recorder } from "../../src/trace/recorder.ts";
import type { RunOptions } from "../../src/trace/run.ts";
import { settingsOf } from "../../src/trace/settings.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
/** On the reference machine it takes longer than a minute. */
const LONG = 400_000;

/** A job with a state of this many elements and as much work. */
function idle(elements: number, steps = 1000) {
  const job = regression({ steps });
  const shape = [elements];
  const inputs = [...job.step.inputs, { name: "m", dtype: "f32" as const, shape }];
  const { length } = job.step.outputs;
  // The state's entries are the first inputs.
  inputs.splice(length, 0, inputs.pop()!);
  return { steps, step: { ...job.step, inputs, outputs: [...job.step.outputs, { name: "m", tensor: length }] } };
}

describe("the commitments", () => {
  test("are to every state of ordinary jobs", async () => {
    for (const name of ["char-gpt", "mlp-spirals"]) expect(commitCadence(await loadJob(example(name)))).toBe(1);
    expect(commitCadence(await line.close())).toBe(1);
    // 40 MB are hashed in 16 ms, and a step of 2.2·10^10 instructions takes 0.45 s, of which 3 % are 13 ms.
    const wide = { layers: 4, dim: 256, heads: 8, context: 128, batch: 8 };
    expect(commitCadence(await loadJob(example("char-gpt"), wide))).toBe(2);
    // With few tokens a step, the state is large for its work.
    const thin = { ...wide, context: 16, batch: 1 };
    expect(commitCadence(await loadJob(example("char-gpt"), thin))).toBeGreaterThan(10);
  });

  test("follow from instructions and from the bytes that change", () => {
    const job = regression();
    // Rows, two gathers, the batch's errors and what the fixture makes of them.
    expect(countInstructions(job.step)).toBe(
      job.step.kernels.reduce((sum, kernel) => {
        const count = kernel.type.shape.reduce((a, b) => a * b, 1);
        if (kernel.kind === "gather") return sum + count;
        const depth = kernel.kind === "fold" ? kernel.reduce.reduce((a, b) => a * b, 1) : 1;
        return sum + count * depth * kernel.program.steps.length;
      }, 0),
    );
    // Each position is added to one row of a table, of however many.
    const table = (rows: number): number => {
      const builder = new GraphBuilder();
      const [x, index] = [
        builder.input("x", { dtype: "f32", shape: [rows, 3] }),
        builder.input("index", { dtype: "i32", shape: [7] }),
      ];
      const source = builder.input("source", { dtype: "f32", shape: [7, 3] });
      return countInstructions(builder.finish([{ name: "y", value: indexAdd(x, 0, index, source) }]));
    };
    expect(table(200) - table(100)).toBe(table(300) - table(200));
    expect(table(200) - table(100)).toBeLessThan(100 * 3 * 7);
    // A frozen tensor is hashed once, so its size does not count.
    expect(commitCadence(idle(2 ** 28))).toBe(1);
    const changing = idle(2 ** 28);
    changing.step.outputs.at(-1)!.tensor = changing.step.inputs.length;
    // 1 GiB in 0.43 s, which is 3 % of 1,432 steps of 10 ms; a run has no more than its steps.
    expect(commitCadence({ ...changing, steps: 10 ** 6 })).toBe(1_432);
    expect(commitCadence(changing)).toBe(1000);
  });

  test("are the same with any backend, so that run roots agree", async () => {
    const job = regression({ steps: 5 });
    const [a, b] = [await run(job, { backend: "wasm" }), await run(job, { backend: "reference", commitEvery: 1 })];
    expect(toHex(a.runRoot)).toBe(toHex(b.runRoot));
    expect(a.cadence).toEqual({ commitEvery: 1, checkpointEvery: 1, replayedSteps: 4 });
  });
});

describe("the checkpoints", () => {
  const measured = (own: Partial<Measured>): Measured => ({
    stepSeconds: 1,
    writeSeconds: 0,
    freeBytes: 2 ** 50,
    ...own,
  });

  test("are about ten in a run that is short on the reference machine", () => {
    expect(plannedCadence(regression({ steps: 12 }), 1)).toBe(2);
    expect(plannedCadence(regression({ steps: 2000 }), 7)).toBe(203);
    expect(plannedCadence(regression({ steps: LONG }), 1)).toBeUndefined();
    expect(plannedCadence(idle(2 ** 28), 1)).toBeUndefined();
  });

  test("are measured in others: no more than a quarter of an hour apart", () => {
    const job = idle(2 ** 18, 100_000);
    expect(measuredCadence(job, 1, measured({ stepSeconds: 0.001 }))).toBe(10_000);
    expect(measuredCadence(job, 1, measured({ stepSeconds: 1 }))).toBe(900);
    expect(measuredCadence(job, 7, measured({ stepSeconds: 1 }))).toBe(903);
    expect(measuredCadence(job, 1, measured({ stepSeconds: 10_000 }))).toBe(1);
  });

  test("are fewer where the disk is slow or full", () => {
    const job = idle(2 ** 18, 100_000);
    // Of the time between two, a tenth is for writing.
    expect(measuredCadence(job, 1, measured({ writeSeconds: 200 }))).toBe(2000);
    // A quarter of 40 MiB holds 10 of 1 MiB.
    expect(measuredCadence(job, 1, measured({ freeBytes: 40 * 2 ** 20 }))).toBe(10_001);
    expect(measuredCadence(job, 1, measured({ freeBytes: 1 }))).toBe(100_000);
    expect(measuredCadence(job, 3, measured({ freeBytes: 0 }))).toBe(100_002);
    // A disk that says nothing of its size, and a clock that has not moved.
    expect(measuredCadence(job, 1, measured({ freeBytes: Infinity }))).toBe(900);
    expect(measuredCadence(job, 1, measured({ stepSeconds: 0 }))).toBe(10_000);
  });

  test("do without what a disk does not tell", async () => {
    expect(await HERE.freeBytes(path("."))).toBeGreaterThan(0);
    expect(await HERE.freeBytes(path("missing"))).toBe(Infinity);
  });

  test("say how much a dispute executes again", () => {
    expect(mostReplayed(1000, 1, 20)).toBe(23);
    expect(mostReplayed(1000, 16, 64)).toBe(70);
    expect(mostReplayed(1000, 1, 0)).toBe(1003);
    expect(mostReplayed(12, 1, 20)).toBe(15);
  });

  test("of a long run are chosen after its first step, and a resumed run takes them from the trace", async () => {
    const job = regression({ steps: LONG });
    const out = path("long.trace");
    const options: RunOptions = { out };
    const planned = settingsOf(job, options, wasm);
    expect(planned.checkpointEvery).toBeUndefined();
    const execution = await openExecution(job, wasm);
    // Each step takes 100 seconds.
    const here = { now: () => 100_000 * execution.at, freeBytes: async () => 2 ** 40, large: 2 ** 28 };
    const recorder = new Recorder(job, planned, options, here);
    await recorder.begin(execution);
    expect([existsSync(out), readFileSync(out).length]).toEqual([true, 0]);
    for (let step = 1; step <= 20; step++) await recorder.step(execution);
    await recorder.stop(execution);
    await recorder.close();
    await execution.close();
    const trace = await openTrace(out);
    // The first checkpoint took no time, or one step's.
    expect([trace.manifest.commitEvery, trace.manifest.checkpointEvery]).toSatisfy(([a, b]) => a === 1 && b >= 9 && b <= 10); // prettier-ignore
    expect(trace.recorded).toBe(21);
    const every = trace.manifest.checkpointEvery;
    const stop = new AbortController();
    const onStep = ({ step }: { step: number }): void => void (step === 33 && stop.abort());
    const same = { ...options, onStep, signal: stop.signal };
    await expect(run(job, { ...same, resume: true })).rejects.toMatchObject({ code: "VERDE_RUN_STOPPED" });
    await expect(run(job, { ...same, resume: true, checkpointEvery: every + 1 })).rejects.toThrow(
      `its checkpointEvery is ${every}, but this run's is ${every + 1}`,
    );
    const explicit = new AbortController();
    await run(job, {
      out: path("same.trace"),
      checkpointEvery: every,
      signal: explicit.signal,
      onStep: ({ step }) => void (step === 33 && explicit.abort()),
    }).catch(() => undefined);
    expect(readFileSync(path("same.trace"))).toEqual(readFileSync(out));
    expect(readdirSync(path("same.data"))).toEqual(readdirSync(path("long.data")));
  });

  test("of a run that ended before they were chosen, or within its first bytes, cost nothing", async () => {
    const job = regression({ steps: LONG });
    const out = path("cut.trace");
    const stopAt = async (at: number, resume: boolean): Promise<number[]> => {
      const stop = new AbortController();
      const seen: number[] = [];
      const onStep = ({ step }: { step: number }): void => {
        seen.push(step);
        if (step === at) stop.abort();
      };
      await expect(run(job, { out, resume, onStep, signal: stop.signal })).rejects.toThrow(`training step ${at} of`);
      return seen;
    };
    await stopAt(0, false);
    expect(readFileSync(out).length).toBe(0);
    expect((await stopAt(2, true))[0]).toBe(0);
    const whole = readFileSync(out);
    const { manifest } = await openTrace(out);
    const forget = (): void => {
      for (const file of readdirSync(path("cut.data")).filter((name) => name.startsWith("stopped-")))
        rmSync(path(`cut.data/${file}`));
    };
    for (const bytes of [0, 5, 8, 12, 13, 200, openingOf(manifest).bytes.length - 1]) {
      writeFileSync(out, whole.subarray(0, bytes));
      forget();
      expect((await stopAt(2, true))[0]).toBe(0);
      expect((await openTrace(out)).recorded).toBe(3);
    }
    // What is no beginning of a trace stays, and so does a trace with records whose first bytes are damaged.
    forget();
    for (const content of [Buffer.from("some text"), Buffer.from(whole.with(8, 255).with(9, 255))]) {
      writeFileSync(out, content);
      await expect(run(job, { out, resume: true })).rejects.toThrow("cut.trace");
      expect(readFileSync(out)).toEqual(content);
    }
  });
});
