/** Failures of what carries messages between machines. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const TRANSPORT = {
  ADDRESS: {
    when: "A text is no address of a network.",
    remedy: "Write `nats://HOST:PORT`, `http://HOST:PORT` or `https://HOST:PORT`.",
  },
  UNREACHABLE: {
    when: "The network, or the one that was asked, can't be reached.",
    remedy: "Check the address, and that the server runs; repeat the command.",
  },
  NOBODY: {
    when: "Nobody on the network answers under this name.",
    remedy: "Check the name, and that the one who answers runs.",
  },
  LATE: { when: "No answer came in time.", remedy: "Ask again, or allow more time." },
  TAKEN: { when: "Somebody answers under this name already.", remedy: "Stop the other process, or use another key." },
  TOO_LARGE: { when: "A message has more bytes than it may have.", remedy: "Send less; the message names the limit." },
  REFUSED: { when: "The one that was asked refuses to answer.", remedy: "Do what its reason says." },
  FOREIGN: {
    when: "A message is not signed by the key that it names.",
    remedy: "Do not rely on it; somebody else has sent it.",
  },
  OFFERS: {
    when: "Fewer providers offer for a task than it has seats.",
    remedy: "Wait longer with `--offers-for`, offer more, or start more providers.",
  },
  SUBJECT: {
    when: "A name on the network has other characters than it may have, or is too long.",
    remedy: "Use letters, digits, `-` and `_`, and dots between the words.",
  },
} as const satisfies SubCodes;

/** A key of `TRANSPORT`. */
export type TransportSubCode = keyof typeof TRANSPORT;

/** Machines can't reach each other, or a message is not what it should be. */
export class TransportError extends VerdeError<"VERDE_TRANSPORT", TransportSubCode> {
  constructor(subCode: TransportSubCode, message: string, evidence?: Evidence) {
    super("VERDE_TRANSPORT", subCode, message, evidence);
  }
}
