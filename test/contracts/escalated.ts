/** Tasks that have been escalated to the game, for any ruling of the committee. */
import type { Address, Hex } from "viem";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { type Chain, DAY, digest } from "./chain.ts";
import { Play, type Resolution, termsOf } from "./task.ts";

export interface Escalated {
  chain: Chain;
  game: Address;
  job: ClosedJob;
  commitEvery: number;
  /** Roots of the seats' claims. */
  roots: readonly Hex[];
  /** The seat whose claim the committee, account 0, has ruled to be right. */
  winner: number;
  /** The seat that has taken the ruling to the game. */
  by: number;
}

export async function escalated({ chain, game, job, commitEvery, roots, winner, by }: Escalated): Promise<Play> {
  const [committee] = chain.accounts;
  const task = await Play.of(chain, {
    salt: digest(`${roots} ${winner} ${by} ${await chain.client.getBlockNumber()}`),
    job: hex(jobId(job)),
    steps: job.steps,
    commitEvery,
    committee,
    providers: roots.length,
    stake: 1n,
    game,
    periods: { ...termsOf(chain).periods, toPlay: 60 * DAY },
  });
  await task.claims(...roots);
  const claims = [...new Set(roots)];
  const losers = BigInt((1 << claims.length) - 1 - (1 << claims.indexOf(roots[winner])));
  const ruling: Resolution = { dispute: 1n, claims, losers, verdict: digest("ruling") };
  await task.resolve(committee, ruling);
  await task.escalate(by, ruling);
  return task;
}
