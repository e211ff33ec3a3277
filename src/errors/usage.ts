/** Failures of a command line or of a call's arguments. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const USAGE = {
  SYNTAX: {
    when: "An unknown command or option, a missing argument, or words that are not options.",
    remedy: "Look at `verde COMMAND --help`.",
  },
  VALUE: {
    when: "An option, or an argument of a call, has a value that it does not take.",
    remedy: "Write it in the form that the message names.",
  },
  CONFLICT: {
    when: "Options exclude each other, or one is missing that another needs.",
    remedy: "Leave out or add the option that the message names.",
  },
  EXISTS: { when: "A file would be overwritten.", remedy: "Choose another name, or move the file away." },
  UNKNOWN: {
    when: "There is nothing of this name: no such backend, tensor, chunk or state.",
    remedy: "Choose from the names in the message.",
  },
  AMBIGUOUS: { when: "Several things could be meant.", remedy: "Choose one of them." },
  NOTHING_CHOSEN: { when: "No trace is among the files that were chosen.", remedy: "Choose the trace itself." },
  UNREADABLE: { when: "A file that was chosen can't be read.", remedy: "Choose it again." },
  MODULE: {
    when: "A module of a backend can't be loaded, or exports none.",
    remedy: "Repair the module (docs/guides/port-a-backend.md).",
  },
  STEPS: { when: "The steps are not in the trace.", remedy: "Take steps from the range in the message." },
  FOREIGN: {
    when: "A file or an account belongs to something else than what was named.",
    remedy: "Name the file, account, task or option that belongs.",
  },
  NOT_ENOUGH: {
    when: "There are fewer signatures than the committee asks for.",
    remedy: "Collect the signatures of more members.",
  },
  NO_NODE: {
    when: "Something that needs Node is asked of a browser, such as reading a file by its path.",
    remedy: "In a browser run without `out`, and read traces from blobs.",
  },
  NO_EFFECT: {
    when: "A planted fault changed nothing, so there is nothing to find.",
    remedy: "Plant another fault, or train with other data.",
  },
} as const satisfies SubCodes;

/** A key of `USAGE`. */
export type UsageSubCode = keyof typeof USAGE;

/** A command line or an option that can't be carried out as it was written. */
export class UsageError extends VerdeError<"VERDE_USAGE", UsageSubCode> {
  constructor(subCode: UsageSubCode, message: string, evidence?: Evidence) {
    super("VERDE_USAGE", subCode, message, evidence);
  }
}
