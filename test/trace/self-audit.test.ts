/** The audit of a run by itself: which elements, how often, and what it finds. */
import { existsSync } from "node:fs";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { elementCount } from "../../src/encoding/tensor.ts";
import { BackendError } from "../../src/errors/index.ts";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { native } from "../../src/repops/backends/native/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import type { Kernel, KernelList, MapKernel } from "../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";
import { CapturedAudit } from "../../src/trace/captured-audit.ts";
import { Execution } from "../../src/trace/execution.ts";
import { openTrace, run } from "../../src/trace/index.ts";
import { SelfAudit } from "../../src/trace/self-audit.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import gpt from "../../examples/char-gpt.ts";

const path = temporaryFolder();
let job: ClosedJob;

beforeAll(async () => {
  job = await gpt.close({ layers: 1, dim: 16, heads: 2, context: 8, batch: 2, steps: 6 });
});
afterEach(() => vi.restoreAllMocks());

/** A clock that is `seconds` further each time it is read. */
function clock(seconds: number): () => number {
  let time = 0;
  return () => (time += 1000 * seconds);
}

const hereIs = async (backend: Backend): Promise<boolean> => {
  try {
    await backend.describe?.();
    return true;
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    console.log(`skipped: ${error.message}`);
    return false;
  }
};

describe("the audit of a run by itself", () => {
  test("chooses one element of each kernel, by job and step", () => {
    const audit = new SelfAudit(job, jobId(job), wasm.name, clock(1e6));
    audit.elementsIn(1);
    const [second, third] = [audit.elementsIn(2), audit.elementsIn(3)];
    expect(second.map(({ kernel }) => kernel)).toEqual([...job.step.kernels.keys()]);
    for (const { kernel, element } of second)
      expect(element).toBeLessThan(elementCount(job.step.kernels[kernel].type.shape));
    expect(second).not.toEqual(third);
    const again = new SelfAudit(job, jobId(job), wasm.name, clock(1e6));
    again.elementsIn(1);
    expect(again.elementsIn(2)).toEqual(second);
  });

  test("takes a hundredth of the time, by what the last one took", () => {
    let time = 0;
    const audit = new SelfAudit(job, jobId(job), wasm.name, () => time);
    const due: number[] = [];
    // A step takes a second, and an audit half of one.
    for (let step = 1; step <= 500; step++) {
      time += 1000;
      const elements = audit.elementsIn(step);
      if (elements.length === 0) continue;
      due.push(step);
      audit.check(step, {
        outOfRange: [],
        noted: [],
        roots: new Map(),
        captured: new Map(),
        audited: { elements: [], seconds: 0.5 },
      });
    }
    const [first, ...others] = due;
    expect(first).toBeLessThan(10);
    expect(others.length).toBeGreaterThan(5);
    for (const [i, step] of others.entries()) expect(step).toBeGreaterThanOrEqual(50 * (i + 2));
  });

  test("takes a hundredth of the time, with the time by which an audited step is slower", () => {
    let time = 0;
    const audit = new SelfAudit(job, jobId(job), wasm.name, () => time);
    const report = { outOfRange: [], noted: [], roots: new Map(), captured: new Map() };
    let [more, audits] = [0, 0];
    // A step takes 100 ms, and 40 ms more where its kernels are executed one by one for 1 ms of audit.
    for (let step = 1; step <= 3000; step++) {
      const audited = audit.elementsIn(step).length > 0 ? { elements: [], seconds: 0.001 } : undefined;
      // Once, something else holds the machine up for an hour.
      time += audited ? 140 + (audits === 1 ? 3_600_000 : 0) : 100;
      if (audited) {
        audits++;
        more += 40;
      }
      audit.check(step, { ...report, ...(audited && { audited }) });
    }
    expect(audits).toBeGreaterThan(10);
    expect(more).toBeLessThan(time - 3_600_000);
    expect(more).toBeLessThan(0.011 * time);
  });

  test.each([reference, wasm, native])("finds equal bits on $name, of every kernel", async (backend) => {
    if (!(await hereIs(backend))) return;
    const execution = await Execution.open(job, backend);
    await execution.initialise();
    const audit = new SelfAudit(job, jobId(job), backend.name, clock(1e6));
    for (let step = 1; step <= 5; step++) {
      const { audited } = await execution.advance({ audit: audit.elementsIn(step) });
      expect(audited!.elements.map(({ kernel }) => kernel)).toEqual([...job.step.kernels.keys()]);
      for (const { kernel, element, expected, found } of audited!.elements)
        expect(found, `step ${step}, kernel ${kernel}, element ${element}`).toBe(expected);
    }
    await execution.close();
  });

  test("copies what it needs from a backend that can't audit itself, a few kernels at a time", async () => {
    const execution = await Execution.open(job, unaudited(wasm), {
      audit: new SelfAudit(job, jobId(job), "other", clock(1e6)),
    });
    await execution.initialise();
    const seen = new Set<number>();
    // The first one finds out that it has to copy.
    expect((await execution.advance()).audited).toBeUndefined();
    for (let step = 2; step <= 5; step++)
      for (const { kernel, expected, found } of (await execution.advance()).audited!.elements) {
        seen.add(kernel);
        expect(found, `step ${step}, kernel ${kernel}`).toBe(expected);
      }
    expect([...seen].sort((a, b) => a - b)).toEqual([...job.step.kernels.keys()]);
    await execution.close();
  });

  test("takes its turn through kernels that are too large to be copied together", async () => {
    const rows = 2 ** 23;
    const list: KernelList = {
      inputs: [{ dtype: "f32", shape: [rows] }],
      kernels: [0, 1, 2].map((source) => doubled(source, rows)),
    };
    const session = await wasm.prepare(list, { keep: [3] });
    const audit = new CapturedAudit(list);
    const places = [0, 1, 2].map((kernel) => ({ kernel, element: rows - 1 - kernel }));
    const turns: number[][] = [];
    for (let turn = 0; turn < 3; turn++) {
      const { audited } = await audit.execute(session, places, {}, 0);
      turns.push(audited!.elements.map(({ kernel }) => kernel));
    }
    expect(turns).toEqual([[0], [1], [2]]);
    await session.close();
  });

  test("changes no root, and is told in the result", async () => {
    const without = await run(job, { backend: wasm });
    vi.spyOn(performance, "now").mockImplementation(clock(1000));
    const { runRoot, audit } = await run(job, { backend: wasm });
    expect(audit).toEqual({ steps: 1, elements: job.step.kernels.length });
    expect(runRoot).toEqual(without.runRoot);
  });

  test("stops a run on a backend that can't audit itself", async () => {
    vi.spyOn(performance, "now").mockImplementation(clock(1000));
    const kernel = job.step.kernels.findLastIndex(({ kind }) => kind === "fold");
    const broken = run(job, { backend: unaudited(breaking(wasm, kernel)) });
    await expect(broken).rejects.toMatchObject({ code: "VERDE_RUN_AUDIT", evidence: { step: 2, kernel } });
  });

  test.each([wasm, native])("stops a run on $name that has wrong bits, before it commits to them", async (backend) => {
    if (!(await hereIs(backend))) return;
    vi.spyOn(performance, "now").mockImplementation(clock(1000));
    for (const kind of backend === wasm ? (["map", "fold"] as const) : (["fold"] as const)) {
      const kernel = job.step.kernels.findLastIndex((one) => one.kind === kind && one.type.dtype === "f32");
      const out = path(`${backend.name}-${kind}.trace`);
      const broken = run(job, { backend: breaking(backend, kernel), out, commitEvery: 1, checkpointEvery: 1 });
      await expect(broken).rejects.toMatchObject({
        code: "VERDE_RUN_AUDIT",
        evidence: { step: 1, kernel, label: job.step.labels[kernel], backend: "broken" },
      });
      expect(existsSync(out)).toBe(true);
      expect((await openTrace(out)).recorded).toBe(1);
    }
  });
});

/** A backend whose sessions take no notice of an audit. */
function unaudited(backend: Backend): Backend {
  return {
    name: backend.name === "broken" ? "broken" : "other",
    prepare: async (list, options) => {
      const session = await backend.prepare(list, options);
      const execute = session.execute.bind(session);
      session.execute = (asked = {}) => execute({ ...asked, audit: [] });
      return session;
    },
  };
}

function doubled(tensor: number, rows: number): Kernel {
  const view = { offset: 0, strides: [1] };
  const args: MapKernel["args"] = [{ kind: "operand", tensor, view, clampRange: "none" }];
  return { kind: "map", type: { dtype: "f32", shape: [rows] }, program: defineProgram("f", (x) => x.add(x)), args };
}

/** A backend whose code for one kernel computes something else, while the kernel list stays right. */
function breaking(backend: Backend, wrong: number): Backend {
  return {
    name: "broken",
    prepare: async (list, options) => {
      const isStep = list.kernels.length === job.step.kernels.length;
      const kernels = [...list.kernels];
      if (isStep) kernels[wrong] = altered(kernels[wrong]);
      const session = await backend.prepare({ ...list, kernels }, options);
      // Code is generated when a list is prepared. What follows reads the list.
      kernels.splice(0, kernels.length, ...list.kernels);
      return session;
    },
  };
}

/**
 * With another result for most elements: a fold leaves its last step out, and a map reads one element
 * everywhere.
 */
function altered(kernel: Kernel): Kernel {
  if (kernel.kind === "gather") throw new Error("a gather has no program");
  return kernel.kind === "fold"
    ? { ...kernel, reduce: [...kernel.reduce.slice(0, -1), kernel.reduce[kernel.reduce.length - 1] - 1] }
    : { ...kernel, args: kernel.args.map(moved) };
}

const moved = (arg: Exclude<Kernel, { kind: "gather" }>["args"][number]): typeof arg =>
  arg.kind === "operand" ? { ...arg, view: { ...arg.view, strides: arg.view.strides.map(() => 0) } } : arg;
