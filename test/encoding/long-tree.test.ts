/** A tree that is not in memory is the tree that is: every root, node and proof. */
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { LongTree } from "../../src/encoding/long-tree.ts";
import { buildLevels, hashLeaf, proveLeaf, rootOf } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";

const payload = (index: number): Uint8Array => Uint8Array.of(index, index >> 8, index >> 16);

describe("a long tree", () => {
  // Around one block of 1024 leaves, around several, and odd at many heights.
  for (const count of [0, 1, 2, 3, 1023, 1024, 1025, 2048, 2049, 3072, 3333, 5121])
    test(`over ${count} payloads`, async () => {
      const payloads = Array.from({ length: count }, (_, i) => payload(i));
      const levels = buildLevels(payloads.map((bytes) => hashLeaf(Tag.segmentLeaf, bytes)));
      let most = 0;
      const tree = await LongTree.over(
        {
          length: count,
          slice: async (from, to) => {
            most = Math.max(most, to - from);
            return payloads.slice(from, to);
          },
        },
        Tag.segmentLeaf,
      );
      expect(toHex(tree.root)).toBe(toHex(rootOf(levels)));
      for (let height = 1; height < levels.length; height++) {
        const width = levels[height].length;
        const step = Math.max(Math.floor(width / 50), 1);
        const positions = Array.from({ length: width }, (_, i) => i).filter((i) => i % step === 0 || i > width - 3);
        for (const position of positions)
          expect((await tree.children(height, position)).map(toHex), `${height}/${position}`).toEqual(
            levels[height - 1].slice(2 * position, 2 * position + 2).map(toHex),
          );
        const [from, to] = [Math.floor(width / 3), Math.ceil((2 * width) / 3)];
        expect((await tree.row(height, from, to)).map(toHex)).toEqual(levels[height].slice(from, to).map(toHex));
      }
      expect((await tree.row(0, 0, count + 5)).map(toHex)).toEqual(levels[0].slice(0, count).map(toHex));
      const step = Math.max(Math.floor(count / 97), 1);
      for (let index = 0; index < count; index += index < count - 5 ? step : 1)
        expect((await tree.prove(index)).map(toHex), `${index}`).toEqual(proveLeaf(levels, index).map(toHex));
      if (count > 0) expect((await tree.prove(count - 1)).map(toHex)).toEqual(proveLeaf(levels, count - 1).map(toHex));
      expect(most).toBeLessThanOrEqual(1024);
    });

  test("keeps as many blocks as 65,536 leaves have, and makes the others again", async () => {
    for (const [count, again] of [
      [65_536, 0],
      [66_000, 1],
    ]) {
      const payloads = Array.from({ length: count }, (_, i) => payload(i));
      const levels = buildLevels(payloads.map((bytes) => hashLeaf(Tag.chunk, bytes)));
      let reads = 0;
      const slice = (from: number, to: number) => (reads++, payloads.slice(from, to));
      const tree = await LongTree.over({ length: count, slice }, Tag.chunk);
      expect(reads).toBe(Math.ceil(count / 1024));
      // The first block is the one that was dropped; then the second one is.
      for (const index of [5, 5, count - 1, 30_000]) {
        expect((await tree.prove(index)).map(toHex)).toEqual(proveLeaf(levels, index).map(toHex));
        const children = (await tree.children(1, index >> 1)).map(toHex);
        expect(children).toEqual(levels[0].slice(index & ~1, (index & ~1) + 2).map(toHex));
      }
      expect(reads - Math.ceil(count / 1024)).toBe(again);
    }
  });
});
