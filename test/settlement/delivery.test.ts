/** Chunks of final states lead to the run root, and nothing else does (spec 6.8). */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deliveryVectors } from "../../scripts/vectors.ts";
import { fromHex, toHex } from "../../src/encoding/bytes.ts";
import { climb, hashLeaf } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import { encodeType, type TensorType } from "../../src/encoding/tensor.ts";
import { FormatError } from "../../src/errors/index.ts";
import type { JobId } from "../../src/job/closed.ts";
import {
  type ChunkPlace,
  type ChunkProof,
  layoutRoot,
  proveChunk,
  proveType,
  runRootFromChunk,
} from "../../src/settlement/delivery.ts";

type Hex = string;
interface Vector {
  name: string;
  place: Omit<ChunkPlace, "job"> & { job: Hex };
  type: TensorType;
  tensorType: Hex;
  proof: { chunk: Hex; chunkPath: Hex[]; statePath: Hex[]; segmentPath: Hex[] };
  root: Hex;
  stateLayout: Hex;
  layoutPath: Hex[];
}

const FILE = new URL("../vectors/delivery.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(FILE, "utf8")) as { vectors: Vector[] };

const placeOf = ({ place }: Vector): ChunkPlace => ({ ...place, job: fromHex(place.job) as JobId });
const proofOf = ({ proof }: Vector): ChunkProof => {
  const path = (hashes: Hex[]) => hashes.map((hash) => fromHex(hash, 32));
  return {
    chunk: fromHex(proof.chunk),
    chunkPath: path(proof.chunkPath),
    statePath: path(proof.statePath),
    segmentPath: path(proof.segmentPath),
  };
};
const rootOf = (place: ChunkPlace, type: TensorType, proof: ChunkProof): Hex | undefined => {
  const root = runRootFromChunk(place, type, proof);
  return root && toHex(root);
};

test("the vectors are what the script writes", async () => {
  expect(readFileSync(FILE, "utf8")).toBe(await deliveryVectors());
});

describe("a chunk of the final state", () => {
  test("leads to the run root, and its type to the layout", () => {
    expect(vectors.length).toBeGreaterThan(30);
    for (const vector of vectors) {
      expect(rootOf(placeOf(vector), vector.type, proofOf(vector)), vector.name).toBe(vector.root);
      const { tensor, tensors } = vector.place;
      const leaf = hashLeaf(Tag.layoutLeaf, encodeType(vector.type));
      const layout = climb(
        leaf,
        tensors,
        tensor,
        vector.layoutPath.map((hash) => fromHex(hash)),
      );
      expect(layout && toHex(layout), vector.name).toBe(vector.stateLayout);
    }
  });

  test("leads nowhere from another place", () => {
    // The number of steps is bound by the job's id.
    const fields = ["commitEvery", "tensors", "tensor", "chunk"] as const;
    const moved = fc.record({
      vector: fc.constantFrom(...vectors),
      field: fc.constantFrom(...fields),
      by: fc.constantFrom(-1, 1),
    });
    fc.assert(
      fc.property(moved, ({ vector, field, by }) => {
        const place = placeOf(vector);
        const elsewhere = { ...place, [field]: place[field] + by };
        fc.pre(elsewhere.commitEvery > 0);
        expect(rootOf(elsewhere, vector.type, proofOf(vector))).not.toBe(vector.root);
      }),
      { seed: 20261120, numRuns: 500 },
    );
  });

  test("leads nowhere with a bit, a length or a type changed", () => {
    for (const vector of vectors) {
      const [place, proof] = [placeOf(vector), proofOf(vector)];
      const chunk = proof.chunk.slice();
      chunk[chunk.length - 1] ^= 0x80;
      expect(rootOf(place, vector.type, { ...proof, chunk })).not.toBe(vector.root);
      expect(rootOf(place, vector.type, { ...proof, chunk: proof.chunk.subarray(4) })).toBeUndefined();
      const longer = { ...proof, segmentPath: [...proof.segmentPath, new Uint8Array(32)] };
      expect(rootOf(place, vector.type, longer)).toBeUndefined();
      const reshaped: TensorType = { ...vector.type, shape: [1, ...vector.type.shape] };
      expect(rootOf(place, reshaped, proof)).not.toBe(vector.root);
      const other: TensorType = { ...vector.type, dtype: vector.type.dtype === "f32" ? "i32" : "f32" };
      expect(rootOf(place, other, proof)).not.toBe(vector.root);
    }
  });

  test("that does not exist can't be proven", () => {
    const state = [{ dtype: "f32" as const, shape: [3], data: new Float32Array(3) }];
    expect(() => proveChunk([], state, 0, 1)).toThrow(FormatError);
    expect(() => proveChunk([], state, 1, 0)).toThrow(FormatError);
  });
});

describe("a layout", () => {
  const types: TensorType[] = [1, 2, 3, 4, 5].map((extent) => ({ dtype: "f32", shape: [extent] }));

  test("binds the type of each entry to its place", () => {
    const root = layoutRoot(types);
    for (const [tensor, type] of types.entries())
      for (const place of types.keys()) {
        const leaf = hashLeaf(Tag.layoutLeaf, encodeType(type));
        const reached = climb(leaf, types.length, place, proveType(types, tensor));
        expect(reached !== undefined && toHex(reached) === toHex(root)).toBe(tensor === place);
      }
  });
});
