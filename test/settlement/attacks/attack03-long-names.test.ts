/**
 * Attack 3: a poster makes a job that can be run, but whose dispute fits no transaction. The wrong claim
 * would stand, because nobody could open the game.
 */
import { expect, test } from "vitest";
import { trainingProver } from "../../../src/referee/claim.ts";
import { positionOf } from "../../../src/game/level.ts";
import { hex } from "../../../src/settlement/game/facts.ts";
import { DAY, openChain } from "../../contracts/chain.ts";
import { deployGame, Duel } from "../../contracts/duel.ts";
import { rememberedRun } from "../../referee/remembered-run.ts";
import { tinyJob } from "../../referee/tiny-job.ts";

test("a job with a name of 450 kB is disputed to the end, and its liar loses", async () => {
  // No reader of files takes such a name. The contracts know only hashes, so a poster can still use one.
  const job = { ...tinyJob(2), name: "long".repeat(112_500) };
  const honest = await rememberedRun(job, 1);
  const liar = await rememberedRun(job, 1, [{ step: 2, at: { kernel: 4 }, element: 7, flip: 0x3f000001 }]);
  const chain = await openChain(400n * BigInt(DAY));
  const duel = await Duel.open(chain, await deployGame(chain), job, 1, [hex(honest.runRoot), hex(liar.runRoot)]);
  const prover = trainingProver(honest);
  await duel.play([prover, trainingProver(liar)]);
  expect(await duel.prove((await prover.witness(positionOf(duel.match.game.path)))!)).toEqual([1]);
});
