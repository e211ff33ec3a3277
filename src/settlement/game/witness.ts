/**
 * The one-step proof in the form in which the contract reads it, from front to back
 * (contracts/interfaces/IJudge.sol).
 */
import { type Bytes, fromHex, Writer } from "../../encoding/bytes.ts";
import { placeInLists } from "../../encoding/lists.ts";
import { leavesProofLength, proveLeaf, rootOf } from "../../encoding/merkle.ts";
import { CHUNK_ELEMENTS, chunkCount, encodeType } from "../../encoding/tensor.ts";
import { DisputeError } from "../../errors/index.ts";
import { groundOf } from "../../referee/judge.ts";
import { type Passed, positionOf } from "../../game/level.ts";
import { kernelAt, pointAt } from "../../referee/machine.ts";
import { graphAt, type LevelName, type Place, placeOf } from "../../referee/place.ts";
import type { ElementProof, Witness } from "../../referee/witness.ts";
import { accumulatorRead, readsAt } from "../../repops/kernels/reads.ts";
import type { Hex } from "viem";
import { type GameFacts, hex } from "./facts.ts";
import { type ProvenLeaf, proofInTreeOf } from "../../game/moved-proof.ts";
import { hashOfRuns } from "./past.ts";
import { sharedProof } from "./shared-proof.ts";

/**
 * An operand of the step: an element of a tensor, or the first chunk of a tensor if only its type is needed.
 */
interface Operand {
  readonly tensor: number;
  readonly chunk: number;
  readonly shown: ElementProof;
}

/** A tensor whose root has to be proven, and its proof in the tree that holds it. */
interface ProvenTensor {
  readonly tensor: number;
  readonly proof: readonly Bytes[];
}

export class WitnessWriter {
  private readonly facts: GameFacts;
  private readonly path: readonly Passed[];
  private readonly place: Place;
  private readonly witness: Witness;
  private readonly bytes = new Writer();

  /** @param path a path that has reached the bottom, but not a checkpoint: that needs no evidence */
  constructor(facts: GameFacts, path: readonly Passed[], witness: Witness) {
    this.facts = facts;
    this.path = path;
    this.place = placeOf(facts.facts, positionOf(path));
    this.witness = witness;
  }

  write(): Hex {
    this.hashes(fromHex(hashOfRuns(this.passed("segment").claims)));
    for (const name of ["segment", "step", "operator"] as const) {
      const passed = this.path.find(({ level }) => level.name === name);
      if (passed) this.hashes(passed.roots[0]);
    }
    if (groundOf(this.facts.facts, this.place) === "state-update") this.entry();
    else this.element();
    return hex(this.bytes.finish());
  }

  private entry(): void {
    const graph = this.facts.graph(graphAt(this.place));
    const { tensor } = this.graph.outputs[this.place.entry!];
    this.hashes(rootOf(graph.kernels), rootOf(graph.outputs));
    this.bytes.u32(tensor);
    this.hashes(...proveLeaf(graph.outputs, this.place.entry!), this.witness.entry!.payload);
    this.tensors([{ tensor, proof: this.witness.entry!.proof }]);
  }

  private element(): void {
    this.bytes.blob(this.facts.kernel(graphAt(this.place), this.place.kernel!).encoding);
    const byTensor = Map.groupBy(this.reads(), ({ tensor }) => tensor);
    for (const reads of byTensor.values()) {
      const { type } = reads[0].shown;
      this.bytes.bytes(encodeType(type));
      const chunks = [...new Map(reads.map(({ chunk, shown }) => [chunk, shown]))];
      for (const [, { chunk }] of chunks) this.bytes.bytes(chunk);
      const leaves = chunks.map(([index, { chunkProof }]): ProvenLeaf => ({ index, proof: chunkProof }));
      this.hashes(...sharedProof(chunkCount(type), leaves));
    }
    this.tensors([...byTensor].map(([tensor, [{ shown }]]) => ({ tensor, proof: shown.proof })));
    const { accumulator } = this.witness;
    if (!accumulator) return;
    this.bytes.bytes(accumulator.payload);
    this.hashes(...this.inFirst("fold", accumulatorRead(pointAt(this.place))!, accumulator.proof));
  }

  private hashes(...hashes: readonly Bytes[]): void {
    for (const hash of hashes) this.bytes.bytes(hash);
  }

  /** What the step reads, in the order of its program's arguments. */
  private reads(): Operand[] {
    const shown = (index: number): ElementProof => {
      const operand = this.witness.operands[index];
      if (!operand) throw new DisputeError("WITNESS_MISSING", `the one-step proof lacks operand ${index}`);
      return operand;
    };
    const reads = readsAt(kernelAt(this.facts.facts, this.place), pointAt(this.place), {
      type: (_, index) => shown(index).type,
      bits: ({ address }, index) => bitsIn(shown(index).chunk, address),
    });
    return reads.map(({ tensor, address }, i) => ({ tensor, chunk: chunkOf(address), shown: shown(i) }));
  }

  /** Writes the proofs of tensors' roots: in the operator tree, in the pre-state, in the dataset. */
  private tensors(tensors: readonly ProvenTensor[]): void {
    const { inputs, outputs, kernelCount } = this.graph;
    // All inputs of the init graph are the dataset.
    const entries = graphAt(this.place) === "init" ? 0 : outputs.length;
    const ascending = tensors.toSorted((a, b) => a.tensor - b.tensor);
    const leaves = (from: number, to: number): ProvenLeaf[] =>
      ascending
        .filter(({ tensor }) => tensor >= from && tensor < to)
        .map(({ tensor, proof }) => ({ index: tensor - from, proof }));
    const inOps = leaves(inputs.length, Infinity);
    const proofs = inOps.map(({ index, proof }) => ({ index, proof: this.inFirst("operator", index, proof) }));
    this.hashes(...sharedProof(kernelCount + 1, proofs));
    const inState = leaves(0, entries);
    this.hashes(...sharedProof(outputs.length, inState));
    if (inState.length > 0) this.hashes(...this.stateBefore());
    const inData = leaves(entries, inputs.length);
    const { lists } = this.facts.facts.parts;
    if (lists) this.lists(lists, inData);
    else this.hashes(...sharedProof(inputs.length - entries, inData));
    if (inData.length > 0) this.hashes(fromHex(this.facts.hashWithoutDataset()));
  }

  /** Writes the proofs of tensors in a dataset of several lists, and of these lists (spec 6.5). */
  private lists(lengths: readonly number[], tensors: readonly ProvenLeaf[]): void {
    const outer: ProvenLeaf[] = [];
    const byList = Map.groupBy(tensors, ({ index }) => placeInLists(lengths, index).list);
    for (const [list, own] of byList) {
      const length = lengths[list];
      const { first } = placeInLists(lengths, own[0].index);
      const leaves = own.map(({ index, proof }): ProvenLeaf => {
        const inner = leavesProofLength(length, [index - first]);
        outer.push({ index: list, proof: proof.slice(inner) });
        return { index: index - first, proof: proof.slice(0, inner) };
      });
      this.bytes.u32(list).u32(first).u32(length);
      this.hashes(...sharedProof(length, leaves));
    }
    this.hashes(...sharedProof(lengths.length, outer));
  }

  private stateBefore(): Bytes[] {
    const { before } = this.witness;
    if (!before) throw new DisputeError("WITNESS_MISSING", "the one-step proof lacks the pre-state");
    const step = this.passed("step").index;
    if (step > 0) return this.inFirst("step", step - 1, before.proof);
    return this.inFirst("segment", this.place.segment - 1, before.proof);
  }

  private inFirst(name: LevelName, index: number, proof: readonly Bytes[]): Bytes[] {
    return proofInTreeOf(0, this.passed(name), { index, proof });
  }

  private passed(name: LevelName): Passed {
    return this.path.find(({ level }) => level.name === name)!;
  }

  private get graph() {
    return this.facts.facts.graph(graphAt(this.place));
  }
}

/** The chunk that holds an element, or the first one if there is no such element. */
function chunkOf(address: number): number {
  return Math.floor(Math.max(address, 0) / CHUNK_ELEMENTS);
}

/** The bit pattern of element `address` in the chunk that holds it; 0 if there is no such element. */
function bitsIn(chunk: Bytes, address: number): number {
  const at = 4 * (address % CHUNK_ELEMENTS);
  if (address < 0 || at + 4 > chunk.length) return 0;
  return new DataView(chunk.buffer, chunk.byteOffset).getUint32(at, true);
}
