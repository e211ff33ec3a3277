/** A prover at the other end of a wire: whatever it is asked, and whatever it answers, passes as bytes. */
import type { Bytes } from "../../src/encoding/bytes.ts";
import {
  decodeAnswer,
  decodePlace,
  decodeQuestion,
  encodeAnswer,
  encodePlace,
  encodeQuestion,
} from "../../src/game/codec.ts";
import { checkQuestion, lengthsOf, type Question } from "../../src/game/question.ts";
import type { Position } from "../../src/game/level.ts";
import type { TrainingProver } from "../../src/referee/claim.ts";
import type { JobFacts } from "../../src/referee/facts.ts";
import { trainingMachine } from "../../src/referee/machine.ts";
import {
  decodeOperands,
  decodeOutput,
  encodeOperands,
  encodeOutput,
  operatorTypes,
} from "../../src/referee/tensor-codec.ts";
import { decodeWitness, encodeWitness, witnessBound } from "../../src/referee/witness-codec.ts";

/** A message that was sent, and its decoder, which knows what it is the answer to. */
export interface Sent {
  readonly bytes: Bytes;
  decode(bytes: Bytes): unknown;
  encode(message: never): Bytes;
}

/** @param sent receives every message */
export function sentProver(facts: JobFacts, prover: TrainingProver, sent: Sent[] = []): TrainingProver {
  const machine = trainingMachine(facts);
  const send = <T>(message: T, encode: (message: T) => Bytes, decode: (bytes: Bytes) => T): T => {
    const bytes = encode(message);
    sent.push({ bytes, decode, encode });
    return decode(bytes);
  };
  const sendQuestion = (question: Question) => send(question, encodeQuestion, decodeQuestion);
  const sendPlace = (at: Position) => send(at, encodePlace, decodePlace);
  return {
    answer: async (question) => {
      const lengths = lengthsOf(checkQuestion(machine, question), question);
      return send(
        await prover.answer(sendQuestion(question)),
        (answer) => encodeAnswer(answer, lengths),
        (bytes) => decodeAnswer(bytes, lengths),
      );
    },
    witness: async (at) => {
      const bound = witnessBound(facts, at);
      return send(await prover.witness(sendPlace(at)), encodeWitness, (bytes) => decodeWitness(bytes, bound));
    },
    operands: async (at) => {
      const types = operatorTypes(facts, at);
      return send(
        await prover.operands(sendPlace(at)),
        (witness) => encodeOperands(witness, types),
        (bytes) => decodeOperands(bytes, types),
      );
    },
    signature: (at) => prover.signature(at),
    output: async (at) => {
      const types = operatorTypes(facts, at);
      return send(
        await prover.output(sendPlace(at)),
        (output) => encodeOutput(output, types),
        (bytes) => decodeOutput(bytes, types),
      );
    },
  };
}
