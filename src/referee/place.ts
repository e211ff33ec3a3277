/**
 * The place of a dispute in a training run (spec 7.1): its path, read as step, operator, element and fold
 * index.
 */
import { CHUNK_ELEMENTS } from "../encoding/tensor.ts";
import { stepsOfSegment } from "../trace/commitments.ts";
import type { GraphKind, JobFacts } from "./facts.ts";
import type { Position } from "../game/level.ts";

export type LevelName = "segment" | "step" | "operator" | "state" | "chunk" | "fold";

export interface Place {
  /** The last level that has been passed. */
  readonly level?: LevelName;
  readonly segment: number;
  /** The training step. Step 0 makes the initial state. */
  readonly step: number;
  /** The operator's number in its graph. For the state update it is the number of operators. */
  readonly kernel?: number;
  /** The entry of the new state, if the state update is disputed. */
  readonly entry?: number;
  /** The row-major index of the element in the operator's output. */
  readonly element?: number;
  readonly fold?: number;
}

/** What passing each level adds to the place. */
const READ = {
  segment: (facts, _, index) => ({
    segment: index,
    step: stepsOfSegment(index, facts.parts.steps, facts.commitEvery).last,
  }),
  step: (facts, { segment }, index) => ({
    step: stepsOfSegment(segment, facts.parts.steps, facts.commitEvery).first + index,
  }),
  operator: (_, __, index) => ({ kernel: index }),
  state: (_, __, index) => ({ entry: index }),
  chunk: (_, __, index, part) => ({ element: CHUNK_ELEMENTS * index + part }),
  fold: (_, __, index) => ({ fold: index }),
} as const satisfies Record<LevelName, (facts: JobFacts, place: Place, index: number, part: number) => Partial<Place>>;

export function placeOf(facts: JobFacts, at: Position): Place {
  return at.reduce<Place>(
    (place, { level, index, part }) => ({
      ...place,
      level: level as LevelName,
      ...READ[level as LevelName](facts, place, index, part),
    }),
    { segment: 0, step: 0 },
  );
}

/**
 * The number of the graph's inputs that are entries of the pre-state. The others are the dataset. The initial
 * state has none before it.
 */
export function entriesBefore(facts: JobFacts, { step }: Pick<Place, "step">): number {
  return step === 0 ? 0 : facts.graph("step").outputs.length;
}

/** The graph whose execution is disputed. */
export function graphAt({ step }: Place): GraphKind {
  return step === 0 ? "init" : "step";
}
