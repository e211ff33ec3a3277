/**
 * A guard around a prover in this process. The prover may be anybody's code; through the guard it gives only
 * fresh values of the declared types, and it never throws.
 */
import { DTYPES } from "../../encoding/dtypes.ts";
import type { Proof } from "../../encoding/merkle.ts";
import { CHUNK_BYTES, elementCount, MAX_RANK, type Tensor, type TensorType } from "../../encoding/tensor.ts";
import { SIGNATURE_BYTES } from "../../claims/signature.ts";
import type { Answer } from "../../game/level.ts";
import { checkBottom, checkPlace, checkQuestion, lengthsOf } from "../../game/question.ts";
import {
  malformed,
  plainText,
  quietly,
  receive,
  receivedAnswer,
  receivedArray,
  receivedBytes,
  receivedList,
  receivedRecord,
} from "../../game/received.ts";
import type { TrainingProver } from "../claim.ts";
import type { JobFacts } from "../facts.ts";
import { trainingMachine } from "../machine.ts";
import type { OperatorWitness } from "../operator.ts";
import { type OperatorTypes, operatorTypes } from "../tensor-codec.ts";
import type { AgreedLeaf, ElementProof, Witness } from "../witness.ts";
import {
  decodeWitness,
  encodeWitness,
  type LeafName,
  LEAVES,
  MAX_PROOF,
  type WitnessBound,
  witnessBound,
} from "../witness-codec.ts";

/** A prover whose values are safe to use, and the reason why it last gave none. */
export interface GuardedProver extends TrainingProver {
  failure(): string | undefined;
}

/**
 * What stands for a malformed value: the referee refuses it as wrong. It differs from `undefined`, since a
 * party that says nothing may have lost its files.
 */
export const MALFORMED = {
  answer: [] as Answer,
  witness: { operands: [] } as Witness,
  operands: { inputs: [] } as OperatorWitness,
} as const;

/**
 * @param prover any object that claims to be a prover. Its methods may be missing, throw, or give anything
 * @returns a prover whose values have the declared types. It gives `undefined` where the other gives nothing
 *   or throws, and an empty value (`MALFORMED`) for one that is malformed; `failure()` says why. It throws
 *   only for a place that does not exist, which is the caller's fault
 */
export function guarded(facts: JobFacts, prover: TrainingProver): GuardedProver {
  const machine = trainingMachine(facts);
  let failure: string | undefined;
  const safe = async <T>(
    make: () => Promise<unknown>,
    copy: (value: unknown) => T,
    wrong?: T,
  ): Promise<T | undefined> => {
    const { value, problem, isMalformed } = await receive(make, copy);
    if (problem !== undefined) failure = problem;
    return isMalformed ? wrong : value;
  };
  return {
    failure: () => failure ?? quietly(() => ownReason(prover)),
    answer: async (question) => {
      const level = checkQuestion(machine, question);
      const what = `the answer to the question for the ${question.kind} in the ${level.name} tree`;
      const lengths = lengthsOf(level, question);
      return safe(
        () => prover.answer(question),
        (value) => receivedAnswer(value, lengths, what),
        MALFORMED.answer,
      );
    },
    witness: async (at) => {
      checkBottom(machine, at);
      const bound = witnessBound(facts, at);
      return safe(
        () => prover.witness(at),
        (value) => receivedWitness(value, bound),
        MALFORMED.witness,
      );
    },
    operands: async (at) => {
      const types = operatorTypes(facts, at);
      return safe(
        () => prover.operands(at),
        (value) => receivedOperands(value, types),
        MALFORMED.operands,
      );
    },
    output: async (at) => {
      const { output } = operatorTypes(facts, at);
      return safe(
        () => prover.output(at),
        (value) => receivedTensor(value, output, "the operator's output"),
      );
    },
    signature: async (at) => {
      checkPlace(machine, at);
      return safe(
        () => prover.signature(at),
        (value) => receivedBytes(value, "a signature", SIGNATURE_BYTES),
      );
    },
  };
}

function ownReason(prover: TrainingProver): string | undefined {
  const reason: unknown = prover.failure?.();
  return typeof reason === "string" && plainText(reason) !== "" ? plainText(reason) : undefined;
}

const STEP = "the one-step proof";

/** The codec refuses what the place does not allow, such as a leaf that the step does not need. */
function receivedWitness(value: unknown, bound: WitnessBound): Witness | undefined {
  const record = receivedRecord(value, STEP);
  const leaves = (Object.keys(LEAVES) as LeafName[]).flatMap((name) => {
    const leaf = record[name];
    return leaf === undefined ? [] : [[name, receivedLeaf(leaf, LEAVES[name], STEP)]];
  });
  const operands = receivedList(record.operands, receivedOperand, STEP, bound.operands, 0);
  return decodeWitness(encodeWitness({ ...Object.fromEntries(leaves), operands }), bound);
}

function receivedOperand(value: unknown): ElementProof {
  const { type, chunk, chunkProof, proof } = receivedRecord(value, STEP);
  return {
    type: receivedType(type),
    chunk: receivedBytes(chunk, STEP, CHUNK_BYTES, 0),
    chunkProof: receivedProof(chunkProof, STEP),
    proof: receivedProof(proof, STEP),
  };
}

function receivedType(value: unknown): TensorType {
  const { dtype, shape } = receivedRecord(value, STEP);
  if (dtype !== "f32" && dtype !== "i32") malformed(STEP, "an operand has no such type");
  return { dtype: dtype as TensorType["dtype"], shape: receivedList(shape, receivedExtent, STEP, MAX_RANK, 0) };
}

function receivedExtent(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= 2 ** 32)
    malformed(STEP, "an extent is no whole number of 32 bits");
  return value as number;
}

function receivedLeaf(value: unknown, length: number, what: string): AgreedLeaf {
  const { payload, proof } = receivedRecord(value, what);
  return { payload: receivedBytes(payload, what, length), proof: receivedProof(proof, what) };
}

function receivedProof(value: unknown, what: string): Proof {
  return receivedList(value, (hash) => receivedBytes(hash, what, 32), what, MAX_PROOF, 0);
}

/** The types are the operator's. What the party says about its tensors' types has to be the same. */
function receivedOperands(value: unknown, { inputs: types }: OperatorTypes): OperatorWitness {
  const what = "the list of the operator's inputs";
  const { before, inputs } = receivedRecord(value, what);
  let at = 0;
  const item = (input: unknown) => {
    const { tensor, proof } = receivedRecord(input, what);
    return { tensor: receivedTensor(tensor, types[at++], what), proof: receivedProof(proof, what) };
  };
  return {
    ...(before !== undefined && { before: receivedLeaf(before, 32, what) }),
    inputs: receivedList(inputs, item, what, types.length),
  };
}

function receivedTensor(value: unknown, type: TensorType, what: string): Tensor {
  const { dtype, shape, data } = receivedRecord(value, what);
  const extents = receivedList(shape, (extent) => extent, what, type.shape.length);
  if (dtype !== type.dtype || extents.some((extent, axis) => extent !== type.shape[axis]))
    malformed(what, "a tensor has another type than the operator's");
  return {
    ...type,
    data: receivedArray<Tensor["data"]>(data, DTYPES[type.dtype].array, what, elementCount(type.shape)),
  };
}
