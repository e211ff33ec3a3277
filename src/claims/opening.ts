/**
 * What a party signs while a dispute is carried out (spec 7.3): "in my run R, the tree at this place has this
 * root". The run root binds the job and the commitments, so the sentence is true or false for ever, wherever
 * it is shown.
 */
import type { Bytes } from "../encoding/bytes.ts";
import { signDigest, signerOf } from "./signature.ts";
import { digestOf, type SentenceKind } from "./typed-data.ts";

/** The tree of an opening, by its number in contracts/game/GameTypes.sol. */
export const OPENED_TREES = { segment: 0, step: 1, operator: 2, fold: 5 } as const;
/** The name of a tree whose opening can be signed. */
export type OpenedTree = keyof typeof OPENED_TREES;

/** A tree of a run: the place that an opening is about. Numbers are 0 where the tree lies above them. */
export interface OpeningPlace {
  /** The segment tree belongs to the whole run: to sign its root is to claim the run. */
  readonly tree: OpenedTree;
  readonly segment: number;
  /** The training step, counted within its segment from 0. */
  readonly step: number;
  /** The operator's number in its graph. */
  readonly kernel: number;
  /** The row-major index of the element in the operator's output. */
  readonly element: number;
}

/** A sentence that a party can sign. */
export interface Opening extends OpeningPlace {
  /** The run root, 32 bytes. */
  readonly run: Bytes;
  /** The root of the tree, 32 bytes. */
  readonly root: Bytes;
}

const OPENING: SentenceKind = {
  domain: "Verde opening",
  type: "Opening(bytes32 run,uint8 tree,uint32 segment,uint32 step,uint32 kernel,uint32 element,bytes32 root)",
};

/** The 32 bytes that are signed (EIP-712). */
export function openingDigest({ run, tree, segment, step, kernel, element, root }: Opening): Bytes {
  return digestOf(OPENING, [run, OPENED_TREES[tree], segment, step, kernel, element, root]);
}

/** @param secretKey 32 bytes @returns 65 bytes */
export function signOpening(opening: Opening, secretKey: Bytes): Bytes {
  return signDigest(openingDigest(opening), secretKey);
}

/** The address that signed an opening, 20 bytes, or `undefined` if it is no valid signature. */
export function openingSigner(opening: Opening, signature: Bytes): Bytes | undefined {
  return signerOf(openingDigest(opening), signature);
}

/** A name for the place. Different places of one run have different names. */
export function openingKey({ tree, segment, step, kernel, element }: OpeningPlace): string {
  return [tree, segment, step, kernel, element].join(" ");
}
