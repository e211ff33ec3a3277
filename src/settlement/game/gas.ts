/**
 * What the transactions of a dispute on a chain cost, reckoned from what they show (contracts/game/Bisection.sol). A test holds the
 * reckoning to disputes that are played.
 */
import type { Asked } from "../../referee/course.ts";

/** Opening a bracket, pairing two of its players, and telling the task in the end who has lost. */
export const FRAME_GAS = 84_000 + 113_000 + 119_000;
/** How many transactions these are. */
export const FRAME_TRANSACTIONS = 3;
/** The step at the bottom, with the operands' proofs: the limit that the contract is held to. */
export const PROOF_GAS = 150_000;
/** From two children to two children of one of them. */
const PLAIN_GAS = 34_700;
/** Any other move, by the question that it replies to. */
const TURN_GAS = { start: 48_000, opening: 49_900, children: 49_300, payload: 60_400 } as const;
/** For each word of its reply and its next answer. */
const WORD_GAS = 1_500;

/** The gas of each move, in order. */
export function moveGas(questions: readonly Asked[]): number[] {
  return [undefined, ...questions].map((reply, i) => {
    const next: Asked | undefined = questions[i];
    if (reply && next && isPlain(reply, next)) return PLAIN_GAS;
    const words = Math.ceil(((reply?.bytes ?? 0) + (next?.bytes ?? 0)) / 32);
    return TURN_GAS[reply?.kind ?? "start"] + WORD_GAS * words;
  });
}

/** No node that stands unchanged one level below lies between the two. */
function isPlain(reply: Asked, next: Asked): boolean {
  return reply.kind === "children" && next.kind === "children" && next.height === reply.height - 1;
}
