/**
 * Checks a verdict without the parties and without their traces (spec 7.7): the way down from both run roots,
 * the agreed values, and the one step. Everything that can be derived is derived, and the verdict has to say
 * the same.
 */
import { type Bytes, bytesEqual, fromHex, Reader, toHex } from "../encoding/index.ts";
import { type ClimbLeaf, climbLeaf } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import { DisputeError, messageOf, SecondOpinionError } from "../errors/index.ts";
import { decodeHeader, decodeKernel, graphRootOf } from "../graph/codec.ts";
import { jobIdOf, type JobParts } from "../job/closed.ts";
import type { Decision, DecisionKind, Location } from "./decision.ts";
import { locate } from "./decision.ts";
import type { GraphFacts, GraphKind, JobFacts } from "./facts.ts";
import { compare, groundOf, judge } from "./judge.ts";
import { descentFrom } from "../game/bisection.ts";
import { checkPassed, type Pair, type Passed, type PassedRecord, positionOf, type Side } from "../game/level.ts";
import { topOf } from "../game/question.ts";
import { trainingMachine } from "./machine.ts";
import { placeOf } from "./place.ts";
import { encodeVerdict, type Hex, type ShownGraph, type Verdict } from "./verdict.ts";
import { digest, digests, invalid, readGraph, readPair, readWitness, whole } from "./verdict-reader.ts";

/** A verdict that holds: where the runs differ, which party is wrong, and what the decision rests on. */
export interface CheckedVerdict extends Location {
  kind: DecisionKind;
  losers: readonly Side[];
  claimed?: Pair<Bytes>;
  recomputed?: Bytes;
  /**
   * `evidence`: everything was derived again. `referee`: the decision is a forfeit or a recomputed operator,
   * which only the referee saw.
   */
  restsOn: "evidence" | "referee";
  reasons: Pair<string | null>;
}

/**
 * @param verdict the parsed JSON
 * @param rootA what the first party committed to
 * @param rootB what the second party committed to
 * @param climb follows every Merkle path of the verdict; the one of a `SecondOpinion` follows each path twice
 * @throws {DisputeError} that names the first thing that does not hold
 * @throws {SecondOpinionError} from such a `climb`
 */
export function checkVerdict(
  verdict: unknown,
  rootA: Bytes,
  rootB: Bytes,
  climb: ClimbLeaf = climbLeaf,
): CheckedVerdict {
  try {
    return check(verdict as Verdict, [rootA, rootB], climb);
  } catch (error) {
    if (error instanceof DisputeError || error instanceof SecondOpinionError) throw error;
    // Reading a field failed: it is missing, has another type, or is cut off.
    throw invalid("VERDICT_MALFORMED", `the verdict is malformed: ${messageOf(error)}`);
  }
}

function check(verdict: Verdict, roots: Pair<Bytes>, climb: ClimbLeaf): CheckedVerdict {
  if (verdict.schemaVersion !== 2)
    throw invalid("VERDICT_VERSION", `a verdict of schema version ${verdict.schemaVersion}; this one reads version 2`, {
      expected: 2,
      found: verdict.schemaVersion,
    });
  const runRoots = readPair(verdict.runRoots, digest);
  if (bytesEqual(runRoots[0], roots[1]) && bytesEqual(runRoots[1], roots[0]) && !bytesEqual(...roots))
    throw new DisputeError(
      "VERDICT_FOREIGN",
      "the verdict is about these two roots, but in the other order; swap --a and --b",
      { expected: roots.map((root) => toHex(root)), found: verdict.runRoots },
    );
  if (!bytesEqual(runRoots[0], roots[0]) || !bytesEqual(runRoots[1], roots[1]))
    throw new DisputeError(
      "VERDICT_FOREIGN",
      "the verdict is about other run roots; give the run roots of the verdict's two traces, or another verdict",
      { expected: roots.map((root) => toHex(root)), found: verdict.runRoots },
    );
  if (bytesEqual(...runRoots))
    throw new DisputeError("EQUAL", "the two run roots are equal; there is nothing to decide");
  const graph = verdict.graph ? readGraph(verdict.graph) : undefined;
  const facts = verdictFacts(verdict, graph, climb);
  const { kind } = verdict.decision;
  const path = checkPath(facts, verdict, runRoots, climb);
  if (graph && placeOf(facts, positionOf(path)).kernel === undefined)
    throw invalid("VERDICT_ALTERED", "the verdict shows a graph to which the dispute has not come");
  const decision = kind === "forfeit" ? forfeited(verdict, path) : decided(facts, verdict, path, climb);
  if (decision.losers.length === 0) throw invalid("VERDICT_ALTERED", "the verdict finds nobody wrong");
  const derived = encodeVerdict({ runRoots, facts, ...(graph && { graph }), decision });
  const field = firstDifference(derived, verdict, "verdict");
  if (field)
    throw invalid(
      "VERDICT_ALTERED",
      `${field} is not what follows from the evidence: the verdict was altered, so do not rely on it`,
      { field },
    );
  return {
    ...locate(facts, path),
    kind,
    losers: decision.losers,
    ...(decision.claimed && { claimed: decision.claimed }),
    ...(decision.recomputed && { recomputed: decision.recomputed }),
    restsOn: kind === "forfeit" || kind === "operator" ? "referee" : "evidence",
    reasons: verdict.decision.reasons,
  };
}

/** Follows the levels from the run roots; the machine says which level comes next. */
function checkPath(facts: JobFacts, verdict: Verdict, runRoots: Pair<Bytes>, climb: ClimbLeaf): Passed[] {
  const { kind } = verdict.decision;
  const machine = trainingMachine(facts, kind === "operator" ? "operator" : "scalar");
  const path: Passed[] = [];
  for (const evidence of verdict.levels) {
    const next = path.length === 0 ? { level: topOf(machine), claims: runRoots } : descentFrom(machine, path);
    if (!next) throw invalid("VERDICT_INCOMPLETE", `the dispute ends before the level ${evidence.level}`);
    const record: PassedRecord = {
      index: whole(evidence.index),
      openings: readPair(evidence.openings, digests),
      payloads: readPair(evidence.payloads, (hex: Hex) => fromHex(hex)),
      proofs: readPair(evidence.proofs, digests),
    };
    path.push(checkPassed(next.level, next.claims, record, climb));
  }
  if (kind !== "forfeit" && (path.length === 0 || machine.under(positionOf(path))))
    throw invalid("VERDICT_INCOMPLETE", "the evidence does not lead down to a step");
  return path;
}

function decided(facts: JobFacts, verdict: Verdict, path: readonly Passed[], climb: ClimbLeaf): Decision {
  const { kind, recomputed } = verdict.decision;
  const ground = groundOf(facts, placeOf(facts, positionOf(path)));
  if (kind === "operator" && ground === "scalar")
    return { kind, path, ...compare(path[path.length - 1].payloads, digest(recomputed!)) };
  if (kind !== ground) throw invalid("VERDICT_ALTERED", `the decision is by ${kind}, but here ${ground} decides`);
  const { witness, shownBy } = readWitness(verdict.witness!);
  const { scalarSteps: _, ...judgement } = judge(facts, path, witness, shownBy, climb);
  return { kind, path, ...judgement, witness, shownBy };
}

/** Which party forfeited rests on the referee's word: a missing answer leaves nothing to check. */
function forfeited({ decision }: Verdict, path: readonly Passed[]): Decision {
  const reasons = readPair(decision.reasons, (reason) => (typeof reason === "string" ? reason : undefined));
  return { kind: "forfeit", path, losers: ([0, 1] as const).filter((side) => reasons[side] !== undefined), reasons };
}

function verdictFacts({ job, commitEvery }: Verdict, shown: ShownGraph | undefined, climb: ClimbLeaf): JobFacts {
  const { initKind } = job;
  if (initKind !== "graph" && initKind !== "checkpoint")
    throw invalid("VERDICT_MALFORMED", `the kind of init is ${initKind}, not graph or checkpoint`);
  const parts: JobParts = {
    info: fromHex(job.info),
    step: digest(job.step),
    initKind,
    init: digest(job.init),
    dataset: digest(job.dataset),
    steps: whole(job.steps),
  };
  if (whole(commitEvery) < 1 || parts.steps < 1)
    throw invalid("VERDICT_MALFORMED", "the run has no steps or no commitments");
  const graph = (kind: GraphKind) => {
    if (!shown) throw invalid("VERDICT_INCOMPLETE", "the verdict does not show the disputed graph");
    return graphFactsOf(shown, parts[kind], climb);
  };
  return { id: jobIdOf(parts), parts, commitEvery, graph };
}

/** The facts that a verdict shows about the graph with this root. */
function graphFactsOf({ header, kernels, labels, kernel }: ShownGraph, root: Bytes, climb: ClimbLeaf): GraphFacts {
  if (!bytesEqual(graphRootOf(header, kernels, labels), root))
    throw invalid("VERDICT_ALTERED", "the graph that is shown is not the job's");
  const { inputs, outputs, kernelCount } = decodeHeader(header, "the graph's header");
  const shown = (tree: Bytes, tag: Tag, payload: Bytes, index: number, proof: readonly Bytes[], what: string) => {
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
      shown(kernels, Tag.graphNode, kernel.descriptor, index, kernel.proof, "operator");
      const reader = new Reader(kernel.descriptor, `operator ${index}`);
      const decoded = decodeKernel(reader);
      reader.end();
      return decoded;
    },
    label: (index) => {
      if (!kernel) throw invalid("VERDICT_INCOMPLETE", `the verdict does not show the label of operator ${index}`);
      shown(labels, Tag.graphLabel, new TextEncoder().encode(kernel.label), index, kernel.labelProof, "label");
      return kernel.label;
    },
  };
}

/** The path to the first field in which two JSON values differ. Missing and extra fields count too. */
function firstDifference(expected: unknown, actual: unknown, at: string): string | undefined {
  if (Object.is(expected, actual)) return undefined;
  const areObjects = typeof expected === "object" && typeof actual === "object" && expected !== null && actual !== null;
  if (!areObjects || Array.isArray(expected) !== Array.isArray(actual)) return at;
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const field = `${at}.${key}`;
    if (!Object.hasOwn(expected, key) || !Object.hasOwn(actual, key)) return field;
    const difference = firstDifference(expected[key as never], actual[key as never], field);
    if (difference) return difference;
  }
  return undefined;
}
