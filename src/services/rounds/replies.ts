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

/** What was thrown, as a reply. */
export function reasonOf(error: unknown): Reply {
  const { code, message } = failureOf(error);
  return failed(code, message);
}
