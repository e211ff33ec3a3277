/** The names of blobs: the SHA-256 of their bytes. */
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";

/** 64 hexadecimal digits, in lower case. */
export type BlobId = string & { readonly __blob: true };

/** Whether a text is the name of a blob, as it stands in paths. */
export const isBlobId = (text: string): text is BlobId => /^[0-9a-f]{64}$/.test(text);

/** `sha256:` and the digits, as people are shown it. */
export const formatBlobId = (id: BlobId): string => `sha256:${id}`;

/**
 * @param text 64 hexadecimal digits, after `sha256:` or alone
 * @throws {UsageError} for anything else
 */
export function parseBlobId(text: string): BlobId {
  const digits = text.replace(/^sha256:/, "").toLowerCase();
  if (isBlobId(digits)) return digits;
  throw new UsageError("VALUE", `${quote(text)} is no name of a blob; write sha256: and 64 hexadecimal digits`, {
    found: text,
  });
}
