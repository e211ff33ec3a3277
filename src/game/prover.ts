/**
 * Provers (spec 7.3): they answer for a claim. The trees are built here, from the payloads that a claim
 * states.
 */
import type { Bytes } from "../encoding/bytes.ts";
import { itemAt, type LongList, LongTree } from "../encoding/long-tree.ts";
import type { TreeRoot } from "../encoding/merkle.ts";
import { DisputeError } from "../errors/index.ts";
import { type Answer, type Level, type Position, positionKey } from "./level.ts";
import { checkBottom, checkPlace, checkQuestion, type Question, type Tower } from "./question.ts";

/**
 * A party in a dispute. `undefined` is no answer. An error that it throws is a failure of its machine: the
 * same question may be answered later, but `play` takes it for no answer.
 */
export interface Prover<Witness> {
  /** @throws {DisputeError} for a question that is not well-formed: that is the fault of the referee */
  answer(question: Question): Promise<Answer | undefined>;
  /**
   * The one-step proof: the agreed values that the step at the bottom needs, with their proofs.
   * @throws {DisputeError} when `at` is no place at the bottom
   */
  witness(at: Position): Promise<Witness | undefined>;
}

/** What a party claims, for each tree. */
export interface Claim<Witness> {
  /**
   * What the leaves of the level below the last leaf of `at` commit to; `undefined` if this party can't say.
   * It is called once for each place. A list that is too long for memory may read its items when asked.
   */
  payloads(at: Position, level: Level): Promise<LongList<Bytes> | undefined>;
  /** Called only with places at the bottom. */
  witness(at: Position): Promise<Witness | undefined>;
}

interface ClaimTree {
  payloads: LongList<Bytes>;
  tree: LongTree;
}

/** Answers all questions of the game from a claim. */
export class ClaimProver<Witness> implements Prover<Witness> {
  private readonly tower: Tower;
  private readonly claim: Claim<Witness>;
  private readonly trees = new Map<string, Promise<ClaimTree | undefined>>();

  /** @param tower the levels of the computation; the level of each question is derived from it */
  constructor(tower: Tower, claim: Claim<Witness>) {
    this.tower = tower;
    this.claim = claim;
  }

  /** @throws {DisputeError} for a question that is not well-formed */
  async answer(question: Question): Promise<Answer | undefined> {
    const level = checkQuestion(this.tower, question);
    const { kind, at, height, position } = question;
    const claimed = await this.tree(at, level);
    if (!claimed) return undefined;
    const { payloads, tree } = claimed;
    if (kind === "payload") return [await itemAt(payloads, position)];
    if (kind === "children") return tree.children(height, position);
    return level.binding.kind === "preimage" ? [tree.root] : tree.prove(level.count - 1);
  }

  /** @throws {DisputeError} when `at` is no place at the bottom */
  async witness(at: Position): Promise<Witness | undefined> {
    checkBottom(this.tower, at);
    return this.claim.witness(at);
  }

  /**
   * The root of the tree that the last leaf of `at` opens into. `undefined` if this party can't say.
   * @throws {DisputeError} when there is no such tree
   */
  async root(at: Position): Promise<TreeRoot | undefined> {
    const level = checkPlace(this.tower, at);
    if (!level) throw new DisputeError("PLACE", "the root of a tree below the bottom", { at });
    return (await this.tree(at, level))?.tree.root;
  }

  /** The tree below the last leaf of `at`. It is built at the first question about it. */
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
    return { payloads, tree: await LongTree.over(payloads, level.tag) };
  }
}
