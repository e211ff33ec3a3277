/** Failures of rounds: plans of many participants, their records, and the participants. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const ROUNDS = {
  PLAN: {
    when: "The parts of a plan of rounds do not fit together: a role, turn, source or entry that does not exist or has another type.",
    remedy: "Change the part that the message names (docs/rounds.md).",
  },
  RECORD: {
    when: "A folder is no record of rounds, or what it holds does not fit together.",
    remedy: "Restore the folder, or run the plan again into another one.",
  },
  FOREIGN: {
    when: "Two records are not of one plan, or a record is not of the plan that is run.",
    remedy: "Name records of one plan with the same options.",
  },
  SIGNED: {
    when: "A key was asked to sign a second statement for a place that it has signed.",
    remedy: "Find out which machine uses the key beside this one; run the plan as a new instance.",
  },
  UNAVAILABLE: {
    when: "A tensor that a leaf reads is not at hand.",
    remedy: "Restore the blob that the message names, or run the leaf that made it again.",
  },
  PARTICIPANT: {
    when: "A participant in a process of its own has ended, or sends what is no statement of its seat.",
    remedy: "Read what it has written, and run the plan again with the same folder: it continues.",
  },
  QUORUM: {
    when: "Fewer members of a turn have delivered in a round than the plan's quorum.",
    remedy: "See that they run, and continue the record with --resume.",
  },
  STORES: {
    when: "Too few stores have signed that they hold a leaf, or that they have none.",
    remedy: "See that the stores run, and continue the record with --resume.",
  },
  LATE: {
    when: "A leaf came after the recorder had closed its turn without it, so it is refused.",
    remedy:
      "Nothing: the participant takes part again in the next round. If it is often late, give the recorder more --patience.",
  },
  SERVER: {
    when: "What serves a record of rounds is away, or sends something else than was asked for.",
    remedy:
      "See that the recorder serves the record (`verde rounds serve`), and fetch again: what was fetched is kept.",
  },
  HISTORY: {
    when: "A record that is offered is cut, or is another history than that which was fetched before.",
    remedy:
      "Keep the folder, and ask the recorder. What it has signed twice is in evidence.log of the folder, where an audit and a watch find it.",
  },
  LIMIT: {
    when: "A record would take more disk or memory than it may.",
    remedy: "Fetch it with a higher --limit, if the plan is the one that you mean.",
  },
  FAULT: {
    when: "A fault or an absence for a drill is planted in a place that the plan does not have.",
    remedy: "Name a participant, round, turn, step, operator and element of the plan.",
  },
} as const satisfies SubCodes;

/** A key of `ROUNDS`. */
export type RoundsSubCode = keyof typeof ROUNDS;

/** A plan of rounds, its record or one of its participants can't be used. */
export class RoundsError extends VerdeError<"VERDE_ROUNDS", RoundsSubCode> {
  constructor(subCode: RoundsSubCode, message: string, evidence?: Evidence) {
    super("VERDE_ROUNDS", subCode, message, evidence);
  }
}
