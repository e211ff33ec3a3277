/** From what was said to a verdict (spec 7.7, 7.8). The same words always give the same verdict. */
import type { RunClaim } from "../claims/claim.ts";
import { formatAddress } from "../claims/claim.ts";
import { type Bytes, toHex } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { DisputeError } from "../errors/index.ts";
import { type Pair, positionOf, type Side, SIDES } from "../game/level.ts";
import type { Question } from "../game/question.ts";
import type { Decision, Undecided } from "./decision.ts";
import type { SignedOpening } from "./equivocation.ts";
import type { JobFacts } from "./facts.ts";
import { hear, type Source } from "./hearing.ts";
import { openingPlace } from "./opening.ts";
import { refutationOf } from "./refutation.ts";
import type { ShownGraph } from "./shown-graph.ts";
import type { Reply, Showing, Transcript } from "./transcript.ts";
import { type ReadTranscript, readTranscript, writeTranscript } from "./transcript-file.ts";
import type { Verdict } from "./verdict.ts";
import { encodeRefutation, proofOf, rulingDigest, statementOf } from "./verdict-writer.ts";

/** Signs rulings. */
export interface RefereeKey {
  /** 20 bytes. */
  readonly address: Bytes;
  /** @returns 65 bytes */
  sign(digest: Bytes): Promise<Bytes>;
}

/** What a verdict is made from. */
export interface Concluded {
  facts: JobFacts;
  graph: ShownGraph | undefined;
  transcript: Transcript;
  decision: Decision;
}

/** The verdict, the text of the transcript that it follows from, and the losers that it refutes. */
export interface Conclusion {
  verdict: Verdict;
  transcript: string;
  /** The losers whose claims the verdict proves wrong. Empty for a ruling. */
  proven: readonly Side[];
}

/**
 * A proof for every loser that can be refuted from what it said itself. If there is none, a ruling.
 * @param referee gives the key that signs a ruling. Without it, a ruling is nobody's word.
 */
export async function conclude(
  concluded: Concluded,
  referee?: () => Promise<RefereeKey | undefined>,
): Promise<Conclusion> {
  const { facts, graph, transcript, decision } = concluded;
  const text = writeTranscript(facts, transcript, graph);
  const { claims } = transcript;
  const refutations = decision.losers.map((side) => ({ side, refutation: refutationOf(decision, side, claims) }));
  const refuted = refutations.flatMap(({ refutation }) =>
    refutation ? [encodeRefutation(facts, refutation, graph)] : [],
  );
  const proven = refutations.flatMap(({ side, refutation }) => (refutation ? [side] : []));
  if (refuted.length > 0) return { verdict: proofOf(facts, refuted), transcript: text, proven };
  const statement = statementOf(facts, claims, decision, decision.losers, sha256(new TextEncoder().encode(text)));
  const key = await referee?.();
  const signature = key && (await key.sign(rulingDigest(statement)));
  const by = { referee: key ? formatAddress(key.address) : null };
  return { verdict: { ...statement, ...by, signature: signature ? toHex(signature) : null }, transcript: text, proven };
}

/**
 * What a dispute ended with, derived again from its transcript.
 * @throws {DisputeError} when the transcript is not that of a whole dispute
 */
async function findingOf({ facts, transcript }: ReadTranscript): Promise<Decision | Undecided> {
  const { claims, depth, forfeitSilent } = transcript;
  return hear(facts, claims, new Recorded(transcript), { depth, forfeitSilent });
}

/**
 * The verdict that follows from a transcript. A ruling is not signed.
 * @returns nothing if the dispute was undecided
 * @throws {FormatError | DisputeError} for a text that is not the transcript of a whole dispute
 */
export async function concludeFrom(text: string, what: string): Promise<Conclusion | undefined> {
  const read = readTranscript(text, what);
  const decision = await findingOf(read);
  return decision.kind === "undecided" ? undefined : conclude({ ...read, decision });
}

/** The openings that both sides have signed on the way to a decision. */
export function openingsIn(facts: JobFacts, claims: Pair<RunClaim>, { path, signatures }: Decision): SignedOpening[] {
  const at = positionOf(path);
  return signatures.flatMap((pair, depth) =>
    SIDES.flatMap((side) => {
      const { run, address } = claims[side];
      const signature = pair[side];
      if (!address || !signature) return [];
      return [{ run, address, signature, ...openingPlace(facts, at.slice(0, depth)), root: path[depth].roots[side] }];
    }),
  );
}

/** Replies from a transcript, in their order. */
class Recorded implements Source {
  private readonly transcript: Transcript;
  private round = 0;
  private showing = 0;

  constructor(transcript: Transcript) {
    this.transcript = transcript;
  }

  async ask(question: Question): Promise<Pair<Reply>> {
    const round = this.transcript.rounds[this.round++];
    if (!round || JSON.stringify(round.question) !== JSON.stringify(question))
      throw new DisputeError(
        "TRANSCRIPT",
        `the transcript does not hold question ${this.round} of the dispute (${question.kind}); get the whole transcript`,
        { question },
      );
    return round.replies;
  }

  async showStep(side: Side): Promise<Showing> {
    return this.next(side);
  }

  async showOperator(side: Side): Promise<Showing> {
    return this.next(side);
  }

  private next(side: Side): Showing {
    const showing = this.transcript.showings[this.showing++];
    if (!showing || showing.by !== side)
      throw new DisputeError(
        "TRANSCRIPT",
        "the transcript does not hold what was shown at the bottom of the dispute; get the whole transcript",
      );
    return showing;
  }
}
