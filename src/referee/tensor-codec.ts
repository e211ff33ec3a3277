/** A disputed operator's tensors as bytes, to be sent if the whole operator is recomputed (spec 7.6). */
import { asBytes, type Bytes } from "../encoding/bytes.ts";
import { byteLength, readElements, sameShape, type Tensor, type TensorType } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { Message, openMessage, readFlag, startMessage } from "../game/codec.ts";
import type { Position } from "../game/level.ts";
import type { JobFacts } from "./facts.ts";
import { kernelAt } from "./machine.ts";
import { distinctOperands, expectOperator, type OperatorWitness } from "./operator.ts";
import { graphAt } from "./place.ts";
import { PROOF_BYTES, readProof, writeProof } from "./witness-codec.ts";

/** The types of what an operator reads and writes. The job fixes them, so messages hold only elements. */
export interface OperatorTypes {
  /** The types of its inputs, each once, in the order of `distinctOperands`. */
  readonly inputs: readonly TensorType[];
  readonly output: TensorType;
}

/** @throws {DisputeError} when `at` does not lead to an operator */
export function operatorTypes(facts: JobFacts, at: Position): OperatorTypes {
  const place = expectOperator(facts, at);
  const { inputs, kernel } = facts.graph(graphAt(place));
  const typeAt = (tensor: number): TensorType =>
    tensor < inputs.length ? inputs[tensor] : kernel(tensor - inputs.length).type;
  const own = kernelAt(facts, place);
  return { inputs: distinctOperands(own).map(typeAt), output: own.type };
}

const HEAD_BYTES = 3;

/** The most bytes of an operator's encoded inputs. */
export function operandsBytes({ inputs }: OperatorTypes): number {
  return inputs.reduce((sum, type) => sum + byteLength(type) + PROOF_BYTES, HEAD_BYTES + 1 + 32 + PROOF_BYTES);
}

/** The most bytes of an operator's encoded output. */
export function outputBytes({ output }: OperatorTypes): number {
  return HEAD_BYTES + byteLength(output);
}

/**
 * An operator's inputs, or the fact that there are none.
 * @throws {FormatError} when they have other types
 */
export function encodeOperands(witness: OperatorWitness | undefined, { inputs: types }: OperatorTypes): Bytes {
  const writer = startMessage(Message.operands).u8(witness ? 1 : 0);
  if (!witness) return writer.finish();
  const { before, inputs } = witness;
  writer.u8(before ? 1 : 0);
  if (before) {
    if (before.payload.length !== 32) throw new FormatError("MALFORMED", `a root of ${before.payload.length} bytes`);
    writeProof(writer.bytes(before.payload), before.proof);
  }
  if (inputs.length !== types.length)
    throw new FormatError("MALFORMED", `${inputs.length} inputs were given for an operator with ${types.length}`);
  inputs.forEach(({ tensor, proof }, i) => writeProof(writer.bytes(elementsOf(tensor, types[i])), proof));
  return writer.finish();
}

/** @throws {FormatError} for bytes that `encodeOperands` did not write for the same types */
export function decodeOperands(bytes: Bytes, types: OperatorTypes): OperatorWitness | undefined {
  const reader = openMessage(bytes, Message.operands, operandsBytes(types), "an operator's inputs");
  let witness: OperatorWitness | undefined;
  if (readFlag(reader)) {
    const before = readFlag(reader) && { payload: reader.bytes(32).slice(), proof: readProof(reader) };
    const inputs = types.inputs.map((type) => ({ tensor: readElements(reader, type), proof: readProof(reader) }));
    witness = { ...(before && { before }), inputs };
  }
  reader.end();
  return witness;
}

/** An operator's output, or the fact that there is none. @throws {FormatError} when it has another type */
export function encodeOutput(output: Tensor | undefined, { output: type }: OperatorTypes): Bytes {
  const writer = startMessage(Message.output).u8(output ? 1 : 0);
  return (output ? writer.bytes(elementsOf(output, type)) : writer).finish();
}

/** @throws {FormatError} for bytes that `encodeOutput` did not write for the same type */
export function decodeOutput(bytes: Bytes, types: OperatorTypes): Tensor | undefined {
  const reader = openMessage(bytes, Message.output, outputBytes(types), "an operator's output");
  const output = readFlag(reader) ? readElements(reader, types.output) : undefined;
  reader.end();
  return output;
}

function elementsOf(tensor: Tensor, type: TensorType): Bytes {
  if (
    tensor.dtype !== type.dtype ||
    !sameShape(tensor.shape, type.shape) ||
    4 * tensor.data.length !== byteLength(type)
  )
    throw new FormatError("MALFORMED", "a tensor has another type than the operator's", { type });
  return asBytes(tensor.data);
}
