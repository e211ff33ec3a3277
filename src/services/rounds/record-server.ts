/**
 * Serves the record of a performance to those who check it: from its folder as it is at each question, so
 * also while a recorder writes it. What is sent is checked by signatures and roots, so anybody may serve it.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { readPart } from "../../files/part.ts";
import { fileOf as leafFileOf } from "../../rounds/leaf-note.ts";
import { graphFile, planFile } from "../../rounds/plan-file.ts";
import { logFile, type RoundsRecord } from "../../rounds/record.ts";
import type { Ending, Transport } from "../transport/transport.ts";
import { type AskedOfServer, failed, messages, PIECE, recordSubject, type Reply } from "./messages.ts";
import { reasonOf } from "./replies.ts";

/** What of a record is served. */
export type ServedRecord = Pick<RoundsRecord, "folder" | "plan" | "instance" | "blobs">;

/**
 * Answers questions about a record until it is ended.
 * @throws {TransportError} when the network can't be reached, or this process serves the record already
 */
export function serveRecord(transport: Transport, record: ServedRecord): Promise<Ending> {
  return transport.answer(recordSubject(record.instance.id), async (message) =>
    messages.reply(await replyTo(record, message).catch(reasonOf)),
  );
}

async function replyTo(record: ServedRecord, message: Bytes): Promise<Reply> {
  const question = messages.askedOfServer(message);
  if (question.kind === "record") {
    const { plan, salt, owners, recorder, chain } = record.instance;
    return { kind: "record", instance: { plan, salt, owners: [...owners], recorder, ...(chain && { chain }) } };
  }
  const file = fileOf(record, question);
  const part = file === undefined ? undefined : await readPart(file, question.from, PIECE);
  return part ? { kind: "part", ...part } : failed("VERDE_ROUNDS_UNAVAILABLE", `it has no such ${question.kind}`);
}

/** Where something is. Its name is made here, from numbers and roots. */
function fileOf(
  { folder, plan, blobs }: ServedRecord,
  question: Exclude<AskedOfServer, { kind: "record" }>,
): string | undefined {
  if (question.kind === "plan") return planFile(folder);
  if (question.kind === "log") return logFile(folder);
  if (question.kind === "graph") return graphFile(folder, question.root);
  if (question.kind === "tensor") return blobs.fileOf(question.root);
  const { round, seat } = question;
  return round <= plan.rounds && seat < plan.seats.length
    ? leafFileOf(folder, plan, { round, seat }, ".leaf")
    : undefined;
}
