/**
 * The key of a process on a network: an nkey of NATS, which is Ed25519. The connection is made with it, and
 * what the process says is signed with it. It owns nothing: a stake wallet says whose it is
 * (settlement/identity.ts).
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createUser, fromPublic, fromSeed, type KeyPair } from "@nats-io/nkeys";
import { ClaimStore } from "../../claims/store.ts";
import type { Bytes } from "../../encoding/bytes.ts";
import { isMissing, KeyError, messageOf, UsageError } from "../../errors/index.ts";
import { makeFolder } from "../../files/folder.ts";
import { writeNewFile } from "../../files/replace.ts";

/** The public key as text. */
export const PUBLIC_KEY = /^U[A-Z2-7]{55}$/;
/** The bytes of a signature. */
export const NETWORK_SIGNATURE_BYTES = 64;

export class NetworkKey {
  /** 56 characters that begin with `U`. */
  readonly publicKey: string;
  private readonly pair: KeyPair;

  private constructor(pair: KeyPair) {
    this.pair = pair;
    this.publicKey = pair.getPublicKey();
  }

  /** A key that nobody keeps. */
  static make(): NetworkKey {
    return new NetworkKey(createUser());
  }

  /** @throws {KeyError} for a text that is not the seed of a user's nkey */
  static fromSeed(text: string, what: string): NetworkKey {
    try {
      const key = new NetworkKey(fromSeed(new TextEncoder().encode(text.trim())));
      if (PUBLIC_KEY.test(key.publicKey)) return key;
    } catch {
      // The message must not repeat the text.
    }
    throw new KeyError("MALFORMED", `${what} is not the seed of a user's nkey; it is one line that begins with SU`);
  }

  /**
   * The key in a file; it is made at the first use.
   * @param file default: one in the folder of this user's keys
   */
  static async open(file = join(new ClaimStore().folder, "keys", "network.nkey")): Promise<NetworkKey> {
    const known = await read(file);
    if (known !== undefined) return NetworkKey.fromSeed(known, file);
    await makeFolder(dirname(file), 0o700);
    const seed = new TextDecoder().decode(createUser().getSeed());
    // Two processes that make it at once get the same one.
    await writeNewFile(file, `${seed}\n`, { mode: 0o600 }).catch((error: unknown) => {
      if (!(error instanceof UsageError)) throw error;
    });
    return NetworkKey.fromSeed((await read(file)) ?? "", file);
  }

  /** The seed, for the connection. */
  get seed(): Bytes {
    return this.pair.getSeed();
  }

  /** 64 bytes. */
  sign(message: Bytes): Bytes {
    return this.pair.sign(new Uint8Array(message));
  }
}

/** Whether a key has signed a message. It is false for whatever is no key and no signature. */
export function isSignedBy(publicKey: string, message: Bytes, signature: Bytes): boolean {
  if (!PUBLIC_KEY.test(publicKey) || signature.length !== NETWORK_SIGNATURE_BYTES) return false;
  const key = verifier(publicKey);
  return key !== undefined && verify(null, message, key, signature);
}

/** Keys whose notes are read again and again. */
const verifiers = new Map<string, KeyObject>();
const MOST_VERIFIERS = 4_096;
/** The head of an Ed25519 key of 32 bytes in DER (RFC 8410). */
const DER = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/** The key for Node's own Ed25519, which takes a tenth of the time of a library in JavaScript. */
function verifier(publicKey: string): KeyObject | undefined {
  const known = verifiers.get(publicKey);
  if (known) return known;
  try {
    // Checks its form and its sum.
    fromPublic(publicKey);
    const raw = base32(publicKey).subarray(1, 33);
    const key = createPublicKey({ key: Buffer.concat([DER, raw]), format: "der", type: "spki" });
    if (verifiers.size >= MOST_VERIFIERS) verifiers.delete(verifiers.keys().next().value!);
    verifiers.set(publicKey, key);
    return key;
  } catch {
    return undefined;
  }
}

/** The bytes of a text in base 32 (RFC 4648, 6). */
function base32(text: string): Bytes {
  const bits = [...text].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join(""); // prettier-ignore
  return Uint8Array.from({ length: bits.length >> 3 }, (_, i) => parseInt(bits.slice(8 * i, 8 * i + 8), 2));
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new KeyError("UNREADABLE", `the key ${file} can't be read: ${messageOf(cause)}; make it readable`, { file });
  }
}
