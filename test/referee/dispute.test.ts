import { copyFile, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elementCount } from "../../src/encoding/tensor.ts";
import { unravel } from "../../src/encoding/tensor.ts";
import { ClaimStore } from "../../src/claims/store.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { checkVerdict } from "../../src/referee/check-verdict.ts";
import { type Divergence, dispute, type DisputeOptions } from "../../src/referee/dispute.ts";
import { replayRuling } from "../../src/referee/replay.ts";
import type { PartyInput } from "../../src/referee/party.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { runRootOf } from "../../src/trace/commitments.ts";
import { openTrace } from "../../src/trace/index.ts";
import { MetricEntries } from "../../src/trace/metrics.ts";
import { TraceWriter } from "../../src/trace/writer.ts";
import { type Fault, run, type RunOptions, startFrom } from "../../src/trace/index.ts";
import { pointLength } from "../../src/repops/kernels/point.ts";
import { claimsOf, claimTrace } from "../fixtures/claims.ts";
import { smallJob } from "./small-job.ts";

describe("dispute about traces", () => {
  let folder = "";
  let job: ClosedJob;
  let claims: ClaimStore;
  let made = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "verde-dispute-"));
    claims = new ClaimStore(join(folder, "state"));
    job = await smallJob();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Runs the job once more; gives the trace's path. */
  async function trace(options: RunOptions = {}, of: ClosedJob = job): Promise<string> {
    const out = join(folder, `${made++}.trace`);
    await run(of, { out, ...options });
    await claimTrace(claims, out);
    return out;
  }

  async function divergence(a: PartyInput, b: PartyInput, options?: DisputeOptions): Promise<Divergence> {
    const result = await dispute(a, b, { claims, ...options });
    if (result.outcome !== "divergence") throw new Error(JSON.stringify(result));
    const checked = checkVerdict(JSON.parse(JSON.stringify(result.verdict)), claimsOf(result.parties));
    expect(checked.losers.map((side) => result.parties[side].id)).toEqual(result.losers);
    return result;
  }

  /** The files of those who are wrong. */
  const wrongTraces = ({ parties, losers }: Divergence): string[] =>
    parties.filter(({ id }) => losers.includes(id)).map(({ name }) => name);

  const settings = [{ commitEvery: 1 }, { commitEvery: 4 }, { commitEvery: 2, checkpointEvery: 2 }] as const;

  it("two honest runs agree, whatever the backend", async () => {
    const [a, b, c] = [await trace(), await trace(), await trace({ backend: reference, checkpointEvery: 0 })];
    for (const other of [b, c]) expect(await dispute(a, other)).toMatchObject({ outcome: "agree", losers: [] });
  });

  it("a flipped bit is found at the first and the last node, step and element", async () => {
    for (const setting of settings) {
      const honest = await trace(setting);
      for (const step of [0, 1, job.steps]) {
        const { kernels } = step === 0 && job.init.kind === "graph" ? job.init.graph : job.step;
        for (const node of [0, kernels.length - 1]) {
          const count = elementCount(kernels[node].type.shape);
          const fault: Fault = { kind: "flip", step, operator: node, element: count - 1, bit: 30 };
          const liar = await trace({ ...setting, fault });
          for (const [a, b] of [
            [honest, liar],
            [liar, honest],
          ]) {
            const result = await divergence(a, b);
            expect(wrongTraces(result)).toEqual([liar]);
            expect(result).toMatchObject({
              step,
              operator: { number: node },
              element: unravel(count - 1, kernels[node].type.shape),
            });
          }
        }
      }
    }
  });

  it("a bit flipped anywhere is found exactly, or has no effect on what is committed to", async () => {
    const honest = await Promise.all(settings.map((setting) => trace(setting)));
    let found = 0;
    const place = fc.record({
      setting: fc.constantFrom(0, 1, 2),
      step: fc.integer({ min: 1, max: job.steps }),
      node: fc.nat(job.step.kernels.length - 1),
      element: fc.nat(),
      bit: fc.constantFrom(22, 29, 30, 31),
      first: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(place, async ({ setting, step, node, element: any, bit, first }) => {
        const kernel = job.step.kernels[node];
        const { type } = kernel;
        const element = any % elementCount(type.shape);
        const liar = await trace({ ...settings[setting], fault: { kind: "flip", step, operator: node, element, bit } });
        const pair = first ? [liar, honest[setting]] : [honest[setting], liar];
        const result = await dispute(pair[0], pair[1], { claims });
        if (result.outcome === "agree") return;
        if (result.outcome === "undecided") throw new Error(JSON.stringify(result.silent));
        found++;
        expect(wrongTraces(result)).toEqual([liar]);
        expect(result).toMatchObject({ step, operator: { number: node }, element: unravel(element, type.shape) });
        // A short fold is executed whole.
        const whole = result.fold === null && kernel.kind === "fold";
        expect(result.figures.scalarSteps).toBe(whole ? pointLength(kernel) : 1);
        expect(result.figures.scalarSteps).toBeLessThanOrEqual(8);
        expect(checkVerdict(result.verdict, claimsOf(result.parties)).restsOn).toBe("evidence");
      }),
      { seed: 20261120, numRuns: 30 },
    );
    expect(found).toBeGreaterThan(20);
  });

  it("another rate, other data and a skipped step are found where they begin", async () => {
    for (const setting of settings) {
      const honest = await trace(setting);
      for (const [fault, label] of [
        [{ kind: "lr", from: 3, factor: 1.25 }, /learning-rate/],
        [{ kind: "data", from: 3 }, /^batch/],
        [{ kind: "skip", step: 3 }, /^new state/],
      ] as [Fault, RegExp][]) {
        const liar = await trace({ ...setting, fault });
        for (const recompute of ["scalar", "operator"] as const) {
          const result = await divergence(liar, honest, { recompute });
          expect(wrongTraces(result)).toEqual([liar]);
          expect(result.step).toBe(3);
          expect(result.operator!.label).toMatch(label);
        }
      }
    }
  });

  it("both are blamed that are wrong at the same place", async () => {
    const at = { kind: "flip", step: 2, operator: 8, element: 1 } as const;
    const [a, b] = [await trace({ fault: { ...at, bit: 30 } }), await trace({ fault: { ...at, bit: 29 } })];
    const result = await divergence(a, b);
    expect(wrongTraces(result)).toEqual([a, b]);
    expect(result.claimed).not.toContainEqual(result.recomputed);
  });

  it("a run that was recorded in detail can be disputed without its folder", async () => {
    const options = { detail: "operators", commitEvery: 3 } as const;
    const honest = await trace(options);
    const liar = await trace({ ...options, fault: { kind: "flip", step: 5, operator: 4, element: 2, bit: 30 } });
    for (const [alone, whole] of [
      [honest, liar],
      [liar, honest],
    ]) {
      const file = join(folder, `alone-${made++}.trace`);
      await copyFile(alone, file);
      const result = await divergence(file, whole);
      expect(result).toMatchObject({ step: 5, operator: { number: 4 }, element: null, fold: null });
      expect(wrongTraces(result)).toEqual([alone === liar ? file : liar]);
      const stuck = await dispute(file, whole, { claims, recompute: "scalar" });
      expect(stuck).toMatchObject({ outcome: "undecided", losers: [], silent: [{ id: "a", name: file }] });
      const second = join(folder, `alone-${made++}.trace`);
      await copyFile(whole, second);
      const mute = await dispute(file, second, { claims });
      expect(mute).toMatchObject({ outcome: "undecided", silent: [{ id: "a" }, { id: "b" }] });
    }
  });

  it("an honest root does not lose by a file that states false operators above it", async () => {
    const options = { detail: "operators" } as const;
    const honest = await trace(options);
    const liar = await trace({ ...options, fault: { kind: "skip", step: 5 } });
    const opened = await openTrace(honest);
    const forged = join(folder, `false-${made++}.trace`);
    const writer = await TraceWriter.create(forged, opened.manifest);
    for await (const record of opened.records()) {
      const opRoots = record.step === 5 ? record.opRoots!.with(2, new Uint8Array(32).fill(7) as never) : record.opRoots;
      await writer.step({ ...record, ...(opRoots && { opRoots }) });
    }
    await writer.end(opened.runRoot!);
    await writer.close();
    expect((await openTrace(forged)).runRoot).toEqual(opened.runRoot);
    const result = await dispute(forged, liar, { claims });
    expect(result).toMatchObject({
      outcome: "undecided",
      silent: [{ id: "a", reason: expect.stringContaining("not those of the run that it claims") }],
    });
    const right = join(folder, `right-${made++}.trace`);
    await copyFile(liar, right);
    const lost = await divergence(right, honest);
    expect(lost).toMatchObject({ losers: ["a"], replayed: 1 });
  });

  it("a run that began with given weights is disputed from its records alone, at every operator", async () => {
    // Its seed is an entry that no step changes: what it is, only record 0 says.
    const weights = (await run(job, {})).state.filter(({ name }) => name.endsWith("weight"));
    const { job: started } = await startFrom(job, weights, { partial: true });
    const options = { detail: "operators", commitEvery: 3, checkpointEvery: 0 } as const;
    const honest = await trace(options, started);
    const alone = join(folder, `alone-${made++}.trace`);
    await copyFile(honest, alone);
    let found = 0;
    for (const step of [1, 3, job.steps])
      for (const operator of [...job.step.kernels.keys()].filter((number) => number % 7 === step % 7)) {
        const fault: Fault = { kind: "flip", step, operator, element: 0, bit: 30 };
        const liar = await trace({ ...options, fault }, started);
        const result = await dispute(alone, liar, { recompute: "operator" });
        if (result.outcome === "agree") continue;
        if (result.outcome === "undecided") throw new Error(JSON.stringify(result.silent));
        found++;
        const liarAlone = join(folder, `alone-${made++}.trace`);
        await copyFile(liar, liarAlone);
        const other = await divergence(liarAlone, honest, { recompute: "operator" });
        expect([result, other].map(wrongTraces)).toEqual([[liar], [liarAlone]]);
        for (const { step: at, operator: where } of [result, other])
          expect({ at, number: where?.number }).toEqual({ at: step, number: operator });
      }
    expect(found).toBeGreaterThan(5);
  });

  it("a claim that its own author can't reach is undecided, or lost if silence is, or lost by a replay", async () => {
    const honest = await trace();
    const opened = await openTrace(honest);
    const { manifest, segmentRoots } = opened;
    for (const step of [0, 3, job.steps]) {
      const forged = join(folder, `forged-${made++}.trace`);
      const roots = (await segmentRoots.slice(0, segmentRoots.length)).slice();
      const writer = await TraceWriter.create(forged, manifest);
      for await (const record of opened.records()) {
        // Another state with the same metrics: its own proof leads to its own root.
        const metricsProof = record.metricsProof!.map((hash, i) =>
          hash.map((byte) => (i === 0 && record.step === step ? byte ^ 1 : byte)),
        );
        roots[record.step] = new MetricEntries(job).stateRoot(record.metrics, metricsProof)!;
        await writer.step({ ...record, metricsProof, root: roots[record.step] });
      }
      await writer.end(runRootOf(manifest.jobId, manifest.commitEvery, roots));
      await writer.close();
      await cp(honest.replace(".trace", ".data"), forged.replace(".trace", ".data"), { recursive: true });
      const open = await dispute(honest, forged, { claims });
      expect(open).toMatchObject({ outcome: "undecided", losers: [], silent: [{ id: "b", name: forged }] });
      const result = await divergence(honest, forged, { forfeitSilent: true });
      expect(wrongTraces(result)).toEqual([forged]);
      expect(result.decision.kind).toBe("forfeit");
      expect(result.reasons[1]).toContain("another state");
      const ruling = checkVerdict(result.verdict, claimsOf(result.parties));
      if (ruling.kind !== "ruling") throw new Error("no ruling");
      if (ruling.segment) {
        const replayed = await replayRuling(ruling, await openTrace(honest));
        expect(replayed.losers).toEqual([1]);
        expect(replayed.steps).toBe(1);
      }
    }
  });

  it("parties are named by the ids that they have been given, or by letters", async () => {
    const honest = await trace();
    const liar = await trace({ fault: { kind: "skip", step: 2 } });
    const [ada, ben] = [
      { id: "ada", trace: honest },
      { id: "ben", name: "Ben", trace: liar },
    ];
    const result = await divergence(liar, honest);
    expect(result).toMatchObject({
      losers: ["a"],
      parties: [
        { id: "a", name: liar },
        { id: "b", name: honest },
      ],
    });
    expect(result.parties.map(({ runRoot }) => runRoot)).toEqual(result.runRoots);
    const named = await divergence(ada, ben);
    expect(named).toMatchObject({
      losers: ["ben"],
      parties: [
        { id: "ada", name: honest },
        { id: "ben", name: "Ben" },
      ],
    });
    expect(checkVerdict(named.verdict, claimsOf(named.parties)).losers).toEqual([1]);
    expect(await dispute(ada, honest)).toMatchObject({ outcome: "agree", parties: [{ id: "ada" }, { id: "b" }] });
    await expect(dispute(ada, { ...ben, id: "ada" })).rejects.toThrow("two parties have the id ada");
    await expect(dispute(honest, { id: "a", trace: liar })).rejects.toThrow("two parties have the id a");
  });

  it("what can't be compared is refused with what to do", async () => {
    const honest = await trace();
    const liar = await trace({ fault: { kind: "skip", step: 2 } });
    await expect(dispute(honest, await trace({ commitEvery: 2 }))).rejects.toThrow("--commit-every");
    for (const [options, part] of [
      [{ steps: 5 }, "steps"],
      [{ rate: 0.1 }, "(step graph: from operator"],
      [{ seed: 3 }, "different jobs (initial state"],
    ] as const)
      await expect(dispute(honest, await trace({}, await smallJob(options)))).rejects.toThrow(part);
    await rm(liar.replace(".trace", ".data"), { recursive: true });
    expect(await dispute(honest, liar)).toMatchObject({ outcome: "undecided", silent: [{ id: "b", name: liar }] });
    const { manifest } = await openTrace(honest);
    const cut = join(folder, "cut.trace");
    const writer = await TraceWriter.create(cut, manifest);
    await writer.close();
    await expect(dispute(honest, cut)).rejects.toMatchObject({ family: "VERDE_FORMAT" });
  });
});
