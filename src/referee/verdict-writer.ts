/** Writes verdicts as JSON (spec 7.7). */
import { formatAddress, type RunClaim } from "../claims/claim.ts";
import { digestOf, type SentenceKind } from "../claims/typed-data.ts";
import { type Bytes, fromHex, toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import type { Pair, Side } from "../game/level.ts";
import { bothSides, positionOf } from "../game/level.ts";
import type { Decision } from "./decision.ts";
import { locate } from "./decision.ts";
import type { Equivocation } from "./equivocation.ts";
import type { JobFacts } from "./facts.ts";
import type { OwnLevel, Refutation } from "./refutation.ts";
import { positionIn } from "./refutation.ts";
import type { ShownGraph } from "./shown-graph.ts";
import type {
  ClaimEvidence,
  EquivocationRefuted,
  GraphEvidence,
  Hex,
  JobEvidence,
  LeafEvidence,
  LevelEvidence,
  Proof,
  Refuted,
  Ruling,
  SegmentEvidence,
  StepRefuted,
  WitnessEvidence,
} from "./verdict.ts";
import { PARTIES, VERDICT_VERSION } from "./verdict.ts";
import type { AgreedLeaf, ElementProof, Witness } from "./witness.ts";

const pairOf = <T, U>([a, b]: Pair<T>, encode: (value: T) => U): [U, U] => [encode(a), encode(b)];
const hexes = (parts: readonly Bytes[]): Hex[] => parts.map(toHex);

/** @param refuted one or two claims */
export function proofOf(facts: JobFacts, refuted: readonly Refuted[]): Proof {
  return { schemaVersion: VERDICT_VERSION, kind: "proof", ...encodeJob(facts), refuted: [...refuted] };
}

export function encodeJob({ parts, commitEvery }: JobFacts): JobEvidence {
  const { info, step, initKind, init, dataset, lists, steps } = parts;
  return {
    job: {
      info: toHex(info),
      step: toHex(step),
      initKind,
      init: toHex(init),
      dataset: toHex(dataset),
      ...(lists && { lists: [...lists] }),
      steps,
    },
    commitEvery,
  };
}

export function encodeRefutation(facts: JobFacts, refutation: Refutation, graph: ShownGraph | undefined): StepRefuted {
  const { run, address, kind, levels, witness, claimed, recomputed } = refutation;
  return {
    run: toHex(run),
    address: address ? formatAddress(address) : null,
    ground: address ? "signature" : "root",
    levels: levels.map(encodeLevel),
    graph: graph ? encodeGraph(graph) : null,
    witness: encodeWitness(witness),
    decision: { kind, ...locate(facts, positionIn(levels)), claimed: toHex(claimed), recomputed: toHex(recomputed) },
  };
}

export function encodeEquivocation({ run, address, place, roots, signatures }: Equivocation): EquivocationRefuted {
  const { tree, segment, step, kernel, element } = place;
  return {
    run: toHex(run),
    address: formatAddress(address),
    ground: "equivocation",
    place: { tree, segment, step, operator: kernel, element },
    roots: pairOf(roots, toHex),
    signatures: pairOf(signatures, toHex),
  };
}

/** What a ruling holds beside the referee's name. */
export type Statement = Omit<Ruling, "referee" | "signature">;

/** @param transcript SHA-256 of the transcript */
export function statementOf(
  facts: JobFacts,
  claims: Pair<RunClaim>,
  decision: Decision,
  losers: readonly Side[],
  transcript: Bytes,
): Statement {
  const { kind, path, claimed, recomputed, reasons, signatures } = decision;
  // A key is named only if it has said something.
  const said = bothSides(
    (side): RunClaim => (signatures.some((pair) => pair[side]) ? claims[side] : { run: claims[side].run }),
  );
  return {
    schemaVersion: VERDICT_VERSION,
    kind: "ruling",
    ...encodeJob(facts),
    claims: pairOf(said, encodeClaim),
    decision: {
      kind,
      ...locate(facts, positionOf(path)),
      claimed: claimed ? pairOf(claimed, toHex) : null,
      recomputed: recomputed ? toHex(recomputed) : null,
      losers: losers.map((side) => PARTIES[side]),
      reasons: [reasons?.[0] ?? null, reasons?.[1] ?? null],
    },
    segment: path.length > 0 ? segmentOf(path[0]) : null,
    transcript: toHex(transcript),
  };
}

const RULING: SentenceKind = {
  domain: "Verde ruling",
  type: "Ruling(bytes32 runA,bytes32 runB,uint8 losers,bytes32 transcript,bytes32 statement)",
};

/** The 32 bytes that a referee signs. The last of the fields is the hash of the whole statement. */
export function rulingDigest(statement: Statement): Bytes {
  const { claims, decision, transcript } = statement;
  const losers = decision.losers.reduce((bits, party) => bits | (1 << PARTIES.indexOf(party)), 0);
  const text = new TextEncoder().encode(JSON.stringify(statement));
  const [a, b] = claims.map(({ run }) => fromHex(run, 32));
  return digestOf(RULING, [a, b, losers, fromHex(transcript, 32), sha256(text)]);
}

export function encodeClaim({ run, address }: RunClaim): ClaimEvidence {
  return { run: toHex(run), address: address ? formatAddress(address) : null };
}

function segmentOf({ index, roots, payloads, proofs }: Decision["path"][number]): SegmentEvidence {
  return { index, trees: pairOf(roots, toHex), leaves: pairOf(payloads, toHex), proofs: pairOf(proofs, hexes) };
}

function encodeLevel({ level, index, part, opening, payload, proof, signature }: OwnLevel): LevelEvidence {
  return {
    level: level.name,
    index,
    count: level.count,
    part,
    opening: opening ? hexes(opening) : null,
    payload: toHex(payload),
    proof: hexes(proof),
    signature: signature ? toHex(signature) : null,
  };
}

export function encodeGraph({ header, kernels, labels, kernel }: ShownGraph): GraphEvidence {
  return {
    header: toHex(header),
    operators: toHex(kernels),
    labels: toHex(labels),
    operator: kernel
      ? {
          descriptor: toHex(kernel.descriptor),
          proof: hexes(kernel.proof),
          label: kernel.label,
          labelProof: hexes(kernel.labelProof),
        }
      : null,
  };
}

function encodeWitness({ before, accumulator, entry, operands }: Witness): WitnessEvidence {
  const leaf = (value: AgreedLeaf | undefined): LeafEvidence | null =>
    value ? { payload: toHex(value.payload), proof: hexes(value.proof) } : null;
  return {
    preState: leaf(before),
    accumulator: leaf(accumulator),
    entry: leaf(entry),
    operands: operands.map(({ type, chunk, chunkProof, proof }: ElementProof) => ({
      type: { dtype: type.dtype, shape: type.shape },
      chunk: toHex(chunk),
      chunkProof: hexes(chunkProof),
      proof: hexes(proof),
    })),
  };
}
