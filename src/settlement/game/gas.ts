/**
 * Estimates the gas of a dispute's transactions from what they show (contracts/game/Bisection.sol). A test
 * compares the estimate with disputes that are played.
 */
import { heightOf } from "../../encoding/merkle.ts";
import type { Passage } from "../../referee/course.ts";
import type { LevelName } from "../../referee/place.ts";
import { isPromoted, type Level, openingLengths } from "../../game/level.ts";
import { type Below, belowNode } from "./round.ts";

/** The gas of opening a bracket, pairing two players, and reporting the losers to the task at the end. */
export const FRAME = { open: 90_000, pair: 80_000, close: 105_000 } as const;
/** The gas of all of them. */
export const FRAME_GAS = FRAME.open + FRAME.pair + FRAME.close;
/** The number of these transactions. */
export const FRAME_TRANSACTIONS = Object.keys(FRAME).length;
/** The gas of a move down two levels of a tree, from four nodes to four nodes. */
const PLAIN_GAS = 38_750;
/** The gas of any other move, without what it shows. */
const TURN_GAS = 50_100;
/** The gas for each word of what the move replies to, of the reply, and of what it shows next. */
const WORD_GAS = 990;
/** The gas for the proofs of the job's facts about the level that is entered. */
const ENTRY_GAS = {
  step: 7_700,
  operator: 19_000,
  state: 7_700,
  chunk: 19_300,
  fold: 7_700,
} as const satisfies Record<Exclude<LevelName, "segment">, number>;

/** What one move shows, and what the next move replies to it. */
export interface PlannedRound {
  readonly kind: "opening" | "children" | "payload";
  readonly level: string;
  /** The height of the node below which nodes are shown. 0 for payloads. */
  readonly height: number;
  /** The bytes that are shown. */
  readonly bytes: number;
  /** The bytes of the other side's reply. */
  readonly replyBytes: number;
  /** Whether four nodes of an open tree are shown, and no payloads. */
  readonly plain: boolean;
}

/** What the two sides show each other while a level is passed. */
export function roundsOf({ level, index }: Passage): PlannedRound[] {
  const { count, binding } = level;
  const isLast = binding.kind === "last";
  if (isLast && count === 1) return [];
  const known = isLast && index === count - 1;
  const rounds: PlannedRound[] = [];
  let height = heightOf(count);
  let below = belowNode(level, height, 0);
  rounds.push(planned("opening", level, height, below, known));
  for (;;) {
    if (height > 0) height = below.floor;
    while (height > 0 && isPromoted(count, height, index >> height)) height--;
    if (height === 0) break;
    below = belowNode(level, height, index >> height);
    rounds.push(planned("children", level, height, below, known));
  }
  const shown = below.payloads && index >= below.first && index < below.first + below.width;
  if (!known && !shown) {
    const bytes = level.payloadBytes(index);
    rounds.push({ kind: "payload", level: level.name, height: 0, bytes, replyBytes: bytes, plain: false });
  }
  return rounds;
}

function planned(
  kind: "opening" | "children",
  level: Level,
  height: number,
  { first, width, payloads, floor }: Below,
  known: boolean,
): PlannedRound {
  const opening = kind === "opening" ? 32 * openingLengths(level).length : 0;
  const leaf = payloads ? level.payloadBytes(first) : 32;
  return {
    kind,
    level: level.name,
    height,
    bytes: opening + width * leaf,
    replyBytes: opening + (height - floor) * 64 + (payloads && !known ? leaf : 0),
    plain: kind === "children" && width === 4 && !payloads,
  };
}

/**
 * The gas of each move, in order. The first move shows the first round, the last move replies to the last
 * round.
 */
export function moveGas(rounds: readonly PlannedRound[]): number[] {
  return [undefined, ...rounds].map((reply, i) => {
    const next: PlannedRound | undefined = rounds[i];
    if (reply?.plain && next?.plain && next.level === reply.level && next.height === reply.height - 2) return PLAIN_GAS;
    const words = Math.ceil(((reply?.bytes ?? 0) + (reply?.replyBytes ?? 0) + (next?.bytes ?? 0)) / 32);
    const enters = reply && next && next.level !== reply.level;
    return TURN_GAS + WORD_GAS * words + (enters ? ENTRY_GAS[next.level as keyof typeof ENTRY_GAS] : 0);
  });
}
