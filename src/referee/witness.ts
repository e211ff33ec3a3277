/**
 * The one-step proof (spec 7.5): agreed values, each with its proof. Both parties agree on these values,
 * because they are to the left of the place where the parties differ. Either party can show the proof, and
 * nobody can show anything else.
 */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { climbDataset } from "../encoding/lists.ts";
import { type ClimbLeaf, climbLeaf, merkleRoot, type Proof } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import {
  CHUNK_ELEMENTS,
  chunkCount,
  checkShape,
  formatType,
  type TensorRoot,
  tensorRootOf,
  type TensorType,
} from "../encoding/tensor.ts";
import { DisputeError } from "../errors/index.ts";
import { entriesBefore, graphAt, type LevelName, type Place } from "./place.ts";
import type { JobFacts } from "./facts.ts";
import type { Level, Passed, Side } from "../game/level.ts";
import { chunkBytes } from "./machine.ts";

/** The payload of an agreed leaf, and its proof. */
export interface AgreedLeaf {
  readonly payload: Bytes;
  readonly proof: Proof;
}

/** One element of an agreed tensor, with its proofs. */
export interface ElementProof {
  readonly type: TensorType;
  readonly chunk: Bytes;
  readonly chunkProof: Proof;
  /**
   * From the tensor's root to the tree that holds it: the operators' outputs, the pre-state, or the dataset.
   */
  readonly proof: Proof;
}

/**
 * The one-step proof: the agreed values that the last scalar step needs, with their Merkle proofs (spec 7.5).
 */
export interface Witness {
  /** The root of the pre-state. Present if an operand is an entry of it. */
  readonly before?: AgreedLeaf;
  /** The accumulator before the disputed one. Present if the disputed one is not the first. */
  readonly accumulator?: AgreedLeaf;
  /** What the new state's entry should be, if the state update is disputed. */
  readonly entry?: AgreedLeaf;
  /** One for each operand that is read, in the order of the operator's args. */
  readonly operands: readonly ElementProof[];
}

/** A tree of the party whose proofs are followed, and its leaf at which the parties differ. */
export interface PassedTree {
  readonly level: Level;
  readonly index: number;
  /** Absent if the party did not have to open this tree. */
  readonly root?: Bytes;
}

/** The trees of one side on the way down. */
export function treesOf(path: readonly Passed[], side: Side): PassedTree[] {
  return path.map(({ level, index, roots }) => ({ level, index, root: roots[side] }));
}

/** A leaf that a step needed from one of the trees that were passed. */
export interface UsedLeaf {
  readonly tree: LevelName;
  readonly index: number;
  /** The very proof in the witness that led to it. */
  readonly proof: Proof;
}

/** Checks each part of a witness against what the game has established. */
export class AgreedValues {
  /** The leaves of the trees passed that the step has needed so far. */
  readonly used: UsedLeaf[] = [];
  private readonly facts: JobFacts;
  private readonly trees: readonly PassedTree[];
  private readonly place: Place;
  private readonly witness: Witness;
  private readonly climb: ClimbLeaf;
  private readonly shown: Set<string>;

  /**
   * @param trees the trees of one party, to whose roots the witness's proofs lead
   * @param climb follows the proofs
   */
  constructor(
    facts: JobFacts,
    trees: readonly PassedTree[],
    place: Place,
    witness: Witness,
    climb: ClimbLeaf = climbLeaf,
  ) {
    this.facts = facts;
    this.trees = trees;
    this.place = place;
    this.witness = witness;
    this.climb = climb;
    const single = (["before", "accumulator", "entry"] as const).filter((part) => witness[part] !== undefined);
    this.shown = new Set([...single, ...witness.operands.map((_, i) => `operand ${i}`)]);
  }

  /** The bits of operand `index`: element `address` of `tensor`. */
  operand(index: number, tensor: number, address: number): number {
    const { type, chunk } = this.chunk(index, tensor, Math.floor(address / CHUNK_ELEMENTS));
    const at = 4 * (address % CHUNK_ELEMENTS);
    if (at + 4 > chunk.length)
      throw new DisputeError("WITNESS_WRONG", `operand ${index}: ${formatType(type)} has no element ${address}`, {
        tensor,
        address,
      });
    return new DataView(chunk.buffer, chunk.byteOffset).getUint32(at, true);
  }

  /**
   * The shown type of operand `index`. It is proven when the element, or the tensor's first chunk, is
   * checked.
   */
  shownType(index: number): TensorType {
    const proof = this.witness.operands[index];
    this.take(`operand ${index}`, proof);
    return proof.type;
  }

  /** Checks with the tensor's first chunk that the tensor of operand `index` has the shown type. */
  checkType(index: number, tensor: number): void {
    this.chunk(index, tensor, 0);
  }

  private chunk(index: number, tensor: number, at: number): ElementProof {
    const proof = this.witness.operands[index];
    this.take(`operand ${index}`, proof);
    const { type, chunk, chunkProof } = proof;
    checkShape(type.shape, `operand ${index}`);
    const count = chunkCount(type);
    const fits = count === 0 ? chunk.length + chunkProof.length === 0 : chunk.length === chunkBytes(type, at);
    const tree = count === 0 ? merkleRoot([]) : this.climb(Tag.chunk, chunk, count, at, chunkProof);
    if (!fits || !tree)
      throw new DisputeError(
        "WITNESS_WRONG",
        `operand ${index}: what is shown is not chunk ${at} of ${formatType(type)}`,
        { tensor },
      );
    this.checkTensorRoot(tensor, tensorRootOf(type, tree), proof.proof, `operand ${index}`);
    return proof;
  }

  /** The root of the tensor that becomes the disputed entry of the new state. */
  entry(tensor: number): TensorRoot {
    const { entry } = this.witness;
    this.take("entry", entry);
    this.checkTensorRoot(tensor, entry!.payload as TensorRoot, entry!.proof, "the entry");
    return entry!.payload as TensorRoot;
  }

  /** The bits of the accumulator before the disputed one. */
  accumulator(): number {
    const { accumulator } = this.witness;
    this.take("accumulator", accumulator);
    this.checkLeft("fold", this.place.fold! - 1, accumulator!);
    return new DataView(accumulator!.payload.buffer, accumulator!.payload.byteOffset).getUint32(0);
  }

  /** @throws {DisputeError} when the witness shows more than the step needs. */
  end(): void {
    const [extra] = this.shown;
    if (extra)
      throw new DisputeError("WITNESS_EXCESS", `the one-step proof shows what the step does not need: ${extra}`);
  }

  private take(part: string, value: unknown): void {
    if (value === undefined) throw new DisputeError("WITNESS_MISSING", `the one-step proof lacks ${part}`);
    this.shown.delete(part);
  }

  /**
   * Checks that a tensor of the disputed graph has this root, whichever tree holds it.
   * @throws {DisputeError} that names `what`
   */
  checkTensorRoot(tensor: number, root: TensorRoot, proof: Proof, what: string): void {
    const { inputs } = this.facts.graph(graphAt(this.place));
    const entries = entriesBefore(this.facts, this.place);
    if (tensor >= inputs.length) return this.checkLeft("operator", tensor - inputs.length, { payload: root, proof });
    const inState = tensor < entries;
    const { dataset, lists } = this.facts.parts;
    const among = inState
      ? { count: entries, lengths: undefined, index: tensor }
      : { count: inputs.length - entries, lengths: lists, index: tensor - entries };
    const reached = climbDataset(root, among, proof, this.climb);
    if (!reached || !bytesEqual(reached, inState ? this.stateBefore() : dataset))
      throw new DisputeError("WITNESS_WRONG", `${what} is not in ${inState ? "the pre-state" : "the dataset"}`, {
        tensor,
        root,
      });
  }

  /**
   * The root of the pre-state: an agreed leaf of the step tree, or of the segment tree for a segment's first
   * step.
   */
  private stateBefore(): Bytes {
    const { before } = this.witness;
    this.take("before", before);
    const inner = this.passed("step").index;
    if (inner > 0) this.checkLeft("step", inner - 1, before!);
    else this.checkLeft("segment", this.place.segment - 1, before!);
    return before!.payload;
  }

  /** Checks that a leaf to the left of the divergent one commits to this payload. */
  private checkLeft(name: LevelName, index: number, { payload, proof }: AgreedLeaf): void {
    const { level, root, index: divergent } = this.passed(name);
    if (!root) throw new DisputeError("VERDICT_INCOMPLETE", `the ${name} tree is not opened, but the step needs it`);
    const fits = index >= 0 && index < divergent && payload.length === level.payloadBytes(index);
    const reached = fits && this.climb(level.tag, payload, level.count, index, proof);
    if (!reached || !bytesEqual(reached, root))
      throw new DisputeError("PROOF_WRONG", `the proof of the agreed leaf ${index} of the ${name} tree does not hold`, {
        index,
      });
    this.used.push({ tree: name, index, proof });
  }

  private passed(name: LevelName): PassedTree {
    const passed = this.trees.find(({ level }) => level.name === name);
    if (!passed) throw new DisputeError("VERDICT_INCOMPLETE", `the dispute has not passed the ${name} level`);
    return passed;
  }
}
