/** The game between two claims: it bisects trees whose leaf opens into a tree, and knows no machine learning. */
export {
  advance,
  answerLengths,
  type Bottom,
  type Descent,
  type Forfeit,
  type GameState,
  isRunning,
  type Machine,
  objection,
  type Question,
  question,
  type RunningGame,
  startGame,
} from "./bisection.ts";
export {
  type Answer,
  type Binding,
  type Level,
  type Pair,
  type Passed,
  type PassedRecord,
  type Position,
  positionOf,
  type Side,
  SIDES,
} from "./level.ts";
export { newTally, type Patience, play, type Tally } from "./play.ts";
export { type Claim, ClaimProver, type Prover } from "./prover.ts";
