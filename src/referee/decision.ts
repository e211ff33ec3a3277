/** A referee's decision, and the place that it is about: step, operator, element, fold index. */
import { unravel } from "../encoding/tensor.ts";
import type { Bytes } from "../encoding/bytes.ts";
import type { JobFacts } from "./facts.ts";
import type { Pair, Passed, Position, Side } from "../game/level.ts";
import { isStateUpdate } from "./machine.ts";
import { graphAt, type Place, placeOf } from "./place.ts";
import type { UsedLeaf, Witness } from "./witness.ts";

/**
 * What decided: the job's checkpoint, the graph's state update, a scalar step, a whole operator, or a
 * forfeit.
 */
export type DecisionKind = "checkpoint" | "state-update" | "scalar" | "operator" | "forfeit";

/** What a referee found at the end of a dispute. */
export interface Decision {
  readonly kind: DecisionKind;
  readonly path: readonly Passed[];
  readonly losers: readonly Side[];
  /** The four bytes of an element, or a root. Absent after a forfeit. */
  readonly claimed?: Pair<Bytes>;
  readonly recomputed?: Bytes;
  /**
   * For each level of the path: each side's valid signature of the tree's root, if it needed and gave one.
   */
  readonly signatures: readonly Pair<Bytes | undefined>[];
  /**
   * Scalar steps that the referee executed, and the agreed leaves that they needed. Absent without a proof.
   */
  readonly scalarSteps?: number;
  readonly used?: readonly UsedLeaf[];
  /** The one-step proof, and the side that showed it. */
  readonly witness?: Witness;
  readonly shownBy?: Side;
  /** Why a side forfeits. */
  readonly reasons?: Pair<string | undefined>;
  /**
   * The first element that differs, if a whole operator was recomputed and both parties showed their outputs.
   */
  readonly seen?: { readonly element: number; readonly claimed: Pair<Bytes>; readonly recomputed: Bytes };
}

/** The end of a dispute in which a party gave no answer: nothing is decided. */
export interface Undecided {
  readonly kind: "undecided";
  readonly path: readonly Passed[];
  /** Why a side gave no answer. */
  readonly reasons: Pair<string | undefined>;
}

/** The operator at which two runs differ. */
export interface DisputedOperator {
  /** Its number in the graph. For the state update it is the number of operators. */
  readonly number: number;
  readonly kind: "map" | "fold" | "gather" | "state-update" | "checkpoint";
  /** The path of the layer that it belongs to, for example `blocks.1/mlp.in/matmul`. */
  readonly label: string;
}

/** Where two runs differ, as far down as the path leads. */
export interface Location {
  /** The training step. Step 0 makes the initial state. */
  readonly step: number | null;
  readonly operator: DisputedOperator | null;
  readonly element: readonly number[] | null;
  readonly fold: number | null;
}

export function locate(facts: JobFacts, at: Position): Location {
  const place = placeOf(facts, at);
  const isStepKnown = place.level !== undefined && (place.level !== "segment" || place.segment === 0);
  return {
    step: isStepKnown ? place.step : null,
    operator: operatorAt(facts, place),
    element: elementAt(facts, place),
    fold: place.fold ?? null,
  };
}

function operatorAt(facts: JobFacts, place: Place): DisputedOperator | null {
  if (place.kernel === undefined) {
    const checkpoint = place.level === "segment" && place.segment === 0 && facts.parts.initKind === "checkpoint";
    return checkpoint ? { number: 0, kind: "checkpoint", label: "initial state" } : null;
  }
  const graph = facts.graph(graphAt(place));
  if (!isStateUpdate(facts, place))
    return { number: place.kernel, kind: graph.kernel(place.kernel).kind, label: graph.label(place.kernel) };
  const entry = place.entry === undefined ? "" : `/${graph.outputs[place.entry].name}`;
  return { number: place.kernel, kind: "state-update", label: `new state${entry}` };
}

function elementAt(facts: JobFacts, place: Place, element = place.element): number[] | null {
  if (element === undefined || place.kernel === undefined) return null;
  return unravel(element, facts.graph(graphAt(place)).kernel(place.kernel).type.shape);
}
