/**
 * SHA-256 (FIPS 180-4) of four equal-length messages at a time, one a lane. The messages are those of the
 * tensor tree (spec 6.2): a tag byte and a multiple of 64 bytes of data. In a tree over chunks of 256 bytes
 * the calls into a native hash would cost more than the hashing.
 */
import { Tag } from "../../../encoding/tags.ts";
import { hashLeaf, hashNode, merkleRoot, type TreeRoot } from "../../../encoding/merkle.ts";
import { CHUNK_BYTES } from "../../../encoding/tensor.ts";
import { INITIAL, ROUND } from "../sha256-constants.ts";
import type { ConstantPool } from "./constants.ts";
import type { FunctionBuilder, Local, ModuleBuilder } from "./emitter.ts";
import type { Late } from "./team.ts";
import { type Code, i32, i32x4, v128, ValueType } from "./opcodes.ts";

const { i32: I32, v128: V128 } = ValueType;

const REVERSED = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];

export interface Sha256Exports {
  /**
   * Hashes 4·`groups` messages of `tag` and `blocks`·64 bytes each, one after the other, to digests of 32
   * bytes.
   * @param call address of `HASH_WORDS`
   */
  hash4(call: number): void;
}

/** The words of a call, in their order. */
export const HASH_WORDS = ["source", "blocks", "tag", "target", "groups"] as const;

/** Hashes as `hash4` does, with these words. A promise: it is finished later. */
export type Hash4 = (source: number, blocks: number, tag: number, target: number, groups: number) => Late;

const xor = (...terms: Code[]): Code => terms.reduce((a, b) => v128.xor(a, b));
const sum = (...terms: Code[]): Code => terms.reduce((a, b) => i32x4.add(a, b));
const rotr = (x: Code, n: number): Code => v128.or(i32x4.shrU(x, i32.const(n)), i32x4.shl(x, i32.const(32 - n)));
const shr = (x: Code, n: number): Code => i32x4.shrU(x, i32.const(n));

export function defineSha256(module: ModuleBuilder, pool: ConstantPool): void {
  const word = (bits: number): Code => v128.splatLoad32(i32.const(pool.address(bits)));
  module.function("hash4", [I32], [], (f, call) => {
    const [source, blocks, tag, target, groups] = HASH_WORDS.map((_, i) => f.local(I32, i32.load(call, 4 * i)));
    const state = INITIAL.map(() => f.local(V128));
    const words = Array.from({ length: 16 }, () => f.local(V128));
    const scratch = Array.from({ length: 10 }, () => f.local(V128));
    const block = f.local(I32);
    const stride = f.local(I32, i32.shl(blocks, i32.const(6)));
    const bits = f.local(I32, i32.add(i32.shl(blocks, i32.const(9)), i32.const(8)));
    const lanes = [0, 1, 2, 3].map(() => f.local(I32));
    f.while(groups, () => {
      lanes.forEach((lane, i) => f.set(lane, i === 0 ? source : i32.add(lanes[i - 1], stride)));
      state.forEach((value, i) => f.set(value, word(INITIAL[i])));
      f.set(block, i32.const(0));
      f.while(i32.ltU(block, blocks), () => {
        loadBlock(f, lanes, words, scratch);
        // Words are read one byte early, because the tag is before the data. The first byte of the message is
        // the tag.
        f.if(i32.eqz(block), () =>
          f.set(words[0], v128.or(v128.and(words[0], word(0x00ffffff)), i32x4.splat(i32.shl(tag, i32.const(24))))),
        );
        compress(f, state, words, scratch, word);
        for (const lane of lanes) f.increment(lane, 64);
        f.increment(block, 1);
      });
      // The last byte of the data, the padding bit, and the length.
      const last = lanes.reduce<Code>(
        (code, lane, i) => v128.loadLane32(i32.sub(lane, i32.const(4)), code, i),
        words[0],
      );
      f.set(words[0], v128.or(v128.and(last, word(0xff000000 | 0)), word(0x00800000)));
      for (let i = 1; i < 15; i++) f.set(words[i], word(0));
      f.set(words[15], i32x4.splat(bits));
      compress(f, state, words, scratch, word);
      storeDigests(f, state, scratch, target);
      f.increment(source, i32.shl(stride, i32.const(2)));
      f.increment(target, 128);
      f.increment(groups, -1);
    });
  });
}

/** Sixteen big-endian words of each lane, beginning one byte before its pointer. */
function loadBlock(
  f: FunctionBuilder,
  lanes: readonly Local[],
  words: readonly Local[],
  scratch: readonly Local[],
): void {
  for (let quad = 0; quad < 4; quad++) {
    lanes.forEach((lane, i) =>
      f.set(scratch[i], v128.shuffle8(v128.load(i32.sub(lane, i32.const(1)), 16 * quad), scratch[i], REVERSED)),
    );
    transpose(f, scratch.slice(0, 4), scratch.slice(4, 8), words.slice(4 * quad, 4 * quad + 4));
  }
}

/** Four vectors as rows become four vectors as columns. */
function transpose(f: FunctionBuilder, rows: readonly Local[], pairs: readonly Local[], out: readonly Local[]): void {
  f.set(pairs[0], v128.shuffle32(rows[0], rows[1], [0, 4, 1, 5]));
  f.set(pairs[1], v128.shuffle32(rows[2], rows[3], [0, 4, 1, 5]));
  f.set(pairs[2], v128.shuffle32(rows[0], rows[1], [2, 6, 3, 7]));
  f.set(pairs[3], v128.shuffle32(rows[2], rows[3], [2, 6, 3, 7]));
  f.set(out[0], v128.shuffle32(pairs[0], pairs[1], [0, 1, 4, 5]));
  f.set(out[1], v128.shuffle32(pairs[0], pairs[1], [2, 3, 6, 7]));
  f.set(out[2], v128.shuffle32(pairs[2], pairs[3], [0, 1, 4, 5]));
  f.set(out[3], v128.shuffle32(pairs[2], pairs[3], [2, 3, 6, 7]));
}

/** The 64 rounds over one block; `words` is overwritten with the message schedule. */
function compress(
  f: FunctionBuilder,
  state: readonly Local[],
  words: readonly Local[],
  scratch: readonly Local[],
  word: (bits: number) => Code,
): void {
  let [a, b, c, d, e, g, h, i] = scratch.slice(0, 8);
  const [first] = scratch.slice(8);
  [a, b, c, d, e, g, h, i].forEach((register, j) => f.set(register, state[j]));
  for (let round = 0; round < 64; round++) {
    const w = words[round % 16];
    if (round >= 16) {
      const [w15, w2, w7] = [words[(round + 1) % 16], words[(round + 14) % 16], words[(round + 9) % 16]];
      const s0 = xor(rotr(w15, 7), rotr(w15, 18), shr(w15, 3));
      const s1 = xor(rotr(w2, 17), rotr(w2, 19), shr(w2, 10));
      f.set(w, sum(w, s0, w7, s1));
    }
    const s1 = xor(rotr(e, 6), rotr(e, 11), rotr(e, 25));
    f.set(first, sum(i, s1, v128.select(g, h, e), word(ROUND[round]), w));
    f.set(d, i32x4.add(d, first));
    const s0 = xor(rotr(a, 2), rotr(a, 13), rotr(a, 22));
    f.set(i, sum(first, s0, v128.select(c, a, v128.xor(a, b))));
    [a, b, c, d, e, g, h, i] = [i, a, b, c, d, e, g, h];
  }
  [a, b, c, d, e, g, h, i].forEach((register, j) => f.set(state[j], i32x4.add(state[j], register)));
}

function storeDigests(f: FunctionBuilder, state: readonly Local[], scratch: readonly Local[], target: Local): void {
  for (let half = 0; half < 2; half++) {
    const columns = scratch.slice(4, 8);
    transpose(f, state.slice(4 * half, 4 * half + 4), scratch.slice(0, 4), columns);
    columns.forEach((digest, lane) =>
      f.emit(v128.store(target, v128.shuffle8(digest, digest, REVERSED), 32 * lane + 16 * half)),
    );
  }
}

/** Scratch bytes that `treeRoot` needs: two levels of digests, and room for a group that is not full. */
export function treeScratchBytes(byteLength: number): number {
  return 2 * 32 * (Math.ceil(byteLength / CHUNK_BYTES) + 8);
}

/**
 * The root of the chunk tree over bytes in memory: what `chunkTree` of src/encoding gives. Reads one byte
 * before the first chunk.
 * @param scratch address of `treeScratchBytes(byteLength)` bytes
 */
export async function treeRoot(
  hash4: Hash4,
  memory: WebAssembly.Memory,
  address: number,
  byteLength: number,
  scratch: number,
): Promise<TreeRoot> {
  const bytes = (at: number, length: number): Uint8Array => new Uint8Array(memory.buffer, at, length);
  const chunks = Math.ceil(byteLength / CHUNK_BYTES);
  if (chunks === 0) return merkleRoot([]);
  let [level, above] = [scratch, scratch + 32 * (chunks + 8)];
  const fours = Math.floor(byteLength / CHUNK_BYTES / 4);
  const leaves = hash4(address, CHUNK_BYTES / 64, Tag.chunk, level, fours);
  if (leaves) await leaves;
  for (let chunk = 4 * fours; chunk < chunks; chunk++) {
    const at = chunk * CHUNK_BYTES;
    const leaf = hashLeaf(Tag.chunk, bytes(address + at, Math.min(CHUNK_BYTES, byteLength - at)));
    bytes(level + 32 * chunk, 32).set(leaf);
  }
  for (let width = chunks; width > 1; width = Math.ceil(width / 2)) {
    const pairs = width >> 1;
    const nodes = hash4(level, 1, Tag.node, above, pairs >> 2);
    if (nodes) await nodes;
    for (let pair = pairs & ~3; pair < pairs; pair++)
      bytes(above + 32 * pair, 32).set(hashNode(bytes(level + 64 * pair, 32), bytes(level + 64 * pair + 32, 32)));
    if (width % 2 === 1) bytes(above + 32 * pairs, 32).set(bytes(level + 32 * (width - 1), 32));
    [level, above] = [above, level];
  }
  return bytes(level, 32).slice() as unknown as TreeRoot;
}
