/**
 * `evidence.log`: what somebody has signed beside what a record lists, as it was met elsewhere. It has the
 * form of `record.log`. So an audit finds it, and a watch shows it on the chain.
 */
import { toHex } from "../encoding/bytes.ts";
import { path } from "../encoding/node.ts";
import { exists } from "../files/regular.ts";
import { LogWriter, type LogContent, readLog } from "./log.ts";
import type { PlanTurn } from "./plan.ts";
import { sameSentence, type StoreSentence, StoreSentences } from "./receipt.ts";
import type { RoundsRecord } from "./record.ts";
import type { Statement } from "./statement.ts";

/** Signed statements, rolls, marks, and sentences of stores. */
export type SignedParts = Pick<LogContent, "statements" | "rolls" | "marks" | "sentences">;

/** Where the evidence of a record is. */
export const evidenceFile = (folder: string): string => path.join(folder, "evidence.log");

/**
 * Adds the evidence in a record's folder to the record, beside what the record lists.
 * @throws {RoundsError} when the file was altered
 */
export async function admitEvidence(record: RoundsRecord): Promise<void> {
  const file = evidenceFile(record.folder);
  if (await exists(file)) admitParts(record, await readLog(file, record.plan.turns));
}

/** Appends to the evidence of a record, and adds it to the record. */
export async function keepEvidence(record: RoundsRecord, parts: SignedParts): Promise<void> {
  const file = evidenceFile(record.folder);
  const log = await LogWriter.open(file, (await exists(file)) ? await readLog(file, record.plan.turns) : undefined);
  for (const statement of parts.statements) await log.statement(statement);
  for (const roll of parts.rolls) await log.roll(roll);
  for (const mark of parts.marks) await log.mark(mark);
  for (const sentence of parts.sentences ?? []) await log.sentence(sentence);
  admitParts(record, parts);
}

/** Where an owner keeps what stores have signed of its leaves, in the form of `record.log`. */
export const receiptsFile = (folder: string): string => path.join(folder, "receipts.log");

/** The receipts of an owner's leaves, with their statements. It is read once, and written as they come. */
export class ReceiptLog {
  private readonly log: LogWriter;
  /** The signatures of the statements that are there. */
  private readonly statements: Set<string>;
  private readonly sentences = new StoreSentences();

  private constructor(log: LogWriter, known?: LogContent) {
    this.log = log;
    this.statements = new Set(known?.statements.map(({ signature }) => toHex(signature)));
    for (const each of known?.sentences ?? []) this.sentences.admit(each);
  }

  /**
   * @param folder of the owner
   * @throws {RoundsError} when the file was altered
   */
  static async open(folder: string, turns: readonly PlanTurn[]): Promise<ReceiptLog> {
    const file = receiptsFile(folder);
    const known = (await exists(file)) ? await readLog(file, turns) : undefined;
    return new ReceiptLog(await LogWriter.open(file, known), known);
  }

  /** Keeps receipts of a leaf. What is there already is not kept again. One call after the other. */
  async keep(statement: Statement, receipts: readonly StoreSentence[]): Promise<void> {
    const key = toHex(statement.signature);
    if (!this.statements.has(key)) await this.log.statement(statement);
    this.statements.add(key);
    for (const receipt of receipts) {
      if (this.sentences.at(receipt).some((each) => sameSentence(each, receipt))) continue;
      await this.log.sentence(receipt);
      this.sentences.admit(receipt);
    }
  }
}

/**
 * Adds what an owner has of the stores to a record, beside what the record lists.
 * @returns whether the folder has such a file
 * @throws {RoundsError} when the file was altered
 */
export async function admitReceipts(record: RoundsRecord, folder: string): Promise<boolean> {
  const file = receiptsFile(folder);
  if (!(await exists(file))) return false;
  admitParts(record, await readLog(file, record.plan.turns));
  return true;
}

/** Nothing is listed that the record does not list itself. */
function admitParts(record: RoundsRecord, { statements, rolls, marks, sentences = [] }: SignedParts): void {
  const { rounds, seats } = record.plan;
  for (const sentence of sentences)
    if (sentence.round <= rounds && sentence.seat < seats.length) record.shownSentences.admit(sentence);
  for (const statement of statements) if (record.at(statement)) record.admit(statement);
  for (const roll of rolls) if (record.rolls.at(roll)) record.rolls.admit(roll);
  record.marks.push(...marks);
}
