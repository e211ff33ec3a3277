/** Failures of disputes and of verdicts. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const DISPUTE = {
  EQUAL: {
    when: "The two claims are equal, so there is nothing to dispute.",
    remedy: "Check that the right traces or roots are named.",
  },
  DUPLICATE: { when: "A trace is named twice.", remedy: "Name each trace once." },
  JOB: {
    when: "The traces are runs of different jobs.",
    remedy: "Run the job again with the same module, options, data and seed.",
  },
  INTERVAL: {
    when: "The traces commit to their state at different intervals.",
    remedy: "Run one of them again with the other's `--commit-every`.",
  },
  NO_REPLAY: {
    when: "A trace can't be replayed, so its owner can't show what is asked.",
    remedy: "Restore the file that the message names, or use `--recompute operator`.",
  },
  REPLAY_DIFFERS: {
    when: "Replaying a trace gives another state than it commits to.",
    remedy: "Use the backend and the checkpoints of the run.",
  },
  CHANGED: {
    when: "A trace changed while it was disputed.",
    remedy: "Repeat the dispute with files that nobody writes to.",
  },
  PLACE: {
    when: "A question is about a place that does not exist in this dispute.",
    remedy: "Ask about a place that the dispute has come to.",
  },
  ANSWER_MISSING: {
    when: "A party gives no answer to a question.",
    remedy: "Answer it before its time is over; without an answer the party loses.",
  },
  ANSWER_MALFORMED: {
    when: "An answer has not the number or the lengths of parts that were asked for.",
    remedy: "Answer with the prover of this version.",
  },
  ANSWER_WRONG: {
    when: "An answer breaks a rule of the round.",
    remedy: "Answer from the trace that the claim is made from.",
  },
  PROOF_WRONG: {
    when: "What was shown does not hash to what was claimed.",
    remedy: "Restore the trace; a party that shows it loses.",
  },
  LEAF_WRONG: {
    when: "The dispute was not led to the leftmost divergent leaf.",
    remedy: "Do not rely on this record; repeat the dispute.",
  },
  VERDICT_MALFORMED: {
    when: "A verdict's fields are missing, or of another type.",
    remedy: "Write it anew with `verde dispute A B --verdict FILE`.",
  },
  VERDICT_VERSION: {
    when: "A verdict is of a version that this program does not read.",
    remedy: "Write it anew with this version.",
  },
  VERDICT_FOREIGN: {
    when: "A verdict is about other roots, or another job.",
    remedy: "Name the verdict on these claims, and the roots in its order.",
  },
  VERDICT_ALTERED: {
    when: "A verdict says what does not follow from its evidence.",
    remedy: "Do not rely on it; write it anew with `verde dispute A B --verdict FILE`.",
  },
  VERDICT_INCOMPLETE: {
    when: "A verdict lacks evidence for what it says.",
    remedy: "Do not rely on it; write it anew with `verde dispute A B --verdict FILE`.",
  },
  VERDICT_UNCHECKABLE: {
    when: "A verdict rests on the word of the referee that made it.",
    remedy: "Add `--witness` if you were that referee.",
  },
  WITNESS_MISSING: {
    when: "The witness of a scalar step lacks something that the step needs.",
    remedy: "Build it from a trace that can be replayed.",
  },
  WITNESS_WRONG: {
    when: "The witness of a scalar step shows something else than what was agreed.",
    remedy: "Build it from the trace of the claim.",
  },
  WITNESS_EXCESS: {
    when: "The witness shows what the step does not need.",
    remedy: "Build it with the prover of this version.",
  },
  TURN: {
    when: "A move is made that nobody asked for.",
    remedy: "Wait for the other side, or for the end of the game.",
  },
  LATE: { when: "The time for the move was over.", remedy: "Move before the deadline." },
  STUCK: { when: "No side has a move, and the game is not over.", remedy: "Report this with both traces." },
  NO_CLAIM: { when: "The account has no claim before the game.", remedy: "Use the account of the claim." },
  UNKNOWN: { when: "There is no dispute of this number.", remedy: "Look at `verde task show ID`." },
  UNDECIDED: { when: "More claims than one are left.", remedy: "Add verdicts on the claims that are left." },
} as const satisfies SubCodes;

/** A key of `DISPUTE`. */
export type DisputeSubCode = keyof typeof DISPUTE;

/** Two claims that can't be compared, or a party whose answer contradicts what it committed to (spec 7). */
export class DisputeError extends VerdeError<"VERDE_DISPUTE", DisputeSubCode> {
  constructor(subCode: DisputeSubCode, message: string, evidence?: Evidence) {
    super("VERDE_DISPUTE", subCode, message, evidence);
  }
}

export const SECOND_OPINION = {
  DIFFERS: {
    when: "Two implementations follow one Merkle path to different roots: one of them is broken.",
    remedy: "Decide nothing by it; check the installation, and report it with the verdict.",
  },
} as const satisfies SubCodes;

/** Two implementations that have to agree on a Merkle path do not: one of them is broken, so nothing is decided. */
export class SecondOpinionError extends VerdeError<"VERDE_SECOND_OPINION", keyof typeof SECOND_OPINION> {
  constructor(subCode: keyof typeof SECOND_OPINION, message: string, evidence?: Evidence) {
    super("VERDE_SECOND_OPINION", subCode, message, evidence);
  }
}
