/** What parties sign about their trees: the vectors that the contracts are held to as well. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeAbiParameters, type Hex } from "viem";
import { OPENED_TREES, type OpenedTree, openingDigest, openingSigner } from "../../src/claims/opening.ts";
import { fromHex, toHex } from "../../src/encoding/bytes.ts";
import { OPENING_VECTOR, openingVectors } from "../../scripts/opening-vectors.ts";

const file = readFileSync(new URL("../vectors/openings.json", import.meta.url), "utf8");

test("test/vectors/openings.json holds what the code makes (npm run contracts)", () => {
  expect(openingVectors() === file).toBe(true);
});

test("an opening has the digest of its vector, its signer, and no other signature", () => {
  const { encoded } = JSON.parse(file) as { encoded: Hex[] };
  const trees = new Set<OpenedTree>();
  for (const one of encoded) {
    const [{ sentence, digest, signer, signature, wrong }] = decodeAbiParameters(OPENING_VECTOR, one);
    const { run, tree, root, ...place } = sentence;
    const [name] = Object.entries(OPENED_TREES).find(([, number]) => number === tree)!;
    const opening = { ...place, tree: name as OpenedTree, run: fromHex(run), root: fromHex(root) };
    trees.add(opening.tree);
    const signerOf = (bytes: Hex): string | undefined => {
      const found = openingSigner(opening, fromHex(bytes));
      return found && toHex(found);
    };
    expect(toHex(openingDigest(opening))).toBe(digest);
    expect(signerOf(signature)).toBe(signer.toLowerCase());
    expect(wrong.length).toBeGreaterThan(20);
    for (const bytes of wrong) expect(signerOf(bytes), bytes).not.toBe(signer.toLowerCase());
  }
  expect(trees.size).toBe(Object.keys(OPENED_TREES).length);
});
