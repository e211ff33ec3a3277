/** Provers (spec 7.3): who answers for a claim. The trees are built here from what a claim says its leaves hold. */
import type { Bytes } from "../encoding/bytes.ts";
import { buildLevels, hashLeaf, type Levels, proveLeaf, rootOf } from "../encoding/merkle.ts";
import { DisputeError } from "../errors/index.ts";
import { type Answer, type Level, type Position, positionKey } from "./level.ts";
import { checkPlace, checkQuestion, type Question, type Tower } from "./question.ts";

/** A party in a dispute. `undefined` is no answer; what is thrown is a failure of the machine, and decides nothing. */
export interface Prover<Witness> {
  /** @throws {DisputeError} for a question that is not well-formed, which is nobody's fault but the asker's */
  answer(question: Question): Promise<Answer | undefined>;
  /**
   * What the step at the bottom needs: agreed values with their proofs.
   * @throws {DisputeError} when `at` is no place at the bottom
   */
  witness(at: Position): Promise<Witness | undefined>;
}

/** What a party claims, tree by tree. */
export interface Claim<Witness> {
  /**
   * What the leaves of a level commit to, below the leaf at the end of `at`; `undefined` where this party can't say.
   * Asked once a place.
   */
  payloads(at: Position, level: Level): Promise<readonly Bytes[] | undefined>;
  /** Asked with places at the bottom only. */
  witness(at: Position): Promise<Witness | undefined>;
}

interface ClaimTree {
  payloads: readonly Bytes[];
  levels: Levels;
}

/** Answers all questions of the game from a claim. */
export class ClaimProver<Witness> implements Prover<Witness> {
  private readonly tower: Tower;
  private readonly claim: Claim<Witness>;
  private readonly trees = new Map<string, Promise<ClaimTree | undefined>>();

  /** @param tower the levels of what is claimed, from which the level of each question is derived */
  constructor(tower: Tower, claim: Claim<Witness>) {
    this.tower = tower;
    this.claim = claim;
  }

  /** @throws {DisputeError} for a question that is not well-formed */
  async answer(question: Question): Promise<Answer | undefined> {
    const level = checkQuestion(this.tower, question);
    const { kind, at, height, position } = question;
    const tree = await this.tree(at, level);
    if (!tree) return undefined;
    const { payloads, levels } = tree;
    if (kind === "payload") return [payloads[position]];
    if (kind === "children") return levels[height - 1].slice(2 * position, 2 * position + 2);
    return level.binding.kind === "preimage" ? [rootOf(levels)] : proveLeaf(levels, level.count - 1);
  }

  /** @throws {DisputeError} when `at` is no place at the bottom */
  async witness(at: Position): Promise<Witness | undefined> {
    const level = checkPlace(this.tower, at);
    if (level) throw new DisputeError("PLACE", `evidence for a place that opens into a ${level.name} tree`, { at });
    return this.claim.witness(at);
  }

  /** The tree below the last leaf of `at`, built when it is first asked for. */
  private tree(at: Position, level: Level): Promise<ClaimTree | undefined> {
    const key = positionKey(at);
    let tree = this.trees.get(key);
    if (!tree) {
      this.trees.set(key, (tree = this.build(at, level)));
      // A failure of the machine decides nothing: the same question may be answered later.
      tree.catch(() => this.trees.delete(key));
    }
    return tree;
  }

  private async build(at: Position, level: Level): Promise<ClaimTree | undefined> {
    const payloads = await this.claim.payloads(at, level);
    if (payloads?.length !== level.count) return undefined;
    return { payloads, levels: buildLevels(payloads.map((payload) => hashLeaf(level.tag, payload))) };
  }
}
