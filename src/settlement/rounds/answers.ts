/** Answers to what is asked about a record: an accusation by a leaf's owner, a demand by the recorder. */
import { bytesToHex, decodeFunctionData, type Hex, type PublicClient } from "viem";
import { bytesEqual } from "../../encoding/bytes.ts";
import { deriveJob, type LeafPlace, templateOf } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { shownReads } from "../../rounds/shown.ts";
import { isOwners, type Statement } from "../../rounds/statement.ts";
import { roundManagerAbi } from "../abi/round-manager.ts";
import type { ContractCall } from "../transactions/caller.ts";
import { type LeafEvidence, PostedRecord, shownClaim } from "./evidence.ts";
import type { Question } from "./performance.ts";
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
  const evidence = await accused(means, question);
  if (!evidence) return undefined;
  const read = await readBy(record, question, evidence.leaf.claim.job);
  if (!read) return undefined;
  // What was read need not be in the posted record, so nothing leads from it there.
  const sources = read.map((each) => ({ claim: shownClaim(templateOf(record.plan, each), each), inRound: [], inRecord: [] })); // prettier-ignore
  const signatures = read.map(({ signature }) => bytesToHex(signature));
  return {
    contract: "roundManager",
    functionName: "answer",
    args: [posted.terms, { ...evidence, sources }, signatures],
  };
}

/** The answer to a demand. @returns nothing if the record's leaf is not signed by its owner */
export function showCall({ posted, record, isPosted }: Means, { round, seat }: LeafPlace): ContractCall | undefined {
  const statement = record.at({ round, seat });
  if (!isPosted || !statement || !isOwners(record.plan, record.instance, statement)) return undefined;
  const evidence = new PostedRecord(record).evidence(statement);
  return { contract: "roundManager", functionName: "show", args: [posted.terms, evidence, bytesToHex(statement.signature)] }; // prettier-ignore
}

/** The leaf with its way to the posted record: from the record itself, or from what its accuser has shown. */
async function accused(
  { client, record, isPosted }: Means,
  { transaction, round, seat }: Question,
): Promise<LeafEvidence | undefined> {
  // prettier-ignore
  if (isPosted) return new PostedRecord(record).evidence({ round, seat });
  const { input } = await client.getTransaction({ hash: transaction });
  try {
    const { functionName, args } = decodeFunctionData({ abi: roundManagerAbi, data: input });
    if (functionName !== "accuse") return undefined;
    const { place } = args[1];
    return place.round === round && place.seat === seat ? args[1] : undefined;
  } catch {
    // A contract has accused, so its calldata is another one.
    return undefined;
  }
}

/** The signed leaves from which a job follows: those that the leaf's file names, or those of this record. */
async function readBy(record: RoundsRecord, place: LeafPlace, job: Hex): Promise<readonly Statement[] | undefined> {
  const { plan, instance } = record;
  const own = record.at(place);
  const shown = own && (await shownReads(record, own));
  if (own && shown && bytesToHex(own.job) === job) return shown.statements;
  try {
    const sources = record.sources(place);
    const derived = deriveJob(plan, place, sources.map(({ end }) => end)); // prettier-ignore
    const holds = bytesToHex(derived) === job && sources.every((each) => isOwners(plan, instance, each));
    return holds ? sources : undefined;
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
