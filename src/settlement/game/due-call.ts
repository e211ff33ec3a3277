/** A call of the game, as it is planned, shown and sent. */
import type { Hex } from "viem";

/** A call of the game that is due. */
export interface DueCall {
  what: Step | "multicall";
  data: Hex;
  /** Wei that are sent with it, if any. */
  value?: bigint;
  /** The number of the dispute, if the call belongs to one. */
  dispute?: bigint;
  /** The place of the dispute, or the disputes of several moves, for people. */
  at?: string;
}

type Step = "open" | "pair" | "move" | "prove" | "timeout" | "fall" | "close" | "forfeit" | "settle" | "reclaim";
