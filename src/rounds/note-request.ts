/**
 * By what a recorder asks a store for a note of absence (spec 6.10). It is signed: otherwise anybody could
 * have stores say of a place that it has no leaf, before its owner has delivered one.
 */
import { isSignedBy } from "../claims/signature.ts";
import { digestOf } from "../claims/typed-data.ts";
import type { Bytes } from "../encoding/bytes.ts";
import type { LeafPlace } from "./plan.ts";
import { type Instance, roundsSentence } from "./statement.ts";

const ASK = roundsSentence("Ask(bytes32 instance,uint32 round,uint32 seat)");

/** The 32 bytes that the recorder signs to ask for a note (EIP-712). */
export const requestDigest = ({ id }: Instance, { round, seat }: LeafPlace): Bytes => digestOf(ASK, [id, round, seat]);

/** Whether the recorder of the instance has asked. @param signature 65 bytes */
export const isRequested = (instance: Instance, place: LeafPlace, signature: Bytes): boolean =>
  isSignedBy(instance.recorder, requestDigest(instance, place), signature);
