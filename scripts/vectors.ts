/**
 * Writes `test/vectors/`: the disputes of `game-vectors.ts`, the openings of `opening-vectors.ts`, the hashes
 * of `task-vectors.ts`, the leaves of `round-vectors.ts`, and in `delivery.json` chunks of final states with
 * their proofs. TypeScript makes them; TypeScript (test/settlement/delivery.test.ts) and the contracts
 * (test/solidity/Commitments.t.sol) check them.
 * `npm run contracts` runs it.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type AbiParameter, encodeAbiParameters, type Hex, parseAbiParameters } from "viem";
import { type Bytes, toHex } from "../src/encoding/bytes.ts";
import { chunkCount, encodeType, type StateRoot, stateRoot, type Tensor, tensorRoot } from "../src/encoding/tensor.ts";
import { type JobId, jobId } from "../src/job/closed.ts";
import { type ChunkPlace, type ChunkProof, layoutRoot, proveChunk, proveType } from "../src/settlement/delivery.ts";
import { runRootOf } from "../src/trace/commitments.ts";
import { run } from "../src/trace/run.ts";
import { floatVectors } from "./arithmetic-vectors.ts";
import { gameVectors } from "./game-vectors.ts";
import { openingVectors } from "./opening-vectors.ts";
import { kernelVectors, programVectors } from "./point-vectors.ts";
import { roundVectors } from "./round-vectors.ts";
import { taskVectors } from "./task-vectors.ts";
import line from "../test/fixtures/line.ts";

interface Run {
  name: string;
  job: JobId;
  steps: number;
  commitEvery: number;
  segmentRoots: readonly StateRoot[];
  state: readonly Tensor[];
}

/** What the Solidity tests decode of each vector. */
const ENCODED = parseAbiParameters(
  "(bytes32 job, uint32 steps, uint32 commitEvery, uint32 tensors, uint32 tensor, uint32 chunk) place, bytes tensorType, " +
    "(bytes chunk, bytes32[] chunkPath, bytes32[] statePath, bytes32[] segmentPath) proof, " +
    "bytes32 root, bytes32 stateLayout, bytes32[] layoutPath",
) as readonly AbiParameter[];

/** Sizes around the ends of chunks, both element types, ranks from 0 on, and entries without elements. */
const SHAPES: readonly (readonly number[])[] = [[], [1], [63], [64], [65], [8, 16], [3, 43], [0, 5], [2, 3, 4, 5, 6]];

function plain(name: string, steps: number, commitEvery: number, shapes: readonly (readonly number[])[]): Run {
  const tensors = (at: number): Tensor[] =>
    shapes.map((shape, index) => {
      const count = shape.reduce((product, extent) => product * extent, 1);
      const values = Array.from({ length: count }, (_, i) => ((i * 37 + index * 11 + at * 5) % 61) - 30);
      return index % 3 === 2
        ? { dtype: "i32", shape, data: Int32Array.from(values) }
        : { dtype: "f32", shape, data: Float32Array.from(values, (value) => value / 8) };
    });
  const ends = [0, ...Array.from({ length: Math.ceil(steps / commitEvery) }, (_, i) => i + 1)];
  const segmentRoots = ends.map((at) => stateRoot(tensors(at).map(tensorRoot)));
  const job = new Uint8Array(32).fill(steps) as Bytes as JobId;
  return { name, job, steps, commitEvery, segmentRoots, state: tensors(ends.length - 1) };
}

async function runs(): Promise<Run[]> {
  const closed = await line.close();
  const commitEvery = 5;
  const { segmentRoots, state } = await run(closed, { commitEvery });
  return [
    { name: "line", job: jobId(closed), steps: closed.steps, commitEvery, segmentRoots, state },
    plain("one tensor, one step", 1, 1, [[64]]),
    plain("all shapes", 5, 2, SHAPES),
    plain("one segment", 7, 7, SHAPES.slice(0, 5)),
    plain("many segments", 21, 2, SHAPES.slice(0, 3)),
  ];
}

interface Vector {
  encoded: Hex;
}

function vectorsOf({ name, job, steps, commitEvery, segmentRoots, state }: Run): Vector[] {
  const root = toHex(runRootOf(job, commitEvery, segmentRoots));
  const stateLayout = toHex(layoutRoot(state));
  return state.flatMap((type, tensor) =>
    Array.from({ length: chunkCount(type) }, (_, chunk) => {
      const place: ChunkPlace = { job, steps, commitEvery, tensors: state.length, tensor, chunk };
      const proof = proveChunk(segmentRoots, state, tensor, chunk);
      const vector = {
        name: `${name}: entry ${tensor}, chunk ${chunk}`,
        place: { ...place, job: toHex(job) },
        type: { dtype: type.dtype, shape: type.shape },
        tensorType: toHex(encodeType(type)),
        proof: hexOf(proof),
        root,
        stateLayout,
        layoutPath: proveType(state, tensor).map(toHex),
      };
      const { tensorType, layoutPath } = vector;
      const encoded = encodeAbiParameters(ENCODED, [
        vector.place,
        tensorType,
        vector.proof,
        root,
        stateLayout,
        layoutPath,
      ]);
      return { ...vector, encoded };
    }),
  );
}

function hexOf({ chunk, chunkPath, statePath, segmentPath }: ChunkProof) {
  const [chunks, states, segments] = [chunkPath, statePath, segmentPath].map((path) => path.map(toHex));
  return { chunk: toHex(chunk), chunkPath: chunks, statePath: states, segmentPath: segments };
}

/** The text of `test/vectors/delivery.json`. */
export async function deliveryVectors(): Promise<string> {
  const vectors = (await runs()).flatMap(vectorsOf);
  const encoded = vectors.map((vector) => vector.encoded);
  const plain = vectors.map((vector) => ({ ...vector, encoded: undefined }));
  return `${JSON.stringify({ vectors: plain, encoded }, null, 1)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const put = (name: string, text: string): void =>
    writeFileSync(new URL(`../test/vectors/${name}.json`, import.meta.url), text);
  put("delivery", await deliveryVectors());
  put("game", await gameVectors());
  put("openings", openingVectors());
  put("tasks", taskVectors());
  put("rounds", await roundVectors());
  put("floats", floatVectors());
  put("programs", await programVectors());
  put("kernels", await kernelVectors());
}
