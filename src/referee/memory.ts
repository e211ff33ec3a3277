/** What a party stores of its run, or recomputes when it is asked. */
import { asBytes, type Bytes } from "../encoding/bytes.ts";
import { type LongList, LongTree } from "../encoding/long-tree.ts";
import { Tag } from "../encoding/tags.ts";
import { chunkAt, chunkCount, type StateRoot, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import type { JobOutline } from "../job/closed.ts";
import { operandsOf } from "../repops/kernels/kernel.ts";
import type { RunRoot } from "../trace/commitments.ts";
import type { JobFacts } from "./facts.ts";
import { kernelAt } from "./machine.ts";
import { entriesBefore, graphAt, type Place } from "./place.ts";

/**
 * What a party knows about its run. Step 0 is the init graph. `undefined` means that this party can't say it.
 */
export interface Memory {
  readonly outline: JobOutline;
  /** The job's dataset, even if the run was trained on other data. */
  readonly dataset: readonly Tensor[];
  readonly commitEvery: number;
  /** Whether the run was told to lie. Its trees then contradict each other, and it says them all the same. */
  readonly isDrill?: boolean;
  /** Whether it says what a file says, instead of what was computed here. Then nothing of it is signed. */
  readonly isRecorded?: boolean;
  /** The reason why it could not answer, if it could not. */
  failure?(): string | undefined;
  /** The roots of the initial state and of the state after each segment. */
  readonly segmentRoots: LongList<StateRoot>;
  /** The root of the run that they make, where it is known. */
  readonly runRoot?: RunRoot;
  /** The roots of the state after each training step of a segment. Segments count from 1. */
  stepRoots(segment: number): Promise<readonly StateRoot[] | undefined>;
  /** The roots of all operators' outputs, and of the new state after the state update. */
  detail(step: number): Promise<StepRoots | undefined>;
  /** Tensors of a step's graph by number: entries of the pre-state, and operators' outputs. */
  capture(step: number, tensors: readonly number[]): Promise<ReadonlyMap<number, Tensor> | undefined>;
  /** The roots of the entries of the state after a step. */
  entryRoots(step: number): Promise<readonly TensorRoot[] | undefined>;
}

/** The roots of one training step: its state, and its operators' outputs. */
export interface StepRoots {
  readonly kernelRoots: readonly TensorRoot[];
  readonly newStateRoots: readonly TensorRoot[];
  readonly newStateRoot: StateRoot;
}

/** The disputed operator's output and operands, by tensor number. */
export type KernelTensors = { readonly [tensor: number]: Tensor };

/** Fetches all tensors of the disputed operator at once, since each recomputation is expensive. */
export class DisputedTensors {
  private readonly memory: Memory;
  private readonly facts: JobFacts;
  private readonly fetched = new Map<string, Promise<KernelTensors | undefined>>();
  private readonly trees = new WeakMap<Tensor, Promise<LongTree>>();

  constructor(memory: Memory, facts: JobFacts) {
    this.memory = memory;
    this.facts = facts;
  }

  of(place: Place): Promise<KernelTensors | undefined> {
    const key = `${place.step}/${place.kernel}`;
    let tensors = this.fetched.get(key);
    if (!tensors) {
      this.fetched.set(key, (tensors = this.fetch(place)));
      tensors.catch(() => this.fetched.delete(key));
    }
    return tensors;
  }

  /** The tree over a tensor's chunks. It is kept, because several elements may be shown. */
  treeOf(tensor: Tensor): Promise<LongTree> {
    let tree = this.trees.get(tensor);
    if (!tree) this.trees.set(tensor, (tree = LongTree.over(chunksOf(tensor), Tag.chunk)));
    return tree;
  }

  /** Makes what shows the elements of the disputed operator's operands, so that each is shown at once. */
  async plant(place: Place): Promise<void> {
    const tensors = await this.of(place);
    if (!tensors) return;
    const operands = new Set(operandsOf(kernelAt(this.facts, place)));
    for (const tensor of operands) await this.treeOf(tensors[tensor]);
    const entries = entriesBefore(this.facts, place);
    if ([...operands].some((tensor) => tensor < entries)) await this.memory.entryRoots(place.step - 1);
  }

  /** The tensor number of the disputed operator's output. */
  outputOf(place: Place): number {
    return this.facts.graph(graphAt(place)).inputs.length + place.kernel!;
  }

  private async fetch(place: Place): Promise<KernelTensors | undefined> {
    const { inputs } = this.facts.graph(graphAt(place));
    const entries = entriesBefore(this.facts, place);
    const isData = (tensor: number) => tensor >= entries && tensor < inputs.length;
    const wanted = [...new Set([...operandsOf(kernelAt(this.facts, place)), this.outputOf(place)])];
    const captured = await this.memory.capture(
      place.step,
      wanted.filter((tensor) => !isData(tensor)),
    );
    const data = wanted.filter(isData).map((tensor) => [tensor, this.memory.dataset[tensor - entries]]);
    return captured && { ...Object.fromEntries(captured), ...Object.fromEntries(data) };
  }
}

/** The chunks of a tensor, each made when it is read. */
export function chunksOf(tensor: Tensor): LongList<Bytes> {
  const bytes = asBytes(tensor.data);
  const length = chunkCount(tensor);
  const slice = (from: number, to: number): Bytes[] =>
    Array.from({ length: Math.max(Math.min(to, length) - from, 0) }, (_, i) => chunkAt(bytes, from + i));
  return { length, slice };
}
