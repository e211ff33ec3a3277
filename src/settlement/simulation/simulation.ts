/**
 * Disputes that nobody fights: what the longest one about a job takes, on a chain and off it. The levels are those of the
 * job's graphs, however large its tensors are; gas follows from what moves of each kind were measured to take.
 */
import { longestCourse, type Passage, questionsOf } from "../../referee/course.ts";
import type { JobFacts } from "../../referee/facts.ts";
import { graphAt, placeOf } from "../../referee/place.ts";
import { stepsOfSegment } from "../../trace/commitments.ts";
import { proofBound } from "../game/proof-bound.ts";
import { FRAME_GAS, FRAME_TRANSACTIONS, moveGas, roundsOf } from "../game/gas.ts";

/** What the wall time depends on. */
export interface Surroundings {
  /** Seconds between two blocks. */
  blockSeconds: number;
  /** Seconds that a party takes to execute a step of the run. */
  stepSeconds: number;
  /** Steps between two states that a party has kept. */
  checkpointEvery: number;
}

/** What the longest dispute about a job takes. */
export interface Simulation {
  /** Halvings of what is disputed, in all trees from the run's root down. */
  levels: number;
  /** Questions that are put to both parties off the chain; on it a move answers several. */
  rounds: number;
  /** Bytes that both answer together, to a referee off the chain. */
  bytes: number;
  /** On the chain: the frame, the moves, and the step that decides. */
  transactions: number;
  gas: number;
  /** Steps that each party executes again before it can answer all questions. */
  replayed: number;
  /** When both answer as soon as they can, each move in a block of its own. */
  seconds: number;
}

/** The longest dispute about a job. */
export function simulateDispute(
  facts: JobFacts,
  { blockSeconds, stepSeconds, checkpointEvery }: Surroundings,
): Simulation {
  const passages = longestCourse(facts);
  const questions = passages.flatMap(questionsOf);
  const moves = moveGas(passages.flatMap(roundsOf));
  const transactions = moves.length + FRAME_TRANSACTIONS + 1;
  const replayed = replayedSteps(facts, passages, checkpointEvery);
  return {
    levels: questions.filter(({ kind }) => kind === "children").length,
    rounds: questions.length,
    bytes: questions.reduce((sum, { bytes }) => sum + 2 * bytes, 0),
    transactions,
    gas: FRAME_GAS + moves.reduce((sum, gas) => sum + gas, 0) + proofGas(facts, passages),
    replayed,
    seconds: transactions * blockSeconds + replayed * stepSeconds,
  };
}

/** Of the step at which the dispute ends, at most. */
function proofGas(facts: JobFacts, passages: readonly Passage[]): number {
  const at = passages.map(({ level, index, part }) => ({ level: level.name, index, part }));
  const place = placeOf(facts, at);
  return proofBound(facts, graphAt(place), place.kernel!).gas;
}

/**
 * From a kept state to the segment, through it for the roots of its steps, and the disputed step once more for each of the
 * levels below: the operators' roots, the disputed tensor, and the operands.
 */
function replayedSteps(
  { parts, commitEvery }: JobFacts,
  passages: readonly Passage[],
  checkpointEvery: number,
): number {
  const [segment] = passages;
  const { first, last } = stepsOfSegment(segment.index, parts.steps, commitEvery);
  const before = first === 0 ? 0 : (first - 1) % checkpointEvery;
  const below = passages.filter(
    ({ level }) => level.name === "operator" || level.name === "chunk" || level.name === "fold",
  );
  return before + (last - first + 1) + below.length;
}
