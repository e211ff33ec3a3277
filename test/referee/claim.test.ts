import { describe, expect, it } from "vitest";
import { Writer } from "../../src/encoding/bytes.ts";
import { outlineOf } from "../../src/job/closed.ts";
import type { Position } from "../../src/game/level.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { courseTo } from "../../src/referee/course.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import type { Memory } from "../../src/referee/memory.ts";
import { accumulators } from "../../src/repops/kernels/point.ts";
import { rememberedRun } from "./remembered-run.ts";
import { tinyJob } from "./tiny-job.ts";

const job = tinyJob(4);
const facts = jobFacts(outlineOf(job), 2);
const STEP = 3;
/** A dot product with a fold that is not executed whole. */
const KERNEL = 2;
const positionTo = (element: number): Position =>
  courseTo(facts, { step: STEP, kernel: KERNEL, element }).map(({ level, index, part }) => ({
    level: level.name,
    index,
    part,
  }));

describe("a training prover", () => {
  it("answers for each element of one chunk with that element's fold", async () => {
    const run = await rememberedRun(job, 2);
    const kernel = job.step.kernels[KERNEL];
    if (kernel.kind !== "fold") throw new Error("kernel 2 does not fold");
    const prover = trainingProver(run);
    for (const element of [3, 7, 3, 63, 64]) {
      const at = positionTo(element).slice(0, -1);
      expect(at.at(-1)).toEqual({ level: "chunk", index: Math.floor(element / 64), part: element % 64 });
      const expected = accumulators(kernel, element, run.steps[STEP].tensors);
      for (const position of expected.keys())
        expect(await prover.answer({ kind: "payload", at, height: 0, position })).toEqual([
          new Writer().u32(expected[position]).finish(),
        ]);
    }
  });

  it("comes to a dispute in its midst, at any place and in any order", async () => {
    const run = await rememberedRun(job, 2);
    const known = trainingProver(run);
    const at = positionTo(7);
    for (let depth = at.length - 1; depth >= 0; depth--) {
      const asked = { kind: "opening", at: at.slice(0, depth), height: 0, position: 0 } as const;
      expect(await trainingProver(run).answer(asked)).toEqual(await known.answer(asked));
    }
    const shown = await known.witness(at);
    expect(shown?.operands.length).toBeGreaterThan(0);
    expect(await trainingProver(run).witness(at)).toEqual(shown);
  });

  it("refuses places that are not where its evidence is for", async () => {
    const prover = trainingProver(await rememberedRun(job, 2));
    const at = positionTo(7);
    const operator = at.slice(0, 3);
    expect(operator.at(-1)?.level).toBe("operator");
    expect((await prover.operands(operator))?.inputs.length).toBe(2);
    for (const wrong of [[], at, at.slice(0, 2), [{ level: "segment", index: 0, part: 0 }], at.with(2, at[1])])
      for (const part of ["operands", "output"] as const)
        await expect(prover[part](wrong)).rejects.toMatchObject({ family: "VERDE_DISPUTE" });
    await expect(prover.witness(at.slice(0, -1))).rejects.toThrow("opens into a fold tree");
    await expect(prover.witness(at.with(3, { ...at[3], part: 64 }))).rejects.toThrow("part 64 of 64");
    const newState = [...at.slice(0, 2), { level: "operator", index: job.step.kernels.length, part: 0 }];
    await expect(prover.operands(newState)).rejects.toThrow("not an operator");
  });

  it("has no answer, and no error, below what it can't say", async () => {
    const run = await rememberedRun(job, 2);
    const at = positionTo(7);
    for (const part of ["stepRoots", "detail", "capture"] as const) {
      const forgetful: Memory = { ...run, [part]: async () => undefined };
      const prover = trainingProver(forgetful);
      expect(await prover.answer({ kind: "opening", at: at.slice(0, -1), height: 0, position: 0 })).toBeUndefined();
      expect(await prover.witness(at)).toBeUndefined();
      expect(await prover.operands(at.slice(0, 3))).toBeUndefined();
    }
  });
});
