/** What a provider claims about its run, level by level (spec 7.3). */
import { asBytes, type Bytes, Writer } from "../encoding/bytes.ts";
import type { Tag } from "../encoding/tags.ts";
import { buildLevels, hashLeaf, proveLeaf } from "../encoding/merkle.ts";
import { chunkAt, chunkCount, type Tensor } from "../encoding/tensor.ts";
import { accumulators } from "../repops/kernels/point.ts";
import { Evidence } from "./evidence.ts";
import { type JobFacts, jobFacts } from "./facts.ts";
import type { Level, Position } from "../game/level.ts";
import { kernelAt, levelUnder } from "./machine.ts";
import { DisputedTensors, type Memory } from "./memory.ts";
import type { OperatorWitness } from "./operator.ts";
import { type LevelName, type Place, placeOf } from "./place.ts";
import { type Claim, ClaimProver, type Prover } from "../game/prover.ts";
import type { AgreedLeaf, Witness } from "./witness.ts";

/** A party in a dispute about training. */
export interface TrainingProver extends Prover<Witness> {
  /** The agreed inputs of the disputed kernel, when the operator is recomputed as a whole. */
  operands(at: Position): Promise<OperatorWitness | undefined>;
  /** The disputed kernel's output, to say on which element it differs. */
  output(at: Position): Promise<Tensor | undefined>;
}

/** Answers for what `memory` holds, in one dispute. */
export function trainingProver(memory: Memory): TrainingProver {
  const claim = new TrainingClaim(memory);
  const prover = new ClaimProver(claim);
  return {
    answer: (question) => prover.answer(question),
    witness: (at) => prover.witness(at),
    operands: (at) => claim.evidence.operands(at),
    output: (at) => claim.output(at),
  };
}

interface KnownLevel {
  readonly tag: Tag;
  readonly payloads: readonly Bytes[];
}

export class TrainingClaim implements Claim<Witness> {
  readonly evidence: Evidence;
  private readonly memory: Memory;
  private readonly facts: JobFacts;
  private readonly tensors: DisputedTensors;
  private readonly known = new Map<string, KnownLevel>();

  constructor(memory: Memory) {
    this.memory = memory;
    this.facts = jobFacts(memory.outline, memory.commitEvery);
    this.tensors = new DisputedTensors(memory, this.facts);
    this.evidence = new Evidence(memory, this.facts, this.tensors, (at, index) => this.leaf(at, index));
  }

  /** A tree whose last leaf is bound to the claim above ends with that claim, whatever the computation gave. */
  async payloads(at: Position, level: Level): Promise<readonly Bytes[] | undefined> {
    await this.recall(at);
    const computed = await this.compute[level.name as LevelName](placeOf(this.facts, at));
    if (!computed) return undefined;
    const payloads = level.binding.kind === "last" ? [...computed.slice(0, -1), this.claimAbove(at)] : computed;
    this.known.set(keyOf(at), { tag: level.tag, payloads });
    return payloads;
  }

  private readonly compute: Record<LevelName, (place: Place) => Promise<readonly Bytes[] | undefined>> = {
    segment: async () => this.memory.segmentRoots,
    step: ({ segment }) => this.memory.stepRoots(segment),
    op: async ({ step }) => {
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
    await this.recall(at);
    return this.evidence.witness(at);
  }

  /** What was claimed on the way to a place, for a party that comes to a dispute in its midst. */
  private async recall(at: Position): Promise<void> {
    if (at.length === 0 || this.known.has(keyOf(at.slice(0, -1)))) return;
    const above = at.slice(0, -1);
    const place = above.length === 0 ? { segment: 0, step: 0 } : placeOf(this.facts, above);
    await this.payloads(above, levelUnder(this.facts, place)!);
  }

  async output(at: Position): Promise<Tensor | undefined> {
    const place = placeOf(this.facts, at);
    return (await this.tensors.of(place))?.[this.tensors.outputOf(place)];
  }

  /** What this party claims at the leaf at the end of `at`; an element's bits, most significant byte first. */
  private claimAbove(at: Position): Bytes {
    const { level, index, part } = at[at.length - 1];
    const parent = at.slice(0, -1);
    // A tree of one leaf that is the claim above itself is never asked for.
    const payload = this.known.get(keyOf(parent))?.payloads[index] ?? this.claimAbove(parent);
    return level === "chunk" ? payload.slice(4 * part, 4 * part + 4).reverse() : payload;
  }

  /** A leaf of the tree below `at`, with its proof. */
  private leaf(at: Position, index: number): AgreedLeaf {
    const { tag, payloads } = this.known.get(keyOf(at))!;
    const tree = buildLevels(payloads.map((payload) => hashLeaf(tag, payload)));
    return { payload: payloads[index], proof: proveLeaf(tree, index) };
  }
}

function keyOf(at: Position): string {
  return at.map(({ index }) => index).join("/");
}

function chunksOf(tensor: Tensor): Bytes[] {
  return Array.from({ length: chunkCount(tensor) }, (_, i) => chunkAt(asBytes(tensor.data), i));
}
