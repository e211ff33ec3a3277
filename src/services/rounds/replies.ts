/** What both sides of a plan reply alike: parts of blobs, and reasons. */
import type { TensorRoot } from "../../encoding/tensor.ts";
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
