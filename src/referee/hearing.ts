/**
 * The course of a dispute (spec 7.2): question by question to the bottom, and the decision there. It does not
 * know whether the replies come from parties or from a transcript.
 */
import type { RunClaim } from "../claims/claim.ts";
import { openingDigest } from "../claims/opening.ts";
import { isSignedBy } from "../claims/signature.ts";
import type { Bytes } from "../encoding/bytes.ts";
import { messageOf, VerdeError } from "../errors/index.ts";
import {
  advance,
  type Bottom,
  type Forfeit,
  isRunning,
  objection,
  question,
  type RunningGame,
  startGame,
} from "../game/bisection.ts";
import {
  bothSides,
  openClaim,
  type Pair,
  type Passed,
  positionKey,
  positionOf,
  type Side,
  SIDES,
} from "../game/level.ts";
import type { Decision, Undecided } from "./decision.ts";
import type { JobFacts } from "./facts.ts";
import { compare, groundOf, judge } from "./judge.ts";
import { type Depth, trainingMachine } from "./machine.ts";
import { isSigned, openingPlace } from "./opening.ts";
import { placeOf } from "./place.ts";
import type { Reply, Showing } from "./transcript.ts";
import type { Question } from "../game/question.ts";

/** Where the replies come from. */
export interface Source {
  /** @param signed whether the question is about an opening that has to be signed */
  ask(question: Question, signed: boolean): Promise<Pair<Reply>>;
  /** What a side shows at the bottom: the one-step proof. */
  showStep(side: Side, path: readonly Passed[]): Promise<Showing>;
  /** The operator's output, recomputed from the inputs that a side shows. */
  showOperator(side: Side, path: readonly Passed[]): Promise<Showing>;
}

/** How a hearing is conducted. */
export interface Rules {
  readonly depth: Depth;
  /** Whether a party without an answer loses. If not, nothing is decided. */
  readonly forfeitSilent: boolean;
}

/** Signatures of the openings, by the place of the tree. */
type Signatures = Map<string, Pair<Bytes | undefined>>;

/**
 * @throws {DisputeError} when the claims are equal
 */
export async function hear(
  facts: JobFacts,
  claims: Pair<RunClaim>,
  source: Source,
  rules: Rules,
): Promise<Decision | Undecided> {
  const signatures: Signatures = new Map();
  const machine = trainingMachine(facts, rules.depth);
  const roots = bothSides((side) => claims[side].run);
  let state = startGame(machine, roots);
  while (isRunning(state)) {
    const asked = question(state);
    const needsSignature = asked.kind === "opening" && isSigned(state.level);
    const replies = await source.ask(asked, needsSignature);
    const wrong = bothSides(
      (side) => replies[side].answer && objection(state as RunningGame, side, replies[side].answer),
    );
    const silent = bothSides((side) => (replies[side].answer ? undefined : silence(asked, replies[side])));
    if ([...wrong, ...silent].some((reason) => reason !== undefined))
      return closed(state.path, signatures, wrong, silent, rules);
    if (needsSignature)
      signatures.set(
        positionKey(asked.at),
        bothSides((side) => validSignature(facts, claims[side], state as RunningGame, side, replies[side])),
      );
    state = advance(
      machine,
      state,
      bothSides((side) => replies[side].answer),
    );
  }
  return atBottom(facts, state, signatures, source, rules);
}

function silence({ kind }: Question, { failure }: Reply): string {
  return failure || `no answer to the question for the ${kind}`;
}

/** A party that answers wrongly loses. A party that does not answer loses only if the rules say so. */
function closed(
  path: readonly Passed[],
  signatures: Signatures,
  wrong: Pair<string | undefined>,
  silent: Pair<string | undefined>,
  { forfeitSilent }: Rules,
): Decision | Undecided {
  const reasons = bothSides((side) => wrong[side] ?? (forfeitSilent ? silent[side] : undefined));
  const losers = SIDES.filter((side) => reasons[side] !== undefined);
  if (losers.length === 0) return { kind: "undecided", path, reasons: silent };
  return { kind: "forfeit", path, losers, reasons, signatures: signaturesOf(path, signatures) };
}

/** The signature of an opening, if it is valid and by the key of the claim. */
function validSignature(
  facts: JobFacts,
  { run, address }: RunClaim,
  { level, claims, path }: RunningGame,
  side: Side,
  { answer, signature }: Reply,
): Bytes | undefined {
  if (!address || !signature) return undefined;
  const root = openClaim(level, claims[side], answer!);
  const digest = openingDigest({ run, ...openingPlace(facts, positionOf(path)), root });
  return isSignedBy(address, digest, signature) ? signature : undefined;
}

function signaturesOf(path: readonly Passed[], signatures: Signatures): Pair<Bytes | undefined>[] {
  const at = positionOf(path);
  return path.map((_, depth) => signatures.get(positionKey(at.slice(0, depth))) ?? [undefined, undefined]);
}

/** The evidence is agreed, so one party is enough to show it. */
async function atBottom(
  facts: JobFacts,
  { path }: Bottom | Forfeit,
  signatures: Signatures,
  source: Source,
  rules: Rules,
): Promise<Decision | Undecided> {
  const kind = groundOf(facts, placeOf(facts, positionOf(path)));
  const isOperator = kind === "scalar" && rules.depth === "operator";
  const head = { path, signatures: signaturesOf(path, signatures) };
  if (kind === "checkpoint")
    return { ...head, kind, ...judge(facts, path, { operands: [] }, 0), witness: { operands: [] }, shownBy: 0 };
  const wrong: [string | undefined, string | undefined] = [undefined, undefined];
  const silent: [string | undefined, string | undefined] = [undefined, undefined];
  for (const side of SIDES) {
    const showing = isOperator ? await source.showOperator(side, path) : await source.showStep(side, path);
    const { witness, recomputed, seen, failure, isWrong } = showing;
    if (isOperator && recomputed) {
      const judgement = compare(path[path.length - 1].payloads, { recomputed });
      return { ...head, kind: "operator", ...judgement, recomputed, ...(seen && { seen }) };
    }
    if (!isOperator && witness) {
      const judgement = attempt(() => judge(facts, path, witness, side));
      if (typeof judgement !== "string") return { ...head, kind, ...judgement, witness, shownBy: side };
      wrong[side] = judgement;
    } else if (isWrong) wrong[side] = failure ?? "what it shows at the bottom does not hold";
    else silent[side] = failure || "no answer to the question for the operands";
  }
  return closed(path, signatures, wrong, silent, rules);
}

/** The result of `make`, or the reason why the evidence does not hold. */
export function attempt<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof VerdeError) return messageOf(error);
    // What a party gives may lack any field, or have any type there.
    if (error instanceof TypeError || error instanceof RangeError) return `it is malformed: ${messageOf(error)}`;
    throw error;
  }
}
