/**
 * The forgery that signatures are for: below an honest root, a tree that ends in the honest leaf and holds a wrong one
 * further left. Nothing but a signature tells it from the tree of the honest side.
 */
import type { RunClaim } from "../../../src/claims/claim.ts";
import { signOpening } from "../../../src/claims/opening.ts";
import { addressOf } from "../../../src/claims/signature.ts";
import { type Bytes, bytesEqual } from "../../../src/encoding/bytes.ts";
import { heightOf } from "../../../src/encoding/merkle.ts";
import { isPromoted, type Level, openClaim, type Position } from "../../../src/game/level.ts";
import { type ClosedJob, outlineOf } from "../../../src/job/closed.ts";
import { type TrainingProver, trainingProver } from "../../../src/referee/claim.ts";
import { jobFacts } from "../../../src/referee/facts.ts";
import { groundOf, recomputeStep } from "../../../src/referee/judge.ts";
import { claimedAt, trainingMachine } from "../../../src/referee/machine.ts";
import type { Memory } from "../../../src/referee/memory.ts";
import { isSigned, openingPlace } from "../../../src/referee/opening.ts";
import { placeOf } from "../../../src/referee/place.ts";
import { isOpened, type OwnLevel } from "../../../src/referee/refutation.ts";
import { shownGraph } from "../../../src/referee/shown-graph.ts";
import { encodeRefutation, proofOf } from "../../../src/referee/verdict-writer.ts";
import type { Proof } from "../../../src/referee/verdict.ts";
import type { RememberedRun } from "../remembered-run.ts";

/** The honest run, but in one step the outputs of operators are those of a liar. The states are the honest ones. */
export function crossbreed(honest: RememberedRun, liar: RememberedRun, step: number): Memory {
  const { kernelRoots } = liar.steps[step].roots;
  return {
    ...honest,
    isDrill: true,
    detail: async (at) => (at === step ? { ...honest.steps[at].roots, kernelRoots } : honest.detail(at)),
    capture: (at, tensors) => (at === step ? liar : honest).capture(at, tensors),
  };
}

/**
 * The refutation of the honest claim from such trees, or `undefined` where the place shows nothing wrong in them.
 * @param at the place of the wrong leaf
 * @param secret the key that signs the false trees
 */
export async function forge(
  job: ClosedJob,
  memory: Memory,
  honest: RunClaim,
  at: Position,
  secret: Bytes,
): Promise<Proof | undefined> {
  const facts = jobFacts(outlineOf(job), memory.commitEvery);
  const prover = trainingProver(memory);
  const machine = trainingMachine(facts);
  const levels: (OwnLevel & { root: Bytes })[] = [];
  let claim = honest.run;
  for (const [depth, { index, part }] of at.entries()) {
    const above = at.slice(0, depth);
    const level = machine.under(above)!;
    const opening =
      level.count === 1 && level.binding.kind === "last"
        ? []
        : (await prover.answer({ kind: "opening", at: above, height: 0, position: 0 }))!;
    const root = openClaim(level, claim, opening);
    const payload = (await prover.answer({ kind: "payload", at: above, height: 0, position: index }))![0];
    const signed = isSigned(level) && {
      signature: signOpening({ ...openingPlace(facts, above), run: honest.run, root }, secret),
    };
    levels.push({
      level,
      index,
      part,
      opening,
      root,
      payload,
      proof: await proofOfLeaf(prover, above, level, index),
      ...signed,
    });
    claim = claimedAt(level, payload, part);
  }
  const witness = (await prover.witness(at))!;
  const { recomputed, used } = recomputeStep(facts, at, levels, witness);
  if (bytesEqual(claim, recomputed)) return undefined;
  const needed = levels.map((own): OwnLevel => {
    const { level, index, part, payload } = own;
    return isOpened(level, index, used) ? own : { level, index, part, payload, proof: [] };
  });
  const refutation = {
    run: honest.run,
    address: honest.address ?? addressOf(secret),
    kind: groundOf(facts, placeOf(facts, at)),
    levels: needed,
    witness,
    claimed: claim,
    recomputed,
  };
  return proofOf(facts, [encodeRefutation(facts, refutation, shownGraph(outlineOf(job), facts, at))]);
}

/** The siblings of a leaf, asked from the root down. */
async function proofOfLeaf(prover: TrainingProver, at: Position, { count }: Level, index: number): Promise<Bytes[]> {
  const proof: Bytes[] = [];
  for (let height = heightOf(count); height > 0; height--) {
    const position = Math.floor(index / 2 ** height);
    if (isPromoted(count, height, position)) continue;
    const children = (await prover.answer({ kind: "children", at, height, position }))!;
    proof.unshift(children[1 - (Math.floor(index / 2 ** (height - 1)) % 2)]);
  }
  return proof;
}
