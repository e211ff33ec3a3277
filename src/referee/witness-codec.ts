/**
 * The one-step proof as bytes, to be sent. The encoding is canonical, and its size is bounded by what the
 * place needs.
 */
import { type Bytes, Writer, type Reader } from "../encoding/bytes.ts";
import type { Proof } from "../encoding/merkle.ts";
import { CHUNK_BYTES, encodeType, MAX_RANK } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { Message, openMessage, readFlag, startMessage } from "../game/codec.ts";
import type { Position } from "../game/level.ts";
import { decodeType } from "../graph/codec.ts";
import type { JobFacts } from "./facts.ts";
import { groundOf } from "./judge.ts";
import { JUDGE_BUDGET, scalarSteps } from "../repops/kernels/reads.ts";
import { kernelAt, pointAt } from "./machine.ts";
import { type Place, placeOf } from "./place.ts";
import type { AgreedLeaf, ElementProof, Witness } from "./witness.ts";

/** The most hashes in a proof. Indices have 32 bits, so no tree has more levels above its leaves. */
export const MAX_PROOF = 32;
/** The most bytes of an encoded proof. */
export const PROOF_BYTES = 1 + 32 * MAX_PROOF;
/** Agreed leaves other than the operands, with the number of bytes that they commit to. */
export const LEAVES = { before: 32, accumulator: 4, entry: 32 } as const satisfies Partial<
  Record<keyof Witness, number>
>;
export type LeafName = keyof typeof LEAVES;
const NAMES = Object.keys(LEAVES) as LeafName[];
const OPERAND_BYTES = 2 + 4 * MAX_RANK + (2 + CHUNK_BYTES) + 2 * PROOF_BYTES;

/**
 * The most bytes of any one-step proof: every leaf, and as many operands as a step of a checked kernel reads.
 */
export const MAX_WITNESS_BYTES = bytesFor(JUDGE_BUDGET.reads, NAMES);

/** The most that a witness for one place may hold. */
export interface WitnessBound {
  readonly operands: number;
  /** Leaves that it may show. */
  readonly leaves: readonly LeafName[];
  /** The most bytes of the whole message. */
  readonly bytes: number;
}

/** @param at an existing place at the bottom */
export function witnessBound(facts: JobFacts, at: Position): WitnessBound {
  const place = placeOf(facts, at);
  const { operands, leaves } = BOUNDS[groundOf(facts, place)](facts, place);
  return { operands, leaves, bytes: bytesFor(operands, leaves) };
}

function bytesFor(operands: number, leaves: readonly LeafName[]): number {
  const shown = leaves.reduce((sum, name) => sum + LEAVES[name] + PROOF_BYTES, 0);
  return 3 + NAMES.length + shown + 2 + operands * OPERAND_BYTES;
}

const BOUNDS = {
  checkpoint: () => ({ operands: 0, leaves: [] }),
  "state-update": () => ({ operands: 0, leaves: ["before", "entry"] }),
  scalar: (facts, place) => ({
    operands: operandsAt(facts, place),
    leaves: place.fold ? ["before", "accumulator"] : ["before"],
  }),
} as const satisfies Record<
  ReturnType<typeof groundOf>,
  (facts: JobFacts, place: Place) => { operands: number; leaves: readonly LeafName[] }
>;

function operandsAt(facts: JobFacts, place: Place): number {
  const kernel = kernelAt(facts, place);
  if (kernel.kind === "gather") return 2;
  return scalarSteps(kernel, pointAt(place)) * kernel.args.filter(({ kind }) => kind === "operand").length;
}

/**
 * A witness, or the fact that there is none.
 * @throws {FormatError} when a part of it has a length that no valid witness has
 */
export function encodeWitness(witness: Witness | undefined): Bytes {
  const writer = startMessage(Message.witness).u8(witness ? 1 : 0);
  if (!witness) return writer.finish();
  for (const name of NAMES) {
    const leaf = witness[name];
    writer.u8(leaf ? 1 : 0);
    if (!leaf) continue;
    expectLength(leaf.payload, LEAVES[name], name);
    writeProof(writer.bytes(leaf.payload), leaf.proof);
  }
  if (witness.operands.length > 0xffff)
    throw new FormatError("TOO_LARGE", `a one-step proof with ${witness.operands.length} operands`);
  writer.u16(witness.operands.length);
  for (const { type, chunk, chunkProof, proof } of witness.operands) {
    if (chunk.length > CHUNK_BYTES) throw new FormatError("TOO_LARGE", `a chunk of ${chunk.length} bytes`);
    writer.bytes(encodeType(type)).u16(chunk.length).bytes(chunk);
    writeProof(writeProof(writer, chunkProof), proof);
  }
  return writer.finish();
}

/**
 * The witness that `encodeWitness` wrote, limited to what the place can need. It does not check the proofs:
 * `judge` does.
 * @throws {FormatError} for anything else
 */
export function decodeWitness(bytes: Bytes, bound: WitnessBound): Witness | undefined {
  const reader = openMessage(bytes, Message.witness, bound.bytes, "a one-step proof");
  const witness = readFlag(reader) ? readWitness(reader, bound) : undefined;
  reader.end();
  return witness;
}

function readWitness(reader: Reader, bound: WitnessBound): Witness {
  const shown = NAMES.flatMap((name): [LeafName, AgreedLeaf][] => {
    if (!readFlag(reader)) return [];
    if (!bound.leaves.includes(name))
      throw reader.error("MALFORMED", `it shows the leaf ${name}, which the step does not need`);
    return [[name, { payload: reader.bytes(LEAVES[name]).slice(), proof: readProof(reader) }]];
  });
  const count = reader.u16();
  if (count > bound.operands)
    throw reader.error("TOO_LARGE", `${count} operands; the step reads at most ${bound.operands}`);
  const operands = Array.from({ length: count }, () => readOperand(reader));
  return { ...Object.fromEntries(shown), operands };
}

function readOperand(reader: Reader): ElementProof {
  const type = decodeType(reader);
  const length = reader.u16();
  if (length > CHUNK_BYTES) throw reader.error("TOO_LARGE", `a chunk of ${length} bytes`);
  return { type, chunk: reader.bytes(length).slice(), chunkProof: readProof(reader), proof: readProof(reader) };
}

export function writeProof(writer: Writer, proof: Proof): Writer {
  if (proof.length > MAX_PROOF) throw new FormatError("TOO_LARGE", `a proof of ${proof.length} hashes`);
  writer.u8(proof.length);
  for (const hash of proof) {
    expectLength(hash, 32, "a hash of a proof");
    writer.bytes(hash);
  }
  return writer;
}

export function readProof(reader: Reader): Proof {
  const count = reader.u8();
  if (count > MAX_PROOF) throw reader.error("TOO_LARGE", `a proof of ${count} hashes`);
  return Array.from({ length: count }, () => reader.bytes(32).slice());
}

function expectLength(bytes: Bytes, length: number, what: string): void {
  if (bytes.length !== length) throw new FormatError("MALFORMED", `${what} of ${bytes.length} bytes; it has ${length}`);
}
