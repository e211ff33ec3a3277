/**
 * The game (spec 7.2): leads two parties whose claims differ to the leftmost leaf that differs, level by
 * level. It is pure: `question` says what both are asked, and `advance` takes their answers. It knows trees
 * and nothing else.
 *
 * Every answer is checked against the same party's earlier answers. A party forfeits if it gives no answer,
 * or one that does not hash to what it said before.
 */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { heightOf, type TreeRoot } from "../encoding/merkle.ts";
import { DisputeError } from "../errors/index.ts";
import {
  type Answer,
  bothSides,
  checkChildren,
  checkParts,
  checkPayload,
  divergentPart,
  isPromoted,
  type Level,
  openClaim,
  type Pair,
  type Passed,
  positionOf,
  type Side,
  SIDES,
} from "./level.ts";
import { lengthsOf, type Question, type Tower, topOf } from "./question.ts";

/** What a divergent leaf opens into: the next level, with what each party claims there. */
export interface Descent {
  readonly level: Level;
  readonly claims: Pair<Bytes>;
}

/**
 * The levels of a computation, from the claims about the whole down to one step, and the claims at each
 * level.
 */
export interface Machine extends Tower {
  /** What each party claims about `level`, the tree that the last leaf of `path` opens into. */
  claims(level: Level, path: readonly Passed[]): Pair<Bytes>;
}

/** What the last leaf of `path` opens into, or `undefined` at the bottom. */
export function descentFrom(machine: Machine, path: readonly Passed[]): Descent | undefined {
  const level = machine.under(positionOf(path));
  return level && { level, claims: machine.claims(level, path) };
}

interface Opening extends Descent {
  readonly phase: "opening";
  readonly path: readonly Passed[];
}

interface Bisection extends Descent {
  readonly phase: "children" | "payload";
  readonly path: readonly Passed[];
  readonly openings: Pair<Answer>;
  readonly roots: Pair<TreeRoot>;
  /** The node at which the two claims are known to differ. Nothing to the left of it differs. */
  readonly height: number;
  readonly position: number;
  readonly nodes: Pair<Bytes>;
  /** The siblings found so far, from the node up to the root. */
  readonly proofs: Pair<Answer>;
}

/** Nothing is left to bisect: the step at the end of the path decides. */
export interface Bottom {
  readonly phase: "bottom";
  readonly path: readonly Passed[];
}

/** The game has ended because one party, or both, gave no valid answer. */
export interface Forfeit {
  readonly phase: "forfeit";
  readonly path: readonly Passed[];
  /** Why a side forfeits; `undefined` for a side whose answer was valid. */
  readonly reasons: Pair<string | undefined>;
}

/** The state of a game. As long as it is running, both parties are asked its `question`. */
export type GameState = Opening | Bisection | Bottom | Forfeit;
/** A game whose parties have to answer. */
export type RunningGame = Opening | Bisection;

/**
 * Starts the game about two claims, at its first question.
 * @throws {DisputeError} when the claims are equal
 */
export function startGame(machine: Machine, claims: Pair<Bytes>): GameState {
  if (bytesEqual(...claims))
    throw new DisputeError("EQUAL", "the two claims are equal; there is nothing to dispute", {
      expected: "two different claims",
      found: claims[0],
    });
  return enter(machine, { phase: "opening", path: [], level: topOf(machine), claims });
}

/** One row for each phase: the check of an answer against earlier answers, and the next state. */
const PHASES = {
  opening: {
    check: ({ level, claims }: Opening, side: Side, answer: Answer) => void openClaim(level, claims[side], answer),
    next: opened,
  },
  children: {
    check: ({ level, nodes }: Bisection, side: Side, answer: Answer) => checkChildren(level, nodes[side], answer),
    next: descend,
  },
  payload: {
    check: ({ level, nodes }: Bisection, side: Side, [payload]: Answer) => checkPayload(level, nodes[side], payload),
    next: (machine: Machine, state: Bisection, answers: Pair<Answer>) =>
      revealed(machine, state, [answers[0][0], answers[1][0]]),
  },
} as const;

interface Phase {
  check(state: RunningGame, side: Side, answer: Answer): void;
  next(machine: Machine, state: RunningGame, answers: Pair<Answer>): GameState;
}

/** Whether the parties have to answer. */
export function isRunning(state: GameState): state is RunningGame {
  return state.phase !== "bottom" && state.phase !== "forfeit";
}

/** What both parties are asked. */
export function question(state: RunningGame): Question {
  const at = positionOf(state.path);
  if (state.phase === "opening") return { kind: state.phase, at, height: 0, position: 0 };
  return { kind: state.phase, at, height: state.height, position: state.position };
}

/** The lengths in bytes of the parts of a valid answer. */
export function answerLengths(state: RunningGame): number[] {
  return lengthsOf(state.level, question(state));
}

/** The state after both have answered. An answer of `undefined` means that there was none. */
export function advance(machine: Machine, state: RunningGame, answers: Pair<Answer | undefined>): GameState {
  const reasons = bothSides((side) => objection(state, side, answers[side]));
  if (SIDES.some((side) => reasons[side] !== undefined)) return { phase: "forfeit", path: state.path, reasons };
  return (PHASES[state.phase] as Phase).next(machine, state, answers as Pair<Answer>);
}

/** What is wrong with a side's answer, or `undefined` if it is valid. */
export function objection(state: RunningGame, side: Side, answer: Answer | undefined): string | undefined {
  const phase = PHASES[state.phase] as Phase;
  try {
    const what = `the ${state.phase} in the ${state.level.name} tree`;
    phase.check(state, side, checkParts(answer, answerLengths(state), what));
    return undefined;
  } catch (error) {
    if (error instanceof DisputeError) return error.message;
    throw error;
  }
}

/** Skips the opening of a tree whose only leaf is the claim itself: there is nothing to show. */
function enter(machine: Machine, state: Opening): GameState {
  const { binding, count } = state.level;
  return binding.kind === "last" && count === 1 ? opened(machine, state, [[], []]) : state;
}

function opened(machine: Machine, state: Opening, openings: Pair<Answer>): GameState {
  const { path, level, claims } = state;
  const roots = bothSides((side) => openClaim(level, claims[side], openings[side]));
  const place = { height: heightOf(level.count), position: 0, nodes: roots, proofs: [[], []] } as const;
  return settle(machine, { phase: "children", path, level, claims, openings, roots, ...place });
}

function descend(machine: Machine, state: Bisection, children: Pair<Answer>): GameState {
  const goesRight = bytesEqual(children[0][0], children[1][0]) ? 1 : 0;
  return settle(machine, {
    ...state,
    height: state.height - 1,
    position: 2 * state.position + goesRight,
    nodes: bothSides((side) => children[side][goesRight]),
    proofs: bothSides((side) => [children[side][1 - goesRight], ...state.proofs[side]]),
  });
}

/**
 * Goes down through promoted nodes, which are equal one level below. Skips the question for a payload that is
 * known.
 */
function settle(machine: Machine, state: Bisection): GameState {
  const { level } = state;
  let { height, position } = state;
  while (height > 0 && isPromoted(level.count, height, position)) [height, position] = [height - 1, 2 * position];
  const settled: Bisection = { ...state, phase: height > 0 ? "children" : "payload", height, position };
  const known = height === 0 && level.binding.kind === "last" && position === level.count - 1;
  return known ? revealed(machine, settled, state.claims) : settled;
}

function revealed(machine: Machine, state: Bisection, payloads: Pair<Bytes>): GameState {
  const { level, claims, openings, roots, position, proofs } = state;
  const part = divergentPart(level, payloads);
  const path = [...state.path, { level, claims, openings, roots, index: position, payloads, part, proofs }];
  const below = descentFrom(machine, path);
  return below ? enter(machine, { phase: "opening", path, ...below }) : { phase: "bottom", path };
}
