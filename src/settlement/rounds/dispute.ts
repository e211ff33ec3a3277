/**
 * Disputes a record on a chain in this process: one record is posted, and the holder of another one shows who
 * is wrong at the first leaf in which they differ. Every move is a transaction.
 */
import { bytesToHex, type Hex } from "viem";
import { openBackend } from "../../certify/open-backend.ts";
import { bytesEqual } from "../../encoding/bytes.ts";
import { RoundsError } from "../../errors/index.ts";
import type { Location } from "../../referee/decision.ts";
import type { Backend } from "../../repops/backends/backend.ts";
import { DEFAULT } from "../../repops/backends/index.ts";
import { disputeRecords, type RecordAgreement } from "../../rounds/dispute.ts";
import { ownerOf, type Reason } from "../../rounds/judge.ts";
import { LeafRunner, sameClaim } from "../../rounds/leaf.ts";
import { deriveJob, type LeafPlace, seatName } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isRecorders, type Roll, turnOf } from "../../rounds/roll.ts";
import { shownReads } from "../../rounds/shown.ts";
import { isOwners, runOf, type Statement } from "../../rounds/statement.ts";
import type { Hardfork } from "../local/hardfork.ts";
import { blamesOfStorage, blamesOfStores, demanded } from "./dispute-stores.ts";
import { PostedRecord } from "./evidence.ts";
import { playLeaf } from "./play.ts";
import { calledOtherwise, excusingRolls, missedMany, type RollCall, shownRoll, twiceCalled } from "./rolls.ts";
import { type RoundMove, RoundsStage, TOO_LONG } from "./stage.ts";
import { expectOnChain } from "./terms.ts";

/** Who has lost its stake or its bond on the chain. */
export interface ChainBlame {
  /** A participant, `recorder`, or `challenger`. */
  readonly participant: string;
  /** `silence`: it could not answer in time. */
  readonly reason: Reason | "silence";
  /** Where the game has ended. */
  readonly location?: Location;
}

/** How a record was disputed on a chain. */
export interface ChainRecordDispute extends LeafPlace {
  readonly outcome: "divergence";
  /** `local-2` */
  readonly name: string;
  readonly blames: readonly ChainBlame[];
  /** All transactions, in their order. */
  readonly moves: readonly RoundMove[];
}

/** How it is played. */
export interface ChainDisputeOptions {
  /** Replays leaves: a backend, or its name; default `wasm`. */
  readonly backend?: Backend | string;
  /** The chain's rules. */
  readonly hardfork?: Hardfork;
}

/**
 * Disputes a record on a chain in this process. Everybody has a key of the demonstration there, and signs
 * anew what it has signed in the record.
 * @param posted the record that its recorder posts
 * @param other another one of the plan, whose holder challenges the first leaf in which the two differ
 * @throws {RoundsError} when they are not of one plan, or the first is not whole
 * @throws {ChainError} when there is no local chain
 */
export async function disputeRecordOnChain(
  posted: RoundsRecord,
  other: RoundsRecord,
  { backend = DEFAULT, hardfork }: ChainDisputeOptions = {},
): Promise<ChainRecordDispute | RecordAgreement> {
  const { plan } = posted;
  expectOnChain(plan);
  const runner = new LeafRunner((await openBackend(backend)).backend);
  try {
    const onChain = new PostedRecord(posted);
    const found = await disputeRecords(posted, other, { backend });
    if (found.outcome === "agree") return found;
    if (found.outcome === "undecided") throw new RoundsError("PLAN", found.why);
    const { round, seat } = found;
    const stage = await RoundsStage.open(plan, hardfork);
    try {
      await stage.send("recorder", "manager", "postRecord", [stage.terms, bytesToHex(onChain.root)]);
      const blames = await blamesFor(stage, onChain, found, other, runner);
      return { outcome: "divergence", round, seat, name: seatName(plan, seat), blames, moves: stage.moves };
    } finally {
      await stage.close();
    }
  } finally {
    await runner.close();
  }
}

async function blamesFor(
  stage: RoundsStage,
  posted: PostedRecord,
  place: LeafPlace,
  other: RoundsRecord,
  runner: LeafRunner,
): Promise<ChainBlame[]> {
  const { record } = posted;
  const twice = await blamesOfStores(stage, record, place, other);
  const rolled = await blamesOfRolls(stage, posted, place, other);
  const ofRecorder = rolled.length > 0 ? rolled : await blamesOfStorage(stage, record, place);
  if (ofRecorder.length > 0 || record.isAbsent(place)) return [...ofRecorder, ...twice];
  return [...(await blamesOfLeaf(stage, posted, place, other, runner)), ...twice];
}

async function blamesOfLeaf(
  stage: RoundsStage,
  posted: PostedRecord,
  place: LeafPlace,
  other: RoundsRecord,
  runner: LeafRunner,
): Promise<ChainBlame[]> {
  const { plan, instance } = posted.record;
  const [leaf] = posted.record.statements([place]);
  if (!isOwners(plan, instance, leaf)) return demanded(stage, leaf, "unsigned");
  const { places, present } = posted.record.reads(leaf);
  const ends = posted.record.statements(places).map(({ end }) => end);
  if (!bytesEqual(deriveJob(plan, leaf, ends, present), leaf.job)) return accused(stage, posted, leaf);
  return playLeaf(stage, posted, other, { place: leaf, runner });
}

/** What the roll of a turn shows, beside the leaves. */
async function blamesOfRolls(
  stage: RoundsStage,
  posted: PostedRecord,
  place: LeafPlace,
  other: RoundsRecord,
): Promise<ChainBlame[]> {
  const { record } = posted;
  const { plan, instance } = record;
  const turn = turnOf(plan, place);
  const [roll, another] = [record.rolls.at(turn), other.rolls.at(turn)];
  const few = missedMany(posted, stage.terms, turn);
  if (few) return shown(stage, few, "roll");
  const absent = plan.seats.findIndex((seat) => seat.turn === turn.turn && roll?.present[seat.member] === false);
  if (roll && !isRecorders(instance, roll) && absent >= 0)
    return demanded(stage, { round: turn.round, seat: absent }, "unsigned");
  const isOne = bytesEqual(instance.id, other.instance.id);
  const twice = isOne && roll && another && twiceCalled(record, stage.terms, [roll, another], (each) => stage.called(each)); // prettier-ignore
  return twice ? shown(stage, twice, "equivocation") : [];
}

async function shown(stage: RoundsStage, { functionName, args }: RollCall, reason: Reason): Promise<ChainBlame[]> {
  await stage.send("challenger", "manager", functionName, args);
  return [{ participant: "recorder", reason }];
}

/** The leaf's job is another one. Its owner may show that it has read what others had signed. */
async function accused(stage: RoundsStage, posted: PostedRecord, leaf: Statement): Promise<ChainBlame[]> {
  const { record } = posted;
  const { plan } = record;
  const { terms } = stage;
  const { round, seat } = leaf;
  const owner = ownerOf(plan, leaf);
  await stage.send("challenger", "manager", "accuse", [terms, posted.evidence(leaf), stage.signed(plan, leaf)]);
  const excuse = await shownReads(record, leaf);
  if (!excuse) {
    await stage.pass(TOO_LONG);
    await stage.send("challenger", "manager", "convict", [terms, { round, seat }]);
    return [{ participant: owner, reason: "inputs" }];
  }
  const { statements: read, rolls: by } = excuse;
  const sign = (roll: Roll): Hex => stage.called(roll);
  const signedBy = (statements: readonly Statement[]) => statements.map((each) => stage.signed(plan, each));
  const listedAt = record.reads(leaf);
  const stood = listedAt.present.includes(0) ? listedAt.places.map((each) => each.round) : [];
  const rolls = excusingRolls(plan, leaf, { read, by, stood }).map((roll) => shownRoll(roll, sign));
  await stage.send(owner, "manager", "answer", [terms, posted.evidence(leaf, read), { signatures: signedBy(read), stood, rolls }]); // prettier-ignore
  for (const roll of by) {
    const call = calledOtherwise(posted, terms, roll, sign);
    if (call) return shown(stage, call, call.functionName === "miscall" ? "roll" : "equivocation");
  }
  const listed = record.sources(leaf);
  const blames: ChainBlame[] = [];
  for (const [i, shown] of read.entries()) {
    if (sameClaim(plan, shown, shown, listed[i]) || !isOwners(plan, record.instance, listed[i])) continue;
    const both = [shown, listed[i]];
    const runs = both.map((each) => bytesToHex(runOf(plan, each)));
    const place = { round: shown.round, seat: shown.seat };
    await stage.send("challenger", "manager", "equivocate", [terms, place, runs, signedBy(both)]);
    blames.push({ participant: ownerOf(plan, shown), reason: "equivocation" });
  }
  return blames;
}
