/** Tasks that have been escalated to the game, for any ruling of the committee. */
import { type Address, type Hex, zeroAddress } from "viem";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { bondOf } from "../../src/settlement/game/bond.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { type Chain, DAY, digest } from "./chain.ts";
import { Play, type Resolution, termsOf } from "./task.ts";

export interface Escalated {
  chain: Chain;
  game: Address;
  job: ClosedJob | { id: Hex; steps: number };
  commitEvery: number;
  /** Roots of the seats' claims. */
  roots: readonly Hex[];
  /** The seat whose claim the committee, account 0, has ruled to be right. */
  winner: number;
  /** The seat that has taken the ruling to the game. It has posted its bond, and moves first. */
  by: number;
}

const idOf = (job: Escalated["job"]): Hex => ("id" in job ? job.id : hex(jobId(job)));

export async function escalated({ chain, game, job, commitEvery, roots, winner, by }: Escalated): Promise<Play> {
  const [committee] = chain.accounts;
  const task = await Play.of(chain, {
    salt: digest(`${roots} ${winner} ${by} ${await chain.client.getBlockNumber()}`),
    job: idOf(job),
    steps: job.steps,
    commitEvery,
    committee,
    providers: roots.length,
    stake: 1n,
    game,
    periods: { ...termsOf(chain).periods, toPlay: 60 * DAY },
  });
  await task.claims(...roots);
  const ruling = rulingOf({ roots, winner });
  await task.resolve(committee, ruling);
  await task.escalate(by, ruling, await bondOf(chain.client as never, game));
  return task;
}

/**
 * A task without a committee, whose standing claim a challenger has brought before the game. Both providers
 * have that claim.
 * @param nth makes tasks different
 */
export async function challengedAlone(
  { chain, game, job, commitEvery, standing }: Omit<Escalated, "roots" | "winner" | "by"> & { standing: Hex },
  nth = 0,
): Promise<Play> {
  const task = await Play.of(chain, {
    salt: digest(`challenged ${nth}`),
    job: idOf(job),
    steps: job.steps,
    commitEvery,
    committee: zeroAddress,
    stake: 1n,
    game,
    periods: { ...termsOf(chain).periods, toPlay: 60 * DAY },
  });
  await task.claims(standing, standing);
  const lie = digest(`another claim ${nth}`);
  await task.challengeAlone(2, lie, await bondOf(chain.client as never, game));
  return task;
}

/** The ruling of the committee. */
export function rulingOf({ roots, winner }: Pick<Escalated, "roots" | "winner">): Resolution {
  const claims = [...new Set(roots)];
  const losers = BigInt((1 << claims.length) - 1 - (1 << claims.indexOf(roots[winner])));
  return { dispute: 1n, claims, losers, verdict: digest("ruling") };
}
