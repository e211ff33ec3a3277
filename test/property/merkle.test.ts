import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { sha256, sha256Portable } from "../../src/encoding/hash.ts";
import { buildLevels, climb, hashLeaf, proveLeaf, rootOf, verifyLeaf } from "../../src/encoding/merkle.ts";
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
