/** Signatures of the EVM's curve: 65 bytes, r, s and v, with the low s and v of 27 or 28. */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { keccak } from "./typed-data.ts";

/** The bytes of a signature. */
export const SIGNATURE_BYTES = 65;

/** 20 bytes. @param secretKey 32 bytes */
export function addressOf(secretKey: Bytes): Bytes {
  return addressOfPublic(secp256k1.getPublicKey(secretKey, false));
}

/** @param digest 32 bytes @param secretKey 32 bytes */
export function signDigest(digest: Bytes, secretKey: Bytes): Bytes {
  const [recovery, ...rs] = secp256k1.sign(digest, secretKey, { prehash: false, format: "recovered" });
  return Uint8Array.of(...rs, 27 + recovery);
}

/**
 * The address whose key signed, 20 bytes. `undefined` for what is no signature in the one form that counts.
 * Anybody can turn a signature into a second valid one, with the high s. That form does not count.
 */
export function signerOf(digest: Bytes, signature: Bytes): Bytes | undefined {
  const v = signature[64];
  if (signature.length !== SIGNATURE_BYTES || (v !== 27 && v !== 28)) return undefined;
  try {
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), "compact");
    if (parsed.hasHighS()) return undefined;
    return addressOfPublic(
      parsed
        .addRecoveryBit(v - 27)
        .recoverPublicKey(digest)
        .toBytes(false),
    );
  } catch {
    // The library throws for numbers outside of the curve's field.
    return undefined;
  }
}

/** Whether the key of an address signed. @param address 20 bytes */
export function isSignedBy(address: Bytes, digest: Bytes, signature: Bytes): boolean {
  const signer = signerOf(digest, signature);
  return signer !== undefined && bytesEqual(signer, address);
}

/** A new secret key, 32 bytes, from the machine's source of random bytes. */
export function newSecretKey(): Bytes {
  return secp256k1.utils.randomSecretKey() as Bytes;
}

const addressOfPublic = (key: Uint8Array): Bytes => keccak(key.slice(1) as Bytes).slice(12);
