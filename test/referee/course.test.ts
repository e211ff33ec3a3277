/** The course of a dispute as reckoned, against disputes that are played. */
import { describe, expect, test } from "vitest";
import { elementCount } from "../../src/encoding/tensor.ts";
import { DisputeError } from "../../src/errors/index.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { outlineOf } from "../../src/job/closed.ts";
import { courseTo, longestCourse, questionsOf } from "../../src/referee/course.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { disputeRemembered } from "./remembered-dispute.ts";
import { tinyCheckpointJob, tinyJob } from "./tiny-job.ts";

const STEPS = 5;
const EVERY = 2;
const job = tinyJob(STEPS);
const facts = jobFacts(outlineOf(job), EVERY);

/** The graph of a step, and its kernels with elements to spoil. */
function kernelsOf(step: number): { kernel: number; elements: number }[] {
  const { kernels } = step === 0 ? (job.init as { graph: Graph }).graph : job.step;
  return kernels.flatMap(({ type }, kernel) => {
    const elements = elementCount(type.shape);
    return elements > 0 ? [{ kernel, elements }] : [];
  });
}

/** A dispute about the first element that reaches the state; what no later kernel lets through changes no root. */
async function disputed({ step, kernel, elements }: { step: number; kernel: number; elements: number }) {
  for (let i = 0; i < elements; i++) {
    const element = (7 * kernel + i) % elements;
    const fault = { step, at: { kernel }, element, flip: 1 << 29 };
    try {
      return { element, ...(await disputeRemembered({ job, commitEvery: EVERY, faults: [[], [fault]] })) };
    } catch (error) {
      if (!(error instanceof DisputeError)) throw error;
    }
  }
  return undefined;
}

describe("the course of a dispute", () => {
  for (const step of [0, 1, 2, 5])
    test(`to step ${step} has the questions that are asked on the way`, async () => {
      let disputes = 0;
      for (const { kernel, elements } of kernelsOf(step)) {
        const found = await disputed({ step, kernel, elements });
        if (!found) continue;
        disputes++;
        const { element, decision, figures } = found;
        const passed = decision.path.map(({ level, index, part }) => [level.name, index, part] as const);
        const fold = passed.find(([name]) => name === "fold")?.[1] ?? 0;
        const passages = courseTo(facts, { step, kernel, element, fold });
        expect(passages.map(({ level, index, part }) => [level.name, index, part])).toEqual(passed);
        expect(passages.flatMap(questionsOf).length).toBe(figures.rounds);
        const shown = passages.flatMap(questionsOf).reduce((sum, { bytes }) => sum + 2 * bytes, 0);
        expect(shown).toBeLessThanOrEqual(figures.bytes);
      }
      // Entries that no step reads are overwritten before the segment ends.
      expect(disputes).toBeGreaterThanOrEqual(step === 1 ? 6 : kernelsOf(step).length);
    });

  test("to an entry of the state ends in the state's tree", async () => {
    const fault = { step: 3, at: { entry: 4 }, element: 0, flip: 1 };
    const { decision, figures } = await disputeRemembered({ job, commitEvery: EVERY, faults: [[], [fault]] });
    const passages = courseTo(facts, { step: 3, kernel: job.step.kernels.length, entry: 4 });
    expect(passages.map(({ level, index }) => [level.name, index])).toEqual(
      decision.path.map(({ level, index }) => [level.name, index]),
    );
    expect(passages.flatMap(questionsOf).length).toBe(figures.rounds);
  });

  test("is nowhere longer than the longest", () => {
    const questions = (passages: ReturnType<typeof courseTo>): number => passages.flatMap(questionsOf).length;
    const most = questions(longestCourse(facts));
    let reached = false;
    for (let step = 0; step <= STEPS; step++)
      for (const { kernel, elements } of kernelsOf(step))
        for (let element = 0; element < elements; element += 5)
          for (const fold of [0, 3]) {
            const asked = questions(courseTo(facts, { step, kernel, element, fold }));
            expect(asked).toBeLessThanOrEqual(most);
            reached ||= asked === most;
          }
    expect(reached).toBe(true);
  });

  test("of a job from a checkpoint ends at the initial state", () => {
    const other = jobFacts(outlineOf(tinyCheckpointJob(STEPS)), EVERY);
    expect(courseTo(other, { step: 0 }).map(({ level }) => level.name)).toEqual(["segment"]);
    expect(longestCourse(other)[1].level.name).toBe("step");
  });
});
