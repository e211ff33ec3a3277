/** What runs beside the training steps: the roots of states, and the files of checkpoints. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import type { Backend, Session } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { openExecution } from "../../src/trace/drill/faulty.ts";
import { HERE } from "../../src/trace/here.ts";
import { openTrace, run } from "../../src/trace/index.ts";
import { manifestOf } from "../../src/trace/manifest.ts";
import { MetricEntries } from "../../src/trace/metrics.ts";
import { Recorder } from "../../src/trace/recorder.ts";
import { Recording } from "../../src/trace/recording.ts";
import { settingsOf } from "../../src/trace/settings.ts";
import { eventsPass } from "../../src/trace/turns.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";
import { copyTrace, filesOf } from "./files.ts";

const path = temporaryFolder();

/**
 * WASM with sessions that a test changes: those of graphs, and not those with which a backend is certified.
 */
function changed(change: (session: Session) => Partial<Session>): Backend {
  return {
    name: "wasm",
    prepare: async (list, options) => {
      const session = await wasm.prepare(list, options);
      if (!("outputs" in list)) return session;
      const own: Session = {
        write: (input, tensor) => session.write(input, tensor),
        read: (tensor) => session.read(tensor),
        move: (pairs) => session.move(pairs),
        execute: (wanted) => session.execute(wanted),
        roots: (tensors) => session.roots(tensors),
        close: () => session.close(),
      };
      return { ...own, ...change(own) };
    },
  };
}

/** Roots of the state at the call, which are there when the next execution has begun. */
function late(seen: string[], fail?: (call: number) => boolean): Backend {
  let calls = 0;
  return changed((session) => {
    let next = (): void => undefined;
    const { execute, roots, close } = session;
    return {
      execute: (wanted) => {
        seen.push("execute");
        next();
        return execute(wanted);
      },
      roots: async (tensors) => {
        const computed = await roots(tensors);
        const call = calls++;
        // The last one is not waited for by an execution.
        const waited = new Promise<void>((resolve) => (next = resolve));
        await Promise.race([waited, new Promise((resolve) => setTimeout(resolve, 50))]);
        if (fail?.(call)) throw new Error("no root");
        return computed;
      },
      close,
    };
  });
}

describe("roots that are computed beside the next step", () => {
  const job = regression({ steps: 8 });

  test("are recorded and reported in order, with the same bytes", async () => {
    const calm = await run(job, { out: path("calm.trace"), checkpointEvery: 3 });
    const seen: string[] = [];
    const roots: (string | undefined)[] = [];
    const onStep = ({ step, root }: { step: number; root?: Uint8Array }): void => {
      seen.push(`step ${step}`);
      roots.push(root && toHex(root));
    };
    await run(job, { out: path("late.trace"), checkpointEvery: 3, backend: late(seen), onStep });
    expect(filesOf(path, "late")).toEqual(filesOf(path, "calm"));
    expect(roots).toEqual(calm.segmentRoots.map(toHex));
    // The first execution is the init graph's. A step is reported before the one after the next begins.
    expect(seen.filter((what) => what !== "execute")).toEqual(Array.from({ length: 9 }, (_, i) => `step ${i}`));
    const begun = Array.from({ length: 9 }, (_, i) => seen.slice(0, seen.indexOf(`step ${i}`)).length - i - 1);
    for (const [step, executions] of begun.entries()) expect([step, step + 1]).toContain(executions);
    expect(begun.some((executions, step) => executions === step + 1)).toBe(true);
  });

  test("are those of the definition, whatever else a run does", async () => {
    for (const options of [
      { commitEvery: 3 },
      { detail: "operators" },
      { fault: { kind: "skip", step: 4 } },
    ] as const) {
      await run(job, { ...options, out: path("calm2.trace"), force: true });
      await run(job, { ...options, out: path("late2.trace"), force: true, backend: late([]) });
      expect(filesOf(path, "late2")).toEqual(filesOf(path, "calm2"));
    }
  });

  test("that fail end the run, and what is recorded before stays and is continued", async () => {
    const options = { out: path("failed.trace"), checkpointEvery: 2 };
    const failing = late([], (call) => call === 6);
    await expect(run(job, { ...options, backend: failing })).rejects.toThrow("no root");
    expect((await openTrace(options.out)).recorded).toBe(6);
    await run(job, { ...options, resume: true });
    await run(job, { out: path("whole.trace"), checkpointEvery: 2 });
    expect(filesOf(path, "failed")).toEqual(filesOf(path, "whole"));
  });

  test("are waited for when a step fails, so that the step before it is recorded", async () => {
    let executions = 0;
    const backend = changed(({ execute }) => ({
      execute: async (wanted) => {
        if (++executions === 6) throw new Error("no step");
        return execute(wanted);
      },
    }));
    await expect(run(job, { out: path("broken.trace"), backend })).rejects.toThrow("no step");
    expect((await openTrace(path("broken.trace"))).recorded).toBe(5);
  });

  test("belong to the step after which a run was stopped", async () => {
    const stop = new AbortController();
    const reported: number[] = [];
    const onStep = ({ step }: { step: number }): void => void (reported.push(step) === 4 && stop.abort());
    const options = { out: path("stopped.trace"), checkpointEvery: 0 };
    const error = await run(job, { ...options, backend: late([]), onStep, signal: stop.signal }).catch(
      (e: unknown) => e,
    );
    // Step 4 ran while step 3 was reported.
    expect(error).toMatchObject({ code: "VERDE_RUN_STOPPED", evidence: { step: 4 } });
    expect(reported).toEqual([0, 1, 2, 3, 4]);
    expect((await openTrace(options.out)).recorded).toBe(5);
    const first: number[] = [];
    await run(job, { ...options, resume: true, onStep: ({ step }) => void first.push(step) });
    expect(first[0]).toBe(5);
  });
});

test("a tensor that no step changes is hashed once, and again after the state was given", async () => {
  const base = regression({ steps: 6 });
  const entry = base.step.outputs.findIndex(({ name }) => name === "w");
  const outputs = base.step.outputs.map((output, i) => (i === entry ? { ...output, tensor: i } : output));
  const job: ClosedJob = { ...base, step: { ...base.step, outputs } };
  const counted = (asked: number[]): Backend =>
    changed(({ roots }) => ({
      roots: async (tensors) => {
        asked.push(...tensors);
        return roots(tensors);
      },
    }));
  const [once, again]: number[][] = [[], []];
  const options = { out: path("frozen.trace"), checkpointEvery: 2 };
  await run(job, { ...options, backend: counted(once) });
  expect(once.filter((tensor) => tensor === entry).length).toBe(1);
  expect(once.filter((tensor) => tensor === entry + 1).length).toBe(7);
  const whole = readFileSync(path("frozen.trace"));
  const { recorded } = await openTrace(path("frozen.trace"));
  expect(recorded).toBe(7);
  // The states that a resumed run looks at are hashed by the backend, too.
  await run(job, { ...options, resume: true, backend: counted(again) });
  expect(again.filter((tensor) => tensor === entry).length).toBe(1);
  expect(readFileSync(path("frozen.trace"))).toEqual(whole);
});

test("a run that is killed while a checkpoint is written continues from an earlier one, to the same files", async () => {
  const job = regression({ steps: 6 });
  const options = { out: path("large.trace"), checkpointEvery: 2, commitEvery: 2 };
  await run(job, { ...options, out: path("calm3.trace") });
  const execution = await openExecution(job, wasm);
  const recorder = new Recorder(job, settingsOf(job, options, wasm), options, { ...HERE, threaded: 0 });
  await recorder.begin(execution);
  // What a process leaves that ends at this moment: what it has written so far.
  let copies = 0;
  const copied = (): void => {
    for (let left = 100; ; left--)
      try {
        copyTrace(path, "large", `killed${copies}`);
        copies++;
        return;
      } catch (error) {
        // The thread gave a file its name while the folder was copied.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" || left === 0) throw error;
      }
  };
  copied();
  while (execution.at < job.steps) {
    await recorder.step(execution);
    for (let turn = 0; turn < 40 && recorder.isWriting; turn++) {
      if (turn % 10 === 0) copied();
      await eventsPass();
    }
    copied();
  }
  await recorder.end(execution);
  await recorder.close();
  await execution.close();
  expect(filesOf(path, "large")).toEqual(filesOf(path, "calm3"));
  for (let i = 0; i < copies; i++) {
    await run(job, { ...options, out: path(`killed${i}.trace`), resume: true });
    expect(filesOf(path, `killed${i}`), `copy ${i}`).toEqual(filesOf(path, "calm3"));
  }
});

test("records wait for a checkpoint before them, and the run does not", async () => {
  const job = regression({ steps: 4 });
  const { state } = await run(job);
  const settings = { commitEvery: 5, checkpointEvery: 5, detail: "steps", backend: "wasm", auto: [] } as const;
  const manifest = manifestOf(job, settings);
  const recording = await Recording.open(path("waiting.trace"), job, manifest, {});
  const opening = readFileSync(path("waiting.trace")).length;
  const root = new Uint8Array(32) as never;
  const metrics = [0];
  const metricsProof = Array.from({ length: new MetricEntries(job).proofLength }, () => root);
  const first = recording.step({ step: 0, root, metrics, metricsProof }, state);
  expect(recording.isWriting).toBe(true);
  for (const step of [1, 2]) await recording.step({ step, metrics });
  const written = existsSync(path("waiting.data/step-00000000.safetensors"));
  expect(recording.isWriting || written).toBe(true);
  if (!written) expect(readFileSync(path("waiting.trace")).length).toBe(opening);
  await first;
  await recording.untilWritten();
  expect([recording.isWriting, readFileSync(path("waiting.trace")).length > opening]).toEqual([false, true]);
  await recording.close();
});
