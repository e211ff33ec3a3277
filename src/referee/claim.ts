/** What a provider claims about its run, for each level (spec 7.3). */
import type { Speaker } from "../claims/store.ts";
import { type Bytes, bytesEqual, Writer } from "../encoding/bytes.ts";
import { itemAt, type LongList, LongTree } from "../encoding/long-tree.ts";
import type { Tensor } from "../encoding/tensor.ts";
import { type RunRoot, runRootOf } from "../trace/commitments.ts";
import { accumulators } from "../repops/kernels/point.ts";
import { Evidence } from "./evidence.ts";
import { type JobFacts, jobFacts } from "./facts.ts";
import { DisputeError } from "../errors/index.ts";
import { type Level, type Position, positionKey } from "../game/level.ts";
import { checkPlace } from "../game/question.ts";
import { claimedAt, kernelAt, levelUnder, trainingMachine } from "./machine.ts";
import { chunksOf, DisputedTensors, type Memory } from "./memory.ts";
import { isSigned, openingPlace } from "./opening.ts";
import { expectOperator, type OperatorWitness } from "./operator.ts";
import { type LevelName, type Place, placeOf } from "./place.ts";
import { type Claim, ClaimProver, type Prover } from "../game/prover.ts";
import type { AgreedLeaf, Witness } from "./witness.ts";

/** A party in a dispute about training. */
export interface TrainingProver extends Prover<Witness> {
  /**
   * The agreed inputs of the disputed operator, when the whole operator is recomputed.
   * @throws {DisputeError} when `at` does not lead to an operator
   */
  operands(at: Position): Promise<OperatorWitness | undefined>;
  /**
   * The disputed operator's output, to find the element that differs.
   * @throws {DisputeError} when `at` does not lead to an operator
   */
  output(at: Position): Promise<Tensor | undefined>;
  /**
   * This party's signature of the root of the tree that the last leaf of `at` opens into: 65 bytes (spec
   * 7.3). `undefined` if it has no key, or can't say what the root is.
   * @throws {DisputeError} when there is no such tree, or its root follows from the claim and needs no
   *   signature
   */
  signature(at: Position): Promise<Bytes | undefined>;
  /** Why the party could not answer, if it could not. */
  failure?(): string | undefined;
}

/**
 * A prover that answers from `memory`, for one dispute.
 * @param speaker signs for the run; without it the answers are nobody's statement
 */
export function trainingProver(memory: Memory, speaker?: Speaker): TrainingProver {
  const claim = new TrainingClaim(memory);
  const { facts } = claim;
  const machine = trainingMachine(facts);
  const prover = new ClaimProver(machine, claim);
  return {
    answer: (question) => prover.answer(question),
    witness: (at) => prover.witness(at),
    operands: (at) => claim.operands(at),
    output: (at) => claim.output(at),
    failure: () => claim.failure ?? memory.failure?.(),
    signature: async (at) => {
      const level = checkPlace(machine, at);
      if (at.length > 0 && !(level && isSigned(level)))
        throw new DisputeError("PLACE", "a signature was asked for, but no tree at this place needs one", { at });
      // A trace from elsewhere may hold any roots above the right states.
      // Nor does a key speak for the other kind of run: the file may have changed since it was looked at.
      const isItsRun = !speaker?.purpose || (speaker.purpose === "drill") === (memory.isDrill ?? false);
      const root = speaker && isItsRun && (await prover.root(at));
      // Only now it is known whether the root was computed, or stands in the file alone.
      return root && !memory.isRecorded
        ? speaker!.sign({ run: await runOf(facts, memory), ...openingPlace(facts, at), root })
        : undefined;
    },
  };
}

async function runOf(facts: JobFacts, { runRoot, commitEvery, segmentRoots }: Memory): Promise<RunRoot> {
  return runRoot ?? runRootOf(facts.id, commitEvery, await segmentRoots.slice(0, segmentRoots.length));
}

/** A tree of this party whose leaves can be shown. */
interface KnownTree {
  readonly payloads: LongList<Bytes>;
  readonly tree: () => Promise<LongTree>;
}

export class TrainingClaim implements Claim<Witness> {
  readonly facts: JobFacts;
  /** Why a tree could not be built. */
  failure: string | undefined;
  private readonly memory: Memory;
  private readonly evidence: Evidence;
  private readonly tensors: DisputedTensors;
  private readonly known = new Map<string, KnownTree>();

  constructor(memory: Memory) {
    this.memory = memory;
    this.facts = jobFacts(memory.outline, memory.commitEvery);
    this.tensors = new DisputedTensors(memory, this.facts);
    this.evidence = new Evidence(memory, this.facts, this.tensors, (at, index) => this.leaf(at, index));
  }

  /**
   * If the last leaf of a tree is bound to the claim above, what was computed has to be that claim. If it is
   * not, the files are damaged, or the machine is: an answer would contradict the claim. A drill that was
   * told to lie says its claim all the same.
   */
  async payloads(at: Position, level: Level): Promise<LongList<Bytes> | undefined> {
    if (!(await this.recall(at))) return undefined;
    const computed = await this.compute[level.name as LevelName](placeOf(this.facts, at));
    if (!computed) return undefined;
    const payloads =
      level.binding.kind === "last" ? await this.bound(computed, await this.claimAbove(at), level) : computed;
    if (!payloads) return undefined;
    let tree: Promise<LongTree> | undefined;
    this.known.set(positionKey(at), { payloads, tree: () => (tree ??= LongTree.over(payloads, level.tag)) });
    return payloads;
  }

  private async bound(computed: LongList<Bytes>, claim: Bytes, { name }: Level): Promise<LongList<Bytes> | undefined> {
    const last = computed.length - 1;
    if (last >= 0 && bytesEqual(await itemAt(computed, last), claim)) return computed;
    if (this.memory.isDrill) return [...(await computed.slice(0, last)), claim];
    this.failure = `what is computed again in the ${name} tree is not what the run commits to; restore the run's files`;
    return undefined;
  }

  private readonly compute: Record<LevelName, (place: Place) => Promise<LongList<Bytes> | undefined>> = {
    segment: async () => this.memory.segmentRoots,
    step: ({ segment }) => this.memory.stepRoots(segment),
    operator: async ({ step }) => {
      const detail = await this.memory.detail(step);
      return detail && [...detail.kernelRoots, detail.newStateRoot];
    },
    state: async ({ step }) => (await this.memory.detail(step))?.newStateRoots,
    chunk: async (place) => {
      const tensors = await this.tensors.of(place);
      if (!tensors) return undefined;
      // The executed step has taken longer, and what is asked next is answered without a wait.
      await this.tensors.plant(place);
      return chunksOf(tensors[this.tensors.outputOf(place)]);
    },
    fold: async (place) => {
      const kernel = kernelAt(this.facts, place);
      const tensors = await this.tensors.of(place);
      if (kernel.kind !== "fold" || !tensors) return undefined;
      return Array.from(accumulators(kernel, place.element!, tensors), (bits) => new Writer().u32(bits).finish());
    },
  };

  async witness(at: Position): Promise<Witness | undefined> {
    return (await this.recall(at)) ? this.evidence.witness(at) : undefined;
  }

  async operands(at: Position): Promise<OperatorWitness | undefined> {
    expectOperator(this.facts, at);
    return (await this.recall(at)) ? this.evidence.operands(at) : undefined;
  }

  async output(at: Position): Promise<Tensor | undefined> {
    const place = expectOperator(this.facts, at);
    return (await this.tensors.of(place))?.[this.tensors.outputOf(place)];
  }

  /**
   * Recomputes the claims on the way to a place, for a party that joins a dispute in the middle.
   * @returns whether this party can do that
   */
  private async recall(at: Position): Promise<boolean> {
    const above = at.slice(0, -1);
    if (at.length === 0 || this.known.has(positionKey(above))) return true;
    const level = levelUnder(this.facts, placeOf(this.facts, above))!;
    return (await this.payloads(above, level)) !== undefined;
  }

  /**
   * What this party claims at the last leaf of `at`. The bits of an element have the most significant byte
   * first.
   */
  private async claimAbove(at: Position): Promise<Bytes> {
    const { level, index, part } = at[at.length - 1];
    const payload = await itemAt(this.known.get(positionKey(at.slice(0, -1)))!.payloads, index);
    return claimedAt({ name: level }, payload, part);
  }

  /** A leaf of the tree below `at`, with its proof. The tree has been recalled before. */
  private async leaf(at: Position, index: number): Promise<AgreedLeaf> {
    const { tree, payloads } = this.known.get(positionKey(at))!;
    return { payload: await itemAt(payloads, index), proof: await (await tree()).prove(index) };
  }
}
