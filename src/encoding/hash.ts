import { sha256 as portable } from "@noble/hashes/sha2.js";
import type { Bytes } from "./bytes.ts";
import type { Tag } from "./tags.ts";

/**
 * All commitments use one hash, SHA-256 (spec 6.2). The type of a digest says what it commits to, so that the
 * root of a step can't be passed where the root of an operator is expected.
 */
export type Digest<Kind extends string = string> = Bytes & { readonly __digest: Kind };

type Sha256 = (data: Bytes) => Bytes;

/**
 * Node's native one-shot hash where it exists, the portable one elsewhere. A property test checks that both
 * are equal.
 */
const native = ((globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.("node:crypto") ??
  undefined) as typeof import("node:crypto") | undefined;
/** SHA-256, by the fastest implementation that the engine has. */
export const sha256: Sha256 = native?.hash
  ? (data) => native.hash("sha256", data, "buffer") as unknown as Bytes
  : (data) => portable(data as Uint8Array<ArrayBuffer>);
/** SHA-256 by @noble/hashes, which every engine runs. */
export const sha256Portable: Sha256 = (data) => portable(data as Uint8Array<ArrayBuffer>);

/**
 * SHA-256 over a tag and the parts after it, without separators: the caller's parts have fixed or encoded
 * lengths.
 */
export function taggedHash<Kind extends string>(tag: Tag, ...parts: Bytes[]): Digest<Kind> {
  let size = 1;
  for (const part of parts) size += part.length;
  const data = new Uint8Array(size);
  data[0] = tag;
  let at = 1;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return sha256(data) as Digest<Kind>;
}
