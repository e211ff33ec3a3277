/** Chunks of final states lead to the run root, and nothing else does (spec 6.8). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { deliveryVectors } from "../../scripts/vectors.ts";
import { fromHex, toHex } from "../../src/encoding/bytes.ts";
import { climb, hashLeaf } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import { encodeType, type TensorType } from "../../src/encoding/tensor.ts";
import { FormatError } from "../../src/errors/index.ts";
import { layoutRoot, proveChunk, proveType } from "../../src/settlement/delivery.ts";
import { FILE, placeOf, proofOf, rootOf, vectors } from "./delivery-vectors.ts";

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
