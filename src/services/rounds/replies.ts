/** What both sides of a plan reply alike: parts of blobs, and reasons. */
import { toHex } from "../../encoding/bytes.ts";
import type { TensorRoot } from "../../encoding/tensor.ts";
import { RoundsError } from "../../errors/index.ts";
import { failureOf } from "../../referee/apart/messages.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { failed, PIECE, type Reply } from "./messages.ts";

/** A part of a blob that is asked for. */
export async function pieceOf(
  { blobs }: RoundsRecord,
  { root, from }: { readonly root: TensorRoot; readonly from: number },
): Promise<Reply> {
  const bytes = await blobs.part(root, from, PIECE);
  return bytes ? { kind: "piece", bytes } : failed("VERDE_ROUNDS_UNAVAILABLE", "it has no such blob");
}

/** The same, of whichever record has the blob. @throws {RoundsError} UNAVAILABLE when none has */
export async function pieceAmong(
  records: readonly RoundsRecord[],
  blob: { readonly root: TensorRoot; readonly from: number },
): Promise<Reply> {
  for (const record of records) {
    const reply = await pieceOf(record, blob);
    if (reply.kind === "piece") return reply;
  }
  throw new RoundsError("UNAVAILABLE", "it has no such blob", { root: toHex(blob.root) });
}

/** Milliseconds after which somebody that is still at work says so. */
export const WORKING_MILLIS = 10_000;

/** A reply, or after some seconds the word that it is still worked on: then it is asked for again. */
export function orWorking(reply: Promise<Reply>): Promise<Reply> {
  let timer: NodeJS.Timeout | undefined;
  const working = new Promise<Reply>((resolve) => (timer = setTimeout(() => resolve({ kind: "working" }), WORKING_MILLIS))); // prettier-ignore
  return Promise.race([reply, working]).finally(() => clearTimeout(timer));
}

/** What was thrown, as a reply. */
export function reasonOf(error: unknown): Reply {
  const { code, message } = failureOf(error);
  return failed(code, message);
}
