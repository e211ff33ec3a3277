/** The buyer's side: a sealed file is checked before it is paid for, and decrypted once its key is known. */
import { type Bytes, bytesEqual, toHex } from "../../encoding/bytes.ts";
import { GrowingTree, hashLeaf, type Proof, verifyLeaf } from "../../encoding/merkle.ts";
import { Tag } from "../../encoding/tags.ts";
import { chunkAt } from "../../encoding/tensor.ts";
import { FormatError } from "../../errors/index.ts";
import { replaceFile } from "../../files/replace.ts";
import { safetensorsHead } from "../../formats/safetensors-file.ts";
import { GrowingPath } from "./path.ts";
import { type RunPlace, StateTrees } from "./run-tree.ts";
import { sealedLeaf, withKeystream } from "./seal.ts";
import { LEAF_BYTES, placesOf, type SealedFile } from "./sealed-file.ts";

/** What a sealed file has to lead to. */
export interface Offered {
  /** The root over the ciphertext, as it was offered. */
  readonly root: Bytes;
  /** The number of chunks, as it was offered. */
  readonly chunks: number;
  /** The root of the settled run. */
  readonly runRoot: Bytes;
}

/** A chunk that does not decrypt to its leaf, with what shows it on the chain. */
export interface WrongChunk {
  /** The chunk's index among all chunks. */
  readonly index: number;
  readonly leaf: Bytes;
  readonly ciphertext: Bytes;
  readonly path: Proof;
}

/** The chunks of a sealed file in their order. */
async function* chunksOf(
  file: SealedFile,
): AsyncGenerator<{ entry: number; index: number; leaf: Bytes; ciphertext: Bytes }> {
  for (const place of placesOf(file.entries)) {
    const { leaves, ciphertext } = await file.read(place);
    for (let i = 0; i < place.chunks; i++) {
      const leaf = leaves.subarray(LEAF_BYTES * i, LEAF_BYTES * (i + 1));
      yield { entry: place.entry, index: place.first + i, leaf, ciphertext: chunkAt(ciphertext, i) };
    }
  }
}

/**
 * Checks a file before it is paid for: its leaves have to lead to the settled run root, and leaves and
 * ciphertext to the offered root. Then every chunk that will not decrypt to its leaf can be shown on the
 * chain.
 * @throws {FormatError} when the file is not what was offered, or not what the run has settled on
 */
export async function expectOffered(file: SealedFile, place: RunPlace, offered: Offered): Promise<void> {
  const [trees, tree] = [new StateTrees(file.entries), new GrowingTree()];
  for await (const { entry, index, leaf, ciphertext } of chunksOf(file)) {
    trees.add(entry, leaf);
    tree.add(sealedLeaf(index, leaf, ciphertext));
  }
  const { path } = file;
  const root = tree.root();
  if (file.chunks !== offered.chunks || !bytesEqual(root, offered.root))
    throw new FormatError(
      "ALTERED",
      `${path} is not the file that was offered: its root is ${toHex(root)}, and the offer says ${toHex(offered.root)}; get it from the seller again, and do not pay for it`,
      { path, expected: toHex(offered.root), found: toHex(root) },
    );
  const found = trees.runRoot(place, file.segmentPath);
  if (!found || !bytesEqual(found, offered.runRoot))
    throw new FormatError(
      "FOREIGN",
      `${path} does not hold the final state of the settled run ${toHex(offered.runRoot)}; do not pay for it`,
      { path, expected: toHex(offered.runRoot), found: found ? toHex(found) : "no run root" },
    );
}

/**
 * Decrypts a file into a safetensors checkpoint. Nothing is written if a chunk is wrong.
 * @param key 32 bytes
 * @param out the file to be written
 * @returns the first chunk that does not decrypt to its leaf, or `undefined`
 */
export async function openInto(file: SealedFile, key: Bytes, out: string): Promise<WrongChunk | undefined> {
  let wrong: number | undefined;
  await replaceFile(out, async (handle) => {
    await handle.writeFile(safetensorsHead(out, file.entries));
    for (const place of placesOf(file.entries)) {
      const { leaves, ciphertext } = await file.read(place);
      const plain = new Uint8Array(ciphertext.length);
      for (let i = 0, at = 0; i < place.chunks; i++) {
        const chunk = withKeystream(key, place.first + i, chunkAt(ciphertext, i));
        wrong ??= isLeaf(chunk, leaves.subarray(LEAF_BYTES * i, LEAF_BYTES * (i + 1))) ? undefined : place.first + i;
        plain.set(chunk, at);
        at += chunk.length;
      }
      if (wrong !== undefined) throw new WrongFile();
      await handle.writeFile(plain);
    }
  }).catch((error: unknown) => {
    if (wrong === undefined) throw error;
  });
  return wrong === undefined ? undefined : showChunk(file, wrong);
}

/** Ends the writing of a file whose content turns out wrong. */
class WrongFile extends Error {}

const isLeaf = (chunk: Bytes, leaf: Bytes): boolean => bytesEqual(hashLeaf(Tag.chunk, chunk), leaf);

/** What shows a chunk on the chain. */
async function showChunk(file: SealedFile, wanted: number): Promise<WrongChunk> {
  const path = new GrowingPath(wanted);
  let shown: Omit<WrongChunk, "path"> | undefined;
  for await (const { index, leaf, ciphertext } of chunksOf(file)) {
    path.add(sealedLeaf(index, leaf, ciphertext));
    if (index === wanted) shown = { index, leaf, ciphertext };
  }
  return { ...shown!, path: path.proof() };
}

/**
 * Whether the seller has committed to a wrong chunk. If not, the file has changed since it was offered.
 * @param root the root over the ciphertext, as it was offered
 */
export function isCommittedTo(chunks: number, root: Bytes, { index, leaf, ciphertext, path }: WrongChunk): boolean {
  return verifyLeaf(root, sealedLeaf(index, leaf, ciphertext), chunks, index, path);
}
