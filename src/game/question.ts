/**
 * Questions (spec 7.2) are data: they name a place and what is asked there. A prover derives the level from
 * the place with its own machine, and refuses a question about a place that does not exist.
 */
import { heightOf, widthAt } from "../encoding/merkle.ts";
import { DisputeError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { isPromoted, type Level, openingLengths, type Position } from "./level.ts";

export const QUESTION_KINDS = ["opening", "children", "payload"] as const;
/** A question is about a tree (its opening), a node in it (its children), or a leaf (its payload). */
export type QuestionKind = (typeof QUESTION_KINDS)[number];

/** What both parties are asked. It is data, and can be sent (`encodeQuestion`). */
export interface Question {
  /**
   * `opening`: how the tree opens; `children`: the two children of a node; `payload`: what a leaf commits to.
   */
  readonly kind: QuestionKind;
  /** The leaves on the way down to the tree. It is empty for the tree that the claim itself opens into. */
  readonly at: Position;
  /** The height of the node whose children are asked for (leaves have height 0). 0 for the other kinds. */
  readonly height: number;
  /** The position of that node in its row, or of the leaf whose payload is asked for. 0 for an opening. */
  readonly position: number;
}

/** The levels of a computation. They follow from the computation alone, not from the claims. */
export interface Tower {
  /**
   * The level that the last leaf of `at` opens into; the top level if `at` is empty; `undefined` at the
   * bottom. It is called only if every leaf in `at` exists.
   */
  under(at: Position): Level | undefined;
}

/** The level that the claims themselves open into. */
export function topOf(tower: Tower): Level {
  const top = tower.under([]);
  if (!top) throw new DisputeError("PLACE", "the machine has no levels");
  return top;
}

/**
 * The level below the last leaf of `at`, or `undefined` if that is the bottom.
 * @throws {DisputeError} when `at` names a leaf, or a value in it, that does not exist
 */
export function checkPlace(tower: Tower, at: Position): Level | undefined {
  if (!Array.isArray(at)) throw new DisputeError("PLACE", "the place is not a list of leaves");
  let level: Level | undefined = topOf(tower);
  for (const [depth, leaf] of at.entries()) {
    const what = `leaf ${depth} on the way to the place`;
    if (!level) throw new DisputeError("PLACE", `${what} is below the bottom`, { at });
    if (leaf?.level !== level.name)
      throw new DisputeError(
        "PLACE",
        `${what} belongs to the level ${quote(leaf?.level)}, but the level there is ${level.name}`,
        {
          at,
        },
      );
    if (!isBelow(leaf.index, level.count))
      throw new DisputeError(
        "PLACE",
        `${what} is number ${quote(leaf.index)} of ${level.count} in the ${level.name} tree`,
        {
          at,
        },
      );
    const parts: number = level.payloadBytes(leaf.index) / level.partBytes;
    if (!isBelow(leaf.part, parts))
      throw new DisputeError(
        "PLACE",
        `${what} has the part ${quote(leaf.part)} of ${parts} in the ${level.name} tree`,
        {
          at,
        },
      );
    level = tower.under(at.slice(0, depth + 1));
  }
  return level;
}

/**
 * Checks that a place is at the bottom, where a one-step proof decides.
 * @throws {DisputeError} when it does not exist, or opens into a tree
 */
export function checkBottom(tower: Tower, at: Position): void {
  const level = checkPlace(tower, at);
  if (level) throw new DisputeError("PLACE", `evidence for a place that opens into a ${level.name} tree`, { at });
}

/**
 * The level that a question is about.
 * @throws {DisputeError} when it is not well-formed: its kind is unknown, or its place does not exist
 */
export function checkQuestion(tower: Tower, question: Question): Level {
  const { kind, at, height, position } = question;
  const level = checkPlace(tower, at);
  if (!level) throw new DisputeError("PLACE", "a question about a tree below the bottom", { question });
  const isKnown = QUESTION_KINDS.includes(kind);
  const problem = isKnown ? CHECKS[kind](level, height, position) : `there is no question of the kind ${quote(kind)}`;
  if (problem) throw new DisputeError("PLACE", `a question about the ${level.name} tree: ${problem}`, { question });
  return level;
}

/** The lengths of a valid answer's byte strings. @param level the level that the question is about */
export function lengthsOf(level: Level, { kind, position }: Pick<Question, "kind" | "position">): number[] {
  if (kind === "opening") return openingLengths(level);
  return kind === "children" ? [32, 32] : [level.payloadBytes(position)];
}

/** For each kind of question: what is wrong with it, or `undefined`. */
const CHECKS: Readonly<Record<QuestionKind, (level: Level, height: number, position: number) => string | undefined>> = {
  opening: (_, height, position) =>
    height === 0 && position === 0
      ? undefined
      : `an opening has height 0 and position 0, not ${height} and ${position}`,
  children: ({ count }, height, position) => {
    const top = heightOf(count);
    if (!isBelow(height - 1, top)) return `nodes with children have heights from 1 to ${top}, not ${height}`;
    const width = widthAt(count, height);
    if (!isBelow(position, width)) return `node ${position} of ${width} at height ${height} does not exist`;
    return isPromoted(count, height, position)
      ? `node ${position} at height ${height} does not have two children`
      : undefined;
  },
  payload: ({ count }, height, position) => {
    if (height !== 0) return `a leaf has height 0, not ${height}`;
    return isBelow(position, count) ? undefined : `leaf ${position} of ${count} does not exist`;
  },
};

function isBelow(index: unknown, count: number): boolean {
  return Number.isSafeInteger(index) && (index as number) >= 0 && (index as number) < count;
}
