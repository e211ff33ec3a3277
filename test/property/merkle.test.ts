import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { sha256, sha256Portable } from "../../src/encoding/hash.ts";
import {
  buildLevels,
  climb,
  climbLeaves,
  GrowingTree,
  hashLeaf,
  leavesProofLength,
  merkleRoot,
  proveLeaf,
  proveLeaves,
  rootOf,
  verifyLeaf,
} from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import { SEED } from "./seed.ts";

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => hashLeaf(Tag.chunk, Uint8Array.of(i, i >> 8)));

describe("a proof in a Merkle tree (spec 6.3)", () => {
  test("binds the leaf, its place and the number of leaves", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 70 }), fc.nat(), fc.nat(), (count, a, b) => {
        const [index, other] = [a % count, b % count];
        const levels = buildLevels(leavesOf(count));
        const leaf = levels[0][index];
        const proof = proveLeaf(levels, index);
        const root = rootOf(levels);
        if (other !== index) expect(verifyLeaf(root, leaf, count, other, proof)).toBe(false);
        expect(verifyLeaf(root, leavesOf(count + 1)[count], count, index, proof)).toBe(false);
        expect(climb(leaf, count, index, proof.slice(1))).toBeUndefined();
        expect(climb(leaf, count, index, [...proof, root])).toBeUndefined();
        expect(climb(leaf, count, count, proof)).toBeUndefined();
      }),
      { seed: SEED },
    );
  });
});

describe("one proof for several leaves", () => {
  const places = fc.integer({ min: 1, max: 40 }).chain((count) =>
    fc.tuple(
      fc.constant(count),
      fc.uniqueArray(fc.nat(count - 1), { minLength: 1 }).map((at) => at.sort((a, b) => a - b)),
    ),
  );

  test("leads to the root, for any places in trees of any size", () => {
    fc.assert(
      fc.property(places, ([count, indices]) => {
        const levels = buildLevels(leavesOf(count));
        const leaves = indices.map((at) => levels[0][at]);
        const proof = proveLeaves(levels, indices);
        expect(proof.length).toBe(leavesProofLength(count, indices));
        expect(toHex(climbLeaves(leaves, count, indices, proof)!)).toBe(toHex(rootOf(levels)));
        // For one leaf it is the path of that leaf.
        expect(proveLeaves(levels, [indices[0]]).map(toHex)).toEqual(proveLeaf(levels, indices[0]).map(toHex));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("leads elsewhere when a leaf or a hash is another, or nowhere when one is missing", () => {
    fc.assert(
      fc.property(places, fc.nat(), ([count, indices], any) => {
        const levels = buildLevels(leavesOf(count));
        const leaves = indices.map((at) => levels[0][at]);
        const proof = proveLeaves(levels, indices);
        const altered = <T extends readonly Uint8Array[]>(list: T): Uint8Array[] =>
          list.map((hash, i) =>
            i === any % list.length ? hash.map((byte, at) => (at === any % 32 ? byte ^ 1 : byte)) : hash,
          );
        const root = toHex(rootOf(levels));
        expect(toHex(climbLeaves(altered(leaves), count, indices, proof)!)).not.toBe(root);
        if (proof.length > 0) {
          expect(toHex(climbLeaves(leaves, count, indices, altered(proof))!)).not.toBe(root);
          expect(climbLeaves(leaves, count, indices, proof.slice(1))).toBeUndefined();
        }
        expect(climbLeaves(leaves, count, indices, [...proof, leaves[0]])).toBeUndefined();
        expect(climbLeaves(leaves.slice(1), count, indices, proof)).toBeUndefined();
        if (leaves.length > 1) expect(toHex(climbLeaves(leaves.toReversed(), count, indices, proof)!)).not.toBe(root);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("takes two siblings a level at most for leaves that stand together", () => {
    for (let count = 1; count <= 64; count++)
      for (let from = 0; from < count; from++) {
        const row = Array.from({ length: Math.min(5, count - from) }, (_, i) => from + i);
        expect(leavesProofLength(count, row)).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count)));
      }
  });

  test("is refused for a leaf that does not exist", () => {
    const levels = buildLevels(leavesOf(5));
    for (const indices of [[5], [0, 7], [-1], [0.5]])
      expect(() => proveLeaves(levels, indices)).toThrow("does not exist");
    expect(climbLeaves([levels[0][0]], 5, [5], [])).toBeUndefined();
    expect(climbLeaves([], 5, [], [])).toBeUndefined();
  });
});

test("a tree that grows leaf by leaf has the root of the whole", () => {
  const growing = new GrowingTree();
  expect(toHex(growing.root())).toBe(toHex(merkleRoot([])));
  for (let count = 1; count <= 130; count++) {
    growing.add(leavesOf(count)[count - 1]);
    expect(toHex(growing.root())).toBe(toHex(merkleRoot(leavesOf(count))));
  }
});

describe("SHA-256 (spec 6.2)", () => {
  test("is the same natively and portably", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (data) => {
        expect(toHex(sha256(data))).toBe(toHex(sha256Portable(data)));
      }),
      { seed: SEED },
    );
  });
});
