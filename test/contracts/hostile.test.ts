/**
 * Strangers send a dispute's moves before their owners, again, late, or altered. They only change which
 * account pays for gas.
 */
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import type { Hex } from "viem";
import { fromHex } from "../../src/encoding/bytes.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { positionOf, type Side } from "../../src/game/level.ts";
import { moveCall } from "../../src/settlement/game/calls.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { play } from "../../src/settlement/game/match.ts";
import { makeTurn } from "../../src/settlement/game/player.ts";
import { rememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { type Chain, DAY, openChain } from "./chain.ts";
import { deployGame, Duel } from "./duel.ts";

const SEED = { seed: 20261121, numRuns: 12 };

let chain: Chain;
let game: Hex;
beforeEach(async () => {
  chain = await openChain(400n * BigInt(DAY));
  game = await deployGame(chain);
});

const attack = fc.oneof(
  fc.constant({ kind: "none" } as const),
  fc.record({ kind: fc.constant("again" as const), which: fc.nat() }),
  fc.constant({ kind: "first" } as const),
  fc.record({ kind: fc.constant("altered" as const), where: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant("cut" as const), length: fc.nat() }),
);
type Attack = typeof attack extends fc.Arbitrary<infer T> ? T : never;

/** The call that a stranger sends: derived from one that an owner is about to send and from earlier ones. */
function strangersCall(attack: Attack, data: Hex, sent: readonly Hex[]): Hex | undefined {
  if (attack.kind === "first") return data;
  if (attack.kind === "again") return sent.length > 0 ? sent[attack.which % sent.length] : undefined;
  if (attack.kind === "none") return undefined;
  const bytes = fromHex(data).slice();
  if (attack.kind === "cut") return hex(bytes.slice(0, 4 + (attack.length % (bytes.length - 4))));
  bytes[attack.where % bytes.length] ^= attack.flip;
  return hex(bytes);
}

/** Whether a stranger's call was accepted; then it did everything that the owner's call would have done. */
async function taken(duel: Duel, data: Hex): Promise<boolean> {
  try {
    await duel.send("stranger", data, undefined, duel.bond());
    return true;
  } catch {
    return false;
  }
}

test("strangers change nothing", async () => {
  const job = tinyJob(4);
  const honest = await rememberedRun(job, 2);
  const liar = await rememberedRun(job, 2, [{ step: 3, at: { kernel: 4 }, element: 7, flip: 0x3f000001 }]);
  const attacks = fc.array(attack, { minLength: 10, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(attacks, fc.constantFrom<Side>(0, 1), async (plan, side) => {
      const snapshot = await chain.client.snapshot();
      const runs = side === 0 ? ([honest, liar] as const) : ([liar, honest] as const);
      const duel = await Duel.open(chain, game, job, 2, [hex(runs[0].runRoot), hex(runs[1].runRoot)]);
      const provers = [trainingProver(runs[0]), trainingProver(runs[1])] as const;
      const sent: Hex[] = [];
      for (let move = 0; duel.match.game.phase !== "bottom"; move++) {
        const { facts, dispute, players, match, machine } = duel;
        const turn = await makeTurn(machine, provers[match.turn], match);
        const data = moveCall({ facts, dispute, players, match }, turn, play(machine, match, turn, match.since));
        const call = strangersCall(plan[move % plan.length], data, sent);
        if (call && (await taken(duel, call))) {
          const { timestamp } = await chain.client.getBlock();
          duel.match = play(machine, match, turn, Number(timestamp));
        } else await duel.take(turn);
        await duel.compare();
        sent.push(data);
      }
      const witness = await provers[side].witness(positionOf(duel.match.game.path));
      expect(await duel.prove(witness!)).toEqual([1 - side]);
      await chain.client.revert({ id: snapshot });
    }),
    SEED,
  );
});
