/** A run that has diverged says so, and stops unless it is told not to. */
import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { add, div, GraphBuilder, matmul, minimum, mul, sqrt, sub, sum } from "../../src/graph/index.ts";
import { defineJob, normal, sgd, zeros } from "../../src/job/index.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { emptyReport } from "../../src/repops/backends/wanted.ts";
import { run } from "../../src/trace/index.ts";
import { Observations } from "../../src/trace/observations.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();

/** A weight that each training step makes 2^20 times as large, and its product with ones. */
const growing = defineJob({
  name: "growing",
  steps: 6,
  data: () => ({}),
  loss(job) {
    const w = job.parameter("w", [2, 2], normal(1));
    const large = job.state("large", { dtype: "f32", shape: [2, 2] }, normal(1));
    job.update(large, mul(large, 2 ** 20));
    return sum(
      mul(
        job.scope("head", () => matmul(large, w)),
        2 ** -120,
      ),
    );
  },
  optimizer: () => sgd({ learningRate: 0 }),
});

describe("an operator with magnitudes above its range", () => {
  test.each([reference, wasm])("stops the run on $name, with its label and step", async (backend) => {
    const stopped = run(growing, { backend, out: path(`${backend.name}.trace`) });
    await expect(stopped).rejects.toMatchObject({
      code: "VERDE_RUN_DIVERGED",
      message: expect.stringMatching(
        /^training has diverged at training step 4 of 6: head\/\S+ multiplied magnitudes above 2\^51; .*--resume --no-stop-on-divergence$/,
      ),
      evidence: { step: 4, steps: 6, diverged: 4 },
    });
    const finished = await run(growing, {
      backend,
      out: path(`${backend.name}.trace`),
      resume: true,
      stopOnDivergence: false,
    });
    const alone = await run(growing, { backend, stopOnDivergence: false });
    expect(finished.runRoot).toEqual(alone.runRoot);
    expect(alone.diverged).toMatchObject({ step: 4, what: "multiplied magnitudes above 2^51" });
    expect(alone.noted!.filter(({ kind }) => kind === "above")[0]).toMatchObject({
      step: 4,
      steps: 3,
      exponent: 51,
    });
  });

  test("is told in the step's report", async () => {
    const told: number[] = [];
    await run(growing, {
      backend: wasm,
      stopOnDivergence: false,
      onStep: ({ step, diverged }) => void (diverged && told.push(step)),
    });
    expect(told).toEqual([4]);
  });
});

/** A state that each training step makes 2^40 times as large, under functions that it leaves the domain of. */
const leaving = defineJob({
  name: "leaving",
  steps: 6,
  data: () => ({}),
  loss(job) {
    const w = job.parameter("w", [2], normal(1));
    const large = job.state("large", { dtype: "f32", shape: [2] }, zeros);
    const next = add(mul(large, 2 ** 40), 1);
    job.update(large, minimum(next, 2 ** 100));
    const root = job.scope("inner", () => sqrt(sub(100, large)));
    const inverse = div(1, root);
    const beyond = job.scope("outer", () => mul(minimum(mul(large, large), 1), mul(large, 2 ** 60)));
    return sum(mul(add(w, add(inverse, mul(beyond, 0))), 2 ** -120));
  },
  optimizer: () => sgd({ learningRate: 0 }),
});

describe("operators that leave the range or a domain", () => {
  test.each([reference, wasm])(
    "are named by $name with their first step, and only 2^127 stops the run",
    async (backend) => {
      const options = { backend, stopOnDivergence: false };
      const { noted, diverged } = await run(leaving, options);
      const known = (noted ?? []).filter(({ kind }) => kind !== "below");
      const named = known.map(({ label, kind, step, steps }) => [label, kind, step, steps]);
      // large is 0, 1, 2^40 + 1, 2^80 and then 2^100 before the steps.
      expect(named).toEqual([
        ["inner/sqrt", "domain", 3, 4],
        ["div", "domain", 3, 4],
        ["outer/mul", "saturated", 4, 3],
        ["mul", "saturated", 5, 2],
      ]);
      expect(diverged).toEqual({ step: 4, at: "outer/mul", what: "reached 2^127" });
      await expect(run(leaving, { backend })).rejects.toMatchObject({ evidence: { diverged: 4, at: "outer/mul" } });
    },
  );
});

describe("a run that is stopped and resumed", () => {
  const options = { backend: wasm, checkpointEvery: 1, stopOnDivergence: false };

  test("reports what the whole run has seen", async () => {
    const out = path("resumed.trace");
    const alone = await run(leaving, options);
    await expect(run(leaving, { ...options, out, stopOnDivergence: true })).rejects.toThrow("diverged");
    // Without the option it stops where it is: nothing is executed.
    const steps: number[] = [];
    const again = run(leaving, {
      ...options,
      out,
      resume: true,
      stopOnDivergence: true,
      onStep: ({ step }) => steps.push(step),
    });
    await expect(again).rejects.toMatchObject({ code: "VERDE_RUN_DIVERGED", evidence: { step: 4, diverged: 4 } });
    expect(steps).toEqual([]);
    const { noted, diverged, runRoot } = await run(leaving, { ...options, out, resume: true });
    expect({ noted, diverged, runRoot }).toEqual({
      noted: alone.noted,
      diverged: alone.diverged,
      runRoot: alone.runRoot,
    });
    const read = await run(leaving, { ...options, out, resume: true, stopOnDivergence: true });
    expect(read.noted).toEqual(alone.noted);
  });

  test("counts the steps once that it executes again", async () => {
    const out = path("again.trace");
    const alone = await run(leaving, { ...options, out });
    await truncate(out, (await stat(out)).size - 1);
    for (const step of [5, 6]) await rm(path(`again.data/step-0000000${step}.safetensors`));
    expect((await run(leaving, { ...options, out, resume: true, force: true })).noted).toEqual(alone.noted);
  });

  test("says that it does not know what an earlier part has seen, if that is lost", async () => {
    const out = path("lost.trace");
    const alone = await run(leaving, { ...options, out });
    const file = path("lost.data/observed.json");
    const kept = JSON.parse(await readFile(file, "utf8")) as object;
    for (const damaged of [
      "",
      "{",
      JSON.stringify({ ...kept, job: "0x00" }),
      JSON.stringify({ ...kept, operators: 3 }),
    ]) {
      await writeFile(file, damaged);
      expect((await run(leaving, { ...options, out, resume: true })).noted).toBeUndefined();
    }
    // One that begins again does not read it.
    expect((await run(leaving, { ...options, out, force: true })).noted).toEqual(alone.noted);
  });

  test("stops after its last step too, and can be ended", async () => {
    const out = path("last.trace");
    const last = { ...(await leaving.close()), steps: 4 };
    await expect(run(last, { backend: wasm, out })).rejects.toMatchObject({
      code: "VERDE_RUN_DIVERGED",
      evidence: { step: 4, steps: 4, diverged: 4 },
    });
    const ended = await run(last, { backend: wasm, out, resume: true, stopOnDivergence: false });
    expect(ended.runRoot).toEqual((await run(last, { backend: wasm, stopOnDivergence: false })).runRoot);
  });
});

test("two kernels of one label count a training step once", () => {
  const noted = [0, 1].map((kernel) => ({ kernel, above: true, below: false, saturated: false, domain: false }));
  const builder = new GraphBuilder();
  const x = builder.input("x", { dtype: "f32", shape: [4, 4] });
  const graph = builder.finish([{ name: "y", value: matmul(matmul(x, x, "same"), x, "same") }]);
  expect(graph.labels).toEqual(["same", "same"]);
  const seen = new Observations();
  for (const step of [3, 4]) seen.executed(step, { ...emptyReport(), noted }, graph, false);
  expect(seen.result().noted).toEqual([{ step: 3, steps: 2, label: "same", kind: "above", exponent: 51 }]);
});

test("a state that reaches the end of the range stops the run, and a given one does not", async () => {
  const wild = regression({ rate: 2 ** 100 });
  await expect(run(wild, { checkpointEvery: 2, backend: wasm })).rejects.toMatchObject({ code: "VERDE_RUN_DIVERGED" });
  const given = defineJob({
    name: "given",
    steps: 3,
    data: () => ({}),
    loss(job) {
      job.state("end", { dtype: "f32", shape: [1] }, zeros);
      return sum(job.parameter("w", [2], normal(1)));
    },
    optimizer: () => sgd({ learningRate: 0.1 }),
  });
  const closed = await given.close();
  const { state } = await run(closed, { backend: wasm, stopOnDivergence: false });
  const full = state.map((tensor) => (tensor.name === "end" ? { ...tensor, data: Float32Array.of(2 ** 127) } : tensor));
  const started = { ...closed, init: { kind: "checkpoint" as const, state: full } };
  const result = await run(started, { backend: wasm });
  expect(result.diverged).toBeUndefined();
  expect(result.saturated.length).toBeGreaterThan(0);
});

test("a drill runs to its end", async () => {
  const result = await run(growing, { backend: wasm, fault: { kind: "lr", from: 2, factor: 2 } }).catch(
    (error: unknown) => error,
  );
  expect(result).toMatchObject({ diverged: { step: 4 } });
});
