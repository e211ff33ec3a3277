/**
 * Checks a ruling (spec 7.7): that it is about these claims, and that the referee that it names has signed
 * it. Whether it is right rests on the referee's word.
 */
import type { RunClaim } from "../claims/claim.ts";
import { isSignedBy } from "../claims/signature.ts";
import { type Bytes, bytesEqual, fromHex, toHex } from "../encoding/bytes.ts";
import type { ClimbLeaf } from "../encoding/merkle.ts";
import { checkPassed, type Pair, type Side } from "../game/level.ts";
import { topOf } from "../game/question.ts";
import { jobIdOf } from "../job/closed.ts";
import type { DecisionKind, DisputedOperator, Location } from "./decision.ts";
import type { JobFacts } from "./facts.ts";
import { trainingMachine } from "./machine.ts";
import { shownFacts } from "./shown-graph.ts";
import { PARTIES, type Ruling, type SegmentEvidence } from "./verdict.ts";
import {
  differingField,
  digest,
  digests,
  invalid,
  readClaim,
  readJob,
  readAddress,
  readPair,
  whole,
} from "./verdict-reader.ts";
import { encodeClaim, encodeJob, rulingDigest } from "./verdict-writer.ts";

/** The first segment after which the runs differ. */
export interface DisputedSegment {
  index: number;
  /** What each side claims the state after it to be. */
  leaves: Pair<Bytes>;
  proofs: Pair<readonly Bytes[]>;
}

export interface CheckedRuling extends Location {
  claims: Pair<RunClaim>;
  losers: Side[];
  reasons: Pair<string | null>;
  claimed?: Pair<Bytes>;
  recomputed?: Bytes;
  /** The address of the referee that signed. Absent if nobody did: then anybody may have written the file. */
  referee?: Bytes;
  segment?: DisputedSegment;
  job: Bytes;
  /** The number of training steps in a segment of both runs. */
  commitEvery: number;
  /** SHA-256 of the transcript. */
  transcript: Bytes;
}

/** Where the referee says that the runs differ. Only the form can be checked. */
function readLocation({ step, operator, element, fold }: Location): Location {
  const text = (value: unknown): string => String(value);
  return {
    step: step === null ? null : whole(step),
    operator: operator && {
      number: whole(operator.number),
      kind: text(operator.kind) as DisputedOperator["kind"],
      label: text(operator.label),
    },
    element: element && element.map(whole),
    fold: fold === null ? null : whole(fold),
  };
}

/** The ruling as a referee writes it: it has these fields and no others. */
function canonical(ruling: Ruling, facts: JobFacts): Ruling {
  const { claims, decision, segment, transcript, referee, signature } = ruling;
  const { kind, claimed, recomputed, losers, reasons } = decision;
  const hex = (text: string): string => toHex(fromHex(text));
  const text = (reason: string | null): string | null => (reason === null ? null : String(reason));
  return {
    schemaVersion: ruling.schemaVersion,
    kind: "ruling",
    ...encodeJob(facts),
    claims: [encodeClaim(readClaim(claims[0])), encodeClaim(readClaim(claims[1]))],
    decision: {
      kind: String(kind) as DecisionKind,
      ...readLocation(decision),
      claimed: claimed && [hex(claimed[0]), hex(claimed[1])],
      recomputed: recomputed && hex(recomputed),
      losers: losers.map((party) => String(party) as typeof party),
      reasons: [text(reasons[0]), text(reasons[1])],
    },
    segment: segment && {
      index: whole(segment.index),
      trees: [hex(segment.trees[0]), hex(segment.trees[1])],
      leaves: [hex(segment.leaves[0]), hex(segment.leaves[1])],
      proofs: [segment.proofs[0].map(hex), segment.proofs[1].map(hex)],
    },
    transcript: hex(transcript),
    referee: referee && String(referee),
    signature: signature && hex(signature),
  };
}

/** @throws {DisputeError} that names the first thing that does not hold */
export function checkRuling(ruling: Ruling, climb: ClimbLeaf): CheckedRuling {
  const { parts, commitEvery } = readJob(ruling);
  const claims = readPair(ruling.claims, readClaim);
  if (bytesEqual(claims[0].run, claims[1].run))
    throw invalid("EQUAL", "the two run roots are equal; there is nothing to decide");
  const { referee, signature, ...statement } = ruling;
  const { decision } = ruling;
  const losers = decision.losers.map((party) => PARTIES.indexOf(party));
  if (losers.length === 0 || losers.some((side, i) => side < 0 || side <= (losers[i - 1] ?? -1)))
    throw invalid("VERDICT_MALFORMED", "the verdict does not say which party is wrong");
  const address = referee === null ? undefined : readAddress(referee);
  if ((address === undefined) !== (signature === null))
    throw invalid("VERDICT_MALFORMED", "a ruling names its referee and is signed, or neither");
  if (address && !isSignedBy(address, rulingDigest(statement), fromHex(signature!)))
    throw invalid("VERDICT_ALTERED", "the ruling is not what the referee signed: it was altered, so do not rely on it");
  const facts = shownFacts(parts, commitEvery, undefined);
  const field = differingField(canonical(ruling, facts), ruling, "verdict");
  if (field) throw invalid("VERDICT_ALTERED", `${field} is not as a ruling has it`, { field });
  const { claimed, recomputed } = decision;
  return {
    ...readLocation(decision),
    claims,
    losers: losers as Side[],
    reasons: readPair(decision.reasons, (reason) => (typeof reason === "string" ? reason : null)),
    ...(claimed && { claimed: readPair(claimed, (hex) => fromHex(hex)) }),
    ...(recomputed && { recomputed: fromHex(recomputed) }),
    ...(address && { referee: address }),
    ...(ruling.segment && { segment: readSegment(ruling.segment) }),
    job: jobIdOf(parts),
    commitEvery,
    transcript: digest(ruling.transcript),
  };

  /** The leaves are proven to both run roots, so that a replay can decide between them. */
  function readSegment(evidence: SegmentEvidence): DisputedSegment {
    const proofs = readPair(evidence.proofs, digests);
    const record = {
      index: whole(evidence.index),
      openings: readPair(evidence.trees, (root) => [digest(root)]),
      payloads: readPair(evidence.leaves, digest),
      proofs,
    };
    const roots = [claims[0].run, claims[1].run] as const;
    const { index, payloads } = checkPassed(topOf(trainingMachine(facts)), roots, record, climb);
    return { index, leaves: payloads, proofs };
  }
}
