export { type GuardedProver, guarded } from "./apart/guarded.ts";
export type { PartyFailure, Prepared } from "./apart/messages.ts";
export { type ApartOptions, type ApartParty, openPartyApart, type Refusal } from "./apart/open.ts";
export { bracket, type BracketResult } from "./bracket.ts";
export { formatClaim, parseClaim, type RunClaim } from "../claims/claim.ts";
export { ClaimStore, type Speaker } from "../claims/store.ts";
export { type CheckedProof, type CheckedVerdict, checkVerdict, type CheckOptions } from "./check-verdict.ts";
export { type TrainingProver, trainingProver } from "./claim.ts";
export { countJobSteps, countScalarSteps } from "./cost.ts";
export type { Decision, DecisionKind, DisputedOperator, Location, Undecided } from "./decision.ts";
export {
  type Agreement,
  type Divergence,
  dispute,
  type DisputeOptions,
  type DisputeResult,
  type Undecision,
} from "./dispute.ts";
export { type JobFacts, jobFacts } from "./facts.ts";
export { advance, type GameState, type Machine, question, startGame } from "../game/bisection.ts";
export type { Question } from "../game/question.ts";
export type { Answer, Level, Pair, Passed, Position, Side } from "../game/level.ts";
export { trainingMachine } from "./machine.ts";
export { ClaimProver, type Claim, type Prover } from "../game/prover.ts";
export type { NamedParty, PartyInput, TraceParty } from "./party.ts";
export { arbitrate, type Figures, type RefereeOptions } from "./referee.ts";
export type { Memory, StepRoots } from "./memory.ts";
export { conclude, concludeFrom, type Conclusion, type RefereeKey } from "./conclude.ts";
export type { Proof, Ruling, Verdict } from "./verdict.ts";
export type { Witness } from "./witness.ts";
