/**
 * Training as the game sees it (spec 7.1): the levels from the run root down to one accumulator of one fold.
 */
import { type Bytes, Writer } from "../encoding/bytes.ts";
import { taggedHash } from "../encoding/hash.ts";
import { Tag } from "../encoding/tags.ts";
import {
  CHUNK_BYTES,
  chunkCount,
  elementCount,
  stateRootOf,
  tensorRootOf,
  type TensorType,
} from "../encoding/tensor.ts";
import { segmentCount, stepsOfSegment } from "../trace/commitments.ts";
import { foldLeaves, type Point } from "../repops/kernels/reads.ts";
import type { JobFacts } from "./facts.ts";
import type { Machine } from "../game/bisection.ts";
import { bothSides, type Level } from "../game/level.ts";
import { graphAt, type LevelName, type Place, placeOf } from "./place.ts";

/** Where the bisection ends: at one scalar step, or at one operator, which is then recomputed completely. */
export type Depth = "scalar" | "operator";

const digests = { payloadBytes: () => 32, partBytes: 32 } as const;

/** The levels as data. Each is a function of the place above it. */
const LEVELS = {
  segment: ({ id, commitEvery, parts }) => ({
    tag: Tag.segmentLeaf,
    count: segmentCount(parts.steps, commitEvery),
    binding: {
      kind: "preimage",
      commit: (root) => taggedHash(Tag.run, id, new Writer().u32(commitEvery).finish(), root),
    },
    ...digests,
  }),
  step: ({ parts, commitEvery }, { segment }) => {
    const { first, last } = stepsOfSegment(segment, parts.steps, commitEvery);
    return { tag: Tag.stepLeaf, count: last - first + 1, binding: { kind: "last" }, ...digests };
  },
  operator: (facts, place) => ({
    tag: Tag.opLeaf,
    count: facts.graph(graphAt(place)).kernelCount + 1,
    binding: { kind: "last" },
    ...digests,
  }),
  state: (facts, place) => {
    const count = facts.graph(graphAt(place)).outputs.length;
    return {
      tag: Tag.stateLeaf,
      count,
      binding: { kind: "preimage", commit: (root) => stateRootOf(count, root) },
      ...digests,
    };
  },
  chunk: (facts, place) => {
    const type = kernelAt(facts, place).type;
    return {
      tag: Tag.chunk,
      count: chunkCount(type),
      binding: { kind: "preimage", commit: (root) => tensorRootOf(type, root) },
      payloadBytes: (index) => chunkBytes(type, index),
      partBytes: 4,
    };
  },
  fold: (facts, place) => ({
    tag: Tag.accumulator,
    count: foldLeaves(kernelAt(facts, place)),
    binding: { kind: "last" },
    payloadBytes: () => 4,
    partBytes: 4,
  }),
} as const satisfies Record<LevelName, (facts: JobFacts, place: Place) => Omit<Level, "name">>;

function levelAt(facts: JobFacts, name: LevelName, place: Place): Level {
  return { name, ...LEVELS[name](facts, place) };
}

/** The length of chunk `index` of a tensor, in bytes. */
export function chunkBytes(type: TensorType, index: number): number {
  return Math.min(CHUNK_BYTES, 4 * elementCount(type.shape) - index * CHUNK_BYTES);
}

export function kernelAt(facts: JobFacts, place: Place) {
  return facts.graph(graphAt(place)).kernel(place.kernel!);
}

/** The element, and for a fold the fold index, at which a path has reached the bottom. */
export function pointAt({ element, fold }: Place): Point {
  return { element: element!, ...(fold !== undefined && { fold }) };
}

export function isStateUpdate(facts: JobFacts, place: Place): boolean {
  return place.kernel === facts.graph(graphAt(place)).kernelCount;
}

/**
 * The level below a place, or `undefined` at the bottom. Below a place without a level is the tree of the
 * run.
 */
export function levelUnder(facts: JobFacts, place: Place, depth: Depth = "scalar"): Level | undefined {
  const name = place.level === undefined ? "segment" : levelBelow(facts, place, depth);
  return name && levelAt(facts, name, place);
}

function levelBelow(facts: JobFacts, place: Place, depth: Depth): LevelName | undefined {
  switch (place.level) {
    case "segment":
      if (place.segment > 0) return "step";
      return facts.parts.initKind === "graph" ? "operator" : undefined;
    case "step":
      return "operator";
    case "operator":
      if (isStateUpdate(facts, place)) return "state";
      return depth === "scalar" ? "chunk" : undefined;
    case "chunk":
      return foldLeaves(kernelAt(facts, place)) > 0 ? "fold" : undefined;
    default:
      return undefined;
  }
}

/** The machine of a dispute about training. The parties' claims are run roots. */
export function trainingMachine(facts: JobFacts, depth: Depth = "scalar"): Machine {
  return {
    under: (at) => levelUnder(facts, placeOf(facts, at), depth),
    claims: (_, path) => {
      const { level, payloads, part } = path[path.length - 1];
      return bothSides((side) => claimedAt(level, payloads[side], part));
    },
  };
}

/**
 * What a leaf claims about the tree that it opens into. For an element of a chunk: its four bytes, most
 * significant first. In the chunk, the least significant byte is first.
 */
export function claimedAt({ name }: Pick<Level, "name">, payload: Bytes, part: number): Bytes {
  return name === "chunk" ? payload.slice(4 * part, 4 * part + 4).reverse() : payload;
}
