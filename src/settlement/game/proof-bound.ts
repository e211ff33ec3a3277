/**
 * How large a one-step proof can be, and how much gas its check can use (contracts/Judge.sol). Both follow
 * from the job's graphs, so they are known before anything is run. A test compares the bounds with proofs on
 * a chain.
 */
import { heightOf } from "../../encoding/merkle.ts";
import { CHUNK_BYTES, chunkCount, elementCount, encodeType, type TensorType } from "../../encoding/tensor.ts";
import { encodeKernel } from "../../graph/codec.ts";
import type { GraphFacts, GraphKind, JobFacts } from "../../referee/facts.ts";
import type { InstructionName } from "../../repops/programs/instructions.ts";
import type { Kernel } from "../../repops/kernels/kernel.ts";
import { mostReads } from "../../repops/kernels/reads.ts";
import type { Build } from "../abilities.ts";
import { segmentCount } from "../../trace/commitments.ts";

export interface ProofBound {
  /** The most bytes of calldata of the transaction. */
  readonly bytes: number;
  /** The most gas of the transaction. */
  readonly gas: number;
}

/** The bounds for the proof of one scalar step of one operator. */
export interface StepBound extends ProofBound {
  readonly graph: GraphKind;
  /** The operator's number. For the state update it is the number of operators. */
  readonly kernel: number;
  readonly label: string;
}

/** The most gas of a transaction (EIP-7825), minus the 64th part that a call must leave to its caller. */
export const GAS_CAP = Math.floor(((1 << 24) * 63) / 64);
/** The most bytes of a transaction that nodes take. */
export const TRANSACTION_BYTES = 1 << 17;
/** The most bytes of an operator's encoding: a fold over 8 axes that reads 7 bounded views. */
export const MOST_KERNEL_BYTES = 2_533;

/** The call without its evidence: selector, dispute, word, context, and the offset of the evidence. */
const HEAD_BYTES = 4 + 32 * 16;
const ROOT_BYTES = 32;

/**
 * A transaction that does nothing; what every proof costs for the state, the judge's call, and the end of the
 * dispute; and the winner's credit.
 */
const FIXED_GAS = 21_000 + 32_000 + 22_500;
const BYTE_GAS = 16;
/** The least gas for each byte of calldata, however little the transaction executes (EIP-7623). */
const FLOOR_GAS = 40;
/** A node of a tree, with all its costs. */
const NODE_GAS = 340;
/** A tensor and a chunk of it, without nodes. */
const READ_GAS = 3_200;
/** A scalar step, without its arguments and its instructions. */
const STEP_GAS = 800;
/** An argument of a program, with its view. */
const ARGUMENT_GAS = 1_200;
/** Decoding an instruction, and executing one on integers. */
const INSTRUCTION_GAS = 520;
/** The most that instructions on floats cost in addition (test/contracts/float-gas.json). */
const FLOAT_GAS: Readonly<Partial<Record<InstructionName, number>>> = {
  fadd: 1_070,
  fsub: 1_110,
  fmul: 980,
  fdiv: 670,
  fsqrt: 1_330,
  fmin: 760,
  fmax: 780,
  feq: 600,
  flt: 800,
  i2f: 570,
  u2f: 540,
  f2i: 720,
  f2u: 730,
  ffloor: 490,
  fldexp: 480,
  fmant: 440,
  fexp: 470,
};

/** What a chain without CLZ uses in addition: for each proof in a tree, and each instruction on floats. */
const PORTABLE = { tree: 500, float: 320 };

/** Adds up the bytes, nodes and gas of a proof. */
class Evidence {
  bytes = HEAD_BYTES;
  nodes = 0;
  work = FIXED_GAS;
  readonly more: typeof PORTABLE;

  constructor(build: Build) {
    this.more = build === "portable" ? PORTABLE : { tree: 0, float: 0 };
  }

  data(bytes: number): void {
    this.bytes += 32 * Math.ceil(bytes / 32);
  }

  /** Adds the siblings from a leaf to the root. */
  proof(leaves: number): void {
    const height = heightOf(leaves);
    this.bytes += ROOT_BYTES * height;
    this.nodes += height;
    this.work += this.more.tree;
  }

  bound(): ProofBound {
    const executed = this.work + BYTE_GAS * this.bytes + NODE_GAS * this.nodes;
    return { bytes: this.bytes, gas: Math.max(executed, 21_000 + FLOOR_GAS * this.bytes) };
  }
}

/** The bounds for one operator of a graph, or for the state update. @param build of the judge */
export function proofBound(facts: JobFacts, kind: GraphKind, kernel: number, build: Build = "osaka"): ProofBound {
  const graph = facts.graph(kind);
  const evidence = new Evidence(build);
  evidence.data(4 * ROOT_BYTES);
  // All inputs of the init graph are the dataset.
  const proveTensor = (tensor?: number): void =>
    tensorProof(evidence, facts, graph, kind === "init" ? 0 : graph.outputs.length, tensor);
  if (kernel === graph.kernelCount) {
    evidence.data(4 + 3 * ROOT_BYTES);
    evidence.proof(graph.outputs.length);
    evidence.work += READ_GAS;
    proveTensor();
    return evidence.bound();
  }
  element(evidence, graph, graph.kernel(kernel), proveTensor);
  return evidence.bound();
}

function element(evidence: Evidence, graph: GraphFacts, kernel: Kernel, proveTensor: (tensor: number) => void): void {
  const { tensors, scalarSteps, accumulators } = mostReads(kernel);
  evidence.data(4 + encodeKernel(kernel).length);
  for (const tensor of new Set(tensors)) {
    evidence.data(encodeType(typeIn(graph, tensor)).length);
    proveTensor(tensor);
  }
  for (const tensor of tensors) {
    const type = typeIn(graph, tensor);
    evidence.data(Math.min(4 * elementCount(type.shape), CHUNK_BYTES));
    evidence.proof(chunkCount(type));
    evidence.work += READ_GAS;
  }
  if (kernel.kind === "gather") return;
  const gasOf = (name: InstructionName): number =>
    INSTRUCTION_GAS + (name in FLOAT_GAS ? FLOAT_GAS[name]! + evidence.more.float : 0);
  const program = kernel.program.steps.reduce((gas, { name }) => gas + gasOf(name), 0);
  evidence.work += scalarSteps * (STEP_GAS + ARGUMENT_GAS * (kernel.args.length + 1) + program);
  if (accumulators === 0) return;
  evidence.data(4);
  evidence.proof(accumulators);
}

/**
 * Adds the proof of a tensor's root: an operator's output, an entry of the pre-state, or of the dataset.
 * Without a number, the most expensive of them.
 * @param entries inputs that are the pre-state
 */
function tensorProof(
  evidence: Evidence,
  facts: JobFacts,
  { inputs, outputs, kernelCount }: GraphFacts,
  entries: number,
  tensor?: number,
): void {
  const inOps = tensor === undefined || tensor >= inputs.length;
  const inState = entries > 0 && (tensor === undefined || tensor < entries);
  if (inOps) evidence.proof(kernelCount + 1);
  if (inState) {
    evidence.proof(outputs.length);
    evidence.proof(Math.max(segmentCount(facts.parts.steps, facts.commitEvery), facts.commitEvery));
  }
  const { lists } = facts.parts;
  const inData = tensor === undefined ? lists !== undefined : !inOps && !inState;
  if (!inData || inputs.length === entries) return;
  if (lists) {
    evidence.data(3 * 4);
    evidence.proof(Math.max(...lists));
    evidence.proof(lists.length);
  } else evidence.proof(inputs.length - entries);
  evidence.data(ROOT_BYTES);
}

function typeIn({ inputs, kernel }: GraphFacts, tensor: number): TensorType {
  return tensor < inputs.length ? inputs[tensor] : kernel(tensor - inputs.length).type;
}

/** The scalar step of a job whose proof is most expensive. @param build of the judge */
export function mostExpensiveStep(facts: JobFacts, build: Build = "osaka"): StepBound {
  const kinds: GraphKind[] = facts.parts.initKind === "graph" ? ["init", "step"] : ["step"];
  const bounds = kinds.flatMap((kind) => {
    const graph = facts.graph(kind);
    return Array.from({ length: graph.kernelCount + 1 }, (_, kernel): StepBound => {
      const label = kernel === graph.kernelCount ? "new state" : graph.label(kernel);
      return { graph: kind, kernel, label, ...proofBound(facts, kind, kernel, build) };
    });
  });
  return bounds.reduce((most, bound) => (bound.gas > most.gas ? bound : most));
}
