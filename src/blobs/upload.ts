/** Puts blobs into stores and onto servers. What is there already of an earlier try is not sent again. */
import { createHash } from "node:crypto";
import { FileError, FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { MOST_ANSWER } from "../formats/http-ranges.ts";
import { ask, bodyOf, serverAt, type TokenFor } from "../formats/http.ts";
import { type BlobId, formatBlobId } from "./id.ts";
import { BLOB_PATH } from "./source.ts";
import type { BlobStore } from "./store.ts";

/** The header that says how many bytes of an unfinished blob a server has. */
export const OFFSET_HEADER = "upload-offset";

type Progress = (done: number, size: number) => void;

/** The name of a file's bytes. */
export async function blobIdOf(file: ByteSource): Promise<BlobId> {
  const hash = createHash("sha256");
  for (let at = 0; at < file.size; at += MOST_ANSWER) hash.update(await file.read(at, MOST_ANSWER));
  return hash.digest("hex") as BlobId;
}

/** @throws {FileError} when the store has no room, or another upload writes the blob */
export async function putIntoStore(
  store: BlobStore,
  id: BlobId,
  file: ByteSource,
  onProgress?: Progress,
): Promise<void> {
  // prettier-ignore
  if ((await store.sizeOf(id)) !== undefined) return;
  const upload = await store.write(id, file.size);
  try {
    const { part } = upload;
    while (part.size < file.size) {
      await part.append(await file.read(part.size, Math.min(file.size - part.size, MOST_ANSWER)));
      onProgress?.(part.size, file.size);
    }
    await upload.finish();
  } finally {
    await upload.close();
  }
}

/**
 * Sends a file to a server in pieces, from where an earlier try has ended.
 * @throws {FormatError | FileError} when the server can't be reached, or does not take it
 */
export async function putOnServer(
  url: string,
  id: BlobId,
  file: ByteSource,
  tokenFor?: TokenFor,
  onProgress?: Progress,
): Promise<void> {
  // prettier-ignore
  const { base, headers } = serverAt(url, tokenFor);
  const address = `${base}${BLOB_PATH}/${id}`;
  const what = `${url}: ${formatBlobId(id)}`;
  const head = await ask(address, { method: "HEAD", headers, what, accept: [404] });
  if (head.ok) return;
  let at = offsetIn(head) ?? 0;
  for (let tries = 0; ; ) {
    const piece = await file.read(at, Math.min(file.size - at, MOST_ANSWER));
    const end = at + piece.length;
    const range = piece.length === 0 ? `bytes */${file.size}` : `bytes ${at}-${end - 1}/${file.size}`;
    const answer = await ask(address, {
      method: "PUT",
      headers: { ...headers, "content-type": "application/octet-stream", "content-range": range },
      body: piece,
      what,
      accept: [409, 413, 422, 507],
    });
    const said = new TextDecoder().decode(await bodyOf(answer, what, 2 ** 16));
    const offset = offsetIn(answer);
    if (answer.status === 201 || answer.status === 204) return onProgress?.(file.size, file.size);
    if (answer.status === 202 && offset === end) at = end;
    // Somebody else has sent a piece meanwhile, or the answer to an earlier one was lost.
    else if (answer.status === 409 && offset !== undefined && offset <= file.size && tries++ < 3) at = offset;
    else throw refusal(what, answer, said);
    onProgress?.(at, file.size);
  }
}

function refusal(what: string, { status }: Response, said: string): FileError | FormatError {
  const why = `${what} is not taken: its server answers ${status}: ${quote(said.trim(), 300)}`;
  if (status === 413 || status === 507)
    return new FileError("FULL", `${why}; make room there, and run the command again: it continues`, { status });
  if (status === 422) return new FormatError("ALTERED", `${why}; run the command again`, { status });
  return new FormatError("UNREADABLE", `${why}; wait until another upload of it has ended, and run the command again`, { status }); // prettier-ignore
}

function offsetIn({ headers }: Response): number | undefined {
  const text = headers.get(OFFSET_HEADER) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
