/** Two histories of one performance: what a server offers, and what was fetched before. */
import { type Bytes, bytesEqual } from "../../encoding/bytes.ts";
import { RoundsError } from "../../errors/index.ts";
import { fs } from "../../encoding/node.ts";
import { replaceFile } from "../../files/replace.ts";
import { keepEvidence } from "../../rounds/evidence-log.ts";
import { ownerOf } from "../../rounds/judge.ts";
import { LOG_BEGIN, logEntries, type LogEntry, type LogPosition, MAGIC } from "../../rounds/log.ts";
import { roundBytes } from "../../rounds/log-entry.ts";
import { type PlanTurn, seatName } from "../../rounds/plan.ts";
import { logFile, RoundsRecord } from "../../rounds/record.ts";
import type { Correspondent, Replied } from "./correspondent.ts";
import { PIECE } from "./messages.ts";
import { contradictionsIn, OfferedRounds, unsignedIn } from "./offered-rounds.ts";

/**
 * The whole entries of a part of a log.
 * @throws {RoundsError} SERVER when one does not follow from those before
 */
export function entriesOf(
  bytes: Bytes,
  turns: readonly PlanTurn[],
  server: Correspondent,
  from: LogPosition = LOG_BEGIN,
): LogEntry[] {
  try {
    return [...logEntries(bytes, turns, "the log", from)];
  } catch (error) {
    if (error instanceof RoundsError) throw server.wrong("sent a log whose hashes do not follow from each other");
    throw error;
  }
}

/** The parts of a log from a first one to the end that it had then. It may grow meanwhile. */
export async function* readAll(server: Correspondent, first: Replied<"part">, begin: number): AsyncGenerator<Bytes> {
  const { size } = first;
  let { bytes } = first;
  for (let from = begin; ; { bytes } = await server.ask({ kind: "log", from }, "part")) {
    // So nobody is kept busy by parts of a byte each.
    if (bytes.length > PIECE || bytes.length < Math.min(PIECE, size - from)) throw server.wrong("sent another number of bytes of its log"); // prettier-ignore
    yield bytes;
    from += bytes.length;
    if (from >= size) return;
  }
}

/** Two histories. */
interface Histories {
  /** What was fetched before. */
  readonly record: RoundsRecord;
  readonly server: Correspondent;
  /** The bytes of its log, and the rounds in it. */
  readonly end: number;
  readonly rounds: number;
}

/**
 * Judges a server's log that does not continue the own one. What contradicts the own record by a signature is
 * kept as evidence. The own log is replaced by one with the same rounds, if that has a signature which the
 * own one lacks.
 * @throws {RoundsError} HISTORY when the server's is cut, is another history, or is no better
 */
export async function settleHistory({ record, server, end, rounds }: Histories): Promise<void> {
  const { folder, plan, instance } = record;
  const most = MAGIC.length + (plan.rounds + 1) * roundBytes(plan);
  const parts: Bytes[] = [];
  const first = await server.ask({ kind: "log", from: 0 }, "part");
  if (first.size > most) throw server.wrong(`has a log of ${first.size} bytes, and the plan has no more than ${most}`);
  for await (const bytes of readAll(server, first, 0)) parts.push(bytes);
  const bytes: Bytes = new Uint8Array(Buffer.concat(parts));
  if (!bytesEqual(bytes.subarray(0, MAGIC.length), MAGIC)) throw server.wrong("sent what is no log of a record");
  const entries = entriesOf(bytes.subarray(MAGIC.length), plan.turns, server);
  const found = contradictionsIn(record, entries);
  const refused = (what: string): never => {
    throw new RoundsError("HISTORY", `${server.name} ${what}; ${folder} is kept as it is`, { folder, rounds });
  };
  const said = [
    ...found.marks.map((mark) => `the recorder has signed two records of ${mark.rounds} rounds`),
    ...found.rolls.map((roll) => `the recorder has signed two rolls of ${plan.turns[roll.turn].name} in round ${roll.round}`), // prettier-ignore
    ...found.statements.map((leaf) => `${ownerOf(plan, leaf)} has signed two leaves of ${seatName(plan, leaf.seat)} in round ${leaf.round}`), // prettier-ignore
  ];
  if (said.length > 0) {
    await keepEvidence(record, found);
    refused(`has another history: ${said.join("; ")}. The signatures are in evidence.log`);
  }
  const own: Bytes = new Uint8Array(await fs.readFile(logFile(folder)));
  if (bytes.length < end && bytesEqual(bytes, own.subarray(0, bytes.length))) refused(`has a record that is cut: it ends before the ${rounds} rounds that were fetched`); // prettier-ignore
  const other = new RoundsRecord(folder, plan, instance, record.blobs);
  const offered = new OfferedRounds(other, 0, server);
  let [left, last] = [[] as LogEntry[], LOG_BEGIN.end];
  for (const entry of entries) {
    if (!entry.mark) left.push(entry);
    else if (offered.count < rounds) {
      offered.add(left, entry.mark);
      [left, last] = [[], entry.end];
    }
  }
  if (offered.count < rounds)
    refused(`has a record that is cut: it has ${offered.count} rounds, and ${rounds} were fetched`);
  if (other.marks.some(({ root }, i) => !bytesEqual(root, record.marks[i].root))) refused("has another history, as was found before: see evidence.log"); // prettier-ignore
  if (unsignedIn(other).length >= unsignedIn(record).length) refused("has the same rounds in another form, which is no better"); // prettier-ignore
  await replaceFile(logFile(folder), bytes.subarray(0, last));
}
