/**
 * The facts about a job and its graphs that the contract is shown (contracts/training/TrainingTypes.sol), and
 * their hashes.
 */
import { type Bytes, toHex } from "../../encoding/bytes.ts";
import { taggedHash } from "../../encoding/hash.ts";
import { Tag } from "../../encoding/tags.ts";
import { hashLeaf, type Levels, proveLeaf, rootOf } from "../../encoding/merkle.ts";
import { encodeKernel, graphTrees, outputTree } from "../../graph/codec.ts";
import { infoHashOf, type JobOutline } from "../../job/closed.ts";
import { type GraphKind, graphOf, type JobFacts, jobFacts } from "../../referee/facts.ts";
import { encodeAbiParameters, type Hex, keccak256, parseAbiParameters } from "viem";

/** The contract's `JobFacts`. */
export interface ShownJob {
  id: Hex;
  step: Hex;
  init: Hex;
  fromCheckpoint: boolean;
  dataset: Hex;
}

const JOB = parseAbiParameters("bytes32, bytes32, bytes32, bool, bytes32");
const WITHOUT_DATASET = parseAbiParameters("bytes32, bytes32, bytes32, bool");
const TWO = parseAbiParameters("bytes32, bytes32");
const HEAD = parseAbiParameters("uint32, uint32, uint32, bytes32, bytes32");

/** The contract's `JobParts`. */
export interface ShownParts {
  infoHash: Hex;
  step: Hex;
  init: Hex;
  dataset: Hex;
  fromCheckpoint: boolean;
}

export const hex = (bytes: Bytes): Hex => toHex(bytes) as Hex;
export const ZERO: Hex = hex(new Uint8Array(32));

/** keccak256 of two words. */
export function hashTwo(a: Hex, b: Hex): Hex {
  return keccak256(encodeAbiParameters(TWO, [a, b]));
}

interface GraphTrees {
  readonly kernels: Levels;
  readonly outputs: Levels;
  /** An encoded `GraphHead`, and an encoded `GraphTrees`. */
  readonly head: Hex;
  readonly trees: Hex;
}

/** A job as the game on the chain needs it. The trees of its graphs are built when they are first needed. */
export class GameFacts {
  readonly facts: JobFacts;
  readonly outline: JobOutline;
  readonly job: ShownJob;
  private readonly graphs = new Map<GraphKind, GraphTrees>();

  constructor(outline: JobOutline, commitEvery: number) {
    this.outline = outline;
    this.facts = jobFacts(outline, commitEvery);
    const { id, parts } = this.facts;
    this.job = {
      id: hex(id),
      step: hex(parts.step),
      init: hex(parts.init),
      fromCheckpoint: parts.initKind === "checkpoint",
      dataset: hex(parts.dataset),
    };
  }

  /** What opens a bracket: five words, however long the job's names are. */
  shownParts(): ShownParts {
    const { step, init, dataset, fromCheckpoint } = this.job;
    return { infoHash: hex(infoHashOf(this.facts.parts)), step, init, dataset, fromCheckpoint };
  }

  /** The encoded `JobFacts`. */
  encodedJob(): Hex {
    const { id, step, init, fromCheckpoint, dataset } = this.job;
    return encodeAbiParameters(JOB, [id, step, init, fromCheckpoint, dataset]);
  }

  /** The hash of all facts about the job except its dataset. */
  hashWithoutDataset(): Hex {
    const { id, step, init, fromCheckpoint } = this.job;
    return keccak256(encodeAbiParameters(WITHOUT_DATASET, [id, step, init, fromCheckpoint]));
  }

  jobHash(): Hex {
    return hashTwo(this.hashWithoutDataset(), this.job.dataset);
  }

  graph(kind: GraphKind): GraphTrees {
    const known = this.graphs.get(kind);
    if (known) return known;
    const graph = graphOf(this.outline, kind);
    const { header, kernels, labels } = graphTrees(graph);
    const outputs = outputTree(graph.outputs);
    const counts = [graph.inputs.length, graph.outputs.length, graph.kernels.length] as const;
    const hashes = [hex(taggedHash(Tag.graphHeader, header)), hex(rootOf(labels))] as const;
    const trees = {
      kernels,
      outputs,
      head: encodeAbiParameters(HEAD, [...counts, ...hashes]),
      trees: encodeAbiParameters(TWO, [hex(rootOf(kernels)), hex(rootOf(outputs))]),
    };
    this.graphs.set(kind, trees);
    return trees;
  }

  /** An operator's encoding, its leaf in the tree of operators, and the leaf's proof. */
  kernel(kind: GraphKind, index: number): { encoding: Bytes; leaf: Bytes; proof: readonly Bytes[] } {
    const encoding = encodeKernel(graphOf(this.outline, kind).kernels[index]);
    const proof = proveLeaf(this.graph(kind).kernels, index);
    return { encoding, leaf: hashLeaf(Tag.graphNode, encoding), proof };
  }
}
