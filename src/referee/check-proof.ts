/**
 * Checks a proof (spec 7.7): each refuted claim from its own trees and signatures, down to the one step.
 * Everything that can be derived is derived, and the proof has to say the same.
 */
import { formatClaim } from "../claims/claim.ts";
import { openingDigest, type OpenedTree, OPENED_TREES, type Opening, type OpeningPlace } from "../claims/opening.ts";
import { isSignedBy } from "../claims/signature.ts";
import { type Bytes, bytesEqual, fromHex } from "../encoding/bytes.ts";
import type { ClimbLeaf } from "../encoding/merkle.ts";
import { checkParts, type Level, openClaim, openingLengths, type Position } from "../game/level.ts";
import { type Location, locate } from "./decision.ts";
import type { JobFacts } from "./facts.ts";
import { groundOf, type Ground, recomputeStep } from "./judge.ts";
import { claimedAt, trainingMachine } from "./machine.ts";
import { isSigned, openingPlace } from "./opening.ts";
import { placeOf } from "./place.ts";
import { isOpened, type OwnLevel, positionIn, type Refutation } from "./refutation.ts";
import { shownFacts } from "./shown-graph.ts";
import type { EquivocationRefuted, LevelEvidence, Proof, Refuted, StepRefuted } from "./verdict.ts";
import {
  differingField,
  digest,
  digests,
  invalid,
  readGraph,
  readJob,
  readAddress,
  readPair,
  readWitness,
  whole,
} from "./verdict-reader.ts";
import { encodeEquivocation, encodeRefutation, proofOf } from "./verdict-writer.ts";

/** A claim that a proof refutes. */
export interface RefutedClaim extends Location {
  run: Bytes;
  /** Whose statement is refuted. Absent if the run root itself is, whoever claims it. */
  address?: Bytes;
  ground: Refuted["ground"];
  /** What decided. Absent for two contradicting signatures. */
  kind?: Ground;
  claimed?: Bytes;
  recomputed?: Bytes;
}

/** Whether a signature is the address's, if it is none of its key: an answer of a wallet contract. */
export type AcceptSignature = (address: Bytes, digest: Bytes, signature: Bytes) => boolean;

/** What a check follows paths with, and whose word it takes about wallets. */
export interface CheckTools {
  climb: ClimbLeaf;
  accept: AcceptSignature;
}

/** @throws {DisputeError} that names the first thing that does not hold */
export function checkProof(proof: Proof, tools: CheckTools): RefutedClaim[] {
  const { parts, commitEvery } = readJob(proof);
  if (!Array.isArray(proof.refuted) || proof.refuted.length < 1 || proof.refuted.length > 2)
    throw invalid("VERDICT_MALFORMED", "a proof refutes one claim or two");
  const results = proof.refuted.map((refuted) =>
    refuted.ground === "equivocation"
      ? checkEquivocation(refuted, tools)
      : checkStep(refuted, (graph) => shownFacts(parts, commitEvery, graph, tools.climb), tools),
  );
  const again = proofOf(
    shownFacts(parts, commitEvery, undefined),
    results.map(({ derived }) => derived),
  );
  const field = differingField(again, proof, "verdict");
  if (field)
    throw invalid(
      "VERDICT_ALTERED",
      `${field} is not what follows from the evidence: the verdict was altered, so do not rely on it`,
      { field },
    );
  const refuted = results.map(({ checked }) => checked);
  if (new Set(refuted.map(formatClaim)).size < refuted.length)
    throw invalid("VERDICT_ALTERED", "the verdict refutes one claim twice");
  return refuted;
}

interface Checked {
  checked: RefutedClaim;
  /** The entry as it follows from the evidence. */
  derived: Refuted;
}

function checkStep(
  refuted: StepRefuted,
  factsOf: (graph: ReturnType<typeof readGraph> | undefined) => JobFacts,
  tools: CheckTools,
): Checked {
  const graph = refuted.graph ? readGraph(refuted.graph) : undefined;
  const facts = factsOf(graph);
  const run = digest(refuted.run);
  const address = refuted.address === null ? undefined : readAddress(refuted.address);
  const levels = readLevels(facts, refuted.levels, run, tools.climb);
  const at = positionIn(levels);
  const kind = groundOf(facts, placeOf(facts, at));
  if (graph && placeOf(facts, at).kernel === undefined)
    throw invalid("VERDICT_ALTERED", "the verdict shows a graph to which the dispute has not come");
  const witness = readWitness(refuted.witness);
  const trees = levels.map(({ level, index, root }) => ({ level, index, ...(root && { root }) }));
  const { recomputed, used } = recomputeStep(facts, at, trees, witness, tools.climb);
  const last = levels[levels.length - 1];
  const claimed = claimedAt(last.level, last.payload, last.part);
  if (bytesEqual(claimed, recomputed))
    throw invalid("VERDICT_ALTERED", "the claim is what the step gives, so nothing is refuted");
  for (const [depth, own] of levels.entries())
    checkOpening(facts, own, at.slice(0, depth), { run, address, used, tools });
  const refutation: Refutation = {
    run,
    ...(levels.some(({ signature }) => signature) && { address }),
    kind,
    levels,
    witness,
    claimed,
    recomputed,
  };
  const derived = encodeRefutation(facts, refutation, graph);
  const named = refutation.address ? { address: refutation.address } : {};
  return {
    checked: { ...locate(facts, at), run, ...named, ground: derived.ground, kind, claimed, recomputed },
    derived,
  };
}

type ReadLevel = OwnLevel & { root?: Bytes; claim: Bytes };

/** Follows the levels from the run root; the machine says which level comes next. */
function readLevels(facts: JobFacts, evidence: readonly LevelEvidence[], run: Bytes, climb: ClimbLeaf): ReadLevel[] {
  const machine = trainingMachine(facts);
  const levels: ReadLevel[] = [];
  for (const entry of evidence) {
    const level = machine.under(positionIn(levels));
    const above = levels.at(-1);
    if (!level) throw invalid("VERDICT_INCOMPLETE", `the dispute ends before the level ${entry.level}`);
    levels.push(readLevel(level, above ? claimedAt(above.level, above.payload, above.part) : run, entry, climb));
  }
  if (levels.length === 0 || machine.under(positionIn(levels)))
    throw invalid("VERDICT_INCOMPLETE", "the evidence does not lead down to a step");
  return levels;
}

function readLevel(level: Level, claim: Bytes, entry: LevelEvidence, climb: ClimbLeaf): ReadLevel {
  const { name, count, partBytes } = level;
  const fail = (problem: string): never => {
    throw invalid("VERDICT_ALTERED", `${name} level: ${problem}`, { level: name });
  };
  const index = whole(entry.index);
  const part = whole(entry.part);
  if (index >= count) fail(`there is no leaf ${index} of ${count}`);
  if (part >= level.payloadBytes(index) / partBytes) fail(`leaf ${index} has no value ${part}`);
  const payload = fromHex(entry.payload, level.payloadBytes(index));
  const own = { level, index, part, payload, claim, proof: digests(entry.proof) };
  if (entry.opening === null) {
    if (level.binding.kind !== "last" || index !== count - 1 || own.proof.length > 0 || !bytesEqual(payload, claim))
      fail("the tree is not opened");
    return own;
  }
  const opening = checkParts(digests(entry.opening), openingLengths(level), `the ${name} tree`);
  const root = openClaim(level, claim, opening, climb);
  const reached = climb(level.tag, payload, count, index, own.proof);
  if (!reached || !bytesEqual(reached, root)) fail(`the proof of leaf ${index} does not lead to the tree's root`);
  const signature = entry.signature === null ? {} : { signature: fromHex(entry.signature) };
  return { ...own, opening, root, ...signature };
}

interface Signer {
  run: Bytes;
  address: Bytes | undefined;
  used: Parameters<typeof isOpened>[2];
  tools: CheckTools;
}

/** A tree is opened exactly if it is needed, and signed exactly if the opening alone does not bind it. */
function checkOpening(
  facts: JobFacts,
  { level, index, root, signature }: ReadLevel,
  at: Position,
  { run, address, used, tools }: Signer,
): void {
  const fail = (problem: string): never => {
    throw invalid("VERDICT_ALTERED", `${level.name} level: ${problem}`, { level: level.name });
  };
  if ((root !== undefined) !== isOpened(level, index, used)) fail("the tree is opened, but the step does not need it");
  const needed = root !== undefined && isSigned(level);
  if (needed !== (signature !== undefined))
    fail(needed ? "its opening is not signed" : "a signature that is not needed");
  if (!needed) return;
  if (!address) return fail("its opening is signed, but the verdict names no key");
  checkSigned({ run, ...openingPlace(facts, at), root }, address, signature!, tools);
}

function checkSigned(opening: Opening, address: Bytes, signature: Bytes, { accept }: CheckTools): void {
  const digestSigned = openingDigest(opening);
  if (isSignedBy(address, digestSigned, signature)) return;
  if (!accept(address, digestSigned, signature))
    throw invalid("VERDICT_ALTERED", `the opening of the ${opening.tree} tree is not signed by the key of the claim`, {
      tree: opening.tree,
    });
}

/** The fields of a signed place that lie below each tree, and are 0. */
const SURPLUS = {
  segment: ["segment", "step", "kernel", "element"],
  step: ["step", "kernel", "element"],
  operator: ["kernel", "element"],
  fold: [],
} as const satisfies Record<OpenedTree, readonly (keyof OpeningPlace)[]>;

/** The job of such an entry is not proven: the run root binds it, and only its owner can open that. */
function checkEquivocation(refuted: EquivocationRefuted, tools: CheckTools): Checked {
  const { tree, segment, step, operator, element } = refuted.place;
  if (!Object.hasOwn(OPENED_TREES, tree)) throw invalid("VERDICT_MALFORMED", "the signed tree is none that is signed");
  const place = {
    tree: tree as OpenedTree,
    segment: whole(segment),
    step: whole(step),
    kernel: whole(operator),
    element: whole(element),
  };
  if (SURPLUS[place.tree].some((field) => place[field] !== 0))
    throw invalid("VERDICT_ALTERED", `the place of a ${tree} tree has a number below the tree`);
  const run = digest(refuted.run);
  const address = readAddress(refuted.address);
  const roots = readPair(refuted.roots, digest);
  const signatures = readPair(refuted.signatures, (hex) => fromHex(hex));
  if (bytesEqual(...roots))
    throw invalid("VERDICT_ALTERED", "both signatures are about one root, so nothing is refuted");
  roots.forEach((root, i) => checkSigned({ run, ...place, root }, address, signatures[i], tools));
  const derived = encodeEquivocation({ run, address, place, roots, signatures });
  const nowhere: Location = { step: null, operator: null, element: null, fold: null };
  return { checked: { ...nowhere, run, address, ground: "equivocation" }, derived };
}
