/**
 * What a forger has: every opening that an honest key can sign about its run, genuine proofs against others, the whole
 * data of all runs, and keys of its own.
 */
import type { RunClaim } from "../../../src/claims/claim.ts";
import { openingKey, signOpening } from "../../../src/claims/opening.ts";
import { buildLevels, hashLeaf, rootOf } from "../../../src/encoding/merkle.ts";
import { Tag } from "../../../src/encoding/tags.ts";
import { elementCount } from "../../../src/encoding/tensor.ts";
import { type Pair, positionOf, type Side } from "../../../src/game/level.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { type ClosedJob, outlineOf } from "../../../src/job/closed.ts";
import type { OpeningPlace } from "../../../src/claims/opening.ts";
import { refutationOf } from "../../../src/referee/refutation.ts";
import { shownGraph } from "../../../src/referee/shown-graph.ts";
import { encodeRefutation, proofOf } from "../../../src/referee/verdict-writer.ts";
import type { Proof } from "../../../src/referee/verdict.ts";
import { accumulators } from "../../../src/repops/kernels/point.ts";
import { foldLeaves } from "../../../src/repops/kernels/reads.ts";
import { segmentCount, stepsOfSegment } from "../../../src/trace/commitments.ts";
import { type Bytes, bytesEqual, toHex, Writer } from "../../../src/encoding/bytes.ts";
import { crossbreed, forge } from "./false-trees.ts";
import { disputeRemembered, KEYS } from "../remembered-dispute.ts";
import { type Fault, rememberedRun, type RememberedRun } from "../remembered-run.ts";

/** The root of a tree of a run, as the definition gives it, with the place that is signed. */
export interface DefinedTree {
  place: OpeningPlace;
  root: Bytes;
}

const treeRoot = (tag: Tag, payloads: readonly Bytes[]): Bytes =>
  rootOf(buildLevels(payloads.map((payload) => hashLeaf(tag, payload))));

/** Every tree of a run whose opening is signed, computed from its tensors and without a prover. */
export function definedTrees(job: ClosedJob, commitEvery: number, run: RememberedRun): DefinedTree[] {
  const trees: DefinedTree[] = [];
  const add = (place: Partial<OpeningPlace> & Pick<OpeningPlace, "tree">, root: Bytes): void =>
    void trees.push({ place: { segment: 0, step: 0, kernel: 0, element: 0, ...place }, root });
  for (let segment = 0; segment < segmentCount(job.steps, commitEvery); segment++) {
    const { first, last } = stepsOfSegment(segment, job.steps, commitEvery);
    const roots = run.steps.slice(first, last + 1).map(({ roots: { newStateRoot } }) => newStateRoot);
    if (segment > 0 && roots.length > 1) add({ tree: "step", segment }, treeRoot(Tag.stepLeaf, roots));
    for (let at = first; at <= last; at++) {
      const graph: Graph | undefined = at > 0 ? job.step : job.init.kind === "graph" ? job.init.graph : undefined;
      if (!graph) continue;
      const { kernelRoots, newStateRoot } = run.steps[at].roots;
      const step = at - first;
      add({ tree: "operator", segment, step }, treeRoot(Tag.opLeaf, [...kernelRoots, newStateRoot]));
      for (const [kernel, folding] of graph.kernels.entries()) {
        if (folding.kind !== "fold" || foldLeaves(folding) < 2) continue;
        for (let element = 0; element < elementCount(folding.type.shape); element++) {
          const bits = accumulators(folding, element, run.steps[at].tensors);
          const leaves = Array.from(bits, (value) => new Writer().u32(value).finish());
          add({ tree: "fold", segment, step, kernel, element }, treeRoot(Tag.accumulator, leaves));
        }
      }
    }
  }
  return trees;
}

/** A dispute of an honest run, and what a forger makes of it. */
export interface Case {
  job: ClosedJob;
  commitEvery: number;
  honest: RunClaim;
  liar: RunClaim;
  /** The genuine proof against the liar. */
  genuine: Proof;
  /** The same refutation, made from the trees of the honest side. */
  recast: Proof | undefined;
  /** A refutation of the honest claim from false trees, which another key has signed. */
  forged: Proof | undefined;
  /** All signatures of the honest key about this run, by place. */
  signatures: ReadonlyMap<string, string>;
}

/** @param side the honest one */
export async function caseOf(job: ClosedJob, commitEvery: number, fault: Fault, side: Side): Promise<Case | undefined> {
  const faults: Pair<readonly Fault[]> = side === 0 ? [[], [fault]] : [[fault], []];
  const runRoots = await Promise.all(faults.map(async (list) => (await rememberedRun(job, commitEvery, list)).runRoot));
  // A wrong element that nothing reads is gone before the run commits to anything.
  if (bytesEqual(runRoots[0], runRoots[1])) return undefined;
  const { runs, claims, decision, verdict, facts } = await disputeRemembered({ job, commitEvery, faults });
  if (verdict.kind !== "proof") return undefined;
  const honest = claims[side];
  const mine = refutationOf({ ...decision, losers: [side] }, side, claims);
  const graph = shownGraph(outlineOf(job), facts, positionOf(decision.path));
  const trees = definedTrees(job, commitEvery, runs[side]);
  const at = positionOf(decision.path);
  const isOperator = "kernel" in fault.at && decision.kind === "scalar";
  const crossbred = crossbreed(runs[side], runs[1 - side], fault.step);
  const forged = isOperator ? await forge(job, crossbred, claims[side], at, KEYS[2]) : undefined;
  const signatures = new Map(
    trees.map(({ place, root }) => [
      openingKey(place),
      toHex(signOpening({ ...place, run: honest.run, root }, KEYS[side])),
    ]),
  );
  return {
    job,
    commitEvery,
    honest,
    liar: claims[1 - side],
    genuine: verdict,
    recast: mine && proofOf(facts, [encodeRefutation(facts, mine, graph)]),
    forged,
    signatures,
  };
}
