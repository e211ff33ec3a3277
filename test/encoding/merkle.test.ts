import { sha256 as noble } from "@noble/hashes/sha2.js";
import { MerkleTree } from "merkletreejs";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import { Tag } from "../../src/encoding/tags.ts";
import {
  buildLevels,
  hashLeaf,
  heightOf,
  merkleRoot,
  proveLeaf,
  rootOf,
  verifyLeaf,
  widthAt,
} from "../../src/encoding/merkle.ts";
import { chunkTree, tensorRoot } from "../../src/encoding/tensor.ts";

/** The same trees by a library: leaves as they are, nodes tagged, ordered pairs, odd nodes promoted. */
function oracle(leaves: readonly Uint8Array[]): MerkleTree {
  const tagged = (data: Uint8Array) => Buffer.from(noble(data));
  return new MerkleTree(leaves.map(Buffer.from), tagged, {
    hashLeaves: false,
    sortPairs: false,
    duplicateOdd: false,
    concatenator: (pair: Buffer[]) => Buffer.concat([Buffer.of(Tag.node), ...pair]),
  });
}

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => hashLeaf(Tag.chunk, Uint8Array.of(i, i >> 8)));

describe("Merkle trees (spec 6.3)", () => {
  test("have the roots and proofs that merkletreejs gives", () => {
    for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 100, 257]) {
      const leaves = leavesOf(count);
      const levels = buildLevels(leaves);
      const tree = oracle(leaves);
      expect(toHex(rootOf(levels))).toBe(`0x${tree.getRoot().toString("hex")}`);
      for (const index of [0, count >> 1, count - 1]) {
        const proof = proveLeaf(levels, index);
        const theirs = tree.getProof(Buffer.from(leaves[index]), index).map(({ data }) => `0x${data.toString("hex")}`);
        expect(proof.map(toHex)).toEqual(theirs);
        expect(verifyLeaf(rootOf(levels), leaves[index], count, index, proof)).toBe(true);
      }
    }
  });

  test("an inner node is no leaf, and an odd node is not its own twin", () => {
    const [a, b, c] = leavesOf(3);
    expect(toHex(merkleRoot([a, b, c]))).not.toBe(toHex(merkleRoot([a, b, c, c])));
    const inner = buildLevels([a, b])[1][0];
    expect(toHex(merkleRoot([inner]))).toBe(toHex(inner));
    expect(toHex(hashLeaf(Tag.chunk, inner))).not.toBe(toHex(inner));
  });

  test("have the widths and heights that the game counts on", () => {
    for (let count = 1; count < 70; count++) {
      const levels = buildLevels(leavesOf(count));
      expect(heightOf(count)).toBe(levels.length - 1);
      levels.forEach((level, height) => expect(widthAt(count, height)).toBe(level.length));
    }
  });
});

describe("SHA-256 (spec 6.2)", () => {
  test("gives the digests of FIPS 180-4", () => {
    const digest = (text: string) => toHex(sha256(new TextEncoder().encode(text)));
    expect(digest("abc")).toBe("0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(digest("")).toBe("0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });
});

describe("tensor roots (spec 6.4)", () => {
  test("follow the specification, written out by hand", () => {
    const data = Float32Array.from({ length: 70 }, (_, i) => i);
    const bytes = new Uint8Array(data.buffer);
    const h = (...parts: Uint8Array[]) => noble(Uint8Array.from(parts.flatMap((part) => [...part])));
    const [first, second] = [h(Uint8Array.of(2), bytes.slice(0, 256)), h(Uint8Array.of(2), bytes.slice(256))];
    const tree = h(Uint8Array.of(1), first, second);
    const root = h(Uint8Array.of(3, 1, 2, 0, 0, 0, 7, 0, 0, 0, 10), tree);
    expect(toHex(tensorRoot({ dtype: "f32", shape: [7, 10], data }))).toBe(toHex(root));
    expect(toHex(rootOf(chunkTree(bytes)))).toBe(toHex(tree));
  });

  test("bind type and shape", () => {
    const roots = [
      tensorRoot({ dtype: "f32", shape: [2, 3], data: new Float32Array(6) }),
      tensorRoot({ dtype: "f32", shape: [3, 2], data: new Float32Array(6) }),
      tensorRoot({ dtype: "i32", shape: [2, 3], data: new Int32Array(6) }),
      tensorRoot({ dtype: "f32", shape: [6], data: new Float32Array(6) }),
      tensorRoot({ dtype: "f32", shape: [0], data: new Float32Array(0) }),
      tensorRoot({ dtype: "f32", shape: [0, 2], data: new Float32Array(0) }),
    ].map(toHex);
    expect(new Set(roots).size).toBe(roots.length);
  });
});
