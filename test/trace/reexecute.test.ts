/** Re-execution of recorded steps, of traces on a disk and of the same traces as blobs. */
import { cpSync, openAsBlob, readdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { loadClosedJob, openTrace, parseFault, run, type RunOptions, type Trace } from "../../src/trace/index.ts";
import { readTrace } from "../../src/trace/open.ts";
import { type CheckedStep, findOperator, reexecute } from "../../src/trace/reexecute.ts";
import { blobSource, checkpointFile, dataFolder } from "../../src/trace/source.ts";
import { TraceWriter } from "../../src/trace/writer.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const job = regression({ steps: 20 });
/** The kernel that puts out the gradient, and its label. */
const GRADIENT = 6;

async function make(name: string, options: RunOptions = {}, of: ClosedJob = job): Promise<Trace> {
  await run(of, { checkpointEvery: 6, out: path(name), ...options });
  return openTrace(path(name));
}

/** The same trace, as a browser has it. */
async function asBlobs(file: string): Promise<Trace> {
  const names = readdirSync(dataFolder(file));
  const load = (name: string): Promise<Blob> => openAsBlob(`${dataFolder(file)}/${name}`);
  return readTrace(blobSource(basename(file), await openAsBlob(file), names, load));
}

async function check(trace: Trace, from: number, to: number, backend = wasm) {
  const steps: CheckedStep[] = [];
  const onStep = (step: CheckedStep): void => void steps.push(step);
  const result = await reexecute(trace, await loadClosedJob(trace), { backend, from, to, onStep });
  return { ...result, steps };
}

let honest: Trace;
beforeAll(async () => {
  honest = await make("honest.trace", { detail: "operators" });
});

describe("an honest trace", () => {
  test("agrees at every step, from a disk and from blobs, on both backends", async () => {
    for (const trace of [honest, await asBlobs(honest.path)])
      for (const backend of [wasm, reference]) {
        const { steps, ...result } = await check(trace, 0, 20, backend);
        expect(result).toEqual({ start: undefined, last: 20, executed: 21, compared: 21 });
        expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, i) => i));
        expect(steps.map(({ recomputed }) => toHex(recomputed!))).toEqual(
          (await honest.segmentRoots.slice(0, 21)).map(toHex),
        );
        expect(steps.every(({ agrees }) => agrees)).toBe(true);
      }
  });

  test("is executed from the checkpoint before the range, and no further than the range", async () => {
    for (const [from, to, start] of [
      [1, 1, 0],
      [6, 7, 0],
      [7, 7, 6],
      [15, 16, 12],
      [20, 20, 18],
    ])
      expect(await check(honest, from, to)).toMatchObject({ start, last: to, compared: to - start });
  });

  test("makes its own initial state where there is no checkpoint", async () => {
    const bare = await make("bare.trace");
    for (const step of [0, 6, 12, 18, 20]) rmSync(`${dataFolder(bare.path)}/${checkpointFile(step)}`);
    expect(await check(bare, 8, 9)).toMatchObject({ start: undefined, last: 9, compared: 10 });
  });

  test("is compared where it has roots", async () => {
    const { steps, compared } = await check(await make("sparse.trace", { commitEvery: 3 }), 0, 20);
    expect(steps.flatMap(({ step, claimed }) => (claimed ? step : []))).toEqual([0, 3, 6, 9, 12, 15, 18, 20]);
    expect(compared).toBe(8);
  });

  test("of which a part is there is checked as far as it goes", async () => {
    const { path: file } = honest;
    const cut = (await openAsBlob(file)).slice(0, (await honest.tailOf(9)).offset + 7);
    const folder = dataFolder(file);
    const load = (name: string): Promise<Blob> => openAsBlob(`${folder}/${name}`);
    const trace = await readTrace(blobSource("cut.trace", cut, readdirSync(folder), load));
    expect(trace.complete).toBe(false);
    expect(await check(trace, 0, 9)).toMatchObject({ last: 9, compared: 10 });
    await expect(check(trace, 0, 10)).rejects.toThrow("it has steps 0 to 9");
  });

  test("has no other steps than its own", async () => {
    for (const [from, to] of [
      [-1, 3],
      [3, 2],
      [0, 21],
      [0.5, 1],
      [Number.NaN, 1],
    ])
      await expect(check(honest, from, to)).rejects.toMatchObject({ code: "VERDE_USAGE_STEPS" });
  });
});

describe("a trace with a fault", () => {
  test("is found out at the step, and at the operator where it has their roots", async () => {
    const fault = parseFault(`flip:step=9,operator=${GRADIENT},element=1,bit=9`);
    const trace = await make("flip.trace", { detail: "operators", fault });
    const { mismatch, last } = await check(trace, 0, 20);
    expect(last).toBe(9);
    expect(mismatch).toMatchObject({ step: 9 });
    expect(toHex(mismatch!.roots!.claimed)).toBe(toHex((await trace.rootOf(9))!));
    expect(toHex(mismatch!.roots!.recomputed)).toBe(toHex((await honest.rootOf(9))!));
    const operator = await findOperator(trace, job, wasm, mismatch!);
    expect(operator).toMatchObject({ step: 9, kernel: GRADIENT, label: "gradient" });
    expect(toHex(operator!.recomputed)).toBe(toHex((await honest.record(9)).opRoots![GRADIENT]));
    // Beyond the fault, and from a checkpoint behind it, the steps follow from each other.
    const { steps, ...later } = await check(trace, 13, 20);
    expect(later).toEqual({ start: 12, last: 20, executed: 8, compared: steps.length });
  });

  test("in the initial state is found out when that is made anew", async () => {
    const fault = parseFault("flip:step=0,operator=0,element=2,bit=30");
    const trace = await make("initial.trace", { detail: "operators", fault });
    const { mismatch } = await check(trace, 0, 20);
    expect(mismatch?.step).toBe(0);
    expect(await findOperator(trace, job, wasm, mismatch!)).toMatchObject({ step: 0, kernel: 0, label: "w/init" });
  });

  test("within a segment names the operator in its own step", async () => {
    const fault = parseFault(`flip:step=8,operator=${GRADIENT},element=0,bit=20`);
    const trace = await make("segment.trace", { detail: "operators", commitEvery: 6, fault });
    const { mismatch } = await check(trace, 0, 20);
    expect(mismatch!.step).toBeGreaterThanOrEqual(8);
    expect(mismatch!.step).toBeLessThanOrEqual(12);
    expect(await findOperator(trace, job, wasm, mismatch!)).toMatchObject({ step: 8, kernel: GRADIENT });
  });

  test("that leaves a step out has no operator that is wrong", async () => {
    const trace = await make("skip.trace", { detail: "operators", fault: parseFault("skip:step=5") });
    const { mismatch } = await check(trace, 0, 20);
    expect(mismatch).toMatchObject({ step: 5 });
    expect(await findOperator(trace, job, wasm, mismatch!)).toBeUndefined();
  });

  test("in its reports alone is found out by the metric", async () => {
    const sparse = await make("reports.trace", { commitEvery: 3 });
    const writer = await TraceWriter.create(path("embellished.trace"), sparse.manifest);
    for await (const record of sparse.records())
      await writer.step(record.step === 4 ? { ...record, metrics: [record.metrics[0] ^ 1] } : record);
    await writer.end(sparse.runRoot!);
    await writer.close();
    cpSync(dataFolder(sparse.path), dataFolder(path("embellished.trace")), { recursive: true });
    const { mismatch } = await check(await openTrace(path("embellished.trace")), 0, 20);
    expect(mismatch).toMatchObject({ step: 4, metric: { name: "loss" } });
    expect(mismatch!.metric!.claimed).not.toBe(mismatch!.metric!.recomputed);
  });
});

describe("a job that begins with a checkpoint", () => {
  test("is held to the checkpoint that it names", async () => {
    const started = regression({ steps: 4, checkpoint: true });
    const trace = await make("started.trace", { checkpointEvery: 0 }, started);
    const { steps, ...result } = await check(trace, 0, 4);
    expect(result).toEqual({ last: 4, executed: 5, compared: steps.length });
    const other = regression({ steps: 4, checkpoint: true });
    if (other.init.kind !== "checkpoint") throw new Error("the fixture has no checkpoint");
    other.init.state[0].data[0] += 1;
    const moved = await make("moved.trace", { checkpointEvery: 0 }, other);
    const { outline } = trace.manifest;
    const forged: Trace = Object.create(moved, { manifest: { value: { ...moved.manifest, outline } } });
    expect(await check(forged, 0, 4)).toMatchObject({ mismatch: { step: 0 } });
  });
});

describe("blobs", () => {
  test("that are missing or no trace are named", async () => {
    const { path: file } = honest;
    const source = blobSource("a.trace", await openAsBlob(file), [], () => Promise.reject(new Error("no")));
    await expect(loadClosedJob(await readTrace(source))).rejects.toThrow(
      "a.data/dataset.safetensors is missing; choose the folder a.data together with the trace",
    );
    await expect(
      readTrace(blobSource("b.trace", new Blob(["something else"]), [], source.open as never)),
    ).rejects.toThrow("b.trace is not a Verde trace");
    await expect(readTrace(blobSource("c.trace", new Blob(["VER"]), [], source.open as never))).rejects.toThrow(
      "c.trace is not a Verde trace",
    );
  });
});
