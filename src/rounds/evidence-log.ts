/**
 * `evidence.log`: what somebody has signed beside what a record lists, as it was met elsewhere. It has the
 * form of `record.log`. So an audit finds it, and a watch shows it on the chain.
 */
import { path } from "../encoding/node.ts";
import { exists } from "../files/regular.ts";
import { LogWriter, type LogContent, readLog } from "./log.ts";
import type { RoundsRecord } from "./record.ts";

/** Signed statements, rolls and marks. */
export type SignedParts = Pick<LogContent, "statements" | "rolls" | "marks">;

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
  admitParts(record, parts);
}

/** Nothing is listed that the record does not list itself. */
function admitParts(record: RoundsRecord, { statements, rolls, marks }: SignedParts): void {
  for (const statement of statements) if (record.at(statement)) record.admit(statement);
  for (const roll of rolls) if (record.rolls.at(roll)) record.rolls.admit(roll);
  record.marks.push(...marks);
}
