/** Failures of disputes and of verdicts. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const DISPUTE = {
  EQUAL: {
    when: "The two claims are equal, so there is nothing to dispute.",
    remedy: "Check that the right traces or roots are named.",
  },
  DUPLICATE: { when: "A trace is named twice, or two parties have one id.", remedy: "Name each once." },
  JOB: {
    when: "The traces are runs of different jobs.",
    remedy: "Run the job again with the same module, options, data and seed.",
  },
  INTERVAL: {
    when: "The traces commit to their state at different intervals.",
    remedy: "Run one of them again with the other's `--commit-every`.",
  },
  REPLAY_DIFFERS: {
    when: "Replaying a trace gives another state than it commits to.",
    remedy: "Use the backend and the checkpoints of the run.",
  },
  OTHER_RUN: {
    when: "A trace or a receipt is about another run than the one that was named.",
    remedy: "Get the trace of that run, or name the other claim.",
  },
  REPLAY: {
    when: "A trace does not lead to the segment that a ruling is about, so it can't be replayed from there.",
    remedy: "Name a trace of the same job that agrees with both claims until then.",
  },
  CHANGED: {
    when: "A trace changed during its dispute.",
    remedy: "Repeat the dispute with files that no other program changes.",
  },
  PLACE: {
    when: "A question is about a place that does not exist in this dispute.",
    remedy: "Ask about a place that the dispute has reached.",
  },
  ANSWER_MISSING: {
    when: "A party gives no answer to a question.",
    remedy: "Answer before the time is over; a party without an answer loses.",
  },
  ANSWER_MALFORMED: {
    when: "The number or the lengths of an answer's parts are not those that the question asks for.",
    remedy: "Use the prover of this version.",
  },
  ANSWER_WRONG: {
    when: "An answer breaks a rule of the round.",
    remedy: "Answer from the trace of the claim.",
  },
  PROOF_WRONG: {
    when: "A party's answer does not hash to its claim.",
    remedy: "Restore the trace; a party that gives such an answer loses.",
  },
  LEAF_WRONG: {
    when: "The dispute does not end at the leftmost divergent leaf.",
    remedy: "Do not rely on this record; repeat the dispute.",
  },
  TRANSCRIPT: {
    when: "A file is not the transcript of a whole dispute.",
    remedy: "Get the whole transcript, as `verde dispute A B --transcript FILE` wrote it.",
  },
  VERDICT_MALFORMED: {
    when: "A field of a verdict is missing or has another type.",
    remedy: "Write it again with `verde dispute A B --verdict FILE`.",
  },
  VERDICT_VERSION: {
    when: "A verdict has a version that this program does not read.",
    remedy: "Write it again with this version.",
  },
  VERDICT_FOREIGN: {
    when: "A verdict is about other roots, or another job.",
    remedy: "Name the verdict about these claims, and the roots in its order.",
  },
  VERDICT_ALTERED: {
    when: "A statement of a verdict does not follow from its evidence.",
    remedy: "Do not rely on it; write it again with `verde dispute A B --verdict FILE`.",
  },
  VERDICT_INCOMPLETE: {
    when: "A verdict has no evidence for a statement.",
    remedy: "Do not rely on it; write it again with `verde dispute A B --verdict FILE`.",
  },
  VERDICT_UNCHECKABLE: {
    when: "A verdict can be checked only by trusting the referee that made it.",
    remedy: "Add `--witness` if you were that referee.",
  },
  WITNESS_MISSING: {
    when: "The one-step proof lacks something that the scalar step needs.",
    remedy: "Build it from a trace that can be replayed.",
  },
  WITNESS_WRONG: {
    when: "The one-step proof contradicts what both parties agreed on.",
    remedy: "Build it from the trace of the claim.",
  },
  WITNESS_EXCESS: {
    when: "The one-step proof holds something that the scalar step does not need.",
    remedy: "Build it with the prover of this version.",
  },
  TURN: {
    when: "A side makes a move that is not due.",
    remedy: "Wait for the other side's move, or for the end of the game.",
  },
  LATE: { when: "The time for the move was over.", remedy: "Move before the deadline." },
  STUCK: { when: "No side has a move, but the game is not over.", remedy: "Report this with both traces." },
  NO_CLAIM: { when: "The account has no claim in the game.", remedy: "Use the account of the claim." },
  UNKNOWN: { when: "There is no dispute with this number.", remedy: "Look at `verde task show ID`." },
  UNDECIDED: { when: "More than one claim is left.", remedy: "Add verdicts about the claims that are left." },
} as const satisfies SubCodes;

/** A key of `DISPUTE`. */
export type DisputeSubCode = keyof typeof DISPUTE;

/** Two claims can't be compared, or a party's answer contradicts its commitment (spec 7). */
export class DisputeError extends VerdeError<"VERDE_DISPUTE", DisputeSubCode> {
  constructor(subCode: DisputeSubCode, message: string, evidence?: Evidence) {
    super("VERDE_DISPUTE", subCode, message, evidence);
  }
}

export const SECOND_OPINION = {
  DIFFERS: {
    when: "Two implementations compute different roots from one Merkle path: one of them is broken.",
    remedy: "Do not use the verdict; check the installation, and report the error with the verdict.",
  },
} as const satisfies SubCodes;

/** Two implementations disagree on a Merkle path. One of them is broken, so nothing is decided. */
export class SecondOpinionError extends VerdeError<"VERDE_SECOND_OPINION", keyof typeof SECOND_OPINION> {
  constructor(subCode: keyof typeof SECOND_OPINION, message: string, evidence?: Evidence) {
    super("VERDE_SECOND_OPINION", subCode, message, evidence);
  }
}
