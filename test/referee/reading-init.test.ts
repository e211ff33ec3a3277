/** Jobs whose init graph reads the dataset, jobs of no steps, and datasets of several lists (spec 6.5, 6.6). */
import { describe, expect, test } from "vitest";
import { climbDataset, datasetRoot, listsRoot, proveInDataset } from "../../src/encoding/lists.ts";
import { bytesEqual, toHex } from "../../src/encoding/bytes.ts";
import { climbLeaf } from "../../src/encoding/merkle.ts";
import { stateRoot, tensorRoot, type TensorRoot } from "../../src/encoding/tensor.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { checkJob, type ClosedJob, jobId, outlineOf, partsOf, jobIdOf } from "../../src/job/closed.ts";
import { checkVerdict } from "../../src/referee/check-verdict.ts";
import type { Arg } from "../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { jobTermsOf } from "../../src/settlement/job-terms.ts";
import { jobFromBytes, jobToBytes } from "../../src/trace/job-file.ts";
import { run } from "../../src/trace/run.ts";
import { disputeRemembered } from "./remembered-dispute.ts";
import { tinyJob } from "./tiny-job.ts";

const read = (tensor: number, strides: number[]): Arg => ({
  kind: "operand",
  tensor,
  clampRange: "none",
  view: { offset: 0, strides },
});

/** The tiny job, whose init graph reads all three tensors of its dataset; the entry `echo` is one of them. */
function readingJob(steps: number, lists?: readonly number[]): ClosedJob {
  const tiny = tinyJob(Math.max(steps, 1));
  if (tiny.init.kind !== "graph") throw new Error("the tiny job has an init graph");
  const { kernels, labels, outputs } = tiny.init.graph;
  const moved = kernels.map((kernel) => kernel);
  const reads: Graph["kernels"] = [
    { kind: "map", type: { dtype: "f32", shape: [12, 7] }, program: defineProgram("ff", (x, y) => x.add(y)), args: [read(0, [0, 1]), read(1, [0, 0])] }, // prettier-ignore
    ...moved.slice(1, 7),
    { kind: "map", type: { dtype: "i32", shape: [12] }, program: defineProgram("i", (i) => i.mul(3)), args: [read(2, [0])] }, // prettier-ignore
  ];
  const graph: Graph = {
    inputs: tiny.dataset.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    kernels: reads,
    labels,
    outputs: outputs.map(({ name, tensor }) => ({ name, tensor: name === "echo" ? 0 : tensor + 3 })),
  };
  const job: ClosedJob = { ...tiny, steps, init: { kind: "graph", graph }, ...(lists && { lists }) };
  checkJob(job);
  return job;
}

describe("a dataset of several lists", () => {
  const roots = tinyJob(1).dataset.map(tensorRoot);
  const cases = [[1, 2], [3], [0, 2, 1], [1, 1, 1], [2, 0, 0, 1]];

  test("has proofs that lead to its root for their own place alone", () => {
    for (const lengths of cases)
      for (const index of roots.keys()) {
        const proof = proveInDataset(roots, lengths, index);
        for (const [other, claimed] of roots.entries())
          for (const place of roots.keys()) {
            const reached = climbDataset(claimed, { count: 3, lengths, index: place }, proof, climbLeaf);
            const holds = reached !== undefined && bytesEqual(reached, datasetRoot(roots, lengths));
            expect(holds, `${lengths} ${index} ${other} ${place}`).toBe(other === index && place === index);
          }
      }
  });

  test("is bound to how its tensors are cut, and follows from the roots of its lists", () => {
    const all = cases.map((lengths) => toHex(datasetRoot(roots, lengths)));
    expect(new Set([...all, toHex(datasetRoot(roots))]).size).toBe(cases.length + 1);
    const parts = [roots.slice(0, 1), roots.slice(1)];
    const own = parts.map((list: TensorRoot[]) => ({ length: list.length, root: stateRoot(list) }));
    expect(listsRoot(own)).toEqual(datasetRoot(roots, [1, 2]));
  });

  test("is refused where its lists are not all tensors", () => {
    for (const lists of [
      [1, 1],
      [1, 3],
      [4, -1],
      [1.5, 1.5],
    ])
      expect(() => readingJob(1, lists)).toThrow(expect.objectContaining({ code: "VERDE_JOB_DATA" }));
  });

  test("belongs to the job's id, and survives a job file", async () => {
    const job = readingJob(2, [1, 2]);
    const ids = [readingJob(2), job, readingJob(2, [2, 1]), readingJob(0, [1, 2])].map((each) => toHex(jobId(each)));
    expect(new Set(ids).size).toBe(4);
    const again = await jobFromBytes(jobToBytes(job), "a file");
    expect(again.lists).toEqual([1, 2]);
    expect(jobIdOf(partsOf(outlineOf(again)))).toEqual(jobId(job));
  });
});

describe("a job whose init graph reads its dataset", () => {
  test("has one run root on both backends, also without steps", async () => {
    for (const steps of [0, 2]) {
      const job = readingJob(steps, [2, 1]);
      const [fast, slow] = [await run(job, { backend: wasm }), await run(job, { backend: reference })];
      expect(fast.runRoot).toEqual(slow.runRoot);
      expect(fast.segmentRoots).toHaveLength(1 + steps);
      if (steps === 0) expect(fast.state.find(({ name }) => name === "echo")!.data).toEqual(job.dataset[0].data);
    }
  });

  test("takes all tensors or none", () => {
    const job = readingJob(1);
    if (job.init.kind !== "graph") throw new Error("no init graph");
    const { graph } = job.init;
    const fewer = { ...graph, inputs: graph.inputs.slice(0, 2), kernels: graph.kernels.slice(0, 0), labels: [] };
    const broken: ClosedJob = {
      ...job,
      init: { kind: "graph", graph: { ...fewer, outputs: [{ name: "echo", tensor: 0 }] } },
    };
    expect(() => checkJob(broken)).toThrow(expect.objectContaining({ code: "VERDE_JOB_INIT" }));
  });

  test("has disputes about it that end at the liar, with a verdict that holds", async () => {
    const places = [...[0, 1, 2, 7].map((kernel) => ({ kernel })), ...[0, 3, 7].map((entry) => ({ entry }))];
    for (const steps of [0, 1])
      for (const lists of [undefined, [1, 2], [0, 2, 1]])
        for (const at of places) {
          const job = readingJob(steps, lists);
          const fault = { step: 0, at, element: 1, flip: 2 ** 21 };
          const setting = { job, faults: [[], [fault]] as const };
          const { decision, verdict, claims, location } = await disputeRemembered(setting);
          expect(decision.losers, JSON.stringify({ steps, lists, at })).toEqual([1]);
          expect(location.step).toBe(0);
          expect(checkVerdict(JSON.parse(JSON.stringify(verdict)), claims).losers).toEqual([1]);
        }
  });

  test("is not taken to a chain, whose contracts do not play it", () => {
    for (const job of [readingJob(1), readingJob(0), { ...tinyJob(1), lists: [3] }])
      expect(() => jobTermsOf(outlineOf(job), 1)).toThrow(expect.objectContaining({ code: "VERDE_JOB_ON_CHAIN" }));
    expect(jobTermsOf(outlineOf(tinyJob(1)), 1).steps).toBe(1);
  });
});
