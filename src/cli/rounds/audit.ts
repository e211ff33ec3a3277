/** `verde rounds audit`: executes the leaves of a record again, and names everybody who is wrong. */
import { UsageError } from "../../errors/index.ts";
import { auditRecord } from "../../rounds/audit.ts";
import { RoundsRecord } from "../../rounds/record.ts";
import { EXIT } from "../exit.ts";
import { exitWith } from "../guard.ts";
import { colors, writeJson, writeLine } from "../output.ts";
import { meanwhile } from "../progress.ts";
import { blameJson, describeBlame } from "./dispute.ts";
import { endOf } from "./ending.ts";

interface Flags {
  rounds?: string;
  evidence?: string[];
  backend?: string;
  json?: boolean;
}

export async function auditRounds(folder: string, { rounds, evidence, backend, json }: Flags): Promise<void> {
  const record = await RoundsRecord.open(folder, evidence);
  const range = rangeOf(rounds, record.plan.rounds);
  const options = { ...range, ...(backend !== undefined && { backend }) };
  const found = await meanwhile(`the audit of ${folder}`, () => auditRecord(record, options));
  const { leaves, executed, liars, unavailable } = found;
  const end = endOf(record, range.to);
  const isOpen = unavailable.length > 0 || end !== undefined;
  if (json)
    writeJson({
      schemaVersion: 1,
      outcome: liars.length > 0 ? "divergence" : isOpen ? "undecided" : "holds",
      whole: end === undefined,
      leaves,
      executed,
      liars: liars.map((liar) => ({ round: liar.round, leaf: liar.name, ...blameJson(record, liar) })),
      unavailable: unavailable.map(({ round, name, why }) => ({ round, leaf: name, why })),
    });
  else {
    for (const liar of liars) writeLine(colors.red(`round ${liar.round}, ${liar.name}: ${describeBlame(liar)}`));
    for (const { round, name, why } of unavailable) writeLine(`round ${round}, ${name}: not judged, because ${why}`);
    const verdict = liars.length > 0 ? `${liars.length} ${liars.length === 1 ? "fault" : "faults"}` : "none of them wrong"; // prettier-ignore
    writeLine(colors.bold(`${leaves} leaves, ${executed} executed again, ${verdict}.`));
    if (end !== undefined) writeLine(`${folder} ${end}`);
  }
  exitWith(liars.length > 0 ? EXIT.divergence : isOpen ? EXIT.undecided : EXIT.agree);
}

/** @throws {UsageError} when the record's plan has no such rounds */
function rangeOf(text: string | undefined, last: number): { from?: number; to?: number } {
  if (text === undefined) return {};
  const [, first = "", second = first] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(second)];
  if (first !== "" && from <= to && to <= last) return { from, to };
  throw new UsageError("VALUE", `--rounds ${text} is no range of rounds; write 2..4 or 3, up to ${last}`, {
    found: text,
  });
}
