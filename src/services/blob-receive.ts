/** Takes a blob over HTTP, whole or in pieces (RFC 9110, 14.4 and 14.5: `Content-Range` in a PUT). */
import type { BlobId } from "../blobs/id.ts";
import type { BlobStore, Upload } from "../blobs/store.ts";
import { OFFSET_HEADER } from "../blobs/upload.ts";
import { FileError, FormatError } from "../errors/index.ts";
import { type BlobRequest, type BlobResponse, etagOf, say } from "./blob-http.ts";

/** The bytes that a request carries: from the first up to, but without, `end`, of `total`. */
interface Piece {
  from: number;
  end: number;
  total: number;
}

/**
 * 201: the blob is whole. 202: more is missing, from `upload-offset` on. 204: it was there. 409: another
 * offset is next, or another upload is under way. 422: the bytes have another digest. 507: there is no room.
 */
export async function receiveBlob(
  request: BlobRequest,
  response: BlobResponse,
  store: BlobStore,
  id: BlobId,
): Promise<void> {
  const piece = pieceIn(request.headers);
  if (piece === undefined)
    return say(response, 411, "send content-length, or content-range: bytes FROM-TO/SIZE or bytes */SIZE");
  if ((await store.sizeOf(id)) !== undefined) return void response.writeHead(204, { etag: etagOf(id) }).end();
  let upload: Upload | undefined;
  try {
    upload = await store.write(id, piece.total);
    const { part } = upload;
    if (part.size !== piece.from)
      return say(response, 409, `byte ${part.size} is next`, { [OFFSET_HEADER]: part.size });
    for await (const bytes of request) {
      if (part.size + bytes.length > piece.end) return say(response, 400, "more bytes were sent than were announced");
      await part.append(bytes);
    }
    if (part.size < piece.total) return say(response, 202, `byte ${part.size} is next`, { [OFFSET_HEADER]: part.size });
    await upload.finish();
    say(response, 201, "the blob is whole", { etag: etagOf(id) });
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined || response.headersSent) throw error;
    // Where files are is nobody's business.
    say(response, status, WORDS[status]);
  } finally {
    await upload?.close();
  }
}

const WORDS = {
  409: "another upload of this blob is under way",
  422: "the bytes have another digest, and were dropped",
  507: "there is no room for this blob; what has arrived is kept",
} as const;

function statusOf(error: unknown): keyof typeof WORDS | undefined {
  if (error instanceof FormatError && error.code === "VERDE_FORMAT_ALTERED") return 422;
  if (!(error instanceof FileError)) return undefined;
  return error.code === "VERDE_FILE_LOCKED" ? 409 : error.code === "VERDE_FILE_FULL" ? 507 : undefined;
}

function pieceIn({ "content-range": range, "content-length": length }: BlobRequest["headers"]): Piece | undefined {
  const most = 15;
  if (range === undefined) {
    if (length === undefined || !/^\d{1,15}$/.test(length)) return undefined;
    return { from: 0, end: Number(length), total: Number(length) };
  }
  const [, bounds, first, last, size] = /^bytes (?:((\d+)-(\d+))|\*)\/(\d+)$/.exec(range) ?? [];
  if (size === undefined || [first, last, size].some((digits) => digits !== undefined && digits.length > most)) return undefined; // prettier-ignore
  const total = Number(size);
  if (bounds === undefined) return { from: total, end: total, total };
  const [from, end] = [Number(first), Number(last) + 1];
  return from < end && end <= total ? { from, end, total } : undefined;
}
