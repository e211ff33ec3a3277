/** The driver without a terminal: two claims before the game on a chain in this process, from memory alone. */
import { expect, test } from "vitest";
import { checkVerdict } from "../../../src/referee/check-verdict.ts";
import type { GameMove } from "../../../src/settlement/game/driver.ts";
import { disputeLocally } from "../../../src/settlement/local/dispute.ts";
import { disputeRemembered } from "../../referee/remembered-dispute.ts";
import type { Fault } from "../../referee/remembered-run.ts";
import { tinyJob } from "../../referee/tiny-job.ts";

const job = tinyJob(3);
const at = (kernel: number, flip: number): Fault => ({ step: 2, at: { kernel }, element: 5, flip });

test("a dispute is driven to its end, and whoever the referee finds wrong loses", async () => {
  for (const faults of [
    [[at(2, 0x3f000001)], []],
    [[at(5, 0x10)], [at(5, 0x20)]],
  ] as const) {
    const { runs, runRoots, claims, decision, verdict } = await disputeRemembered({ job, faults });
    const heard: GameMove[] = [];
    const { moves, gas, losers } = await disputeLocally([runs[0], runs[1]], runRoots, (move) => heard.push(move));
    expect(losers).toEqual(decision.losers);
    expect(checkVerdict(verdict, claims).losers).toEqual(losers);
    expect(heard).toEqual(moves);
    expect(gas).toBe(moves.reduce((sum, move) => sum + move.gas, 0));
    const names = moves.map(({ what }) => what);
    expect([names[0], names[1], names.at(-2), names.at(-1)]).toEqual(["open", "pair", "prove", "close"]);
    expect(new Set(names.slice(2, -2))).toEqual(new Set(["move"]));
    // Each side's first move comes with its bond, and no other call with anything.
    const paid = moves.filter(({ value }) => value > 0n);
    expect(paid.map(({ what, by }) => `${what} ${by}`).sort()).toEqual(["move 0", "move 1"]);
    expect(moves.find(({ what }) => what === "move")!.at).toBe("segment tree");
  }
});
