/**
 * The transcript of a dispute: every question, and what both parties replied. It is enough to derive the
 * verdict again (spec 7.8).
 */
import type { RunClaim } from "../claims/claim.ts";
import type { Bytes } from "../encoding/bytes.ts";
import type { Answer, Pair, Side } from "../game/level.ts";
import type { Question } from "../game/question.ts";
import type { Depth } from "./machine.ts";
import type { Decision } from "./decision.ts";
import type { Witness } from "./witness.ts";

/** What one party gave when it was asked. */
export interface Reply {
  /** Absent if the party gave none. */
  readonly answer?: Answer;
  /** The party's signature of the opening, 65 bytes, if the question was about a tree that is signed. */
  readonly signature?: Bytes;
  /** Why there is no answer, or no signature, as far as the party or the clock says it. */
  readonly failure?: string;
}

/** One question, and both replies. */
export interface Round {
  readonly question: Question;
  readonly replies: Pair<Reply>;
}

/** What was shown at the bottom, or why nothing was. */
export interface Showing {
  readonly by: Side;
  readonly witness?: Witness;
  /**
   * The root that the referee computed from the inputs that this party showed, if it recomputed an operator.
   */
  readonly recomputed?: Bytes;
  /** The first element that differs, if a whole operator was recomputed and both showed their outputs. */
  readonly seen?: Decision["seen"];
  readonly failure?: string;
  /** Whether the party showed something that is wrong, instead of nothing. */
  readonly isWrong?: boolean;
}

/** All that the parties said. */
export interface Transcript {
  readonly claims: Pair<RunClaim>;
  readonly depth: Depth;
  readonly forfeitSilent: boolean;
  readonly rounds: readonly Round[];
  readonly showings: readonly Showing[];
}
