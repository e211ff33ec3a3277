/**
 * Settlement on a chain: tasks with stakes, rulings of committees, deliveries, and the game that decides
 * disputes.
 */
export { ETHER, formatAmount, parseAmount, type Token } from "./amount.ts";
export { ABIS, type Contract } from "./contracts.ts";
export { type ChunkPlace, type ChunkProof, layoutRoot, proveChunk, proveType, runRootFromChunk } from "./delivery.ts";
export { deployContracts, type DeployOptions } from "./deploy.ts";
export { type Deployment, parseDeployment } from "./deployment.ts";
export { bondCredit, bondOf, DEFAULT_GAS_BOND } from "./game/bond.ts";
export type { SignatureOf } from "./game/consent.ts";
export { type Case, Defender, type DueCall } from "./game/defender.ts";
export { type Defended, type DefenceOptions, defendClaim, type GameMove, type Player, playOut } from "./game/driver.ts";
export { GameFacts } from "./game/facts.ts";
export type { GamePlace } from "./game/follow.ts";
export type { Pace } from "./game/match.ts";
export { mostExpensiveStep, type StepBound } from "./game/proof-bound.ts";
export { expectTraceOf, type JobTerms, jobTermsOf } from "./job-terms.ts";
export { addressOfKeystore, openKeystore, sealKey } from "./keystore.ts";
export { disputeLocally, type LocalDispute } from "./local/dispute.ts";
export { localAccount, type LocalSettlement, mintTokens, openLocalSettlement } from "./local/settlement.ts";
export { type Bench, type Ruling, rulingFrom, signerOfRuling, signRuling } from "./ruling.ts";
export { commitmentOf, saltFor } from "./salt.ts";
export { type Session, sessionOf } from "./session.ts";
export { gatherSignatures, parseSignature, type SignatureFile } from "./signatures.ts";
export { type ModelShape, MODELS, modelJob } from "./simulation/models.ts";
export { simulateDispute, type Simulation, type Surroundings } from "./simulation/simulation.ts";
export {
  type Demand,
  type OpenDemand,
  type Phase,
  readTask,
  type Resolution,
  type Seat,
  type State,
  type TaskEvent,
  taskEvents,
  type TaskSource,
  type TaskView,
  type Terms,
} from "./task.ts";
export { DEFAULT_PERIODS, type TermsChoice, termsOf, withTimeToPlay } from "./terms.ts";
export { Caller, type ContractCall } from "./transactions/caller.ts";
export { Journal, type Log, shortLivedLog } from "./transactions/journal.ts";
export { Node } from "./transactions/node.ts";
export { type Settled, Transactor } from "./transactions/transactor.ts";
