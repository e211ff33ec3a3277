/**
 * Transcripts as text (spec 7.8): one JSON object in each line. The first line says what the dispute is
 * about, the last one shows the disputed graph.
 */
import { fromHex, toHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { DisputeError, VerdeError } from "../errors/index.ts";
import { bothSides, type Pair } from "../game/level.ts";
import type { JobFacts } from "./facts.ts";
import { type ShownGraph, shownFacts } from "./shown-graph.ts";
import type { Reply, Round, Showing, Transcript } from "./transcript.ts";
import type { GraphEvidence, Hex, JobEvidence } from "./verdict.ts";
import { PARTIES } from "./verdict.ts";
import { readClaim, readGraph, readJob, readPair, whole } from "./verdict-reader.ts";
import { encodeClaim, encodeGraph, encodeJob } from "./verdict-writer.ts";
import { decodeWitness, encodeWitness } from "./witness-codec.ts";

/** Raised when the meaning of a line changes. */
const VERSION = 1;
/** A one-step proof of any place: the place that bounds it is known only after the rounds. */
const ANY_WITNESS = { operands: 0xffff, leaves: ["before", "accumulator", "entry"], bytes: 2 ** 26 } as const;

interface ReplyLine {
  answer: Hex[] | null;
  signature: Hex | null;
  failure: string | null;
}

/** @returns lines, each with a line break at its end */
export function writeTranscript(facts: JobFacts, transcript: Transcript, graph: ShownGraph | undefined): string {
  const { claims, depth, forfeitSilent, rounds, showings } = transcript;
  const lines: unknown[] = [
    {
      schemaVersion: VERSION,
      kind: "transcript",
      ...encodeJob(facts),
      depth,
      forfeitSilent,
      claims: claims.map(encodeClaim),
    },
    ...rounds.map(({ question, replies }) => ({ question, replies: replies.map(replyLine) })),
    ...showings.map((showing) => ({ shown: showingLine(showing) })),
    { graph: graph ? encodeGraph(graph) : null },
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** What a transcript holds, with the facts about the job that it shows. */
export interface ReadTranscript {
  facts: JobFacts;
  graph: ShownGraph | undefined;
  transcript: Transcript;
}

/**
 * @param what names the file, for errors
 * @throws {FormatError | DisputeError} for a text that is no transcript, or is cut
 */
export function readTranscript(text: string, what: string): ReadTranscript {
  try {
    return read(text, what);
  } catch (error) {
    if (error instanceof VerdeError) throw error;
    throw malformed(what, "a field is missing or of another type");
  }
}

function malformed(what: string, problem: string): DisputeError {
  return new DisputeError(
    "TRANSCRIPT",
    `${what} is not a transcript of a dispute: ${problem}; write one with \`verde dispute A B --transcript FILE\``,
    { what },
  );
}

function read(text: string, what: string): ReadTranscript {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw malformed(what, "its last line is cut");
  const [head, ...rest] = lines.map((line, i) => parseJson(line, `${what}, line ${i + 1}`)) as Record<
    string,
    unknown
  >[];
  if (head?.kind !== "transcript" || head.schemaVersion !== VERSION)
    throw malformed(what, `its first line does not say that it is one, of version ${VERSION}`);
  const last = rest.pop();
  if (!last || !("graph" in last)) throw malformed(what, "its last line does not show the graph");
  const { parts, commitEvery } = readJob(head as unknown as JobEvidence);
  const graph = last.graph === null ? undefined : readGraph(last.graph as GraphEvidence);
  const { depth, forfeitSilent } = head;
  if ((depth !== "scalar" && depth !== "operator") || typeof forfeitSilent !== "boolean")
    throw malformed(what, "its first line does not say how the referee decides");
  const rounds: Round[] = [];
  const showings: Showing[] = [];
  for (const line of rest) {
    if ("shown" in line) showings.push(readShowing(line.shown as ShowingLine));
    else if ("question" in line) rounds.push(readRound(line));
    else throw malformed(what, "a line is neither a question nor what was shown at the bottom");
  }
  const claims = readPair(head.claims as Pair<Parameters<typeof readClaim>[0]>, readClaim);
  return {
    facts: shownFacts(parts, commitEvery, graph),
    graph,
    transcript: { claims, depth, forfeitSilent, rounds, showings },
  };
}

function replyLine({ answer, signature, failure }: Reply): ReplyLine {
  return {
    answer: answer ? answer.map(toHex) : null,
    signature: signature ? toHex(signature) : null,
    failure: failure ?? null,
  };
}

function readReply({ answer, signature, failure }: ReplyLine): Reply {
  return {
    ...(answer && { answer: answer.map((hex) => fromHex(hex)) }),
    ...(signature && { signature: fromHex(signature) }),
    ...(typeof failure === "string" && { failure }),
  };
}

function readRound({ question, replies }: Record<string, unknown>): Round {
  const { kind, at, height, position } = question as Round["question"];
  const leaves = at.map(({ level, index, part }) => ({ level: String(level), index: whole(index), part: whole(part) }));
  const asked = { kind: String(kind) as typeof kind, at: leaves, height: whole(height), position: whole(position) };
  return { question: asked, replies: readPair(replies as Pair<ReplyLine>, readReply) };
}

function showingLine({ by, witness, recomputed, seen, failure, isWrong = false }: Showing) {
  return {
    by: PARTIES[by],
    witness: witness ? toHex(encodeWitness(witness)) : null,
    recomputed: recomputed ? toHex(recomputed) : null,
    seen: seen ? { element: seen.element, claimed: seen.claimed.map(toHex), recomputed: toHex(seen.recomputed) } : null,
    failure: failure ?? null,
    isWrong,
  };
}

type ShowingLine = ReturnType<typeof showingLine>;

function readShowing({ by, witness, recomputed, seen, failure, isWrong }: ShowingLine): Showing {
  const shown = witness === null ? undefined : decodeWitness(fromHex(witness), ANY_WITNESS);
  return {
    by: PARTIES.indexOf(by) === 0 ? 0 : 1,
    ...(shown && { witness: shown }),
    ...(recomputed && { recomputed: fromHex(recomputed, 32) }),
    ...(seen && {
      seen: {
        element: seen.element,
        claimed: bothSides((side) => fromHex(seen.claimed[side], 4)),
        recomputed: fromHex(seen.recomputed, 4),
      },
    }),
    ...(typeof failure === "string" && { failure }),
    ...(isWrong && { isWrong }),
  };
}
