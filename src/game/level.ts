/**
 * One level of the dispute (spec 7.1): a claim that opens into a Merkle tree, and the checks on everything that is said
 * about it. A level is data; what stands in the leaves is not known here.
 */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import type { Tag } from "../encoding/tags.ts";
import {
  type ClimbLeaf,
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

/** The two parties; 0 is the one that was named first. */
export type Side = 0 | 1;
export const SIDES = [0, 1] as const satisfies readonly Side[];
/** What belongs to the two parties, in the order of their sides. */
export type Pair<T> = readonly [T, T];

export function bothSides<T>(make: (side: Side) => T): Pair<T> {
  return [make(0), make(1)];
}

/** A level of the dispute: what kind of tree it is, as far as it does not depend on what is claimed. */
export interface Level {
  readonly name: string;
  /** The tag of its leaves. */
  readonly tag: Tag;
  /** The number of its leaves, which the parties don't choose. */
  readonly count: number;
  readonly binding: Binding;
  /** The number of bytes that leaf `index` commits to. */
  payloadBytes(index: number): number;
  /** A payload may hold several values of this many bytes each, of which the leftmost divergent one counts. */
  readonly partBytes: number;
}

/** How the claim above commits to the level's tree. */
export type Binding =
  /** The claim is a hash over the tree's root; it opens by showing the root. */
  | { readonly kind: "preimage"; commit(root: TreeRoot): Bytes }
  /** The claim is what the last leaf commits to; it opens by the proof of that leaf. */
  | { readonly kind: "last" };

/** A party's answer: byte strings whose number and lengths the question fixes. */
export type Answer = readonly Bytes[];

/** @throws {DisputeError} when an answer is missing, or its parts have not the lengths that were asked for. */
export function checkParts(answer: Answer | undefined, lengths: readonly number[], what: string): Answer {
  if (answer === undefined) throw new DisputeError("ANSWER_MISSING", `no answer to the question for ${what}`);
  const fits =
    Array.isArray(answer) &&
    answer.length === lengths.length &&
    answer.every((part, i) => part instanceof Uint8Array && part.length === lengths[i]);
  if (!fits)
    throw new DisputeError("ANSWER_MALFORMED", `the answer to the question for ${what} is malformed`, {
      lengths,
      parts: answer.length,
    });
  return answer;
}

/** The lengths of the parts of an opening. */
export function openingLengths(level: Level): number[] {
  if (level.binding.kind === "preimage") return [32];
  let siblings = 0;
  for (let width = level.count, at = level.count - 1; width > 1; width = Math.ceil(width / 2), at >>= 1)
    if ((at ^ 1) < width) siblings++;
  return Array.from({ length: siblings }, () => 32);
}

/**
 * The root of the tree that a claim opens into.
 * @param climb follows the proof of the last leaf
 * @throws {DisputeError} when the opening is not one of this claim
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
    throw new DisputeError(
      "PROOF_WRONG",
      `what was shown as the ${level.name} tree does not hash to what was claimed`,
      {
        claim,
        root,
      },
    );
  if (level.count === 0 && !bytesEqual(root, merkleRoot([])))
    throw new DisputeError(
      "PROOF_WRONG",
      `the ${level.name} tree has no leaves, but what was claimed opens into one that has`,
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
      `what was shown as a ${level.name} leaf does not hash to the leaf that was claimed`,
      {
        leaf,
      },
    );
}

/** What two parties said about a level that has been passed: enough to check again that leaf `index` is the leftmost divergent one. */
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

/** The first part on which two different payloads of the same length part. */
export function divergentPart({ partBytes }: Level, [a, b]: Pair<Bytes>): number {
  return Math.floor(a.findIndex((byte, i) => byte !== b[i]) / partBytes);
}

/** Where a dispute stands, as a party needs it to answer: the leftmost divergent leaf of each level passed. */
export type Position = readonly { readonly level: string; readonly index: number; readonly part: number }[];

/** The place to which a path leads. */
export function positionOf(path: readonly Passed[]): Position {
  return path.map(({ level, index, part }) => ({ level: level.name, index, part }));
}

/** A name for a place, another one for every other place: the parts count, since each opens into a tree of its own. */
export function positionKey(at: Position): string {
  return at.map(({ level, index, part }) => `${level} ${index} ${part}`).join("/");
}

/** Whether the place at `height` has a sibling, so that a node above it has two children. */
export function isPromoted(count: number, height: number, position: number): boolean {
  return 2 * position + 1 >= widthAt(count, height - 1);
}

/**
 * Checks what the game established about a level from its record alone: both claims open into these trees, leaf `index`
 * differs, and nothing to the left of it does, since the left siblings of the two proofs are equal.
 * @param climb follows the proofs
 * @throws {DisputeError} naming the level
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
    fail("LEAF_WRONG", `leaf ${index} is not the leftmost divergent one`);
  if (bytesEqual(...payloads)) fail("LEAF_WRONG", `both claim the same at leaf ${index}`);
  return { level, claims, openings, roots, index, payloads, part: divergentPart(level, payloads), proofs };
}

/** The part of `Passed` that is written down; the rest follows from the level above. */
export type PassedRecord = Pick<Passed, "index" | "openings" | "payloads" | "proofs">;
