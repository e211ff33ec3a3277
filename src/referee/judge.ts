/**
 * Executes the step at the bottom of a dispute once, from agreed values, and compares both claims with it
 * (spec 7.5).
 */
import { type Bytes, bytesEqual, Writer } from "../encoding/bytes.ts";
import type { ClimbLeaf } from "../encoding/merkle.ts";
import type { TensorRoot } from "../encoding/tensor.ts";
import type { Kernel } from "../repops/kernels/kernel.ts";
import { accumulatorRead, readsAt, resultAt, scalarSteps } from "../repops/kernels/reads.ts";
import type { JobFacts } from "./facts.ts";
import { bothSides, type Pair, type Passed, positionOf, type Side, SIDES } from "../game/level.ts";
import { elementOf, isStateUpdate, kernelAt, pointAt } from "./machine.ts";
import { graphAt, type Place, placeOf } from "./place.ts";
import { AgreedValues, type Witness } from "./witness.ts";

export interface Judgement {
  /** The result computed from the agreed values: the four bytes of an element, or a root. */
  readonly recomputed: Bytes;
  readonly claimed: Pair<Bytes>;
  /** The sides whose claims differ from it: one, or both. */
  readonly losers: readonly Side[];
  readonly scalarSteps: number;
}

/** What decides at the end of a path. */
export type Ground = "checkpoint" | "state-update" | "scalar";

export function groundOf(facts: JobFacts, place: Place): Ground {
  if (place.kernel === undefined) return "checkpoint";
  return isStateUpdate(facts, place) ? "state-update" : "scalar";
}

/**
 * Decides a dispute whose path has reached the bottom.
 * @param by the party that shows the witness
 * @param climb follows the witness's proofs
 * @throws {DisputeError} when the witness does not hold
 */
export function judge(
  facts: JobFacts,
  path: readonly Passed[],
  witness: Witness,
  by: Side,
  climb?: ClimbLeaf,
): Judgement {
  const place = placeOf(facts, positionOf(path));
  const agreed = new AgreedValues(facts, path, place, witness, by, climb);
  const ground = groundOf(facts, place);
  const recomputed = DECIDE[ground](facts, place, agreed);
  agreed.end();
  const last = path[path.length - 1];
  const claimed = last.level.name === "chunk" ? bothSides((side) => elementOf(last, side)) : last.payloads;
  return {
    ...compare(claimed, recomputed),
    scalarSteps: ground === "scalar" ? scalarSteps(kernelAt(facts, place), pointAt(place)) : 0,
  };
}

export function compare(claimed: Pair<Bytes>, recomputed: Bytes): Omit<Judgement, "scalarSteps"> {
  return { claimed, recomputed, losers: SIDES.filter((side) => !bytesEqual(claimed[side], recomputed)) };
}

const DECIDE = {
  /** The job fixes the initial state. */
  checkpoint: (facts) => facts.parts.init,
  /** The entry of the new state is the tensor that the graph names. */
  "state-update": (facts, place, agreed): TensorRoot =>
    agreed.entry(facts.graph(graphAt(place)).outputs[place.entry!].tensor),
  scalar: (facts, place, agreed) => new Writer().u32(scalarStep(kernelAt(facts, place), place, agreed)).finish(),
} as const satisfies Record<Ground, (facts: JobFacts, place: Place, agreed: AgreedValues) => Bytes>;

/** The bits of the disputed element, or of the accumulator after the disputed fold index. */
function scalarStep(kernel: Kernel, place: Place, agreed: AgreedValues): number {
  const point = pointAt(place);
  const accumulator = accumulatorRead(point) === undefined ? undefined : agreed.accumulator();
  const reads = readsAt(kernel, point, {
    type: (_, index) => agreed.shownType(index),
    bits: ({ tensor, address }, index) => {
      if (address >= 0) return agreed.operand(index, tensor, address);
      agreed.checkType(index, tensor);
      return 0;
    },
  });
  return resultAt(kernel, point, reads, accumulator);
}
