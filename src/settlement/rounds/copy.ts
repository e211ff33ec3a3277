/** A folder as somebody has it that watches: the posted record, a part of it, or another one. */
import type { Address, Hex, PublicClient } from "viem";
import { fs } from "../../encoding/node.ts";
import { RoundsError } from "../../errors/index.ts";
import { evidenceFile, receiptsFile } from "../../rounds/evidence-log.ts";
import { logFile, RoundsRecord } from "../../rounds/record.ts";
import type { ContractCall } from "../transactions/caller.ts";
import { answerCall, isPostedRecord, sameInstance, showCall } from "./answers.ts";
import { PacedAudit } from "./audit-pace.ts";
import { type Finding, Findings } from "./findings.ts";
import { ownsSeat, type Question } from "./questions.ts";
import type { ShownOnChain } from "./shown-on-chain.ts";
import type { SignedLeaves } from "./signed-leaves.ts";
import { notesCall } from "./store-calls.ts";
import type { PostedRounds } from "./terms-file.ts";

/** What is known about the record that was posted. */
export interface Copy {
  readonly root: Hex;
  record: RoundsRecord;
  /** What the marks in the folder show. */
  findings: Findings;
  /** The sizes and times of the logs in the folder, when they were read. */
  stamp: string;
  /** Absent while the folder has another record, or a part of it. */
  readonly audit: PacedAudit | undefined;
}

/**
 * Opens the folder of a record.
 * @param root of the posted record
 * @throws {RoundsError} when it is no record of this performance
 */
export async function openCopy(folder: string, root: Hex, posted: PostedRounds, account: Address): Promise<Copy> {
  const stamp = await stampOf(folder);
  const record = await RoundsRecord.open(folder);
  if (!sameInstance(record, posted))
    throw new RoundsError("FOREIGN", `${folder} is a record of another instance than that of the terms; name the one of this performance`); // prettier-ignore
  const findings = new Findings(record, posted.terms);
  const isPosted = isPostedRecord(record, root);
  const audit = isPosted ? new PacedAudit(record, findings, (leaf) => ownsSeat(posted, account, leaf)) : undefined;
  return { root, record, findings, audit, stamp };
}

/** Opens the folder of the record, or reads again what has changed in it. */
export async function readCopy(
  known: Copy | undefined,
  folder: string,
  root: Hex,
  posted: PostedRounds,
  account: Address,
  leaves: SignedLeaves,
): Promise<Copy> {
  if (known?.root === root && known.audit) {
    await refreshCopy(known, posted, leaves);
    return known;
  }
  const copy = await openCopy(folder, root, posted, account);
  leaves.addRecord(copy.record);
  return copy;
}

/** @throws {RoundsError} while the folder has not the posted record: it is read again and again */
export function expectPosted({ audit, record, root }: Copy): void {
  if (!audit)
    throw new RoundsError("UNAVAILABLE", `${record.folder} is not the record ${root} that was posted, so its leaves can't be judged; copy the recorder's folder there`); // prettier-ignore
}

/**
 * Reads the folder of the posted record again, if its logs have changed: somebody may have restored what was
 * missing. If it is another record now, what was read before stays.
 */
async function refreshCopy(copy: Copy, { terms }: PostedRounds, leaves: SignedLeaves): Promise<void> {
  const { folder } = copy.record;
  const stamp = await stampOf(folder);
  if (stamp === copy.stamp) return;
  const record = await RoundsRecord.open(folder);
  copy.stamp = stamp;
  if (!isPostedRecord(record, copy.root)) return;
  leaves.addRecord(record);
  copy.record = record;
  copy.findings = new Findings(record, terms);
  copy.audit?.renew(record, copy.findings);
}

/** What changes when something is added to the logs of a folder. */
export async function stampOf(folder: string): Promise<string> {
  const files = [logFile(folder), evidenceFile(folder), receiptsFile(folder)];
  const found = await Promise.all(files.map((file) => fs.stat(file).catch(() => undefined)));
  return found.map((stat) => (stat ? `${stat.size}/${stat.mtimeMs}` : "none")).join(" ");
}

/**
 * What can be shown by now, each once, apart from whether it was shown already. A leaf whose signature was
 * seen elsewhere is judged again.
 * @param copy nothing while there is no folder; then the chain alone has shown something
 * @param shown what calls have shown on the chain
 * @param own what the account has kept itself
 */
export function findingsIn(
  copy: Copy | undefined,
  leaves: SignedLeaves,
  { rolls, sentences }: Pick<ShownOnChain, "rolls" | "sentences">,
  own: readonly Copy[],
): Finding[] {
  copy?.audit?.regain(leaves);
  for (const { record } of copy ? [copy, ...own] : own)
    for (const each of sentences.all) record.shownSentences.admit(each);
  const kept = own.map(({ record }) => record);
  const shown = copy?.audit && rolls.length > 0 ? copy.findings.ofShownRolls(rolls) : [];
  const isPosted = copy?.audit !== undefined;
  const ofStores = (copy ?? own[0])?.findings.ofStores(isPosted, kept) ?? [];
  const found = copy ? [...copy.findings.misrecorded(copy.root), ...shown, ...(copy.audit?.found ?? [])] : [];
  const all = [...leaves.findings(), ...ofStores, ...found];
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
