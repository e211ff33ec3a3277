/** `verde rounds record`: posts the root of a whole record. */
import { bytesToHex, isAddressEqual } from "viem";
import { bytesEqual, toHex } from "../../encoding/bytes.ts";
import { ChainError, RoundsError } from "../../errors/index.ts";
import { RoundsRecord } from "../../rounds/record.ts";
import { isOwners } from "../../rounds/statement.ts";
import { seatName } from "../../rounds/plan.ts";
import { formatTime } from "../../settlement/amount.ts";
import { PostedRecord } from "../../settlement/rounds/evidence.ts";
import { Findings } from "../../settlement/rounds/findings.ts";
import { readPerformance } from "../../settlement/rounds/performance.ts";
import type { PostedRounds } from "../../settlement/rounds/terms-file.ts";
import { reportLine } from "../output.ts";
import { Sender } from "../send.ts";
import type { SendFlags } from "../session-options.ts";
import { openPosted, stateText } from "./terms.ts";

/** The most places that are warned of. */
const MOST_WARNINGS = 5;

export async function postRecord(folder: string, flags: SendFlags & { terms: string }): Promise<void> {
  const record = await RoundsRecord.open(folder);
  const { session, posted } = await openPosted(flags.terms, flags);
  expectInstance(record, posted);
  const root = bytesToHex(new PostedRecord(record).root);
  // Its recorder would lose its stake for it.
  const unsigned = record.all.find((statement) => !isOwners(record.plan, record.instance, statement));
  if (unsigned)
    throw new RoundsError("RECORD", `the leaf of ${seatName(record.plan, unsigned.seat)} in round ${unsigned.round} is not signed by its owner, so whoever posts this record loses its stake; perform it again`, { round: unsigned.round }); // prettier-ignore
  const ofRecorder = (await new Findings(record, posted.terms).ofForm()).filter(({ against }) => against === posted.terms.participants.length); // prettier-ignore
  for (const { kind, round, seat } of ofRecorder.slice(0, MOST_WARNINGS))
    reportLine(`verde: whoever posts this record can lose its stake: it lacks what has to be signed of ${seatName(record.plan, seat)} in round ${round}, and anybody can show that by \`${kind}\``); // prettier-ignore
  const sender = await Sender.open(session, flags);
  if (!isAddressEqual(sender.address, posted.terms.recorder))
    throw new ChainError("NO_SEAT", `only ${posted.terms.recorder}, the recorder, posts the record, not ${sender.address}; use its key`, { expected: posted.terms.recorder, found: sender.address }); // prettier-ignore
  const before = await readPerformance(session, posted);
  const facts = { instance: posted.id, record: root };
  if (before.record === root) return sender.report(flags.json ?? false, { ...facts, deadline: before.deadline }, `${root} was posted already.`); // prettier-ignore
  if (before.state !== "Running" || before.now > before.deadline)
    throw new ChainError("STATE", `this is not the time to post the record; the performance is ${stateText(posted, before)}`, { state: before.state }); // prettier-ignore
  await sender.send({ contract: "roundManager", functionName: "postRecord", args: [posted.terms, root] });
  const { deadline } = await readPerformance(session, posted);
  sender.report(flags.json ?? false, { ...facts, deadline }, `${root} is posted. Its leaves may be challenged until ${formatTime(deadline)}.`); // prettier-ignore
}

/** @throws {RoundsError} when the record is not of this performance */
export function expectInstance(record: RoundsRecord, { instance, id }: PostedRounds): void {
  if (bytesEqual(record.instance.id, instance.id)) return;
  throw new RoundsError("FOREIGN", `${record.folder} is a record of the instance ${toHex(record.instance.id)}, and the terms are of ${id}; run the plan with --terms, or name its record`, { expected: id, found: toHex(record.instance.id) }); // prettier-ignore
}
