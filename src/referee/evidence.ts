/** Makes the one-step proof from a party's memory: agreed values with Merkle proofs (spec 7.5). */
import { asBytes } from "../encoding/bytes.ts";
import { proveInDataset } from "../encoding/lists.ts";
import { type Proof, proveLeaf } from "../encoding/merkle.ts";
import { CHUNK_ELEMENTS, chunkAt, elementBits, stateTree, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import { accumulatorRead, type Read, readsAt } from "../repops/kernels/reads.ts";
import type { JobFacts } from "./facts.ts";
import { groundOf } from "./judge.ts";
import type { Position } from "../game/level.ts";
import { kernelAt, pointAt } from "./machine.ts";
import type { DisputedTensors, KernelTensors, Memory } from "./memory.ts";
import { distinctOperands, type OperatorWitness } from "./operator.ts";
import { entriesBefore, graphAt, type LevelName, type Place, placeOf } from "./place.ts";
import type { AgreedLeaf, ElementProof, Witness } from "./witness.ts";

export class Evidence {
  private readonly memory: Memory;
  private readonly facts: JobFacts;
  private readonly tensors: DisputedTensors;
  private readonly leaf: (at: Position, index: number) => Promise<AgreedLeaf>;

  /** @param leaf a leaf of the tree below a position, with its proof */
  constructor(
    memory: Memory,
    facts: JobFacts,
    tensors: DisputedTensors,
    leaf: (at: Position, index: number) => Promise<AgreedLeaf>,
  ) {
    this.memory = memory;
    this.facts = facts;
    this.tensors = tensors;
    this.leaf = leaf;
  }

  /** The one-step proof for the step at the bottom. */
  async witness(at: Position): Promise<Witness | undefined> {
    const place = placeOf(this.facts, at);
    const ground = groundOf(this.facts, place);
    if (ground === "checkpoint") return { operands: [] };
    return ground === "state-update" ? this.entryWitness(place, at) : this.stepWitness(place, at);
  }

  /** The inputs of the disputed operator, with their proofs. */
  async operands(at: Position): Promise<OperatorWitness | undefined> {
    const place = placeOf(this.facts, at);
    const wanted = distinctOperands(kernelAt(this.facts, place));
    const tensors = await this.tensors.of(place);
    const proofs = await this.rootProofs(place, at, wanted);
    if (!tensors || !proofs) return undefined;
    const inputs = wanted.map((tensor, i) => ({ tensor: tensors[tensor], proof: proofs[i].proof }));
    return { ...(await this.before(place, at, wanted)), inputs };
  }

  private async stepWitness(place: Place, at: Position): Promise<Witness | undefined> {
    const tensors = await this.tensors.of(place);
    if (!tensors) return undefined;
    const reads = this.reads(place, tensors);
    const wanted = reads.map(({ tensor }) => tensor);
    const proofs = await this.rootProofs(place, at, wanted);
    if (!proofs) return undefined;
    const operands: ElementProof[] = [];
    for (const [i, { tensor, address }] of reads.entries())
      operands.push(await this.elementProof(tensors[tensor], address, proofs[i].proof));
    const before = accumulatorRead(pointAt(place));
    const accumulator = before === undefined ? undefined : await this.leaf(at.slice(0, -1), before);
    return { ...(await this.before(place, at, wanted)), ...(accumulator && { accumulator }), operands };
  }

  /** The root of the tensor that the graph names for the disputed entry. */
  private async entryWitness(place: Place, at: Position): Promise<Witness | undefined> {
    const { tensor } = this.facts.graph(graphAt(place)).outputs[place.entry!];
    const proofs = await this.rootProofs(place, at, [tensor]);
    return proofs && { ...(await this.before(place, at, [tensor])), entry: proofs[0], operands: [] };
  }

  private reads(place: Place, tensors: KernelTensors): Read[] {
    return readsAt(kernelAt(this.facts, place), pointAt(place), {
      type: (tensor) => tensors[tensor],
      bits: ({ tensor, address }) => (address < 0 ? 0 : elementBits(tensors[tensor], address)),
    });
  }

  /** The chunk that holds element `address`, or the first chunk if there is no such element. */
  private async elementProof(tensor: Tensor, address: number, proof: Proof): Promise<ElementProof> {
    const { dtype, shape } = tensor;
    const index = Math.floor(Math.max(address, 0) / CHUNK_ELEMENTS);
    const bytes = asBytes(tensor.data);
    const chunkProof = bytes.length > 0 ? await (await this.tensors.treeOf(tensor)).prove(index) : [];
    return { type: { dtype, shape }, chunk: chunkAt(bytes, index), chunkProof, proof };
  }

  /** The roots of tensors of the disputed graph, each with its proof in the tree that holds it. */
  private async rootProofs(place: Place, at: Position, wanted: readonly number[]): Promise<AgreedLeaf[] | undefined> {
    const { inputs } = this.facts.graph(graphAt(place));
    const count = entriesBefore(this.facts, place);
    const isEntry = (tensor: number) => tensor < count;
    const entries = wanted.some(isEntry) ? await this.memory.entryRoots(place.step - 1) : [];
    return (
      entries &&
      Promise.all(
        wanted.map((tensor) => {
          if (tensor >= inputs.length) return this.leaf(above(at, "operator"), tensor - inputs.length);
          if (isEntry(tensor)) return proofIn(entries, tensor);
          const { datasetRoots, lists } = this.memory.outline;
          const index = tensor - count;
          return { payload: datasetRoots[index], proof: proveInDataset(datasetRoots, lists, index) };
        }),
      )
    );
  }

  /** The root of the pre-state, if one of the tensors is an entry of it. */
  private async before(
    { step, segment }: Place,
    at: Position,
    wanted: readonly number[],
  ): Promise<{ before?: AgreedLeaf }> {
    const entries = entriesBefore(this.facts, { step });
    if (!wanted.some((tensor) => tensor < entries)) return {};
    const inner = at.find(({ level }) => level === "step")!.index;
    return { before: await (inner > 0 ? this.leaf(above(at, "step"), inner - 1) : this.leaf([], segment - 1)) };
  }
}

/** The position above the level `name`. */
function above(at: Position, name: LevelName): Position {
  return at.slice(
    0,
    at.findIndex(({ level }) => level === name),
  );
}

/** Entry `index` of a state, with its proof. */
function proofIn(roots: readonly TensorRoot[], index: number): AgreedLeaf {
  return { payload: roots[index], proof: proveLeaf(stateTree(roots), index) };
}
