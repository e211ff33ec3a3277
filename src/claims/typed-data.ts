/**
 * Structured data as it is hashed for a signature (EIP-712), for domains that have a name and a version and
 * no chain: what is said holds wherever it is shown.
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { type Bytes, Writer } from "../encoding/bytes.ts";

const DOMAIN = "EIP712Domain(string name,string version)";

/** A kind of sentence that can be signed. */
export interface SentenceKind {
  /** The name of the domain. Its version is 1. */
  readonly domain: string;
  /** The type as EIP-712 writes it, such as `Opening(bytes32 run,uint8 tree)`. */
  readonly type: string;
}

/**
 * The digest that is signed.
 * @param words the fields in the order of the type: 32 bytes, or a whole number of at most 32 bits
 */
export function digestOf({ domain, type }: SentenceKind, words: readonly (Bytes | number)[]): Bytes {
  const writer = new Writer().bytes(hashOf(type));
  for (const word of words) writer.bytes(typeof word === "number" ? wordOf(word) : word);
  const name = new Writer().bytes(hashOf(DOMAIN)).bytes(hashOf(domain)).bytes(hashOf("1")).finish();
  const prefix = new Writer().u8(0x19).u8(0x01);
  return keccak(prefix.bytes(keccak(name)).bytes(keccak(writer.finish())).finish());
}

/** Keccak-256, the hash of the EVM. */
export function keccak(bytes: Bytes): Bytes {
  return keccak_256(bytes) as Bytes;
}

const hashOf = (text: string): Bytes => keccak(new TextEncoder().encode(text));
const wordOf = (value: number): Bytes => new Writer().bytes(new Uint8Array(28)).u32(value).finish();
