/**
 * The course of a dispute that ends at a given place: the levels that it passes, and the questions in each.
 * It needs no parties. The length of the longest dispute about a job follows from the job's graphs alone,
 * however large its tensors are.
 */
import { heightOf } from "../encoding/merkle.ts";
import { CHUNK_ELEMENTS } from "../encoding/tensor.ts";
import { stepsOfSegment } from "../trace/commitments.ts";
import type { GraphKind, JobFacts } from "./facts.ts";
import type { RunningGame } from "../game/bisection.ts";
import { isPromoted, type Level, openingLengths } from "../game/level.ts";
import { levelUnder } from "./machine.ts";
import { type LevelName, type Place, placeOf } from "./place.ts";

/** A level, and its leaf at which the parties differ. */
export interface Passage {
  readonly level: Level;
  readonly index: number;
  readonly part: number;
}

/** A question of the game, with the bytes of each party's answer. */
export interface Asked {
  readonly kind: RunningGame["phase"];
  readonly level: string;
  /** The height of the node whose children are asked for. 0 for the other kinds. */
  readonly height: number;
  readonly bytes: number;
}

/** Where a dispute should end. Levels for which nothing is given are passed at leaf 0. */
export type Target = Pick<Place, "step"> & Partial<Pick<Place, "kernel" | "entry" | "element" | "fold">>;

/** The levels that a dispute passes on its way to `target`, from the run root down. */
export function courseTo(facts: JobFacts, target: Target): Passage[] {
  const { parts, commitEvery } = facts;
  const segment = Math.ceil(target.step / commitEvery);
  const { first } = stepsOfSegment(segment, parts.steps, commitEvery);
  const { kernel = 0, entry = 0, element = 0, fold = 0 } = target;
  const leaves: Readonly<Record<LevelName, [index: number, part: number]>> = {
    segment: [segment, 0],
    step: [target.step - first, 0],
    operator: [kernel, 0],
    state: [entry, 0],
    chunk: [Math.floor(element / CHUNK_ELEMENTS), element % CHUNK_ELEMENTS],
    fold: [fold, 0],
  };
  const passages: Passage[] = [];
  for (;;) {
    const at = passages.map((passage) => ({ level: passage.level.name, index: passage.index, part: passage.part }));
    const level = levelUnder(facts, at.length === 0 ? { segment: 0, step: 0 } : placeOf(facts, at));
    if (!level) return passages;
    const [index, part] = leaves[level.name as LevelName];
    passages.push({ level, index, part });
  }
}

/** The questions that both parties are asked while a level is passed (spec 7.2). */
export function questionsOf({ level, index }: Passage): Asked[] {
  const { name, count, binding } = level;
  const asked = (kind: Asked["kind"], bytes: number, height = 0): Asked => ({ kind, level: name, height, bytes });
  const questions: Asked[] = [];
  const isLast = binding.kind === "last";
  if (!(isLast && count === 1)) questions.push(asked("opening", 32 * openingLengths(level).length));
  for (let height = heightOf(count); height > 0; height--)
    if (!isPromoted(count, height, index >> height)) questions.push(asked("children", 64, height));
  if (!(isLast && index === count - 1)) questions.push(asked("payload", level.payloadBytes(index)));
  return questions;
}

/** A place at which a dispute about the job takes the most questions. */
export function longestCourse(facts: JobFacts): Passage[] {
  const kinds: GraphKind[] = facts.parts.initKind === "graph" ? ["init", "step"] : ["step"];
  // In every tree except the operator tree, no leaf is deeper than the first one.
  const courses = kinds.flatMap((kind) =>
    Array.from({ length: facts.graph(kind).kernelCount + 1 }, (_, kernel) =>
      courseTo(facts, { step: kind === "init" ? 0 : 1, kernel }),
    ),
  );
  const length = (passages: Passage[]): number => passages.flatMap(questionsOf).length;
  return courses.reduce((longest, course) => (length(course) > length(longest) ? course : longest));
}
