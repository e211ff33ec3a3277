/**
 * Estimates what the longest dispute about a job costs, on a chain and off it, without playing it. The levels
 * follow from the job's graphs, however large its tensors are. Gas follows from measurements of each kind of
 * move.
 */
import { longestCourse, type Passage, questionsOf } from "../../referee/course.ts";
import type { JobFacts } from "../../referee/facts.ts";
import { graphAt, placeOf } from "../../referee/place.ts";
import { stepsOfSegment } from "../../trace/commitments.ts";
import { proofBound } from "../game/proof-bound.ts";
import { FRAME_GAS, FRAME_TRANSACTIONS, moveGas, roundsOf } from "../game/gas.ts";

/** What the time of a dispute depends on. */
export interface Surroundings {
  /** Seconds between two blocks. */
  blockSeconds: number;
  /** Seconds in which a party executes one training step. */
  stepSeconds: number;
  /** Training steps between two checkpoints of a party. */
  checkpointEvery: number;
}

/** What the longest dispute about a job costs. */
export interface Simulation {
  /** How often the dispute is halved, in all trees from the run root down. */
  levels: number;
  /** Questions to both parties off the chain. On the chain, one move answers several. */
  rounds: number;
  /** Bytes of the answers of both parties, to a referee off the chain. */
  bytes: number;
  /** On the chain: opening, pairing and closing, the moves, and the one-step proof. */
  transactions: number;
  gas: number;
  /** The part of the gas that the one-step proof takes. */
  proof: number;
  /** Training steps that each party executes again to answer all questions. */
  replayed: number;
  /** If both parties answer as soon as they can, and each move is in its own block. */
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
  const proof = proofGas(facts, passages);
  const replayed = replayedSteps(facts, passages, checkpointEvery);
  return {
    levels: questions.filter(({ kind }) => kind === "children").length,
    rounds: questions.length,
    bytes: questions.reduce((sum, { bytes }) => sum + 2 * bytes, 0),
    transactions,
    gas: FRAME_GAS + moves.reduce((sum, gas) => sum + gas, 0) + proof,
    proof,
    replayed,
    seconds: transactions * blockSeconds + replayed * stepSeconds,
  };
}

/** The most gas of the proof of the step at which the dispute ends. */
function proofGas(facts: JobFacts, passages: readonly Passage[]): number {
  const at = passages.map(({ level, index, part }) => ({ level: level.name, index, part }));
  const place = placeOf(facts, at);
  return proofBound(facts, graphAt(place), place.kernel!).gas;
}

/**
 * The steps that a party executes again: from a checkpoint to the segment, through the segment for the roots
 * of its steps, and the disputed step once more for each level below: the operators' roots, the disputed
 * tensor, and the operands.
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
