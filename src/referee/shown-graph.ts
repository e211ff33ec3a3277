/** The parts of a graph that a verdict shows: enough to know the disputed operator, and proven to the job. */
import { type Bytes, bytesEqual, Reader } from "../encoding/bytes.ts";
import { type ClimbLeaf, climbLeaf, type Proof, proveLeaf, rootOf } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import { decodeHeader, decodeKernel, encodeKernel, graphRootOf, graphTrees } from "../graph/codec.ts";
import type { Position } from "../game/level.ts";
import { checkLabel, checkShownKernel } from "../graph/graph.ts";
import { jobIdOf, type JobOutline, type JobParts } from "../job/closed.ts";
import { type GraphFacts, type GraphKind, graphOf, type JobFacts } from "./facts.ts";
import { graphAt, placeOf } from "./place.ts";
import { invalid } from "./verdict-reader.ts";

export interface ShownGraph {
  readonly header: Bytes;
  readonly kernels: Bytes;
  readonly labels: Bytes;
  readonly kernel?: {
    readonly descriptor: Bytes;
    readonly proof: Proof;
    readonly label: string;
    readonly labelProof: Proof;
  };
}

/** The parts of the disputed graph that have to be shown if a dispute has reached one of its operators. */
export function shownGraph(outline: JobOutline, facts: JobFacts, at: Position): ShownGraph | undefined {
  const place = placeOf(facts, at);
  if (place.kernel === undefined) return undefined;
  const graph = graphOf(outline, graphAt(place));
  const { header, kernels, labels } = graphTrees(graph);
  const shown: ShownGraph = { header, kernels: rootOf(kernels), labels: rootOf(labels) };
  if (place.kernel === graph.kernels.length) return shown;
  const kernel = {
    descriptor: encodeKernel(graph.kernels[place.kernel]),
    proof: proveLeaf(kernels, place.kernel),
    label: graph.labels[place.kernel],
    labelProof: proveLeaf(labels, place.kernel),
  };
  return { ...shown, kernel };
}

/** The facts about a job of which only these parts are known. */
export function shownFacts(
  parts: JobParts,
  commitEvery: number,
  shown: ShownGraph | undefined,
  climb: ClimbLeaf = climbLeaf,
): JobFacts {
  const known = new Map<GraphKind, GraphFacts>();
  const graph = (kind: GraphKind): GraphFacts => {
    if (!shown) throw invalid("VERDICT_INCOMPLETE", "the verdict does not show the disputed graph");
    let facts = known.get(kind);
    if (!facts) known.set(kind, (facts = graphFactsOf(shown, parts[kind], climb)));
    return facts;
  };
  return { id: jobIdOf(parts), parts, commitEvery, graph };
}

function graphFactsOf({ header, kernels, labels, kernel }: ShownGraph, root: Bytes, climb: ClimbLeaf): GraphFacts {
  if (!bytesEqual(graphRootOf(header, kernels, labels), root))
    throw invalid("VERDICT_ALTERED", "the graph that is shown is not the job's");
  const decoded = decodeHeader(header, "the graph's header");
  const { inputs, outputs, kernelCount } = decoded;
  const prove = (tree: Bytes, tag: Tag, payload: Bytes, index: number, proof: Proof, what: string) => {
    const reached = climb(tag, payload, kernelCount, index, proof);
    if (!reached || !bytesEqual(reached, tree))
      throw invalid("VERDICT_ALTERED", `${what} ${index} is not the one that is shown`);
  };
  return {
    inputs,
    outputs,
    kernelCount,
    kernel: (index) => {
      if (!kernel) throw invalid("VERDICT_INCOMPLETE", `the verdict does not show operator ${index}`);
      prove(kernels, Tag.graphNode, kernel.descriptor, index, kernel.proof, "operator");
      const reader = new Reader(kernel.descriptor, `operator ${index}`);
      const shown = decodeKernel(reader);
      reader.end();
      // The same checks as in a job: what follows executes this operator, and must end.
      checkShownKernel(decoded, index, shown);
      return shown;
    },
    label: (index) => {
      if (!kernel) throw invalid("VERDICT_INCOMPLETE", `the verdict does not show the label of operator ${index}`);
      checkLabel(kernel.label, index);
      prove(labels, Tag.graphLabel, new TextEncoder().encode(kernel.label), index, kernel.labelProof, "label");
      return kernel.label;
    },
  };
}
