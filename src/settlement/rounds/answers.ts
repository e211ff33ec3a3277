/** Answers to what is asked about a record: an accusation by a leaf's owner, a demand by the recorder. */
import { bytesToHex, decodeFunctionData, type Hex, isAddressEqual, parseEventLogs, type PublicClient } from "viem";
import { bytesEqual } from "../../encoding/bytes.ts";
import { deriveJob, type LeafPlace, templateOf } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isRecorders } from "../../rounds/roll.ts";
import { type ShownReads, shownReads } from "../../rounds/shown.ts";
import { isOwners } from "../../rounds/statement.ts";
import { roundManagerAbi } from "../abi/round-manager.ts";
import type { ContractCall } from "../transactions/caller.ts";
import { PostedRecord, readEvidence, type ShownClaim, shownClaim } from "./evidence.ts";
import type { Question } from "./questions.ts";
import { excusingRolls, shownAbsence, shownRoll } from "./rolls.ts";
import { shownNotes, shownReceipts } from "./store-calls.ts";
import type { PostedRounds } from "./terms-file.ts";

/** What an answer is made from. */
interface Means {
  readonly client: PublicClient;
  readonly posted: PostedRounds;
  readonly record: RoundsRecord;
  /** Whether the record is the posted one. */
  readonly isPosted: boolean;
}

/**
 * The answer to an accusation: the leaf's job follows from leaves that their owners have signed.
 * @returns nothing if this record has none from which it follows
 */
export async function answerCall(means: Means, question: Question): Promise<ContractCall | undefined> {
  const { record, posted } = means;
  const claim = await accused(means, question);
  const shown = claim && (await readBy(record, question, claim.job));
  if (!shown) return undefined;
  const stood = await stoodIn(means, question);
  const { statements: read, rolls: by } = shown;
  const rolls = excusingRolls(record.plan, question, { read, by, stood });
  const excuse = {
    signatures: read.map(({ signature }) => bytesToHex(signature)),
    stood,
    rolls: rolls.map((roll) => shownRoll(roll)),
  };
  const evidence = readEvidence(record.plan, question, claim, read);
  return { contract: "roundManager", functionName: "answer", args: [posted.terms, evidence, excuse] };
}

/**
 * The answer to a demand.
 * @returns nothing if the leaf is not signed by its owner, or the roll by the recorder, or too few stores
 *   have signed that they hold the leaf, or that they hold none
 */
export function showCall({ posted, record, isPosted }: Means, { round, seat }: LeafPlace): ContractCall | undefined {
  if (isPosted && record.isAbsent({ round, seat })) {
    const args = shownAbsence(new PostedRecord(record), posted.terms, { round, seat });
    const notes = shownNotes(record, { round, seat });
    return args && notes && { contract: "roundManager", functionName: "showAbsence", args: [...args, notes] };
  }
  const statement = record.at({ round, seat });
  if (!isPosted || !statement || !isOwners(record.plan, record.instance, statement)) return undefined;
  const receipts = shownReceipts(record, statement);
  const evidence = new PostedRecord(record).demanded(statement);
  return receipts && { contract: "roundManager", functionName: "show", args: [posted.terms, evidence, bytesToHex(statement.signature), receipts] }; // prettier-ignore
}

/** The accused leaf: from the record, or from what its accuser has shown. */
async function accused(
  { client, record }: Means,
  { transaction, round, seat }: Question,
): Promise<ShownClaim | undefined> {
  const own = record.at({ round, seat });
  if (own) return shownClaim(templateOf(record.plan, own), own);
  const { input } = await client.getTransaction({ hash: transaction });
  try {
    const { functionName, args } = decodeFunctionData({ abi: roundManagerAbi, data: input });
    if (functionName !== "accuse") return undefined;
    const { place, leaf } = args[1];
    return place.round === round && place.seat === seat ? leaf.claim : undefined;
  } catch {
    // A contract has accused, so its calldata is another one.
    return undefined;
  }
}

/** The rounds of the leaves that an accusation says that the leaf had to read; none if nobody was absent. */
async function stoodIn({ client, posted }: Means, { transaction, round, seat }: Question): Promise<readonly number[]> {
  const { logs } = await client.getTransactionReceipt({ hash: transaction });
  const events = parseEventLogs({ abi: roundManagerAbi, eventName: "LeafStood", logs });
  const isHere = ({ args }: (typeof events)[number]): boolean =>
    args.instance === posted.id && args.round === round && args.seat === seat;
  return events.find((event) => isAddressEqual(event.address, posted.manager) && isHere(event))?.args.rounds ?? [];
}

/**
 * The signed leaves from which a job follows, and the rolls that chose them: those that the leaf's file
 * names, or those of this record.
 */
async function readBy(record: RoundsRecord, place: LeafPlace, job: Hex): Promise<ShownReads | undefined> {
  const { plan, instance } = record;
  const own = record.at(place);
  const shown = own && (await shownReads(record, own));
  if (own && shown && bytesToHex(own.job) === job) return shown;
  try {
    const { places, present, asked: rolls } = record.reads(place);
    const statements = record.statements(places);
    const derived = deriveJob(plan, place, statements.map(({ end }) => end), present); // prettier-ignore
    const areSigned = statements.every((each) => isOwners(plan, instance, each)) && rolls.every((roll) => isRecorders(instance, roll)); // prettier-ignore
    return areSigned && bytesToHex(derived) === job ? { statements, rolls } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a record is the one that was posted. */
export function isPostedRecord(record: RoundsRecord, root: Hex): boolean {
  if (record.complete <= record.plan.rounds) return false;
  return bytesToHex(new PostedRecord(record).root) === root;
}

/** Whether two instances are the same. */
export const sameInstance = (record: RoundsRecord, { instance }: PostedRounds): boolean =>
  bytesEqual(record.instance.id, instance.id);
