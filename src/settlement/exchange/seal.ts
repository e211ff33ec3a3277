/**
 * How a chunk is sealed (spec 6.9): the twin of contracts/libraries/Sealing.sol. The keystream is SHA-256 in
 * counter mode, because the EVM computes that hash for little gas.
 */
import { type Bytes, Writer } from "../../encoding/bytes.ts";
import { type Digest, sha256, taggedHash } from "../../encoding/hash.ts";
import { Tag } from "../../encoding/tags.ts";

/** The bytes that one hash of the keystream gives. */
const BLOCK = 32;

/**
 * What a seller commits to before its key is known.
 * @param sale the sale's id, 32 bytes
 * @param key 32 bytes
 */
export function keyHashOf(sale: Bytes, key: Bytes): Digest<"seal key"> {
  return taggedHash(Tag.sealKey, sale, key);
}

/**
 * Encrypts a chunk, or decrypts it: the two are the same.
 * @param key 32 bytes
 * @param index of the chunk among all chunks of the checkpoint
 * @param chunk up to 256 bytes
 */
export function withKeystream(key: Bytes, index: number, chunk: Bytes): Bytes {
  const block = new Writer().u8(Tag.keystream).bytes(key).u32(index).u32(0).finish();
  const out = new Uint8Array(chunk.length);
  // There are at most eight blocks, so the counter has one byte that is not zero.
  for (let at = 0; at < chunk.length; at += BLOCK) {
    block[block.length - 1] = at / BLOCK;
    const stream = sha256(block);
    const end = Math.min(BLOCK, chunk.length - at);
    for (let i = 0; i < end; i++) out[at + i] = chunk[at + i] ^ stream[i];
  }
  return out;
}

/**
 * The leaf of the tree over the ciphertext. It binds what the chunk has to decrypt to.
 * @param index of the chunk among all chunks of the checkpoint
 * @param leaf of the plaintext
 * @param ciphertext of the chunk
 */
export function sealedLeaf(index: number, leaf: Bytes, ciphertext: Bytes): Digest<"sealed leaf"> {
  return taggedHash(Tag.sealedChunk, new Writer().u32(index).finish(), leaf, ciphertext);
}
