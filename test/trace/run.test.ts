import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { expectComplete, loadClosedJob, openTrace, Replayer, run } from "../../src/trace/index.ts";
import line from "../fixtures/line.ts";
import { temporaryFolder } from "../fixtures/folder.ts";

const path = temporaryFolder();
let job: ClosedJob;
const options = { checkpointEvery: 4 };

beforeAll(async () => {
  job = await line.close();
  await run(job, { ...options, out: path("whole.trace") });
});

describe("a run", () => {
  test("reports every step", async () => {
    const seen: number[] = [];
    const { metrics } = await run(job, { onStep: ({ step }) => seen.push(step) });
    expect(seen).toEqual(Array.from({ length: 13 }, (_, i) => i));
    expect(Object.keys(metrics[1])).toEqual(["loss", "learning-rate", "gradient-norm"]);
  });

  test("learns", async () => {
    const { metrics } = await run(await line.close({ steps: 100, batch: 9 }));
    const mean = (from: number): number => metrics.slice(from, from + 10).reduce((sum, { loss }) => sum + loss / 10, 0);
    expect(mean(91)).toBeLessThan(0.5 * mean(1));
  });

  test("has the same roots on both backends, and the same bytes twice", async () => {
    await run(job, { ...options, out: path("twice.trace") });
    expect(readFileSync(path("twice.trace"))).toEqual(readFileSync(path("whole.trace")));
    const a = await run(job, { backend: reference });
    const b = await run(job, { backend: wasm });
    expect(a.segmentRoots.map(toHex)).toEqual(b.segmentRoots.map(toHex));
    expect(toHex(a.runRoot)).toBe(toHex(b.runRoot));
  });

  test("opens with its job, roots and metrics", async () => {
    const trace = expectComplete(await openTrace(path("whole.trace")));
    expect(toHex(trace.manifest.jobId)).toBe(toHex(jobId(job)));
    expect(trace.segmentRoots.length).toBe(13);
    expect(toHex(jobId(await loadClosedJob(trace)))).toBe(toHex(jobId(job)));
  });

  test("commits to longer segments without changing a state", async () => {
    const every = await run(job, {});
    const third = await run(job, { commitEvery: 5, out: path("third.trace") });
    expect(third.segmentRoots.map(toHex)).toEqual([0, 5, 10, 12].map((step) => toHex(every.segmentRoots[step])));
    const replayer = await Replayer.open(path("third.trace"));
    expect((await replayer.stepRoots(2)).map(toHex)).toEqual(every.segmentRoots.slice(6, 11).map(toHex));
    expect((await replayer.stepRoots(3)).map(toHex)).toEqual(every.segmentRoots.slice(11, 13).map(toHex));
    await replayer.close();
  });

  test("keeps an existing trace unless told otherwise", async () => {
    await expect(run(job, { out: path("whole.trace") })).rejects.toThrow("exists; choose another name");
  });

  test("with detail stores the roots that a replay gives", async () => {
    await run(job, { detail: "operators", out: path("detail.trace") });
    const trace = await openTrace(path("detail.trace"));
    const replayer = await Replayer.open(path("whole.trace"));
    for (const step of [0, 1, 7, 12]) {
      const { kernelRoots } = await replayer.detail(step);
      expect((await trace.record(step)).opRoots!.map(toHex)).toEqual(kernelRoots.map(toHex));
    }
    await replayer.close();
  });
});

describe("resuming", () => {
  test("gives the same bytes wherever the trace was cut", async () => {
    const whole = readFileSync(path("whole.trace"));
    const trace = await openTrace(path("whole.trace"));
    const ends: number[] = [];
    for (let step = 0; step <= 12; step++) ends.push((await trace.tailOf(step)).offset);
    const cuts = [ends[0], ends[0] + 3, ends[3], ends[4] - 1, ends[4], ends[9] + 40, ends[12], whole.length - 1];
    for (const cut of cuts) {
      copyFileSync(path("whole.trace"), path("cut.trace"));
      cpSync(path("whole.data"), path("cut.data"), { recursive: true, force: true });
      truncateSync(path("cut.trace"), cut);
      await expect(openTrace(path("cut.trace")).then(expectComplete)).rejects.toThrow("--resume");
      await run(job, { ...options, out: path("cut.trace"), resume: true });
      expect(readFileSync(path("cut.trace")).equals(whole), `cut at ${cut}`).toBe(true);
    }
  });

  test("starts anew when no checkpoint is left, if it may", async () => {
    copyFileSync(path("whole.trace"), path("bare.trace"));
    rmSync(path("bare.data"), { recursive: true, force: true });
    await expect(run(job, { ...options, out: path("bare.trace"), resume: true })).rejects.toThrow("add --force");
    await run(job, { ...options, out: path("bare.trace"), resume: true, force: true });
    expect(readFileSync(path("bare.trace"))).toEqual(readFileSync(path("whole.trace")));
    expect(readdirSync(path("bare.data")).length).toBe(5);
  });

  test("refuses another job and other settings, naming them", async () => {
    const resume = { ...options, out: path("whole.trace"), resume: true };
    await expect(run(await line.close({ seed: 8 }), resume)).rejects.toThrow("it belongs to another job");
    await expect(run(await line.close({ steps: 13 }), resume)).rejects.toThrow("its steps is 12, but this run's is 13");
    await expect(run(job, { ...resume, checkpointEvery: 6 })).rejects.toThrow("its checkpointEvery is 4");
    await expect(run(job, { ...resume, fault: parseFault("skip:step=2") })).rejects.toThrow("its fault is none");
  });
});

describe("a damaged trace", () => {
  test("is refused when records are missing, moved, or of another run", async () => {
    const whole = readFileSync(path("whole.trace"));
    const trace = await openTrace(path("whole.trace"));
    const ends: number[] = [];
    for (let step = 0; step <= 12; step++) ends.push((await trace.tailOf(step)).offset);
    const record = (step: number): Buffer => whole.subarray(ends[step - 1], ends[step]);
    const tail = whole.subarray(ends[5]);
    const head = whole.subarray(0, ends[2]);
    for (const middle of [
      [record(4), record(5)],
      [record(3), record(5), record(4)],
      [record(4), record(3), record(5)],
    ]) {
      writeFileSync(path("altered.trace"), Buffer.concat([head, ...middle, tail]));
      await expect(openTrace(path("altered.trace"))).rejects.toThrow(/record \d+ at byte \d+: its hash does not match/);
    }
    writeFileSync(path("altered.trace"), Buffer.concat([whole, Buffer.from("more")]));
    await expect(openTrace(path("altered.trace"))).rejects.toThrow("4 bytes after its end record");
    writeFileSync(path("altered.trace"), "not a trace at all");
    await expect(openTrace(path("altered.trace"))).rejects.toThrow("is not a Verde trace");
    await expect(openTrace(path("nowhere.trace"))).rejects.toThrow("can't be read");
  });

  test("names the file when data or checkpoints are not those of the run", async () => {
    cpSync(path("whole.data"), path("foreign.data"), { recursive: true });
    copyFileSync(path("whole.trace"), path("foreign.trace"));
    const flip = (name: string): void => {
      const bytes = readFileSync(path(`foreign.data/${name}`));
      bytes[bytes.length - 3] ^= 64;
      writeFileSync(path(`foreign.data/${name}`), bytes);
    };
    flip("step-00000004.safetensors");
    const replayer = await Replayer.open(path("foreign.trace"));
    await expect(replayer.state(5)).rejects.toThrow("step-00000004.safetensors is not the state after step 4");
    flip("dataset.safetensors");
    await expect(Replayer.open(path("foreign.trace"))).rejects.toThrow("dataset.safetensors, tensor data/y");
    rmSync(path("foreign.data"), { recursive: true });
    await expect(Replayer.open(path("foreign.trace"))).rejects.toThrow("dataset.safetensors can't be read");
  });
});

describe("faults", () => {
  const changedFrom = async (text: string): Promise<number> => {
    const honest = await run(job, {});
    const faulty = await run(job, { fault: parseFault(text) });
    return honest.segmentRoots.findIndex((root, i) => toHex(root) !== toHex(faulty.segmentRoots[i]));
  };

  test("change the state from their step on", async () => {
    const node = job.step.labels.findIndex((label) => label === "hidden/matmul");
    expect(await changedFrom(`flip:step=5,operator=${node},element=3,bit=20`)).toBe(5);
    expect(await changedFrom("flip:step=0,operator=4,element=0,bit=20")).toBe(0);
    expect(await changedFrom("lr:from=3,factor=1.5")).toBe(3);
    expect(await changedFrom("data:from=6")).toBe(6);
    expect(await changedFrom("skip:step=9")).toBe(9);
  });

  test("are replayed by their own prover", async () => {
    for (const fault of ["lr:from=3,factor=1.5", "data:from=6", "skip:step=9"]) {
      await run(job, { fault: parseFault(fault), out: path("fault.trace"), force: true });
      const replayer = await Replayer.open(path("fault.trace"));
      for (const step of [12, 9, 3, 1])
        expect(toHex((await replayer.detail(step)).newStateRoot)).toBe(toHex((await replayer.trace.rootOf(step))!));
      await replayer.close();
    }
  });

  test("that the job has no place for are refused", async () => {
    const refused = (text: string): Promise<unknown> => run(job, { fault: parseFault(text) });
    await expect(refused("skip:step=13")).rejects.toThrow("the job has 12");
    await expect(refused("flip:step=1,operator=9999,element=0,bit=0")).rejects.toThrow("operator 9999 does not exist");
    await expect(refused("flip:step=1,operator=0,element=99999,bit=0")).rejects.toThrow("there is no element 99999");
    for (const text of [
      "flip",
      "flip:step=1",
      "warp:step=1",
      "lr:from=1,factor=x",
      "flip:step=1,operator=1,element=1,bit=40",
    ])
      expect(() => parseFault(text)).toThrow("the fault");
  });
});
