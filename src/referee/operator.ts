/** Decides on a whole operator (spec 7.6): fetches its agreed inputs, and recomputes all of its output. */
import { elementCount, type Tensor, tensorRoot } from "../encoding/tensor.ts";
import { DisputeError } from "../errors/index.ts";
import { type Backend, executeOnce } from "../repops/backends/backend.ts";
import { type Kernel, operandsOf, renumberOperands } from "../repops/kernels/kernel.ts";
import type { Proof } from "../encoding/merkle.ts";
import type { JobFacts } from "./facts.ts";
import { type Passed, type Position, positionOf, type Side } from "../game/level.ts";
import { checkPlace } from "../game/question.ts";
import { groundOf } from "./judge.ts";
import { kernelAt, trainingMachine } from "./machine.ts";
import { type Place, placeOf } from "./place.ts";
import { type AgreedLeaf, AgreedValues, treesOf } from "./witness.ts";

/**
 * The inputs of the disputed operator, each with the proof of its root, in the order of `distinctOperands`.
 */
export interface OperatorWitness {
  /** The root of the pre-state. Present if an input is an entry of it. */
  readonly before?: AgreedLeaf;
  readonly inputs: readonly { readonly tensor: Tensor; readonly proof: Proof }[];
}

/** The tensors that an operator reads, each once. */
export function distinctOperands(kernel: Kernel): number[] {
  return [...new Set(operandsOf(kernel))];
}

/**
 * The place of an operator that can be recomputed.
 * @throws {DisputeError} when `at` does not lead to an operator; it does if a whole operator is recomputed
 */
export function expectOperator(facts: JobFacts, at: Position): Place {
  const below = checkPlace(trainingMachine(facts, "operator"), at);
  const place = placeOf(facts, at);
  if (below || groundOf(facts, place) !== "scalar")
    throw new DisputeError("PLACE", "the tensors of an operator were asked for, but the place is not an operator", {
      at,
    });
  return place;
}

/**
 * The disputed operator's inputs, checked against what both parties agree on.
 * @throws {DisputeError} when one of them is not the agreed tensor
 */
export function checkInputs(facts: JobFacts, path: readonly Passed[], witness: OperatorWitness, by: Side): Tensor[] {
  const place = placeOf(facts, positionOf(path));
  const wanted = distinctOperands(kernelAt(facts, place));
  const { before, inputs } = witness;
  if (inputs.length !== wanted.length)
    throw new DisputeError(
      "WITNESS_WRONG",
      `${inputs.length} inputs of the operator were shown, but it has ${wanted.length}`,
      { expected: wanted.length, found: inputs.length },
    );
  const agreed = new AgreedValues(facts, treesOf(path, by), place, { ...(before && { before }), operands: [] });
  inputs.forEach(({ tensor, proof }, i) => {
    if (tensor.data.length !== elementCount(tensor.shape))
      throw new DisputeError("WITNESS_WRONG", `input ${i} of the operator does not have as many elements as its shape`);
    agreed.checkTensorRoot(wanted[i], tensorRoot(tensor), proof, `input ${i} of the operator`);
  });
  agreed.end();
  return inputs.map(({ tensor }) => tensor);
}

/** The output of one operator, computed on `backend` from its distinct operands. */
export async function recompute(kernel: Kernel, inputs: readonly Tensor[], backend: Backend): Promise<Tensor> {
  const wanted = distinctOperands(kernel);
  const alone = renumberOperands(kernel, (tensor) => wanted.indexOf(tensor));
  const list = { inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })), kernels: [alone] };
  const [output] = await executeOnce(backend, list, inputs, [inputs.length]);
  return output;
}
