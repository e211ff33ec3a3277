/**
 * SHA-256 as WGSL (FIPS 180-4): the leaves of tensors' trees and the nodes above them (spec 6.2 to 6.4), so
 * that a root needs 32 bytes to be read back and not the tensor. Integer arithmetic only, which WGSL fixes to
 * the bit.
 */
import { CHUNK_ELEMENTS } from "../../../encoding/tensor.ts";
import { Tag } from "../../../encoding/tags.ts";
import { DIGEST_WORDS } from "../device-roots.ts";
import { INITIAL, ROUND } from "../sha256-constants.ts";
import { WORKGROUP } from "./shader.ts";

const BLOCK_WORDS = 16;

const words = (values: readonly number[]): string => values.map((value) => `${value >>> 0}u`).join(", ");

/** One round; the eight working variables change their names from round to round instead of their values. */
function round(i: number): string {
  const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, j) => `s[${(((j - i) % 8) + 8) % 8}]`);
  return `{ let e = ${e}; let a = ${a};
  let t = ${h} + (turn(e, 6u) ^ turn(e, 11u) ^ turn(e, 25u)) + ((e & ${f}) ^ (~e & ${g})) + ROUNDS[r + ${i}u] + w[${i}];
  ${d} = ${d} + t;
  ${h} = t + (turn(a, 2u) ^ turn(a, 13u) ^ turn(a, 22u)) + ((a & ${b}) ^ (a & ${c}) ^ (${b} & ${c})); }`;
}

/** The word of the schedule 16 further, in the place of the old one. */
function extend(i: number): string {
  const [w1, w9, w14] = [1, 9, 14].map((distance) => `w[${(i + distance) % BLOCK_WORDS}]`);
  return `{ let x = ${w1}; let y = ${w14};
  w[${i}] = w[${i}] + (turn(x, 7u) ^ turn(x, 18u) ^ (x >> 3u)) + ${w9} + (turn(y, 17u) ^ turn(y, 19u) ^ (y >> 10u)); }`;
}

const indices = Array.from({ length: BLOCK_WORDS }, (_, i) => i);

const COMPRESS = `
var<private> ROUNDS: array<u32, 64> = array<u32, 64>(${words(ROUND)});
var<private> H: array<u32, 8>;
fn turn(x: u32, n: u32) -> u32 { return (x >> n) | (x << (32u - n)); }
/* Words of a tensor are little-endian in memory, SHA-256 reads bytes as big-endian words. */
fn swap(x: u32) -> u32 { return (turn(x, 8u) & 0xff00ff00u) | (turn(x, 24u) & 0x00ff00ffu); }
fn begin() { H = array<u32, 8>(${words(INITIAL)}); }
fn compress(block: array<u32, 16>) {
  var w = block; var s = H;
  for (var r = 0u; r < 64u; r += 16u) {
    ${indices.map(round).join("\n    ")}
    if (r < 48u) {
    ${indices.map(extend).join("\n    ")}
    }
  }
  ${indices
    .slice(0, 8)
    .map((i) => `H[${i}] = H[${i}] + s[${i}];`)
    .join(" ")}
}
fn store(at: u32) { ${indices
  .slice(0, 8)
  .map((i) => `digests[at + ${i}u] = H[${i}];`)
  .join(" ")} }
`;

/**
 * One invocation for each chunk: SHA-256 over the chunk tag and the chunk's bytes. A message begins with one
 * byte, so each of its words is made of two words of the tensor. Binding 2 holds the tensor's number of
 * elements and the place of its first digest.
 */
export function leafShader(): string {
  return `
@group(0) @binding(0) var<storage, read> data: array<u32>;
@group(0) @binding(1) var<storage, read_write> digests: array<u32>;
@group(0) @binding(2) var<storage, read> tensor: array<u32>;
${COMPRESS}
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let chunk = id.x + id.y * ${65_535 * WORKGROUP}u;
  let elements = tensor[0];
  if (chunk >= (elements + ${CHUNK_ELEMENTS - 1}u) / ${CHUNK_ELEMENTS}u) { return; }
  let first = chunk * ${CHUNK_ELEMENTS}u;
  let count = min(${CHUNK_ELEMENTS}u, elements - first);
  let blocks = (4u * count + 9u) / 64u + 1u;
  begin();
  var before = ${Tag.chunk}u;
  for (var b = 0u; b < blocks; b++) {
    var w: array<u32, 16>;
    for (var i = 0u; i < 16u; i++) {
      let n = 16u * b + i;
      /* A 1 bit follows the last byte; the last word of all is the length in bits. */
      var next = select(0u, 0x80000000u, n == count);
      if (n < count) { next = swap(data[first + n]); }
      w[i] = (before << 24u) | (next >> 8u);
      before = next & 255u;
    }
    if (b + 1u == blocks) { w[15] = 8u * (4u * count + 1u); }
    compress(w);
  }
  store((tensor[1] + chunk) * ${DIGEST_WORDS}u);
}`;
}

/**
 * One invocation for each node: SHA-256 over the node tag and two digests. Binding 0 holds three words for
 * each node: the places of its children and its own place.
 */
export function nodeShader(): string {
  return `
@group(0) @binding(0) var<storage, read> nodes: array<u32>;
@group(0) @binding(1) var<storage, read_write> digests: array<u32>;
${COMPRESS}
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let node = id.x + id.y * ${65_535 * WORKGROUP}u;
  if (node >= arrayLength(&nodes) / 3u) { return; }
  var before = ${Tag.node}u;
  var w: array<u32, 16>;
  for (var i = 0u; i < 16u; i++) {
    let next = digests[nodes[3u * node + i / 8u] * ${DIGEST_WORDS}u + i % 8u];
    w[i] = (before << 24u) | (next >> 8u);
    before = next & 255u;
  }
  begin();
  compress(w);
  var rest: array<u32, 16>;
  rest[0] = (before << 24u) | 0x800000u;
  rest[15] = ${8 * 65}u;
  compress(rest);
  store(nodes[3u * node + 2u] * ${DIGEST_WORDS}u);
}`;
}

/** The nodes of one level, three words each. */
export type Level = number[];

/** The places of the digests of several trees: leaves first, then the nodes, level by level. */
export interface Forest {
  /** The place of each tree's first leaf. */
  leaves: readonly number[];
  levels: readonly Level[];
  /** The place of each tree's root. */
  roots: readonly number[];
  /** Digests in all. */
  size: number;
}

/** @param counts leaves of each tree, at least 1 */
export function planForest(counts: readonly number[]): Forest {
  let size = 0;
  const leaves = counts.map((count) => (size += count) - count);
  let rows = counts.map((count, tree) => Array.from({ length: count }, (_, i) => leaves[tree] + i));
  const levels: Level[] = [];
  while (rows.some(({ length }) => length > 1)) {
    const level: Level = [];
    rows = rows.map((row) => {
      const above: number[] = [];
      for (let i = 0; i + 1 < row.length; i += 2) {
        level.push(row[i], row[i + 1], size);
        above.push(size++);
      }
      // An odd node is promoted unchanged (spec 6.3).
      if (row.length % 2 === 1) above.push(row[row.length - 1]);
      return above;
    });
    levels.push(level);
  }
  return { leaves, levels, roots: rows.map(([root]) => root), size };
}
