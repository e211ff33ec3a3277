import { sha256 as portable } from "@noble/hashes/sha2.js";
import type { Bytes } from "./bytes.ts";

/**
 * The one hash of every commitment is SHA-256 (spec 6.2). A digest's type says what it commits to, so that the root of
 * a step can't be handed in where the root of an operator is expected.
 */
export type Digest<Kind extends string = string> = Bytes & { readonly __digest: Kind };

/** The first byte of everything that is hashed: what is meant can't be read as something else. */
export const Tag = {
  node: 0x01,
  chunk: 0x02,
  tensor: 0x03,
  stateLeaf: 0x04,
  state: 0x05,
  opLeaf: 0x06,
  accumulator: 0x07,
  stepLeaf: 0x08,
  segmentLeaf: 0x09,
  run: 0x0a,
  job: 0x0b,
  graph: 0x0c,
  graphNode: 0x0d,
  graphLabel: 0x0e,
  graphHeader: 0x0f,
  counter: 0x10,
  layoutLeaf: 0x11,
  graphOutput: 0x12,
} as const;
export type Tag = (typeof Tag)[keyof typeof Tag];

type Sha256 = (data: Bytes) => Bytes;

/** Node's native one-shot hash where there is one, the portable one elsewhere; a property test holds the two equal. */
const native = ((globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.("node:crypto") ??
  undefined) as typeof import("node:crypto") | undefined;
export const sha256: Sha256 = native?.hash
  ? (data) => native.hash("sha256", data, "buffer") as unknown as Bytes
  : (data) => portable(data as Uint8Array<ArrayBuffer>);
export const sha256Portable: Sha256 = (data) => portable(data as Uint8Array<ArrayBuffer>);

/** SHA-256 over a tag and the parts behind it, without separators: the caller's parts have fixed or encoded lengths. */
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
