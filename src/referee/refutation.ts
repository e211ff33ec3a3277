/**
 * A refutation (spec 7.7): shows from one party's own trees that its claim is wrong. It needs nothing of the
 * other party. To the left of the leaf where they differ both say the same, so the agreed values can be
 * proven in the loser's trees, whoever showed them.
 */
import type { RunClaim } from "../claims/claim.ts";
import type { Bytes } from "../encoding/bytes.ts";
import type { Proof } from "../encoding/merkle.ts";
import type { Answer, Level, Pair, Position, Side } from "../game/level.ts";
import { proofInTreeOf } from "../game/moved-proof.ts";
import type { Decision } from "./decision.ts";
import type { Ground } from "./judge.ts";
import { isSigned } from "./opening.ts";
import type { UsedLeaf, Witness } from "./witness.ts";

/** One level on the way down, as one party claims it. */
export interface OwnLevel {
  readonly level: Level;
  readonly index: number;
  /** The disputed part of the payload. */
  readonly part: number;
  /**
   * How the claim above opens into this tree. Absent if only the last leaf is needed, which is that claim
   * itself.
   */
  readonly opening?: Answer;
  readonly payload: Bytes;
  readonly proof: Proof;
  /** The party's signature of the tree's root, if the opening alone does not bind it. */
  readonly signature?: Bytes;
}

/** Why a claim is wrong, from its own trees. */
export interface Refutation {
  readonly run: Bytes;
  /** Whose statement is refuted. Absent if the run root itself is, whoever claims it. */
  readonly address?: Bytes;
  readonly kind: Ground;
  readonly levels: readonly OwnLevel[];
  readonly witness: Witness;
  readonly claimed: Bytes;
  readonly recomputed: Bytes;
}

/** The place to which the levels of a refutation lead. */
export function positionIn(levels: readonly Pick<OwnLevel, "level" | "index" | "part">[]): Position {
  return levels.map(({ level, index, part }) => ({ level: level.name, index, part }));
}

/**
 * Whether a tree has to be opened: its divergent leaf is not the last one, or the step needs another leaf of
 * it. The last leaf of a tree that it binds is the claim above, and needs no tree.
 */
export function isOpened({ binding, count, name }: Level, index: number, used: readonly UsedLeaf[]): boolean {
  if (binding.kind === "preimage") return true;
  return index !== count - 1 || used.some(({ tree }) => tree === name);
}

/**
 * The refutation of a loser's claim, or `undefined` if there is none: the decision rests on somebody's word,
 * or the loser has not signed a tree that is needed.
 */
export function refutationOf(decision: Decision, side: Side, claims: Pair<RunClaim>): Refutation | undefined {
  const { kind, path, witness, claimed, recomputed, used = [], signatures } = decision;
  if (kind === "forfeit" || kind === "operator" || !witness || !claimed || !recomputed) return undefined;
  const levels: OwnLevel[] = [];
  for (const [depth, passed] of path.entries()) {
    const { level, index, part, openings, payloads, proofs } = passed;
    const own = { level, index, part, payload: payloads[side] };
    if (!isOpened(level, index, used)) {
      levels.push({ ...own, proof: [] });
      continue;
    }
    const signature = signatures[depth][side];
    if (isSigned(level) && !signature) return undefined;
    levels.push({
      ...own,
      opening: openings[side],
      proof: proofs[side],
      ...(isSigned(level) && { signature }),
    });
  }
  const { run, address } = claims[side];
  const rests = levels.some(({ signature }) => signature);
  return {
    run,
    ...(rests && { address }),
    kind,
    levels,
    witness: movedWitness(decision, side, witness, used),
    claimed: claimed[side],
    recomputed,
  };
}

/** The witness with its proofs led to the roots of the trees of `side`. */
function movedWitness({ path }: Decision, side: Side, witness: Witness, used: readonly UsedLeaf[]): Witness {
  const moved = new Map(
    used.map(({ tree, index, proof }) => {
      const passed = path.find(({ level }) => level.name === tree)!;
      return [proof, proofInTreeOf(side, passed, { index, proof })];
    }),
  );
  const move = <T extends { readonly proof: Proof }>(leaf: T): T => ({
    ...leaf,
    proof: moved.get(leaf.proof) ?? leaf.proof,
  });
  const { before, accumulator, entry, operands } = witness;
  return {
    ...(before && { before: move(before) }),
    ...(accumulator && { accumulator: move(accumulator) }),
    ...(entry && { entry: move(entry) }),
    operands: operands.map(move),
  };
}
