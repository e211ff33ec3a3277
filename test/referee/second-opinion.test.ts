/** Merkle paths followed by two implementations: they agree on every tree, and where one is broken nothing is decided. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type Bytes, bytesEqual } from "../../src/encoding/bytes.ts";
import { buildLevels, type ClimbLeaf, climbLeaf, hashLeaf, proveLeaf, rootOf } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import type { RunClaim } from "../../src/claims/claim.ts";
import type { Pair } from "../../src/game/level.ts";
import { checkVerdict } from "../../src/referee/check-verdict.ts";
import { type Confirm, confirmByLibrary, SecondOpinion } from "../../src/referee/second-opinion.ts";
import type { StepRefuted, Verdict } from "../../src/referee/verdict.ts";
import { disputeRemembered } from "./remembered-dispute.ts";
import { tinyJob } from "./tiny-job.ts";

const SEED = 20261121;
const payloadsOf = (count: number, salt: number): Bytes[] =>
  Array.from({ length: count }, (_, i) => Uint8Array.of(i, i >> 8, salt));
const tree = (count: number, salt: number) => {
  const payloads = payloadsOf(count, salt);
  return { payloads, levels: buildLevels(payloads.map((payload) => hashLeaf(Tag.stepLeaf, payload))) };
};

describe("the second opinion", () => {
  test("is the same on the paths of random trees, and on paths that do not hold", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat(255), fc.nat(), (count, a, salt, b) => {
        const { payloads, levels } = tree(count, salt);
        const index = a % count;
        const proof = proveLeaf(levels, index);
        const opinion = new SecondOpinion();
        const climb = (...place: Parameters<ClimbLeaf>) => opinion.climb(...place);
        expect(bytesEqual(climb(Tag.stepLeaf, payloads[index], count, index, proof)!, rootOf(levels))).toBe(true);
        // A root that is another one is for the caller to notice: both come to it.
        expect(climb(Tag.stepLeaf, payloads[index], count, index, proof.toReversed())).toBeDefined();
        expect(climb(Tag.opLeaf, payloads[index], count, index, proof)).toBeDefined();
        // Neither finds a way.
        expect(climb(Tag.stepLeaf, payloads[index], count, index, [...proof, rootOf(levels)])).toBeUndefined();
        expect(climb(Tag.stepLeaf, payloads[index], count, count + (b % 9), proof)).toBeUndefined();
        if (proof.length > 0)
          expect(
            climb(Tag.stepLeaf, payloads[index], count, index, [proof[0].slice(1), ...proof.slice(1)]),
          ).toBeUndefined();
        const place = [Tag.stepLeaf, payloads[index], count, index, proof] as const;
        const other = hashLeaf(Tag.stepLeaf, rootOf(levels));
        expect(confirmByLibrary(rootOf(levels), ...place)).toBe(true);
        expect(confirmByLibrary(other, ...place)).toBe(false);
        expect(confirmByLibrary(undefined, ...place)).toBe(false);
        expect(opinion.paths).toBeGreaterThanOrEqual(2);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

/** The paths of a proof: every list of siblings in it, each once. */
function pathsIn({ levels, graph, witness }: StepRefuted): number {
  // A tree that is not opened is not followed. Where a preimage opens it, a root is shown, and no path.
  const opened = levels.filter(({ opening }) => opening !== null);
  const bound = opened.filter(({ level }) => ["step", "operator", "fold"].includes(level));
  const openings = bound.filter(({ index, count }) => index < count - 1).length;
  const leaves = [witness.preState, witness.accumulator, witness.entry].filter((leaf) => leaf).length;
  return opened.length + openings + (graph?.operator ? 2 : 0) + leaves + 2 * witness.operands.length;
}

describe("a verdict", () => {
  let verdict: Verdict;
  let claims: Pair<RunClaim>;
  let refuted: StepRefuted;
  beforeAll(async () => {
    const faults = [[], [{ step: 4, at: { kernel: 2 }, element: 71, flip: 0x3f000008 }]] as const;
    ({ verdict, claims } = await disputeRemembered({ job: tinyJob(5), commitEvery: 3, faults }));
    if (verdict.kind !== "proof" || verdict.refuted[0].ground === "equivocation") throw new Error("no proof");
    refuted = verdict.refuted[0];
  });

  test("holds by both, and every path in it is counted", () => {
    const opinion = new SecondOpinion();
    expect(checkVerdict(verdict, claims, { climb: opinion.climb }).losers).toEqual([1]);
    const kinds = new Set(refuted.levels.map(({ level }) => level));
    for (const level of ["segment", "step", "operator", "chunk", "fold"]) expect(kinds).toContain(level);
    expect(opinion.paths).toBe(pathsIn(refuted));
    expect(opinion.paths).toBeGreaterThan(12);
  });

  const broken: Record<string, ClimbLeaf> = {
    "hashes with another tag": (_tag, ...rest) => climbLeaf(Tag.chunk, ...rest),
    "takes a leaf for its neighbour": (tag, payload, count, index, proof) =>
      climbLeaf(tag, payload, count, count > 1 ? index ^ 1 : index, proof),
    "leaves out a sibling": (tag, payload, count, index, proof) =>
      climbLeaf(tag, payload, Math.ceil(count / 2), index >> 1, proof.slice(1)),
    "finds no way where there is one": () => undefined,
  };
  for (const [name, first] of Object.entries(broken))
    test(`is refused, with an error of its own, where the first implementation ${name}`, () => {
      const opinion = new SecondOpinion(first);
      expect(() => checkVerdict(verdict, claims, { climb: opinion.climb })).toThrow(
        expect.objectContaining({ code: "VERDE_SECOND_OPINION_DIFFERS" }),
      );
    });

  test("is refused where the second implementation is broken, on whichever path", () => {
    const sound = new SecondOpinion();
    checkVerdict(verdict, claims, { climb: sound.climb });
    const places = new Set<string>();
    const climb: ClimbLeaf = (...place) => {
      places.add(JSON.stringify(place));
      return climbLeaf(...place);
    };
    checkVerdict(verdict, claims, { climb });
    expect(places.size).toBe(sound.paths);
    for (const wrong of places) {
      const second: Confirm = (root, ...place) => JSON.stringify(place) !== wrong && confirmByLibrary(root, ...place);
      const opinion = new SecondOpinion(climbLeaf, second);
      expect(() => checkVerdict(verdict, claims, { climb: opinion.climb })).toThrow(
        expect.objectContaining({
          code: "VERDE_SECOND_OPINION_DIFFERS",
          message: expect.stringContaining("of them is broken"),
        }),
      );
    }
  });
});
