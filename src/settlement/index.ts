/**
 * Settlement on a chain: tasks with stakes, rulings of committees, deliveries, and the game that decides
 * disputes.
 */
export { ETHER, formatAmount, parseAmount, type Token } from "./amount.ts";
export { challengeCommitment, type Challenged, commitmentOf, type ManagerPlace, taskIdOf } from "./commitment.ts";
export { type Committee, type Hearing, isMemberFor, readCommittee } from "./committee.ts";
export { ABIS, type Contract } from "./contracts.ts";
export {
  type ChunkPlace,
  type ChunkProof,
  deliverCall,
  layoutRoot,
  proveChunk,
  proveType,
  runRootFromChunk,
} from "./delivery.ts";
export { deployContracts, type DeployOptions } from "./deploy.ts";
export { type Deployment, parseDeployment } from "./deployment.ts";
export { expectOffered, isCommittedTo, type Offered, openInto, type WrongChunk } from "./exchange/open-sealed.ts";
export type { RunPlace } from "./exchange/run-tree.ts";
export { complaintOf, readSale, saleIdOf, type SaleTerms, type SaleView } from "./exchange/sale.ts";
export { exchangeOf, saleKeyFor } from "./exchange/sale-key.ts";
export { type Seal, sealCheckpoint } from "./exchange/seal-checkpoint.ts";
export { openSealed, type SealedFile, type SealedHeader } from "./exchange/sealed-file.ts";
export type { SaleState } from "./exchange/states.ts";
export { bondCredit, bondOf, DEFAULT_GAS_BOND } from "./game/bond.ts";
export type { SignatureOf } from "./game/consent.ts";
export type { Case } from "./game/case.ts";
export type { DueCall } from "./game/due-call.ts";
export { type Apart, Defender } from "./game/defender.ts";
export type { ClaimOwner, Defended, DefenceOptions } from "./game/defence-options.ts";
export { defendClaim } from "./game/defence.ts";
export { type GameMove, type Player, playOut } from "./game/driver.ts";
export { GameFacts } from "./game/facts.ts";
export type { GamePlace } from "./game/follow.ts";
export type { Pace } from "./game/match.ts";
export { mostExpensiveStep, type StepBound } from "./game/proof-bound.ts";
export { expectTraceOf, type JobTerms, jobTermsOf } from "./job-terms.ts";
export { addressOfKeystore, openKeystore, sealKey } from "./keystore.ts";
export { disputeLocally, type LocalDispute } from "./local/dispute.ts";
export { localAccount, type LocalSettlement, mintTokens, openLocalSettlement } from "./local/settlement.ts";
export { defaultPolicy, parsePolicy, type Policy } from "./policy.ts";
export { type Profile, type ProfileName, PROFILES } from "./profile.ts";
export { expectNoRisk, type Risk, RISKY_TERMS, type RiskyTerm, risksOf, type Role } from "./risks.ts";
export { type Bench, type Ruling, rulingFrom, signerOfRuling, signRuling } from "./ruling.ts";
export {
  type ChainBlame,
  type ChainDisputeOptions,
  type ChainRecordDispute,
  disputeRecordOnChain,
} from "./rounds/dispute.ts";
export { deployRounds, type DeployRoundsOptions, type RoundsDeployment } from "./rounds/deploy.ts";
export { type LeafEvidence, PostedRecord, type ShownClaim } from "./rounds/evidence.ts";
export type { RoundMove } from "./rounds/stage.ts";
export { instanceOn, type ManagerAt, type RoundTerms, roundTermsOf } from "./rounds/terms.ts";
export { saltFor } from "./salt.ts";
export { readDraw, type SeatChance, seatChance, type SeatDraw, type SeatKind, seatKind } from "./seats.ts";
export {
  canarySaltOf,
  canarySecretFor,
  drawSaltOf,
  drawSecretFor,
  findCanarySecret,
  findDrawSecrets,
  linksOf,
  nextLink,
} from "./secrets.ts";
export { type Endpoint, endpointsAt } from "./nodes/endpoint.ts";
export { type Agreement, clientOf, type QuorumOptions } from "./nodes/quorum.ts";
export { type Session, sessionOf } from "./session.ts";
export { gatherSignatures, parseSignature, type SignatureFile } from "./signatures.ts";
export { type ModelShape, MODELS, modelJob } from "./simulation/models.ts";
export { simulateDispute, type Simulation, type Surroundings } from "./simulation/simulation.ts";
export {
  type Challenger,
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
export type { Duty, SeatMeans } from "./duties.ts";
export type { Random } from "./transactions/backoff.ts";
export type { Clock } from "./transactions/clock.ts";
export { Caller, type ContractCall } from "./transactions/caller.ts";
export { Journal, type Log, shortLivedLog } from "./transactions/journal.ts";
export { Node } from "./transactions/node.ts";
export type { Settled } from "./transactions/actions.ts";
export { Transactor } from "./transactions/transactor.ts";
