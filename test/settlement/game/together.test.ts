/** The moves of one look make one transaction, unless one of them can't be made any more. */
import { decodeFunctionData, type Hex } from "viem";
import { expect, test } from "vitest";
import { disputeGameAbi } from "../../../src/settlement/abi/dispute-game.ts";
import type { DueCall } from "../../../src/settlement/game/due-call.ts";
import { sendTogether } from "../../../src/settlement/game/together.ts";

const move = (dispute: number, value?: bigint): DueCall => ({
  what: "move",
  data: `0x0${dispute}`,
  dispute: BigInt(dispute),
  ...(value !== undefined && { value }),
});
const fall: DueCall = { what: "fall", data: "0xfa" };

/** What is sent, as `move 1`; moves together as the list of their data. */
async function sentOf(
  calls: readonly DueCall[],
  taken: (call: DueCall) => boolean | undefined = () => true,
  millis = 0,
): Promise<{ sent: string[]; count: number }> {
  let now = 0;
  const sent: string[] = [];
  async function* due(): AsyncGenerator<DueCall> {
    for (const call of calls) {
      now += millis;
      yield call;
    }
  }
  const clock = { now: () => now, sleep: async () => undefined };
  const count = await sendTogether(due(), clock, async (call) => {
    const joined = call.what === "multicall";
    const args = joined ? decodeFunctionData({ abi: disputeGameAbi, data: call.data }).args : [];
    sent.push(joined ? `${call.at}: ${(args as [Hex[]])[0].join(" ")}` : `${call.what} ${call.dispute ?? ""}`.trim());
    return taken(call);
  });
  return { sent, count };
}

test("moves are one transaction, and a move with a bond goes alone before them", async () => {
  expect(await sentOf([move(1)])).toEqual({ sent: ["move 1"], count: 1 });
  expect(await sentOf([fall, move(1, 5n), move(2), move(3)])).toEqual({
    sent: ["fall", "move 1", "moves in disputes 2, 3: 0x02 0x03"],
    count: 3,
  });
});

test("if they can't be made together they are made one by one", async () => {
  const overtaken = ({ what, dispute }: DueCall) => (what === "multicall" || dispute === 1n ? undefined : true);
  expect(await sentOf([move(1), move(2)], overtaken)).toEqual({
    sent: ["moves in disputes 1, 2: 0x01 0x02", "move 1", "move 2"],
    count: 1,
  });
  // Calls that are only planned have not failed.
  expect(await sentOf([move(1), move(2)], () => false)).toMatchObject({ sent: { length: 1 }, count: 0 });
});

test("a move does not wait for others that take long to compute, nor for an error", async () => {
  expect((await sentOf([move(1), move(2)], () => true, 6_000)).sent).toEqual(["move 1", "move 2"]);
  const sent: string[] = [];
  async function* broken(): AsyncGenerator<DueCall> {
    yield move(1);
    throw new Error("the node is away");
  }
  const clock = { now: () => 0, sleep: async () => undefined };
  const failing = sendTogether(broken(), clock, async ({ what }) => sent.push(what) > 0);
  await expect(failing).rejects.toThrow("the node is away");
  expect(sent).toEqual(["move"]);
});
