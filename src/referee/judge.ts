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
import { bothSides, type Pair, type Passed, type Position, positionOf, type Side, SIDES } from "../game/level.ts";
import { claimedAt, isStateUpdate, kernelAt, pointAt } from "./machine.ts";
import { graphAt, type Place, placeOf } from "./place.ts";
import { AgreedValues, treesOf, type PassedTree, type UsedLeaf, type Witness } from "./witness.ts";

/** What the step at the bottom gives. */
export interface Recomputed {
  /** The four bytes of an element, most significant first, or a root. */
  readonly recomputed: Bytes;
  readonly scalarSteps: number;
  /** The leaves of the trees passed that the step needed. */
  readonly used: readonly UsedLeaf[];
}

/** The result of the step at the bottom, compared with what both sides claim. */
export interface Judgement extends Recomputed {
  readonly claimed: Pair<Bytes>;
  /** The sides whose claims differ from it: one, or both. */
  readonly losers: readonly Side[];
}

/** What decides at the end of a path. */
export type Ground = "checkpoint" | "state-update" | "scalar";

export function groundOf(facts: JobFacts, place: Place): Ground {
  if (place.kernel === undefined) return "checkpoint";
  return isStateUpdate(facts, place) ? "state-update" : "scalar";
}

/**
 * Decides a dispute whose path has reached the bottom.
 * @param by the party that shows the witness; its proofs lead to the roots of its own trees
 * @throws {DisputeError} when the witness does not hold
 */
export function judge(facts: JobFacts, path: readonly Passed[], witness: Witness, by: Side): Judgement {
  const result = recomputeStep(facts, positionOf(path), treesOf(path, by), witness);
  const last = path[path.length - 1];
  return {
    ...result,
    ...compare(
      bothSides((side) => claimedAt(last.level, last.payloads[side], last.part)),
      result,
    ),
  };
}

/**
 * The one step, from agreed values.
 * @param at a place at the bottom
 * @param trees the trees of one party on the way there
 * @param climb follows the witness's proofs
 * @throws {DisputeError} when the witness does not hold in these trees
 */
export function recomputeStep(
  facts: JobFacts,
  at: Position,
  trees: readonly PassedTree[],
  witness: Witness,
  climb?: ClimbLeaf,
): Recomputed {
  const place = placeOf(facts, at);
  const agreed = new AgreedValues(facts, trees, place, witness, climb);
  const ground = groundOf(facts, place);
  const recomputed = DECIDE[ground](facts, place, agreed);
  agreed.end();
  const isStep = ground === "scalar";
  return {
    recomputed,
    scalarSteps: isStep ? scalarSteps(kernelAt(facts, place), pointAt(place)) : 0,
    used: agreed.used,
  };
}

export function compare(
  claimed: Pair<Bytes>,
  { recomputed }: Pick<Recomputed, "recomputed">,
): Pick<Judgement, "claimed" | "losers"> {
  return { claimed, losers: SIDES.filter((side) => !bytesEqual(claimed[side], recomputed)) };
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
