/**
 * Attack 4: a task on a chain before Osaka, where every move of a dispute worked but the last ones, which need
 * CLZ. The honest side could not move any more, and its time ran out.
 */
import { expect, test } from "vitest";
import type { Pair } from "../../../src/game/level.ts";
import { disputeLocally } from "../../../src/settlement/local/dispute.ts";
import type { Hardfork } from "../../../src/settlement/local/hardfork.ts";
import { type Fault, rememberedRun } from "../../referee/remembered-run.ts";
import { tinyJob } from "../../referee/tiny-job.ts";

/** A fold's step, a map's element, and an entry of the new state: the three kinds of evidence. */
const FAULTS: readonly Fault[] = [
  { step: 2, at: { kernel: 4 }, element: 7, flip: 0x3f000001 },
  { step: 2, at: { kernel: 5 }, element: 70, flip: 0x3f000001 },
  { step: 1, at: { entry: 2 }, element: 1, flip: 1 },
];

test.each([
  ["cancun", "portable"],
  ["prague", "portable"],
  ["osaka", "osaka"],
] as const satisfies [Hardfork, string][])(
  "the liar loses on %s, in the %s build",
  async (hardfork, build) => {
    const job = tinyJob(2);
    const honest = await rememberedRun(job, 1);
    // Every kind on prague; the other chains differ from it by no more than the build.
    for (const fault of hardfork === "prague" ? FAULTS : FAULTS.slice(0, 1)) {
      const liar = await rememberedRun(job, 1, [fault]);
      const memories: Pair<typeof honest> = [liar, honest];
      const played = await disputeLocally(memories, [liar.runRoot, honest.runRoot], undefined, hardfork);
      expect({ losers: played.losers, build: played.build }).toEqual({ losers: [0], build });
      expect(played.moves.map(({ what }) => what)).toContain("prove");
    }
  },
  120_000,
);
