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
import type { Kernel } from "../../src/repops/kernels/kernel.ts";
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
    const report = { outOfRange: [], roots: new Map(), captured: new Map() };
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

  test("changes no root, and is told in the result", async () => {
    const without = await run(job, { backend: wasm });
    vi.spyOn(performance, "now").mockImplementation(clock(1000));
    const { runRoot, audit } = await run(job, { backend: wasm });
    expect(audit).toEqual({ steps: 1, elements: job.step.kernels.length });
    expect(runRoot).toEqual(without.runRoot);
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
