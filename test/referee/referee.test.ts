import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../src/encoding/tensor.ts";
import { type TrainingProver } from "../../src/referee/claim.ts";
import { countScalarSteps } from "../../src/referee/cost.ts";
import type { Pair, Side } from "../../src/game/level.ts";
import { outlineOf } from "../../src/job/closed.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { trainingMachine } from "../../src/referee/machine.ts";
import { disputeRemembered, hearRemembered } from "./remembered-dispute.ts";
import type { Fault } from "./remembered-run.ts";
import { tinyJob } from "./tiny-job.ts";

const job = tinyJob(6);
/** What every later step depends on, so that no fault is forgotten before it is committed to. */
const LASTING = [1, 2, 3, 4, 5, 6, 7];

const lastingFault = fc
  .record({
    step: fc.integer({ min: 1, max: 6 }),
    kernel: fc.constantFrom(...LASTING),
    place: fc.nat(),
    flip: fc.constantFrom(0x3f000000, 0x3f000001, 0x3fc00000),
  })
  .map(({ step, kernel, place, flip }): Fault => {
    const count = elementCount(job.step.kernels[kernel].type.shape);
    return { step, at: { kernel }, element: place % count, flip };
  });

const compareFaults = (a: Fault, b: Fault) => a.step - b.step || kernelOf(a) - kernelOf(b) || a.element - b.element;
const kernelOf = ({ at }: Fault) => ("kernel" in at ? at.kernel : Infinity);

const machine = trainingMachine(jobFacts(outlineOf(job), 3));

const silent = (side: Side, part: keyof TrainingProver) => (provers: Pair<TrainingProver>) =>
  [0, 1].map((at) =>
    at === side ? { ...provers[at], [part]: async () => undefined } : provers[at as Side],
  ) as unknown as Pair<TrainingProver>;

describe("referee", () => {
  it("localises a single fault exactly, and blames its author in either order", async () => {
    await fc.assert(
      fc.asyncProperty(lastingFault, fc.integer({ min: 1, max: 7 }), async (fault, commitEvery) => {
        for (const side of [0, 1] as const) {
          const faults = side === 0 ? ([[fault], []] as const) : ([[], [fault]] as const);
          const { decision, location, figures } = await disputeRemembered({ job, commitEvery, faults });
          expect(decision).toMatchObject({ kind: "scalar", losers: [side] });
          expect(location).toMatchObject({ step: fault.step, operator: { number: kernelOf(fault) } });
          expect(figures.scalarSteps).toBe(1);
        }
      }),
      { seed: 20261120, numRuns: 60 },
    );
  });

  it("leads two liars to the earlier of their faults", async () => {
    await fc.assert(
      fc.asyncProperty(lastingFault, lastingFault, async (one, other) => {
        fc.pre(compareFaults(one, other) !== 0);
        const { decision, location } = await disputeRemembered({ job, faults: [[one], [other]] });
        const side = compareFaults(one, other) < 0 ? 0 : 1;
        expect(decision.losers).toEqual([side]);
        expect(location.step).toBe(side === 0 ? one.step : other.step);
      }),
      { seed: 20261120, numRuns: 40 },
    );
  });

  it("recomputes a whole operator when it is asked to, and sees the same element", async () => {
    await fc.assert(
      fc.asyncProperty(lastingFault, fc.constantFrom<Side>(0, 1), async (fault, side) => {
        const faults = side === 0 ? ([[fault], []] as const) : ([[], [fault]] as const);
        const scalar = await disputeRemembered({ job, faults });
        const whole = await disputeRemembered({ job, faults, options: { depth: "operator" } });
        expect(whole.decision).toMatchObject({ kind: "operator", losers: [side] });
        expect(whole.location).toMatchObject({ step: fault.step, operator: scalar.location.operator, fold: null });
        expect(whole.decision.seen).toMatchObject({ element: fault.element });
        expect(whole.decision.seen!.recomputed).toEqual(whole.decision.seen!.claimed[1 - side]);
        const kernel = job.step.kernels[kernelOf(fault)];
        expect(whole.figures.scalarSteps).toBe(countScalarSteps({ kernels: [kernel] }));
      }),
      { seed: 20261120, numRuns: 25 },
    );
  });

  it("recomputes an operator although one party can't show its output", async () => {
    const fault: Fault = { step: 3, at: { kernel: 2 }, element: 5, flip: 0x3f000000 };
    for (const side of [0, 1] as const) {
      const replace = (provers: Pair<TrainingProver>) => silent(side, "operands")(silent(side, "output")(provers));
      const { decision } = await disputeRemembered({
        job,
        faults: [[], [fault]],
        replace,
        options: { depth: "operator" },
      });
      expect(decision).toMatchObject({ kind: "operator", losers: [1] });
      expect(decision.seen).toBeUndefined();
    }
  });

  it("takes the operands from whoever shows them, since they are agreed", async () => {
    const fault: Fault = { step: 3, at: { kernel: 2 }, element: 5, flip: 0x3f000000 };
    for (const side of [0, 1] as const) {
      const { decision } = await disputeRemembered({ job, faults: [[], [fault]], replace: silent(side, "witness") });
      expect(decision).toMatchObject({ kind: "scalar", losers: [1], shownBy: 1 - side });
    }
    const neither = (provers: Pair<TrainingProver>) => silent(0, "witness")(silent(1, "witness")(provers));
    const setting = { job, faults: [[], [fault]], replace: neither } as const;
    const { finding } = await hearRemembered(setting);
    expect(finding).toMatchObject({ kind: "undecided", reasons: [expect.any(String), expect.any(String)] });
    const { decision } = await disputeRemembered({ ...setting, options: { forfeitSilent: true } });
    expect(decision).toMatchObject({ kind: "forfeit", losers: [0, 1] });
  });

  it("does not take operands that are not agreed", async () => {
    const fault: Fault = { step: 3, at: { kernel: 2 }, element: 5, flip: 0x3f000000 };
    for (const side of [0, 1] as const) {
      const lying = (provers: Pair<TrainingProver>) => {
        const { witness } = provers[side];
        const forged: TrainingProver = {
          ...provers[side],
          witness: async (at) => {
            const shown = await witness(at);
            const [first, ...rest] = shown!.operands;
            return { ...shown!, operands: [{ ...first, chunk: first.chunk.map((byte) => byte ^ 1) }, ...rest] };
          },
        };
        return (side === 0 ? [forged, provers[1]] : [provers[0], forged]) as Pair<TrainingProver>;
      };
      const { decision } = await disputeRemembered({ job, faults: [[], [fault]], replace: lying });
      expect(decision).toMatchObject({ kind: "scalar", losers: [1], shownBy: 1 - side });
    }
  });

  it("decides nothing when a party can't open its claim, at any level, unless silence loses", async () => {
    const fault: Fault = { step: 4, at: { kernel: 4 }, element: 5, flip: 0x3f000000 };
    for (const name of ["segment", "step", "operator", "chunk", "fold"])
      for (const side of [0, 1] as const) {
        const replace = (provers: Pair<TrainingProver>) => {
          const stopped: TrainingProver = {
            ...provers[side],
            answer: async (put) => (machine.under(put.at)?.name === name ? undefined : provers[side].answer(put)),
          };
          return (side === 0 ? [stopped, provers[1]] : [provers[0], stopped]) as Pair<TrainingProver>;
        };
        const setting = { job, commitEvery: 3, faults: [[], [fault]], replace } as const;
        const { finding } = await hearRemembered(setting);
        expect(finding.kind).toBe("undecided");
        expect(finding.reasons![1 - side]).toBeUndefined();
        const { decision } = await disputeRemembered({ ...setting, options: { forfeitSilent: true } });
        expect(decision).toMatchObject({ kind: "forfeit", losers: [side] });
        expect(decision.reasons![side]).toContain("no answer");
      }
  });

  it("sends and executes little, and counts it", async () => {
    const fault: Fault = { step: 4, at: { kernel: 2 }, element: 40, flip: 0x3f000000 };
    const { figures } = await disputeRemembered({ job, commitEvery: 2, faults: [[], [fault]] });
    expect(figures).toMatchObject({ scalarSteps: 1, rounds: expect.any(Number), bytes: expect.any(Number) });
    expect(figures.rounds).toBeLessThan(25);
    expect(figures.bytes).toBeLessThan(6000);
    expect(countScalarSteps(job.step)).toBe(6 + 42 + 72 * 7 + 72 + 12 * 6 + 84 + 84 + 1 + 0 + 0 + 12 * 7);
  });
});
