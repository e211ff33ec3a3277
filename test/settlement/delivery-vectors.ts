/** The vectors of deliveries (spec 6.8), as TypeScript has them. */
import { readFileSync } from "node:fs";
import { fromHex, toHex } from "../../src/encoding/bytes.ts";
import type { TensorType } from "../../src/encoding/tensor.ts";
import type { JobId } from "../../src/job/closed.ts";
import { type ChunkPlace, type ChunkProof, runRootFromChunk } from "../../src/settlement/delivery.ts";

type Hex = string;
/** A chunk of a final state, its proof, and the root that it leads to. */
export interface Vector {
  name: string;
  place: Omit<ChunkPlace, "job"> & { job: Hex };
  type: TensorType;
  tensorType: Hex;
  proof: { chunk: Hex; chunkPath: Hex[]; statePath: Hex[]; segmentPath: Hex[] };
  root: Hex;
  stateLayout: Hex;
  layoutPath: Hex[];
}

/** What the Solidity tests read as well. */
export const FILE = new URL("../vectors/delivery.json", import.meta.url);
export const { vectors } = JSON.parse(readFileSync(FILE, "utf8")) as { vectors: Vector[] };

export const placeOf = ({ place }: Vector): ChunkPlace => ({ ...place, job: fromHex(place.job) as JobId });
export const proofOf = ({ proof }: Vector): ChunkProof => {
  const path = (hashes: Hex[]) => hashes.map((hash) => fromHex(hash, 32));
  return {
    chunk: fromHex(proof.chunk),
    chunkPath: path(proof.chunkPath),
    statePath: path(proof.statePath),
    segmentPath: path(proof.segmentPath),
  };
};
/** The run root that a proof leads to. */
export const rootOf = (place: ChunkPlace, type: TensorType, proof: ChunkProof): Hex | undefined => {
  const root = runRootFromChunk(place, type, proof);
  return root && toHex(root);
};
