/** What the contract is shown of a job and its graphs (contracts/game/GameTypes.sol), and its hashes. */
import { type Bytes, toHex } from "../../encoding/bytes.ts";
import { hashLeaf, type Levels, proveLeaf, rootOf } from "../../encoding/merkle.ts";
import { Tag, taggedHash } from "../../encoding/hash.ts";
import { encodeKernel, graphTrees, outputTree } from "../../graph/codec.ts";
import type { JobOutline } from "../../job/closed.ts";
import { type GraphKind, graphOf, type JobFacts, jobFacts } from "../../referee/facts.ts";
import { encodeAbiParameters, type Hex, keccak256, parseAbiParameters } from "viem";

/** The contract's `JobFacts`. */
export interface ShownJob {
  id: Hex;
  step: Hex;
  init: Hex;
  dataset: Hex;
  steps: number;
  commitEvery: number;
  fromCheckpoint: boolean;
}

/** The contract's `GraphFacts`. */
export interface ShownGraph {
  inputs: number;
  outputs: number;
  kernels: number;
  header: Hex;
  kernelTree: Hex;
  labelTree: Hex;
  outputTree: Hex;
}

const JOB = parseAbiParameters("bytes32, bytes32, bytes32, bytes32, uint32, uint32, bool");
const GRAPH = parseAbiParameters("uint32, uint32, uint32, bytes32, bytes32, bytes32, bytes32");

export const hex = (bytes: Bytes): Hex => toHex(bytes) as Hex;
export const ZERO: Hex = hex(new Uint8Array(32));
export const NO_JOB: ShownJob = {
  id: ZERO,
  step: ZERO,
  init: ZERO,
  dataset: ZERO,
  steps: 0,
  commitEvery: 0,
  fromCheckpoint: false,
};
export const NO_GRAPH: ShownGraph = {
  inputs: 0,
  outputs: 0,
  kernels: 0,
  header: ZERO,
  kernelTree: ZERO,
  labelTree: ZERO,
  outputTree: ZERO,
};

export function hashJob({ id, step, init, dataset, steps, commitEvery, fromCheckpoint }: ShownJob): Hex {
  return keccak256(encodeAbiParameters(JOB, [id, step, init, dataset, steps, commitEvery, fromCheckpoint]));
}

export function hashGraph(graph: ShownGraph): Hex {
  const { inputs, outputs, kernels, header, kernelTree, labelTree, outputTree: outputRoot } = graph;
  return keccak256(encodeAbiParameters(GRAPH, [inputs, outputs, kernels, header, kernelTree, labelTree, outputRoot]));
}

/** A job as the game on the chain needs it; hashes of its graphs are made when they are first asked for. */
export class GameFacts {
  readonly facts: JobFacts;
  readonly outline: JobOutline;
  readonly job: ShownJob;
  private readonly graphs = new Map<GraphKind, { shown: ShownGraph; kernels: Levels }>();

  constructor(outline: JobOutline, commitEvery: number) {
    this.outline = outline;
    this.facts = jobFacts(outline, commitEvery);
    const { id, parts } = this.facts;
    this.job = {
      id: hex(id),
      step: hex(parts.step),
      init: hex(parts.init),
      dataset: hex(parts.dataset),
      steps: parts.steps,
      commitEvery,
      fromCheckpoint: parts.initKind === "checkpoint",
    };
  }

  graph(kind: GraphKind): ShownGraph {
    return this.treesOf(kind).shown;
  }

  /** A kernel's encoding, its leaf in the tree of kernels, and the leaf's proof. */
  kernel(kind: GraphKind, index: number): { encoding: Bytes; leaf: Bytes; proof: readonly Bytes[] } {
    const encoding = encodeKernel(graphOf(this.outline, kind).kernels[index]);
    const proof = proveLeaf(this.treesOf(kind).kernels, index);
    return { encoding, leaf: hashLeaf(Tag.graphNode, encoding), proof };
  }

  private treesOf(kind: GraphKind) {
    let known = this.graphs.get(kind);
    if (known) return known;
    const graph = graphOf(this.outline, kind);
    const { header, kernels, labels } = graphTrees(graph);
    const shown: ShownGraph = {
      inputs: graph.inputs.length,
      outputs: graph.outputs.length,
      kernels: graph.kernels.length,
      header: hex(taggedHash(Tag.graphHeader, header)),
      kernelTree: hex(rootOf(kernels)),
      labelTree: hex(rootOf(labels)),
      outputTree: hex(rootOf(outputTree(graph.outputs))),
    };
    this.graphs.set(kind, (known = { shown, kernels }));
    return known;
  }
}
