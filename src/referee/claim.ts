/** What a provider claims about its run, for each level (spec 7.3). */
import { asBytes, type Bytes, Writer } from "../encoding/bytes.ts";
import type { Tag } from "../encoding/tags.ts";
import { buildLevels, hashLeaf, proveLeaf } from "../encoding/merkle.ts";
import { chunkAt, chunkCount, type Tensor } from "../encoding/tensor.ts";
import { accumulators } from "../repops/kernels/point.ts";
import { Evidence } from "./evidence.ts";
import { type JobFacts, jobFacts } from "./facts.ts";
import { DisputeError } from "../errors/index.ts";
import { type Level, type Position, positionKey } from "../game/level.ts";
import { checkPlace } from "../game/question.ts";
import { groundOf } from "./judge.ts";
import { kernelAt, levelUnder, trainingMachine } from "./machine.ts";
import { DisputedTensors, type Memory } from "./memory.ts";
import type { OperatorWitness } from "./operator.ts";
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
}

/** A prover that answers from `memory`, for one dispute. */
export function trainingProver(memory: Memory): TrainingProver {
  const claim = new TrainingClaim(memory);
  const prover = new ClaimProver(trainingMachine(claim.facts), claim);
  return {
    answer: (question) => prover.answer(question),
    witness: (at) => prover.witness(at),
    operands: (at) => claim.operands(at),
    output: (at) => claim.output(at),
  };
}

/** A tree of this party whose leaves can be shown. */
interface KnownTree {
  readonly tag: Tag;
  readonly payloads: readonly Bytes[];
}

export class TrainingClaim implements Claim<Witness> {
  readonly facts: JobFacts;
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
   * If the last leaf of a tree is bound to the claim above, that claim is its payload, whatever was computed.
   */
  async payloads(at: Position, level: Level): Promise<readonly Bytes[] | undefined> {
    if (!(await this.recall(at))) return undefined;
    const computed = await this.compute[level.name as LevelName](placeOf(this.facts, at));
    if (!computed) return undefined;
    const payloads = level.binding.kind === "last" ? [...computed.slice(0, -1), this.claimAbove(at)] : computed;
    this.known.set(positionKey(at), { tag: level.tag, payloads });
    return payloads;
  }

  private readonly compute: Record<LevelName, (place: Place) => Promise<readonly Bytes[] | undefined>> = {
    segment: async () => this.memory.segmentRoots,
    step: ({ segment }) => this.memory.stepRoots(segment),
    operator: async ({ step }) => {
      const detail = await this.memory.detail(step);
      return detail && [...detail.kernelRoots, detail.newStateRoot];
    },
    state: async ({ step }) => (await this.memory.detail(step))?.newStateRoots,
    chunk: async (place) => {
      const tensors = await this.tensors.of(place);
      return tensors && chunksOf(tensors[this.tensors.outputOf(place)]);
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
    this.expectKernel(at);
    return (await this.recall(at)) ? this.evidence.operands(at) : undefined;
  }

  async output(at: Position): Promise<Tensor | undefined> {
    const place = this.expectKernel(at);
    return (await this.tensors.of(place))?.[this.tensors.outputOf(place)];
  }

  /**
   * @throws {DisputeError} when `at` does not lead to an operator; it does if a whole operator is recomputed
   */
  private expectKernel(at: Position): Place {
    const below = checkPlace(trainingMachine(this.facts, "operator"), at);
    const place = placeOf(this.facts, at);
    if (below || groundOf(this.facts, place) !== "scalar")
      throw new DisputeError("PLACE", "the tensors of an operator were asked for, but the place is not an operator", {
        at,
      });
    return place;
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
  private claimAbove(at: Position): Bytes {
    const { level, index, part } = at[at.length - 1];
    const payload = this.known.get(positionKey(at.slice(0, -1)))!.payloads[index];
    return level === "chunk" ? payload.slice(4 * part, 4 * part + 4).reverse() : payload;
  }

  /** A leaf of the tree below `at`, with its proof. The tree has been recalled before. */
  private leaf(at: Position, index: number): AgreedLeaf {
    const { tag, payloads } = this.known.get(positionKey(at))!;
    const tree = buildLevels(payloads.map((payload) => hashLeaf(tag, payload)));
    return { payload: payloads[index], proof: proveLeaf(tree, index) };
  }
}

function chunksOf(tensor: Tensor): Bytes[] {
  return Array.from({ length: chunkCount(tensor) }, (_, i) => chunkAt(asBytes(tensor.data), i));
}
