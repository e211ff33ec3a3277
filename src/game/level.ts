/**
 * One level of the dispute (spec 7.1): a claim that opens into a Merkle tree, and the checks on all answers
 * about it. A level is data. This file does not know what the leaves mean.
 */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import type { Tag } from "../encoding/tags.ts";
import {
  type ClimbLeaf,
  checkLeafCount,
  climbLeaf,
  hashLeaf,
  hashNode,
  merkleRoot,
  type Proof,
  proofSteps,
  type TreeRoot,
  widthAt,
} from "../encoding/merkle.ts";
import { DisputeError, type DisputeSubCode } from "../errors/index.ts";

/** One of the two parties. 0 is the party that was named first. */
export type Side = 0 | 1;
export const SIDES = [0, 1] as const satisfies readonly Side[];
/** One value for each party, in the order of their sides. */
export type Pair<T> = readonly [T, T];

export function bothSides<T>(make: (side: Side) => T): Pair<T> {
  return [make(0), make(1)];
}

/** A level of the dispute: the kind of tree, without anything that depends on the claims. */
export interface Level {
  readonly name: string;
  /** The tag of its leaves. */
  readonly tag: Tag;
  /** The number of its leaves. The parties can't choose it. */
  readonly count: number;
  readonly binding: Binding;
  /** The number of bytes that leaf `index` commits to. */
  payloadBytes(index: number): number;
  /** The size of a part. A payload may have several parts; the leftmost one that differs counts. */
  readonly partBytes: number;
}

/** How the claim above commits to the level's tree. */
export type Binding =
  /** The claim is a hash over the tree's root. To open it, a party shows the root. */
  | { readonly kind: "preimage"; commit(root: TreeRoot): Bytes }
  /** The claim is what the last leaf commits to. To open it, a party shows the proof of that leaf. */
  | { readonly kind: "last" };

/** A party's answer: byte strings whose number and lengths the question fixes. */
export type Answer = readonly Bytes[];

/** @throws {DisputeError} when an answer is missing, or its parts do not have these lengths, in bytes. */
export function checkParts(answer: Answer | undefined, lengths: readonly number[], what: string): Answer {
  if (answer === undefined) throw new DisputeError("ANSWER_MISSING", `no answer to the question for ${what}`);
  const fits =
    Array.isArray(answer) &&
    answer.length === lengths.length &&
    answer.every((part, i) => part instanceof Uint8Array && part.length === lengths[i]);
  if (!fits)
    throw new DisputeError("ANSWER_MALFORMED", `the answer to the question for ${what} is malformed`, {
      lengths,
      parts: Array.isArray(answer) ? answer.length : null,
    });
  return answer;
}

/** The lengths in bytes of the parts of an opening. @throws {FormatError} when no tree has so many leaves */
export function openingLengths(level: Level): number[] {
  if (level.binding.kind === "preimage") return [32];
  checkLeafCount(level.count);
  let siblings = 0;
  for (let width = level.count, at = level.count - 1; width > 1; width = Math.ceil(width / 2), at >>= 1)
    if ((at ^ 1) < width) siblings++;
  return Array.from({ length: siblings }, () => 32);
}

/**
 * The root of the tree that a claim opens into.
 * @param climb follows the proof of the last leaf
 * @throws {DisputeError} when the opening does not belong to this claim
 */
export function openClaim(level: Level, claim: Bytes, opening: Answer, climb: ClimbLeaf = climbLeaf): TreeRoot {
  if (level.binding.kind === "last") {
    const root = climb(level.tag, claim, level.count, level.count - 1, opening);
    if (!root)
      throw new DisputeError(
        "PROOF_WRONG",
        `the proof of the last leaf of the ${level.name} tree has the wrong length`,
      );
    return root;
  }
  const root = opening[0] as TreeRoot;
  if (!bytesEqual(level.binding.commit(root), claim))
    throw new DisputeError("PROOF_WRONG", `the shown root of the ${level.name} tree does not hash to the claim`, {
      claim,
      root,
    });
  if (level.count === 0 && !bytesEqual(root, merkleRoot([])))
    throw new DisputeError(
      "PROOF_WRONG",
      `the ${level.name} tree has no leaves, but the shown root is that of a tree with leaves`,
      {
        root,
      },
    );
  return root;
}

/** @throws {DisputeError} when two children do not hash to the node that was claimed. */
export function checkChildren(level: Level, node: Bytes, [left, right]: Answer): void {
  if (!bytesEqual(hashNode(left, right), node))
    throw new DisputeError(
      "PROOF_WRONG",
      `two children in the ${level.name} tree do not hash to the node that was claimed`,
      { node },
    );
}

/** @throws {DisputeError} when a payload does not hash to the leaf that was claimed. */
export function checkPayload(level: Level, leaf: Bytes, payload: Bytes): void {
  if (!bytesEqual(hashLeaf(level.tag, payload), leaf))
    throw new DisputeError(
      "PROOF_WRONG",
      `the shown payload does not hash to the ${level.name} leaf that was claimed`,
      {
        leaf,
      },
    );
}

/**
 * What both parties said about a level that is passed. It suffices to check again that leaf `index` is the
 * leftmost that differs.
 */
export interface Passed {
  readonly level: Level;
  readonly claims: Pair<Bytes>;
  readonly openings: Pair<Answer>;
  readonly roots: Pair<TreeRoot>;
  readonly index: number;
  readonly payloads: Pair<Bytes>;
  /** The first part of the payloads that differs. */
  readonly part: number;
  readonly proofs: Pair<Proof>;
}

/** The number of the first part in which two different payloads of the same length differ. */
export function divergentPart({ partBytes }: Level, [a, b]: Pair<Bytes>): number {
  return Math.floor(a.findIndex((byte, i) => byte !== b[i]) / partBytes);
}

/**
 * The place of a dispute, as a party needs it to answer: the leftmost divergent leaf of each level passed.
 */
export type Position = readonly { readonly level: string; readonly index: number; readonly part: number }[];

/** The place to which a path leads. */
export function positionOf(path: readonly Passed[]): Position {
  return path.map(({ level, index, part }) => ({ level: level.name, index, part }));
}

/** A unique name for a place. It includes the parts, since each part opens into a tree of its own. */
export function positionKey(at: Position): string {
  return at.map(({ level, index, part }) => `${level} ${index} ${part}`).join("/");
}

/**
 * Whether the node has only one child, so that it is equal to that child. Heights count from 0 at the leaves.
 */
export function isPromoted(count: number, height: number, position: number): boolean {
  return 2 * position + 1 >= widthAt(count, height - 1);
}

/**
 * Checks from a level's record alone what the game established there: both claims open into these trees, and
 * leaf `index` differs. Nothing to the left of it differs, since the left siblings of the two proofs are
 * equal.
 * @param climb follows the proofs
 * @throws {DisputeError} that names the level
 */
export function checkPassed(
  level: Level,
  claims: Pair<Bytes>,
  record: PassedRecord,
  climb: ClimbLeaf = climbLeaf,
): Passed {
  const { index, openings, payloads, proofs } = record;
  const fail = (subCode: DisputeSubCode, problem: string): never => {
    throw new DisputeError(subCode, `${level.name} level: ${problem}`, { level: level.name, index });
  };
  const roots = bothSides((side) =>
    openClaim(level, claims[side], checkParts(openings[side], openingLengths(level), `the ${level.name} tree`), climb),
  );
  const left = bothSides((side) => {
    const steps =
      proofSteps(level.count, index, proofs[side]) ??
      fail("PROOF_WRONG", `no proof for leaf ${index} of ${level.count}`);
    const [payload] = checkParts([payloads[side]], [level.payloadBytes(index)], `a ${level.name} leaf`);
    const reached = climb(level.tag, payload, level.count, index, proofs[side]);
    if (!reached || !bytesEqual(reached, roots[side]))
      fail("PROOF_WRONG", `the proof of leaf ${index} does not lead to the tree's root`);
    return steps.filter((step) => step.side === "left").map(({ sibling }) => sibling);
  });
  if (!left[0].every((sibling, i) => bytesEqual(sibling, left[1][i])))
    fail("LEAF_WRONG", `leaf ${index} is not the leftmost leaf that differs`);
  if (bytesEqual(...payloads)) fail("LEAF_WRONG", `both claim the same at leaf ${index}`);
  return { level, claims, openings, roots, index, payloads, part: divergentPart(level, payloads), proofs };
}

/** The part of `Passed` that a verdict stores. The rest follows from the level above. */
export type PassedRecord = Pick<Passed, "index" | "openings" | "payloads" | "proofs">;
