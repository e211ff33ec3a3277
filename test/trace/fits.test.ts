/** Jobs that are larger than the machine: refused with their figures before anything of their size is made. */
import { describe, expect, test } from "vitest";
import { MAX_ELEMENTS } from "../../src/encoding/tensor.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { defineProgram, float } from "../../src/repops/programs/expressions.ts";
import { checkFits, needsOf } from "../../src/trace/fits.ts";
import { loadClosedJob, openTrace, Replayer, run } from "../../src/trace/index.ts";
import { manifestOf } from "../../src/trace/manifest.ts";
import { runRootOf } from "../../src/trace/commitments.ts";
import type { StateRoot } from "../../src/encoding/tensor.ts";
import { TraceWriter } from "../../src/trace/writer.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();

/** A job of few bytes whose state has 4 TiB. */
function huge(): ClosedJob {
  const type = { dtype: "f32", shape: [MAX_ELEMENTS] } as const;
  const names = Array.from({ length: 512 }, (_, i) => `w${i}`);
  const fill = { kind: "map", type, program: defineProgram("", () => float(0)), args: [] } as const;
  const graph = (inputs: Graph["inputs"]): Graph => ({
    inputs,
    kernels: names.map(() => fill),
    labels: names,
    outputs: names.map((name, i) => ({ name, tensor: inputs.length + i })),
  });
  return {
    name: "huge",
    steps: 1,
    step: graph(names.map((name) => ({ name, ...type }))),
    init: { kind: "graph", graph: graph([]) },
    dataset: [],
    unit: { name: "steps", perStep: 1 },
  };
}

describe("the memory of a job", () => {
  test("is counted from its graphs", () => {
    const job = regression();
    // w, count and three metrics; 8 rows of x and y; at the errors: the batch's rows, targets, predictions, errors.
    expect(needsOf(job)).toEqual({ state: 12 + 4 + 4 + 4 + 8, dataset: 96 + 32, outputs: 48 + 16 + 16 + 16 });
    expect(needsOf(job, true).outputs).toBe(16 + 48 + 16 + 16 + 16 + 4 + 12 + 4 + 12 + 4);
  });

  test("may be all that there is, and not a byte more", () => {
    const job = regression();
    checkFits(job, wasm, 256);
    expect(() => checkFits(job, wasm, 255)).toThrow("the job regression does not fit this machine: it needs");
    // The reference keeps the outputs of all operators.
    checkFits(job, reference, 308);
    expect(() => checkFits(job, reference, 307)).toThrow(expect.objectContaining({ code: "VERDE_JOB_TOO_LARGE" }));
  });
});

describe("a job that is larger than the machine", () => {
  const refused = { code: "VERDE_JOB_TOO_LARGE", message: expect.stringContaining("4096.0 GiB for its state") };

  test("is not run", async () => {
    await expect(run(huge())).rejects.toMatchObject(refused);
  });

  test("is not replayed from a trace, whatever backend the trace states", async () => {
    const settings = { commitEvery: 1, checkpointEvery: 0, detail: "steps", backend: "reference" } as const;
    const manifest = manifestOf(huge(), settings);
    const writer = await TraceWriter.create(path("huge.trace"), manifest);
    const root = new Uint8Array(32) as unknown as StateRoot;
    for (const step of [0, 1]) await writer.step({ step, root, metrics: [] });
    await writer.end(runRootOf(manifest.jobId, 1, [root, root]));
    await writer.close();
    await expect(loadClosedJob(await openTrace(path("huge.trace")))).rejects.toMatchObject(refused);
    await expect(Replayer.open(path("huge.trace"))).rejects.toMatchObject(refused);
    await expect(Replayer.open(path("huge.trace"), { backend: reference })).rejects.toMatchObject(refused);
  });
});
