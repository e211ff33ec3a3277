/** Roots from the digests that a device has computed. */
import { merkleRoot, type TreeRoot } from "../../encoding/merkle.ts";
import { chunkCount, type TensorRoot, tensorRootOf, type TensorType } from "../../encoding/tensor.ts";

/** Words of a digest. */
export const DIGEST_WORDS = 8;

/** @param words the tree's root as the kernels leave it: big-endian words, each in the device's order */
export function rootFromWords(type: TensorType, words: DataView): TensorRoot {
  if (chunkCount(type) === 0) return tensorRootOf(type, merkleRoot([]));
  const root = new Uint8Array(4 * DIGEST_WORDS);
  const bytes = new DataView(root.buffer);
  for (let word = 0; word < DIGEST_WORDS; word++) bytes.setUint32(4 * word, words.getUint32(4 * word, true));
  return tensorRootOf(type, root as TreeRoot);
}
