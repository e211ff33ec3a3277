/** A folder as somebody has it that watches: the posted record, a part of it, or another one. */
import type { Address, Hex, PublicClient } from "viem";
import { fs } from "../../encoding/node.ts";
import { RoundsError } from "../../errors/index.ts";
import { evidenceFile } from "../../rounds/evidence-log.ts";
import { RoundsRecord } from "../../rounds/record.ts";
import type { Roll } from "../../rounds/roll.ts";
import type { ContractCall } from "../transactions/caller.ts";
import { answerCall, isPostedRecord, sameInstance, showCall } from "./answers.ts";
import { PacedAudit } from "./audit-pace.ts";
import { type Finding, Findings } from "./findings.ts";
import { ownsSeat, type Question } from "./questions.ts";
import type { SignedLeaves } from "./signed-leaves.ts";
import { notesCall } from "./store-calls.ts";
import type { PostedRounds } from "./terms-file.ts";

/** What is known about the record that was posted. */
export interface Copy {
  readonly root: Hex;
  readonly record: RoundsRecord;
  /** What the marks in the folder show. */
  findings: Findings;
  /** The bytes of the evidence in the folder, as it was read. */
  evidence: number;
  /** Absent while the folder has another record, or a part of it. */
  readonly audit: PacedAudit | undefined;
}

/**
 * Opens the folder of a record.
 * @param root of the posted record
 * @throws {RoundsError} when it is no record of this performance
 */
export async function openCopy(folder: string, root: Hex, posted: PostedRounds, account: Address): Promise<Copy> {
  const record = await RoundsRecord.open(folder);
  if (!sameInstance(record, posted))
    throw new RoundsError("FOREIGN", `${folder} is a record of another instance than that of the terms; name the one of this performance`); // prettier-ignore
  const findings = new Findings(record, posted.terms);
  const isPosted = isPostedRecord(record, root);
  const audit = isPosted ? new PacedAudit(record, findings, (leaf) => ownsSeat(posted, account, leaf)) : undefined;
  return { root, record, findings, audit, evidence: await evidenceIn(folder) };
}

/** Reads the evidence in the folder again, if more was added. */
export async function readEvidence(copy: Copy, { terms }: PostedRounds, leaves: SignedLeaves): Promise<void> {
  const bytes = await evidenceIn(copy.record.folder);
  if (bytes === copy.evidence) return;
  const record = await RoundsRecord.open(copy.record.folder);
  leaves.addRecord(record);
  copy.findings = new Findings(record, terms);
  copy.evidence = bytes;
}

const evidenceIn = async (folder: string): Promise<number> =>
  (await fs.stat(evidenceFile(folder)).catch(() => undefined))?.size ?? 0;

/**
 * What can be shown by now, each once, apart from whether it was shown already. A leaf whose signature was
 * seen elsewhere is judged again.
 * @param copy nothing while there is no folder; then the chain alone has shown something
 * @param rolls that the chain has shown
 * @param own what the account has kept itself
 */
export function findingsIn(
  copy: Copy | undefined,
  leaves: SignedLeaves,
  rolls: readonly Roll[],
  own: readonly RoundsRecord[],
): Finding[] {
  copy?.audit?.regain(leaves);
  const shown = copy?.audit && rolls.length > 0 ? copy.findings.ofShownRolls(rolls) : [];
  const of = copy && [
    ...copy.findings.misrecorded(copy.root),
    ...copy.findings.ofStores(copy.audit !== undefined, own),
  ];
  const found = of ? [...of, ...shown, ...(copy.audit?.found ?? [])] : [];
  const all = [...leaves.findings(), ...found];
  return [...new Map(all.map((each) => [`${each.kind}/${each.round}/${each.seat}/${each.against}`, each])).values()];
}

/** Why a folder has no answer. */
const WHY_NOT = {
  accusation: "it has no signed leaves from which the job follows",
  demand: "the record has no signature of the leaf's owner, or too few of stores",
  censorship: "it has too few notes of stores that they hold no leaf of the place",
} as const;

/**
 * The answer to a question.
 * @throws {RoundsError} when the folder has none
 */
export async function answerFrom(
  { record, audit }: Copy,
  question: Question,
  posted: PostedRounds,
  client: PublicClient,
): Promise<ContractCall> {
  const means = { client, posted, record, isPosted: audit !== undefined };
  const makes = {
    accusation: () => answerCall(means, question),
    demand: () => showCall(means, question),
    censorship: () => notesCall(record, posted.terms, question),
  } as const;
  const call = await makes[question.kind]();
  if (call) return call;
  const why = WHY_NOT[question.kind];
  throw new RoundsError("UNAVAILABLE", `the ${question.kind} can't be answered from ${record.folder}: ${why}; restore what is missing there`); // prettier-ignore
}
