import { copyFileSync, cpSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { stateRoot, type Tensor, tensorRoot } from "../../src/encoding/tensor.ts";
import type { NamedTensor } from "../../src/job/closed.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { MAX_VALUE } from "../../src/repops/numbers/vf32.ts";
import { Execution } from "../../src/trace/execution.ts";
import { struckBackend } from "../../src/trace/drill/struck.ts";
import { KeptStates } from "../../src/trace/kept-states.ts";
import { loadClosedJob, openTrace, Replayer, run } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const job = regression({ steps: 20 });
const INPUTS = job.step.inputs.length;
/** States after each step, and what the kernels put out at step 13. */
const states: NamedTensor[][] = [];
const outputs: Tensor[] = [];

beforeAll(async () => {
  await run(job, { checkpointEvery: 6, out: path("a.trace") });
  const execution = await Execution.open(job, reference);
  await execution.initialise();
  states.push(await execution.state());
  while (execution.at < job.steps) {
    const all = [...job.step.kernels.keys()];
    const { captured } = await execution.advance(execution.at === 12 ? { capture: all } : {});
    outputs.push(...captured.values());
    states.push(await execution.state());
  }
  await execution.close();
});

describe("a replayer of a run with a large dataset", () => {
  test("reads the dataset from its file, and gives every state", async () => {
    const large = regression({ steps: 4, rows: 2 ** 16, data: 2 ** 17 });
    await run(large, { checkpointEvery: 2, out: path("large.trace") });
    const trace = await openTrace(path("large.trace"));
    const { dataset } = await loadClosedJob(trace);
    expect(dataset).toEqual(large.dataset);
    expect(dataset[0].data.buffer.byteLength).toBeGreaterThan(2 ** 20);
    const replayer = await Replayer.open(path("large.trace"));
    const execution = await Execution.open(large, reference);
    await execution.initialise();
    await execution.advance();
    expect(await replayer.state(1)).toEqual(await execution.state());
    await execution.close();
    await replayer.close();
  });
});

describe("a replayer", () => {
  test("gives every state, in any order", async () => {
    const replayer = await Replayer.open(path("a.trace"));
    for (const step of [20, 0, 13, 14, 13, 6, 5, 19, 1, 12])
      expect(await replayer.state(step), `step ${step}`).toEqual(states[step]);
    await replayer.close();
  });

  test("executes no more than the way from the checkpoint, and goes on from where it is", async () => {
    const replayer = await Replayer.open(path("a.trace"));
    const spent = async (step: number): Promise<number> => {
      const { steps } = replayer.replayed;
      await replayer.state(step);
      return replayer.replayed.steps - steps;
    };
    // Checkpoints stand at 0, 6, 12, 18 and 20.
    expect([
      await spent(12),
      await spent(15),
      await spent(16),
      await spent(16),
      await spent(18),
      await spent(5),
    ]).toEqual([0, 3, 1, 0, 0, 5]);
    await replayer.close();
  });

  test("gives a step's tensors by number: state before, dataset, outputs", async () => {
    const replayer = await Replayer.open(path("a.trace"));
    const all = Array.from({ length: INPUTS + job.step.kernels.length }, (_, i) => i);
    const captured = await replayer.capture(13, all);
    const expected = [...states[12], ...job.dataset, ...outputs].map(tensorRoot);
    expect(all.map((tensor) => toHex(tensorRoot(captured.get(tensor)!)))).toEqual(expected.map(toHex));
    expect([...(await replayer.capture(13, [INPUTS + 3])).keys()]).toEqual([INPUTS + 3]);
    expect([...(await replayer.capture(0, [0]).then((map) => map.get(0)!.data))]).toEqual([0, 0, 0]);
    await replayer.close();
  });

  test("gives the roots of a step's outputs and of the state that they make", async () => {
    const replayer = await Replayer.open(path("a.trace"));
    const { kernelRoots, newStateRoots, newStateRoot } = await replayer.detail(13);
    expect(kernelRoots.map(toHex)).toEqual(outputs.map((output) => toHex(tensorRoot(output))));
    expect(newStateRoots.map(toHex)).toEqual(states[13].map((entry) => toHex(tensorRoot(entry))));
    expect(toHex(newStateRoot)).toBe(toHex(stateRoot(newStateRoots)));
    const { steps } = replayer.replayed;
    expect(await replayer.detail(13)).toEqual({ kernelRoots, newStateRoots, newStateRoot });
    expect(replayer.replayed.steps).toBe(steps);
    await replayer.close();
  });

  test("starts a run that began with a checkpoint from it", async () => {
    const continued = regression({ checkpoint: true });
    await run(continued, { checkpointEvery: 0, out: path("continued.trace") });
    const replayer = await Replayer.open(path("continued.trace"));
    expect((await replayer.state(0))[0].data).toEqual(Float32Array.of(0.5, -1, 0));
    expect((await replayer.detail(0)).kernelRoots).toEqual([]);
    expect(toHex((await replayer.detail(7)).newStateRoot)).toBe(toHex((await replayer.trace.rootOf(7))!));
    await replayer.close();
  });

  test("executes the steps of a long segment once, and √n more for what a dispute asks after that", async () => {
    const long = regression({ steps: 1000 });
    await run(long, { commitEvery: 1000, checkpointEvery: 0, out: path("long.trace") });
    for (const step of [1, 2, 500, 991, 1000]) {
      const replayer = await Replayer.open(path("long.trace"));
      const roots = await replayer.stepRoots(1);
      expect(replayer.replayed.steps).toBe(1000);
      expect(await replayer.stepRoots(1)).toBe(roots);
      // As a dispute asks: the step's operators, the roots of its pre-state, then an operator's tensors.
      const { newStateRoot, newStateRoots } = await replayer.detail(step);
      expect(toHex(newStateRoot)).toBe(toHex(roots[step - 1]));
      const before = await replayer.entryRoots(step - 1);
      if (step > 1) expect(toHex(stateRoot(before))).toBe(toHex(roots[step - 2]));
      expect(await replayer.entryRoots(step)).toEqual(newStateRoots);
      const captured = await replayer.capture(step, [0, INPUTS + 3]);
      // The outputs are kept from when the roots were computed: nothing is executed for them.
      expect(replayer.replayed.steps).toBeLessThanOrEqual(1000 + 31 + 1);
      expect(await replayer.capture(step, [0, INPUTS + 3])).toEqual(captured);
      const other = await Replayer.open(path("long.trace"));
      expect(await other.capture(step, [0, INPUTS + 3])).toEqual(captured);
      await other.close();
      await replayer.close();
    }
  });

  test("never goes back to the segment's beginning for any of its steps", async () => {
    const every = regression({ steps: 100 });
    await run(every, { commitEvery: 50, checkpointEvery: 50, out: path("every.trace") });
    const replayer = await Replayer.open(path("every.trace"));
    const roots = [...(await replayer.stepRoots(1)), ...(await replayer.stepRoots(2))];
    for (let step = 100; step > 50; step--) {
      const { steps } = replayer.replayed;
      expect(toHex((await replayer.detail(step)).newStateRoot)).toBe(toHex(roots[step - 1]));
      expect(replayer.replayed.steps - steps).toBeLessThanOrEqual(8);
    }
    // The states of another segment were dropped; its checkpoint is still there.
    expect(toHex((await replayer.detail(7)).newStateRoot)).toBe(toHex(roots[6]));
    await replayer.close();
  });

  test("keeps as many states as its memory allows, and one at least", () => {
    const [first, last, bytes] = [10, 109, 32];
    for (const [mostBytes, spacing] of [
      [Number.MAX_SAFE_INTEGER, 10],
      [10 * bytes, 10],
      [4 * bytes, 25],
      [bytes, 100],
      [0, 100],
    ]) {
      const kept = new KeptStates(job, mostBytes);
      kept.begin(first, last);
      for (let step = first; step <= last; step++) {
        expect(kept.wants(step)).toBe((step - first) % spacing === 0);
        if (kept.wants(step)) kept.keep(step, states[0]);
        expect(step - kept.before(step)!.step).toBe((step - first) % spacing);
      }
      expect(kept.before(first - 1)).toBeUndefined();
      kept.begin(first, last);
      expect(kept.before(last)).toBeUndefined();
    }
  });

  test("chooses its own backend, whatever the trace states", async () => {
    await run(job, { backend: { ...reference, name: "nobody's" }, out: path("stated.trace") });
    const { manifest } = await openTrace(path("stated.trace"));
    expect(manifest.backend).toBe("nobody's");
    const replayer = await Replayer.open(path("stated.trace"));
    expect(await replayer.state(20)).toEqual(states[20]);
    await replayer.close();
  });

  test("says so when it does not come to the roots of the run", async () => {
    // A backend whose output of kernel 6 is off by one; no vector of the short form has that many.
    const wrong: Backend = {
      name: "wrong",
      prepare: (list, options) =>
        list.kernels.length <= 6
          ? reference.prepare(list, options)
          : struckBackend(reference, { list, kernel: 6, change: ({ data }) => (data[0] += 1) }).prepare(list, options),
    };
    const replayer = await Replayer.open(path("a.trace"), { backend: wrong });
    expect(await replayer.state(12)).toEqual(states[12]);
    const sentence = "gives another state after step 13 than it commits to";
    await expect(replayer.state(13)).rejects.toMatchObject({
      code: "VERDE_DISPUTE_REPLAY_DIFFERS",
      message: expect.stringContaining(sentence),
    });
    await replayer.close();
  });

  test("refuses the checkpoint of another step or run, and a trace that is cut", async () => {
    cpSync(path("a.data"), path("b.data"), { recursive: true });
    copyFileSync(path("a.trace"), path("b.trace"));
    copyFileSync(path("a.data/step-00000006.safetensors"), path("b.data/step-00000012.safetensors"));
    const replayer = await Replayer.open(path("b.trace"));
    await expect(replayer.state(14)).rejects.toThrow("step-00000012.safetensors is not the state after step 12");
    expect(await replayer.state(9)).toEqual(states[9]);
    await replayer.close();
    await run(job, { out: path("cut.trace"), signal: AbortSignal.abort() }).catch(() => undefined);
    await expect(Replayer.open(path("cut.trace"))).rejects.toThrow(/cut.trace is cut: after step 0 of 20 .*--resume/);
  });
});

describe("a run that goes wrong", () => {
  test("tells which entry of the state came to the end of the range, and when", async () => {
    const wild = regression({ rate: 2 ** 100 });
    const { saturated } = await run(wild, { checkpointEvery: 2, out: path("wild.trace"), stopOnDivergence: false });
    expect(saturated[0]).toEqual({ step: 2, tensor: "w" });
    const replayer = await Replayer.open(path("wild.trace"));
    for (const step of [0, 2, 4, 6, 8, 10]) {
      const there = (await replayer.state(step)).filter(({ data }) => data.some((x) => Math.abs(x) === MAX_VALUE));
      expect(saturated.filter((entry) => entry.step === step)).toEqual(
        there.map(({ name }) => ({ step, tensor: name })),
      );
    }
    await replayer.close();
    expect((await run(job)).saturated).toEqual([]);
  });

  test("tells which gather read outside its source, and how often", async () => {
    const { outOfRange } = await run(regression({ steps: 4, rows: 16 }));
    // Batches of rows 0–3, 4–7, 8–11 and 12–15 of 8.
    expect(outOfRange).toEqual(
      [3, 4].flatMap((step) => ["rows", "targets"].map((label) => ({ step, label, count: 4 }))),
    );
    expect((await run(job)).outOfRange).toEqual([]);
  });

  test("keeps only metrics that are one number", async () => {
    const { metrics } = await run(job);
    expect(metrics.map((named) => Object.keys(named).join())).toEqual(Array(21).fill("loss"));
    expect(metrics[20].loss).toBeLessThan(metrics[1].loss / 2);
    expect((await (await openTrace(path("a.trace"))).record(20)).metrics.length).toBe(1);
  });
});
