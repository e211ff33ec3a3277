/**
 * Beacons (spec 6.10): numbers that a drand network publishes at fixed times, and that nobody knows before.
 * Everybody can check one by the network's public key, and no other one passes for its round.
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, bytesEqual, fromHex, Writer } from "../encoding/bytes.ts";
import { sha256, taggedHash } from "../encoding/hash.ts";
import { Tag } from "../encoding/tags.ts";

/** The drand network whose values a plan's seeds need, and at which of its rounds. */
export interface Beacon {
  /** The hash of the network, 32 bytes: its servers are asked by that. */
  readonly chain: Bytes;
  /** Its public key: 96 bytes, a point of G2 in the scheme `bls-unchained-g1-rfc9380`. */
  readonly publicKey: Bytes;
  /** The round of the network whose value the plan's round 1 needs, 1 or more. */
  readonly first: number;
  /** How many rounds of the network pass between two of the plan, 1 or more. */
  readonly every: number;
}

/** The value that a network has published for a round of a plan: its signature. */
export interface BeaconValue {
  /** The round of the plan. */
  readonly round: number;
  /** 48 bytes, a point of G1. */
  readonly signature: Bytes;
}

/**
 * The network `quicknet` of the League of Entropy, which publishes a value every 3 seconds, the first one
 * on 23 August 2023: `beacon: { ...QUICKNET, first: 40_000_000, every: 200 }` takes one every ten minutes.
 */
export const QUICKNET: Pick<Beacon, "chain" | "publicKey"> = {
  chain: fromHex("0x52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971", 32),
  publicKey: fromHex(
    "0x83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451" +
      "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
    96,
  ),
};

/** The bytes of a value. */
export const VALUE_BYTES = 48;

/** The tag of the scheme's hash to a point (RFC 9380). */
const TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
const { shortSignatures: scheme, G1, G2 } = bls12_381;

/** The round of the network whose value a round of the plan needs. Round 0 needs none. */
export const beaconRound = ({ first, every }: Beacon, round: number): number => first + (round - 1) * every;

/** Whether something that was read, or that an author has written, is a beacon. */
export function isBeacon(value: unknown): value is Beacon {
  if (typeof value !== "object" || value === null) return false;
  const { chain, publicKey, first, every } = value as Partial<Beacon>;
  const areBytes = chain instanceof Uint8Array && chain.length === 32 && publicKey instanceof Uint8Array;
  const areCounts = Number.isSafeInteger(first) && first! >= 1 && Number.isInteger(every) && every! >= 1 && every! < 2 ** 32; // prettier-ignore
  return areBytes && areCounts && first! <= 2 ** 48 && isPublicKey(publicKey);
}

/** Whether bytes are a public key: a point of the group, other than zero. */
function isPublicKey(bytes: Bytes): boolean {
  try {
    const point = G2.Point.fromBytes(bytes);
    point.assertValidity();
    return !point.is0() && bytesEqual(point.toBytes(true) as Bytes, bytes);
  } catch {
    return false;
  }
}

/** Values that were checked: one takes tens of milliseconds, and each leaf of its round asks. */
const known = new WeakMap<BeaconValue, { readonly beacon: Beacon; readonly holds: boolean }>();

/** Whether a value is that of the network for a round of the plan. There is only one. */
export function isValueOf(beacon: Beacon, value: BeaconValue): boolean {
  const before = known.get(value);
  if (before?.beacon === beacon) return before.holds;
  const holds = verified(beacon, value);
  known.set(value, { beacon, holds });
  return holds;
}

function verified(beacon: Beacon, { round, signature }: BeaconValue): boolean {
  try {
    const point = G1.Point.fromBytes(signature);
    // A point has one encoding here, so that nobody can choose among several.
    if (!bytesEqual(point.toBytes(true) as Bytes, signature)) return false;
    const message = sha256(new Writer().u64(beaconRound(beacon, round)).finish());
    return scheme.verify(point, scheme.hash(message, TAG), beacon.publicKey);
  } catch {
    return false;
  }
}

/** The 32 bytes that go into the seeds: what drand calls the round's randomness. */
export const randomnessOf = ({ signature }: BeaconValue): Bytes => sha256(signature);

/** What a plan's id binds of seeds that do not follow from the plan. */
export function seedsLeaf(beacon?: Beacon): Bytes {
  const writer = new Writer().u32(beacon ? 2 : 1);
  if (beacon) writer.bytes(beacon.chain).bytes(beacon.publicKey).u64(beacon.first).u32(beacon.every);
  return taggedHash(Tag.planPart, writer.finish());
}
