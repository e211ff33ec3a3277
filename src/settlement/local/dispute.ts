/**
 * Plays the dispute of two claims on a chain in this process. Both sides answer from their memories of their
 * runs. Every move is a transaction, and the EVM executes the scalar step at which the claims differ.
 */
import { type Hex, maxUint256, parseUnits, zeroAddress } from "viem";
import type { LocalAccount } from "viem/accounts";
import { type Bytes, toHex } from "../../encoding/bytes.ts";
import type { Pair } from "../../game/level.ts";
import { trainingProver } from "../../referee/claim.ts";
import type { Memory } from "../../referee/memory.ts";
import type { Build } from "../abilities.ts";
import { commitmentOf, taskIdOf } from "../commitment.ts";
import type { DeployOptions } from "../deploy.ts";
import { DEFAULT_GAS_BOND } from "../game/bond.ts";
import { type GameMove, playOut } from "../game/driver.ts";
import { GameFacts } from "../game/facts.ts";
import { jobTermsOf } from "../job-terms.ts";
import { PROFILES } from "../profile.ts";
import type { Session } from "../session.ts";
import type { Terms } from "../task.ts";
import { termsOf, withTimeToPlay } from "../terms.ts";
import { Caller } from "../transactions/caller.ts";
import type { Hardfork } from "./hardfork.ts";
import { localAccount, mintTokens, openLocalSettlement } from "./settlement.ts";

const { pace: PACE, unbonding: UNBONDING } = PROFILES.l1;

/** How a dispute on a chain in this process ended. */
export interface LocalDispute {
  readonly moves: readonly GameMove[];
  /** The gas of all moves. */
  readonly gas: number;
  /** Which of the two claims lose: 0, 1, or both. */
  readonly losers: readonly number[];
  /** The build of the judge and the game that the chain has taken. */
  readonly build: Build;
}

/**
 * Plays a dispute between two runs of one job.
 * @param memories the memories of the two runs, with the same number of training steps in a segment
 * @param roots the run roots of the two runs, which differ
 * @param onMove is called after each transaction of the game
 * @param hardfork the chain's rules
 * @throws {ChainError} when there is no local chain
 * @throws {DisputeError} when a claim can't be defended
 */
export async function disputeLocally(
  memories: Pair<Memory>,
  roots: Pair<Bytes>,
  onMove?: (move: GameMove) => void,
  hardfork?: Hardfork,
): Promise<LocalDispute> {
  const [client, ...providers] = [0, 1, 2].map(localAccount);
  const options: DeployOptions = {
    members: [client.address],
    threshold: 1,
    unbondingPeriod: 2 * UNBONDING,
    game: { pace: PACE, gasBond: DEFAULT_GAS_BOND },
  };
  const { session, close } = await openLocalSettlement(options, hardfork);
  try {
    const { outline, commitEvery } = memories[0];
    const chosen = termsOf(jobTermsOf(outline, commitEvery), {
      client: client.address,
      reward: parseUnits("1", session.token.decimals),
      committee: zeroAddress,
      game: session.deployment.game!,
      maxDemands: 0,
      periods: { toPlay: 0 },
    });
    const terms = await withTimeToPlay(session.client, chosen);
    const task = await bringBeforeGame(session, terms, client, providers, roots);
    const facts = new GameFacts(outline, commitEvery);
    const players = providers.map((account, i) => ({ account, prover: trainingProver(memories[i]) }));
    const { moves, view } = await playOut(session, task, facts, players, onMove);
    const losers = view.seats.filter(({ out }) => out).map(({ seat }) => seat);
    return { moves, gas: moves.reduce((sum, { gas }) => sum + gas, 0), losers, build: session.deployment.build! };
  } finally {
    await close();
  }
}

type Calls = (
  account: LocalAccount,
  contract: "token" | "vault" | "manager",
  functionName: string,
  ...args: unknown[]
) => Promise<unknown>;

const callsOf =
  (session: Session): Calls =>
  (account, contract, functionName, ...args) =>
    Caller.shortLived(session, account).call({ contract, functionName, args });

/**
 * Posts a task, and lets its providers commit to these roots.
 * @returns the task's id, which is also the salt of each commitment: the roots are no secret here
 */
export async function commitAll(
  session: Session,
  terms: Terms,
  client: LocalAccount,
  providers: readonly LocalAccount[],
  roots: readonly Bytes[],
): Promise<Hex> {
  const { vault } = session.deployment;
  const call = callsOf(session);
  for (const account of [client, ...providers]) {
    await mintTokens(session, account, "100");
    await call(account, "token", "approve", vault, maxUint256);
    if (account !== client) await call(account, "vault", "deposit", terms.stake);
  }
  await call(client, "manager", "post", terms);
  const task = taskIdOf(session.deployment, terms);
  for (const provider of providers) await call(provider, "manager", "accept", task);
  for (const [seat, { address }] of providers.entries()) {
    const commitment = commitmentOf(session.deployment, task, address, toHex(roots[seat]) as Hex, task);
    await call(providers[seat], "manager", "commit", task, BigInt(seat), commitment);
  }
  return task;
}

/**
 * Posts a task without a committee, and lets its providers claim these roots, so that only the game decides.
 * @returns the task's id
 */
export async function bringBeforeGame(
  session: Session,
  terms: Terms,
  client: LocalAccount,
  providers: readonly LocalAccount[],
  roots: readonly Bytes[],
): Promise<Hex> {
  const call = callsOf(session);
  const task = await commitAll(session, terms, client, providers, roots);
  for (const [seat, provider] of providers.entries())
    await call(provider, "manager", "reveal", task, BigInt(seat), toHex(roots[seat]), task);
  await call(client, "manager", "compare", task);
  return task;
}
