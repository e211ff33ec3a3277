/** A machine whose step is +1, in as many levels as one likes: what the game is tested on before it meets a tensor. */
import { type Bytes, Writer } from "../../src/encoding/bytes.ts";
import { taggedHash } from "../../src/encoding/hash.ts";
import { Tag } from "../../src/encoding/tags.ts";
import { merkleRoot, hashLeaf } from "../../src/encoding/merkle.ts";
import type { Machine } from "../../src/game/bisection.ts";
import type { Level, Passed, Position } from "../../src/game/level.ts";
import { ClaimProver } from "../../src/game/prover.ts";

const encode = (value: number): Bytes => new Writer().u32(value).finish();

/** One level a count; a leaf is the counter after its group of steps, and opens into the counters within. */
export function counterMachine(counts: readonly number[]): Machine {
  const levelAt = (depth: number): Level => ({
    name: `level ${depth}`,
    tag: Tag.counter,
    count: counts[depth],
    binding: depth > 0 ? { kind: "last" } : { kind: "preimage", commit: (root) => taggedHash(Tag.counter, root) },
    payloadBytes: () => 4,
    partBytes: 4,
  });
  return {
    under: (at) => (at.length < counts.length ? levelAt(at.length) : undefined),
    claims: (_, path) => path[path.length - 1].payloads,
  };
}

/** How many steps stand behind a leaf at each level. */
function strides(counts: readonly number[]): number[] {
  return counts.map((_, depth) => counts.slice(depth + 1).reduce((product, count) => product * count, 1));
}

/** The number of the step that a path leads to. */
export function stepOf(counts: readonly number[], path: readonly Passed[]): number {
  return strides(counts).reduce((step, stride, depth) => step + stride * path[depth].index, 0);
}

/** The counters after the leaves of the level below `at`, where `values` are those after each single step. */
function leavesOf(counts: readonly number[], values: readonly number[], at: Position): number[] {
  const stride = strides(counts);
  const from = at.reduce((step, { index }, depth) => step + stride[depth] * index, 0);
  return Array.from({ length: counts[at.length] }, (_, i) => values[from + (i + 1) * stride[at.length] - 1]);
}

export function counterClaim(counts: readonly number[], values: readonly number[]): Bytes {
  const leaves = leavesOf(counts, values, []).map((value) => hashLeaf(Tag.counter, encode(value)));
  return taggedHash(Tag.counter, merkleRoot(leaves));
}

export function counterProver(counts: readonly number[], values: readonly number[]): ClaimProver<never> {
  return new ClaimProver<never>(counterMachine(counts), {
    payloads: async (at) => leavesOf(counts, values, at).map(encode),
    witness: async () => undefined,
  });
}

/** The step at which two claims part: the first group that ends differently, and in it the first that does. */
export function firstDivergence(counts: readonly number[], a: readonly number[], b: readonly number[]): number {
  const stride = strides(counts);
  let at: Position = [];
  for (const depth of counts.keys()) {
    const [left, right] = [leavesOf(counts, a, at), leavesOf(counts, b, at)];
    at = [...at, { level: `level ${depth}`, index: left.findIndex((value, i) => value !== right[i]), part: 0 }];
  }
  return at.reduce((step, { index }, depth) => step + stride[depth] * index, 0);
}
