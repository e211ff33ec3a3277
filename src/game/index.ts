/**
 * The game between two claims: levels, bisection, questions, provers, codecs. It knows no machine learning.
 */
export {
  advance,
  answerLengths,
  type Bottom,
  type Descent,
  descentFrom,
  type Forfeit,
  type GameState,
  isRunning,
  type Machine,
  objection,
  question,
  type RunningGame,
  startGame,
} from "./bisection.ts";
export { decodeAnswer, decodePlace, decodeQuestion, encodeAnswer, encodePlace, encodeQuestion } from "./codec.ts";
export {
  type Answer,
  type Binding,
  checkPassed,
  type Level,
  type Pair,
  type Passed,
  type PassedRecord,
  type Position,
  positionKey,
  positionOf,
  type Side,
} from "./level.ts";
export { newTally, type Patience, play, type Tally } from "./play.ts";
export { type Claim, ClaimProver, type Prover } from "./prover.ts";
export { checkPlace, checkQuestion, lengthsOf, type Question, type QuestionKind, type Tower } from "./question.ts";
