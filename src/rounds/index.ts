export { auditRecord, type Liar, type RecordAudit, type RecordAuditOptions } from "./audit.ts";
export { type Away, parseAway } from "./away.ts";
export { type Beacon, type BeaconValue, QUICKNET } from "./beacon.ts";
export { type BeaconSource, drandServers } from "./beacon-source.ts";
export type { Seeds } from "./close.ts";
export { combine, type CombineOptions, type OwnValues, type Presence, type WeightValues } from "./combine.ts";
export {
  defineRounds,
  type MemberData,
  type RoundsDefinition,
  type RoundsOptions,
  type RoundsSource,
} from "./define.ts";
export {
  disputeRecords,
  type RecordAgreement,
  type RecordBlame,
  type RecordDispute,
  type RecordDisputeOptions,
  type RecordDivergence,
  type RecordFigures,
  type RecordUndecided,
} from "./dispute.ts";
export { type LeafFault, parseRoundFault, type PlantedFault } from "./fault.ts";
export { loadRounds } from "./load.ts";
export type { Blame, Reason } from "./judge.ts";
export { meanPresent } from "./mean.ts";
export type { LeafClaim, LeafPlace, Participant, Plan, PlanId, PlanTurn, Seat } from "./plan.ts";
export { type AnyPorts, Port, type Ports } from "./port.ts";
export { RoundsRecord } from "./record.ts";
export type { LeafNews } from "./leaf-news.ts";
export type { LeafNote } from "./leaf-note.ts";
export type { StoreSentence } from "./receipt.ts";
export type { Roll, TurnPlace } from "./roll.ts";
export { type AbsenceInfo, type LeafInfo, runRounds, type RunRoundsOptions } from "./run.ts";
export { before, each, type Member, now, own, type SeatSource, type Source } from "./source.ts";
export type { Instance, InstanceId, Statement } from "./statement.ts";
export type { Storage, StorageSource } from "./storage.ts";
export type { JobTemplate, Template } from "./template.ts";
export { train, type TrainOptions } from "./train.ts";
export {
  type Laid,
  type LaidStep,
  type Scene,
  type SeatData,
  type Stage,
  turn,
  type Turn,
  type TurnEntry,
  type TurnOptions,
} from "./turn.ts";
