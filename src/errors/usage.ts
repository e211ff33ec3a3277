/** Failures of a command line or of a call's arguments. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const USAGE = {
  SYNTAX: {
    when: "An unknown command or option, a missing argument, or words that are neither.",
    remedy: "Look at `verde COMMAND --help`.",
  },
  VALUE: {
    when: "An option, or an argument of a call, has a value that it does not accept.",
    remedy: "Write it in the form that the message names.",
  },
  CONFLICT: {
    when: "Options exclude each other, or an option is missing that another one needs.",
    remedy: "Remove or add the option that the message names.",
  },
  EXISTS: { when: "A file would be overwritten.", remedy: "Choose another name, or move the file away." },
  UNKNOWN: {
    when: "There is nothing with this name: no such backend, tensor, chunk or state.",
    remedy: "Choose from the names in the message.",
  },
  AMBIGUOUS: { when: "The name fits several things.", remedy: "Choose one of them." },
  NOTHING_CHOSEN: { when: "There is no trace among the chosen files.", remedy: "Choose the trace itself." },
  UNREADABLE: { when: "A chosen file can't be read.", remedy: "Choose it again." },
  MODULE: {
    when: "The module of a backend can't be loaded, or exports no backend.",
    remedy: "Repair the module (docs/guides/port-a-backend.md).",
  },
  STEPS: { when: "The training steps are not in the trace.", remedy: "Take steps from the range in the message." },
  FOREIGN: {
    when: "A file or an account does not belong to what was named.",
    remedy: "Name the file, account, task or option that belongs to it.",
  },
  NOT_ENOUGH: {
    when: "There are fewer signatures than the committee requires.",
    remedy: "Collect the signatures of more members.",
  },
  NO_NODE: {
    when: "A browser is asked for something that needs Node, such as reading a file by its path.",
    remedy: "In a browser run without `out`, and read traces from blobs.",
  },
  NO_EFFECT: {
    when: "A planted fault changed nothing, so there is nothing to find.",
    remedy: "Plant another fault, or train with other data.",
  },
} as const satisfies SubCodes;

/** A key of `USAGE`. */
export type UsageSubCode = keyof typeof USAGE;

/** A command line or an option can't be executed as written. */
export class UsageError extends VerdeError<"VERDE_USAGE", UsageSubCode> {
  constructor(subCode: UsageSubCode, message: string, evidence?: Evidence) {
    super("VERDE_USAGE", subCode, message, evidence);
  }
}
