/** Sends the calls of one look at the game: moves in several disputes make one transaction. */
import { encodeFunctionData } from "viem";
import { disputeGameAbi } from "../abi/dispute-game.ts";
import type { Clock } from "../transactions/clock.ts";
import type { DueCall } from "./due-call.ts";

/** How long a move waits until the next one is computed, in milliseconds, before it is sent without it. */
const WAIT = 5_000;

/**
 * Sends calls in their order, except that moves wait for the moves after them. A call that posts a bond goes
 * alone: the contract takes no value with several calls. Another party may make one of the moves first, and
 * then none of them takes effect. So they are sent one by one if they can't be sent together.
 * @param send sends a call. @returns whether it took effect; `undefined` if it has failed
 * @returns how many transactions took effect
 */
export async function sendTogether(
  calls: AsyncIterable<DueCall>,
  clock: Clock,
  send: (call: DueCall) => Promise<boolean | undefined>,
): Promise<number> {
  let sent = 0;
  let moves: DueCall[] = [];
  let since = 0;
  const flush = async (): Promise<void> => {
    const waiting = moves;
    moves = [];
    const together = waiting.length > 1 ? await send(joined(waiting)) : undefined;
    if (together !== undefined) sent += Number(together);
    else for (const move of waiting) sent += Number((await send(move)) ?? false);
  };
  try {
    for await (const call of calls) {
      if (moves.length > 0 && clock.now() - since > WAIT) await flush();
      if (call.what === "move" && call.value === undefined) {
        if (moves.length === 0) since = clock.now();
        moves.push(call);
      } else sent += Number((await send(call)) ?? false);
    }
  } finally {
    await flush();
  }
  return sent;
}

function joined(calls: readonly DueCall[]): DueCall {
  const data = encodeFunctionData({
    abi: disputeGameAbi,
    functionName: "multicall",
    args: [calls.map((call) => call.data)],
  });
  return { what: "multicall", data, at: `moves in disputes ${calls.map(({ dispute }) => dispute).join(", ")}` };
}
