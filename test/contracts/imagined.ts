/**
 * Disputes about jobs that are too large to run: tensors of 2^31 elements, graphs of 2^20 operators, runs of
 * 2^31 steps. Only what a dispute shows is made up, and the rest of each tree is one leaf, again and again.
 * Side 0 claims what the definition gives for the operands, and side 1 another bit.
 */
import type { Hex } from "viem";
import { encodeAbiParameters, parseAbiParameters } from "viem";
import { type Bytes, Writer } from "../../src/encoding/bytes.ts";
import { sha256, taggedHash } from "../../src/encoding/hash.ts";
import { hashLeaf, type Levels } from "../../src/encoding/merkle.ts";
import { Tag } from "../../src/encoding/tags.ts";
import {
  CHUNK_ELEMENTS,
  chunkCount,
  stateRootOf,
  type TensorRoot,
  tensorRootOf,
  type TensorType,
} from "../../src/encoding/tensor.ts";
import { encodeKernel } from "../../src/graph/codec.ts";
import type { Level, Pair } from "../../src/game/level.ts";
import type { Prover } from "../../src/game/prover.ts";
import { type JobId, jobIdOf, type JobParts } from "../../src/job/closed.ts";
import { courseTo } from "../../src/referee/course.ts";
import type { GraphFacts, GraphKind, JobFacts } from "../../src/referee/facts.ts";
import { chunkBytes, levelUnder } from "../../src/referee/machine.ts";
import { placeOf } from "../../src/referee/place.ts";
import type { AgreedLeaf, Witness } from "../../src/referee/witness.ts";
import type { Kernel } from "../../src/repops/kernels/kernel.ts";
import { accumulatorRead, foldLeaves, readsAt, resultAt } from "../../src/repops/kernels/reads.ts";
import { GameFacts, hex } from "../../src/settlement/game/facts.ts";
import { SparseTree } from "./sparse-tree.ts";

/** A job of any size, and the place at which two runs of it differ. */
export interface Imagined {
  readonly graph: GraphKind;
  readonly steps: number;
  readonly commitEvery: number;
  /** Entries of the state; with the dataset's tensors, they are the inputs of the step graph. */
  readonly entries: number;
  readonly dataset: number;
  readonly operators: number;
  /** The training step; 0 for the init graph. */
  readonly step: number;
  /** The number of the operator; the number of operators for the state update. */
  readonly operator: number;
  readonly kernel?: Kernel;
  readonly element: number;
  readonly fold: number;
  /** The disputed entry of the new state, and the tensor that it is. */
  readonly entry: number;
  readonly output: number;
  /** The types of the tensors that the operator reads, and the bits of all their elements. */
  readonly operands: ReadonlyMap<number, { readonly type: TensorType; readonly bits: number }>;
}

const SCALAR: TensorType = { dtype: "f32", shape: [] };
const HEAD = parseAbiParameters("uint32, uint32, uint32, bytes32, bytes32");
const TWO = parseAbiParameters("bytes32, bytes32");
const word = (value: number): Bytes => new Writer().u32(value >>> 0).finish();
const filled = (value: number): Bytes => new Uint8Array(32).fill(value);

/** A tree with what its leaves commit to. */
interface Known {
  readonly tree: SparseTree;
  payload(index: number): Bytes;
}

function known(level: Pick<Level, "tag" | "count">, common: Bytes, special: ReadonlyMap<number, Bytes>): Known {
  const leaves = new Map([...special].map(([index, payload]) => [index, hashLeaf(level.tag, payload) as Bytes]));
  return {
    tree: new SparseTree(level.count, hashLeaf(level.tag, common), leaves),
    payload: (index) => special.get(index) ?? common,
  };
}

/** The chunks of a tensor whose elements are all equal, but for one. */
function chunksOf(type: TensorType, bits: number, other?: { element: number; bits: number }): Known {
  const count = chunkCount(type);
  const chunk = (index: number): Bytes => {
    const bytes = new Uint8Array(chunkBytes(type, index));
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, bits, true);
    const at = other && other.element - CHUNK_ELEMENTS * index;
    if (at !== undefined && at >= 0 && at < CHUNK_ELEMENTS) view.setUint32(4 * at, other!.bits, true);
    return bytes;
  };
  // The last chunk may be shorter.
  const special = new Set([count - 1, ...(other ? [Math.floor(other.element / CHUNK_ELEMENTS)] : [])]);
  // If there is one chunk only, no other is like it.
  const common = count > 1 ? chunk([0, 1, 2].find((index) => !special.has(index) && index < count) ?? 0) : chunk(0);
  return known({ tag: Tag.chunk, count }, common, new Map([...special].map((index) => [index, chunk(index)])));
}

const rootOfTensor = (type: TensorType, chunks: Known): TensorRoot => tensorRootOf(type, chunks.tree.root);

export class ImaginedDispute {
  readonly facts: GameFacts;
  readonly provers: Pair<Prover<Witness>>;
  readonly runRoots: Pair<Bytes>;
  readonly witness: Witness;

  constructor(imagined: Imagined) {
    const { graph: kind, step, operator, kernel, element, fold, entry, operands } = imagined;
    const isInit = kind === "init";
    const inputs = isInit ? 0 : imagined.entries + imagined.dataset;
    const roots = new Map(
      [...operands].map(([tensor, { type, bits }]) => [tensor, { type, chunks: chunksOf(type, bits) }]),
    );
    const rootOf = (tensor: number): TensorRoot => rootOfTensor(roots.get(tensor)!.type, roots.get(tensor)!.chunks);
    const holds = (from: number, to: number): [number, Bytes][] =>
      [...roots.keys()]
        .filter((tensor) => tensor >= from && tensor < to)
        .map((tensor) => [tensor - from, rootOf(tensor)]);
    // A single entry would have no leaf that is common.
    const listOf = (count: number, special: [number, Bytes][]): Known =>
      known({ tag: Tag.stateLeaf, count }, filled(0x33), new Map(special));
    const state = listOf(imagined.entries, isInit ? [] : holds(0, imagined.entries));
    const data = listOf(Math.max(imagined.dataset, 1), isInit ? [] : holds(imagined.entries, inputs));
    const before = stateRootOf(imagined.entries, state.tree.root);
    this.facts = factsOf(imagined, stateRootOf(imagined.dataset, data.tree.root));
    const { facts } = this.facts;
    const course = courseTo(facts, { step, kernel: operator, entry, element, fold });
    const index = (name: string): number => course.find(({ level }) => level.name === name)!.index;
    const levelOf = (name: string): Level => course.find(({ level }) => level.name === name)!.level;

    // What the definition gives for the operands.
    const point = kernel && { element, ...(foldLeaves(kernel) > 0 && { fold }) };
    const reads = kernel
      ? readsAt(kernel, point!, {
          type: (tensor) => operands.get(tensor)!.type,
          bits: ({ tensor }) => operands.get(tensor)!.bits,
        })
      : [];
    const accumulator = 0x3f800001;
    const hasAccumulator = point !== undefined && accumulatorRead(point) !== undefined;
    const right = kernel ? resultAt(kernel, point!, reads, hasAccumulator ? accumulator : undefined) : 0;

    const trees = [0, 1].map((side): Map<string, Known> => {
      const made = new Map<string, Known>();
      const put = (name: string, common: Bytes, special: Map<number, Bytes>): Known => {
        const tree = known(levelOf(name), common, special);
        made.set(name, tree);
        return tree;
      };
      const claimed = (right ^ side) >>> 0;
      /** The leaf at which the sides differ, and what the last leaf commits to, which the claim above is. */
      const leaves = (name: string, own: Bytes, last: Bytes, more: [number, Bytes][] = []): Map<number, Bytes> =>
        new Map([...more, [levelOf(name).count - 1, last], [index(name), own]]);
      let newState: Bytes;
      let ops: [number, Bytes][] = [];
      if (kernel) {
        let bits = claimed;
        if (foldLeaves(kernel) > 0) {
          const isLast = fold === foldLeaves(kernel) - 1;
          bits = isLast ? claimed : 0x40000000 + side;
          put("fold", word(accumulator), leaves("fold", word(claimed), word(bits)));
        }
        const chunks = chunksOf(kernel.type, 0, { element, bits });
        made.set("chunk", chunks);
        ops = [[operator, rootOfTensor(kernel.type, chunks)]];
        newState = filled(0xa0 + side);
      } else {
        const wanted = operands.size > 0 ? rootOf(imagined.output) : filled(0x44);
        const own = side === 0 ? wanted : filled(0xee);
        const entries = put("state", filled(0x55), new Map([[entry, own]]));
        newState = stateRootOf(imagined.entries, entries.tree.root);
      }
      put(
        "operator",
        filled(0x11),
        new Map([...holds(inputs, Infinity), ...ops, [levelOf("operator").count - 1, newState]]),
      );
      let ofSegment = newState;
      if (!isInit) {
        const isLast = index("step") === levelOf("step").count - 1;
        ofSegment = isLast ? newState : filled(0xb0 + side);
        const agreed: [number, Bytes][] = index("step") > 0 ? [[index("step") - 1, before]] : [];
        put("step", filled(0x22), leaves("step", newState, ofSegment, agreed));
      }
      const first = !isInit && index("step") === 0;
      const agreed: [number, Bytes][] = first ? [[index("segment") - 1, before]] : [];
      put("segment", filled(0x66), new Map([...agreed, [index("segment"), ofSegment]]));
      return made;
    });
    const [own] = trees;
    this.runRoots = trees.map((made) =>
      taggedHash(Tag.run, facts.id, word(imagined.commitEvery), made.get("segment")!.tree.root),
    ) as unknown as Pair<Bytes>;
    const leafOf = (name: string, at: number): AgreedLeaf => ({
      payload: own.get(name)!.payload(at),
      proof: own.get(name)!.tree.prove(at),
    });
    const proofOf = (tensor: number): Bytes[] => {
      if (tensor >= inputs) return own.get("operator")!.tree.prove(tensor - inputs);
      return tensor < imagined.entries ? state.tree.prove(tensor) : data.tree.prove(tensor - imagined.entries);
    };
    const inState = !isInit && [...operands.keys()].some((tensor) => tensor < imagined.entries);
    this.witness = {
      operands: reads.map(({ tensor, address }) => {
        const { type, chunks } = roots.get(tensor)!;
        const chunk = Math.floor(Math.max(address, 0) / CHUNK_ELEMENTS);
        return {
          type,
          chunk: chunks.payload(chunk),
          chunkProof: chunks.tree.prove(chunk),
          proof: proofOf(tensor),
        };
      }),
      ...(inState && {
        before: index("step") > 0 ? leafOf("step", index("step") - 1) : leafOf("segment", index("segment") - 1),
      }),
      ...(hasAccumulator && { accumulator: leafOf("fold", fold - 1) }),
      ...(!kernel && { entry: { payload: rootOf(imagined.output), proof: proofOf(imagined.output) } }),
    };
    const proverOf = (made: ReadonlyMap<string, Known>): Prover<Witness> => ({
      witness: async () => this.witness,
      answer: async ({ kind, at, height, position }) => {
        const level = levelUnder(facts, placeOf(facts, at))!;
        const { tree, payload } = made.get(level.name)!;
        if (kind === "payload") return [payload(position)];
        if (kind === "children") return tree.children(height, position);
        return level.binding.kind === "preimage" ? [tree.root] : tree.prove(level.count - 1);
      },
    });
    this.provers = [proverOf(trees[0]), proverOf(trees[1])];
  }

  get roots(): Pair<Hex> {
    return [hex(this.runRoots[0]), hex(this.runRoots[1])];
  }
}

/** The facts of a job of which only one operator and the types that it reads exist. */
function factsOf(imagined: Imagined, dataset: Bytes): GameFacts {
  const { graph: kind, entries, operators, operator, kernel, steps, commitEvery, operands, output, entry } = imagined;
  const inputs = kind === "init" ? 0 : entries + imagined.dataset;
  const [input, plain] = [
    { name: "an input", ...SCALAR },
    { name: "an output", tensor: inputs },
  ];
  const types = new Array<TensorType & { name: string }>(inputs).fill(input);
  for (const [tensor, { type }] of operands) if (tensor < inputs) types[tensor] = { name: "an operand", ...type };
  const outputs = new Array<{ name: string; tensor: number }>(entries).fill(plain);
  outputs[entry] = { name: "the output", tensor: output };
  const typed = (tensor: number): Kernel => ({
    kind: "map",
    type: operands.get(tensor)?.type ?? SCALAR,
    program: { inputs: [], floats: [0], ints: [], steps: [] },
    args: [],
  });
  const graph: GraphFacts = {
    inputs: types,
    outputs,
    kernelCount: operators,
    kernel: (at) => (at === operator && kernel ? kernel : typed(inputs + at)),
    label: () => "an operator",
  };
  const encoding = kernel ? encodeKernel(kernel) : new Uint8Array(8);
  const kernelTree = new SparseTree(
    operators,
    hashLeaf(Tag.graphNode, word(0)),
    kernel ? new Map([[operator, hashLeaf(Tag.graphNode, encoding) as Bytes]]) : new Map(),
  );
  const outputLeaf = (tensor: number): Bytes => hashLeaf(Tag.graphOutput, word(tensor));
  const outputTree = new SparseTree(entries, outputLeaf(inputs), new Map([[entry, outputLeaf(output)]]));
  const [header, labels] = [filled(0x77), filled(0x88)];
  const counts = new Writer().u32(inputs).u32(entries).u32(operators).finish();
  const root = taggedHash<"graph">(Tag.graph, counts, header, kernelTree.root, labels, outputTree.root);
  const parts: JobParts = {
    info: new Writer().text("imagined").finish(),
    step: kind === "step" ? root : sha256(filled(1)),
    initKind: kind === "init" ? "graph" : "checkpoint",
    init: kind === "init" ? root : sha256(filled(2)),
    dataset,
    steps,
  };
  const facts: JobFacts = { id: jobIdOf(parts) as JobId, parts, commitEvery, graph: () => graph };
  const shown: { kernels: Levels; outputs: Levels; head: Hex; trees: Hex } = {
    kernels: kernelTree.levels(),
    outputs: outputTree.levels(),
    head: encodeAbiParameters(HEAD, [inputs, entries, operators, hex(header), hex(labels)]),
    trees: encodeAbiParameters(TWO, [hex(kernelTree.root), hex(outputTree.root)]),
  };
  return Object.assign(Object.create(GameFacts.prototype) as GameFacts, {
    facts,
    job: {
      id: hex(facts.id),
      step: hex(parts.step),
      init: hex(parts.init),
      fromCheckpoint: parts.initKind === "checkpoint",
      dataset: hex(dataset),
    },
    graph: () => shown,
    kernel: (_kind: GraphKind, at: number) => ({
      encoding,
      leaf: hashLeaf(Tag.graphNode, encoding),
      proof: kernelTree.prove(at),
    }),
  });
}
