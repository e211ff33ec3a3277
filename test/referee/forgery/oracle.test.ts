/** A prover is no oracle: whatever it is asked, and in whichever order, it signs its own trees as they are defined. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type OpeningPlace, openingKey, openingSigner } from "../../../src/claims/opening.ts";
import { toHex } from "../../../src/encoding/bytes.ts";
import type { Position } from "../../../src/game/level.ts";
import { outlineOf } from "../../../src/job/closed.ts";
import { trainingProver } from "../../../src/referee/claim.ts";
import { courseTo } from "../../../src/referee/course.ts";
import { jobFacts } from "../../../src/referee/facts.ts";
import type { Memory } from "../../../src/referee/memory.ts";
import { openingPlace } from "../../../src/referee/opening.ts";
import { KEYS, speakerOf } from "../remembered-dispute.ts";
import { rememberedRun, type RememberedRun } from "../remembered-run.ts";
import { tinyJob } from "../tiny-job.ts";
import { definedTrees } from "./corpus.ts";

const SEED = 20261128;
const STEPS = 5;
const job = tinyJob(STEPS);
const LEVELS = ["segment", "step", "operator", "state", "chunk", "fold", "", "constructor"];

describe.each([1, 2, 5])("a prover of a run that commits every %i steps", (commitEvery) => {
  const facts = jobFacts(outlineOf(job), commitEvery);
  const speaker = speakerOf(KEYS[0]);
  let run: RememberedRun;
  let roots: Map<string, string>;
  let trees: { place: OpeningPlace; at: Position }[];

  beforeAll(async () => {
    run = await rememberedRun(job, commitEvery);
    const defined = definedTrees(job, commitEvery, run);
    roots = new Map(defined.map(({ place, root }) => [openingKey(place), toHex(root)]));
    trees = defined.map(({ place }) => ({ place, at: positionOf(place) }));
  });

  /** The way to a tree. */
  function positionOf({ tree, segment, step, kernel, element }: OpeningPlace): Position {
    const first = segment === 0 ? 0 : (segment - 1) * commitEvery + 1;
    const course = courseTo(facts, { step: first + step, kernel, element });
    const depth = course.findIndex(({ level }) => level.name === tree);
    return course.slice(0, depth).map(({ level, index, part }) => ({ level: level.name, index, part }));
  }

  /** The root that was signed is the defined one, since the signature is valid for it. */
  async function signed(prover: ReturnType<typeof trainingProver>, at: Position): Promise<"right" | "none"> {
    const signature = await prover.signature(at);
    if (!signature) return "none";
    const place = openingPlace(facts, at);
    const root = roots.get(openingKey(place));
    if (root === undefined && place.tree !== "segment")
      throw new Error(`signed ${openingKey(place)}, which is no tree`);
    if (root !== undefined) {
      const opening = { ...place, run: run.runRoot, root: Uint8Array.from(Buffer.from(root.slice(2), "hex")) };
      expect(toHex(openingSigner(opening, signature)!)).toBe(toHex(speaker.address));
    }
    return "right";
  }

  test("signs every tree as it is defined, in any order, and never one element's for another's", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 2, maxLength: 12 }), async (order) => {
        const prover = trainingProver(run, speaker);
        for (const n of order) {
          const { place, at } = trees[n % trees.length];
          expect(openingKey(openingPlace(facts, at))).toBe(openingKey(place));
          expect(await signed(prover, at)).toBe("right");
        }
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  test("signs nothing at places that do not exist", async () => {
    const prover = trainingProver(run, speaker);
    const wild = fc.oneof(
      fc.nat(200),
      fc.constantFrom(-1, 0.5, Number.NaN, 2 ** 31, 2 ** 32, 2 ** 53, Infinity, "0", null),
    );
    const leaf = fc.record({ level: fc.constantFrom(...LEVELS), index: wild, part: wild });
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(5), leaf, fc.boolean(), async (n, depth, strange, append) => {
        const { at } = trees[n % trees.length];
        const changed = append ? [...at, strange] : at.with(depth % Math.max(at.length, 1), strange as never);
        const outcome = await signed(prover, changed as Position).catch((error: { family?: string }) => error.family);
        // Some changes lead to another tree, which is then signed as it is defined.
        expect(["right", "none", "VERDE_DISPUTE"]).toContain(outcome);
      }),
      { seed: SEED, numRuns: 400 },
    );
    for (const nothing of [null, undefined, 3, "x", {}])
      await expect(prover.signature(nothing as never)).rejects.toMatchObject({ family: "VERDE_DISPUTE" });
  });

  test("signs nothing that contradicts its claim, whichever of its tensors is damaged", async () => {
    const damaged: Memory[] = [
      { ...run, stepRoots: async (segment) => (await run.stepRoots(segment))!.toReversed() },
      { ...run, detail: async (step) => ({ ...run.steps[step].roots, newStateRoot: run.steps[0].roots.newStateRoot }) },
      {
        ...run,
        capture: async (step, tensors) => {
          const right = (await run.capture(step, tensors))!;
          const last = tensors.at(-1)!;
          const data = right.get(last)!.data.map((value) => value + 1) as never;
          return new Map([...right, [last, { ...right.get(last)!, data }]]);
        },
      },
    ];
    for (const memory of damaged) {
      const prover = trainingProver(memory, speaker);
      const outcomes = new Set<string>();
      for (let n = 0; n < trees.length; n += 7) outcomes.add(await signed(prover, trees[n].at));
      // What the damage does not touch is signed, and right.
      expect([...outcomes].every((outcome) => outcome === "right" || outcome === "none")).toBe(true);
    }
  });

  test("signs nothing without a key, and nothing of trees that follow from the claim", async () => {
    const [{ at }] = trees;
    expect(await trainingProver(run).signature(at)).toBeUndefined();
    const chunk = courseTo(facts, { step: 3, kernel: 2, element: 7 }).slice(0, 3);
    const below = chunk.map(({ level, index, part }) => ({ level: level.name, index, part }));
    await expect(trainingProver(run, speaker).signature(below)).rejects.toThrow("no tree at this place needs one");
  });
});
