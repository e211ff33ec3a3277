/**
 * `verde dispute A B --on-chain`: the two claims before the game on a chain in this process. Both sides are played from their
 * traces, every move is a transaction, and the EVM executes the step on which the claims part.
 */
import {
  createPublicClient,
  custom,
  decodeFunctionData,
  type Hex,
  parseUnits,
  type PublicClient,
  zeroAddress,
} from "viem";
import { type LocalAccount, privateKeyToAccount } from "viem/accounts";
import { toHex } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";
import { trainingProver } from "../referee/claim.ts";
import type { TraceMemory } from "../referee/trace-memory.ts";
import { ABIS } from "../settlement/contracts.ts";
import { deployContracts } from "../settlement/deploy.ts";
import { DEFAULT_GAS_BOND } from "../settlement/game/bond.ts";
import { Defender } from "../settlement/game/defender.ts";
import { GameFacts } from "../settlement/game/facts.ts";
import type { Pace } from "../settlement/game/match.ts";
import { readTask, type Terms } from "../settlement/task.ts";
import { openLocalChain, publicPrivateKey } from "./chain/local-chain.ts";
import { Sender } from "./send.ts";
import { type Session, sessionOf } from "./session.ts";
import { jobTermsOf } from "./task/job.ts";
import { termsFrom } from "./task/terms.ts";

/** A transaction of the game. */
export interface GameMove {
  what: string;
  /** Which of the two traces moved. */
  by: 0 | 1;
  at: string;
  gas: number;
  /** Of calldata. */
  bytes: number;
  /** Wei that it brings: the bond, with a side's first move. */
  value: bigint;
}

export interface OnChain {
  moves: GameMove[];
  gas: number;
  /** Of the two traces. */
  losers: number[];
}

const DAY = 86_400;
const PACE: Pace = { clock: DAY, response: 600, recompute: 3600 };

export async function disputeOnChain(
  memories: readonly [TraceMemory, TraceMemory],
  roots: readonly [Uint8Array, Uint8Array],
  onMove: (move: GameMove) => void,
): Promise<OnChain> {
  const { provider, close } = await openLocalChain();
  try {
    const client: PublicClient = createPublicClient({ transport: custom(provider), cacheTime: 0, pollingInterval: 20 });
    const [owner, ...parties] = [0, 1, 2].map((i) => privateKeyToAccount(publicPrivateKey(i)));
    const deployment = await deployContracts(client, owner, {
      members: [owner.address],
      threshold: 1,
      unbondingPeriod: 60 * DAY,
      game: { pace: PACE, gasBond: DEFAULT_GAS_BOND },
    });
    const session = await sessionOf(client, deployment);
    const terms = await disputed(session, memories[0], roots, { owner, parties });
    return await playOut(session, terms, memories, parties, onMove);
  } finally {
    await close();
  }
}

interface People {
  /** The client of the task. */
  owner: LocalAccount;
  /** The two providers. */
  parties: readonly LocalAccount[];
}

/** A task of two providers with these claims, without a committee: the game alone decides. */
async function disputed(
  session: Session,
  { outline, commitEvery }: TraceMemory,
  roots: readonly [Uint8Array, Uint8Array],
  { owner, parties }: People,
): Promise<Terms> {
  const { deployment, client, token } = session;
  const longest = await client.readContract({
    address: deployment.game!,
    abi: ABIS.game,
    functionName: "longestGame",
    args: [BigInt(outline.steps), BigInt(commitEvery)],
  });
  const flags = {
    reward: "1",
    providers: "2",
    maxChallenges: "0",
    maxDemands: "0",
    game: "deployed",
    toPlay: `${longest}s`,
  };
  const { game } = deployment;
  const place = { client: owner.address, committee: zeroAddress, game, token };
  const terms = termsFrom(flags, jobTermsOf(outline, commitEvery), place);
  const manager = (account: LocalAccount, functionName: string, args: readonly unknown[]) =>
    Sender.for(session, account).send({ contract: "manager", functionName, args });
  for (const account of [owner, ...parties]) {
    const sender = Sender.for(session, account);
    const amount = parseUnits("100", token.decimals);
    await sender.send({ contract: "token", functionName: "mint", args: [account.address, amount] });
    await sender.send({ contract: "token", functionName: "approve", args: [deployment.vault, amount] });
    if (account !== owner) await sender.send({ contract: "vault", functionName: "deposit", args: [amount] });
  }
  await manager(owner, "post", [terms]);
  const at = { address: deployment.manager, abi: ABIS.manager } as const;
  const task = await client.readContract({ ...at, functionName: "taskId", args: [terms] });
  const claims = roots.map((root) => toHex(root) as Hex);
  for (const party of parties) await manager(party, "accept", [task]);
  for (const [seat, party] of parties.entries()) {
    const args = [task, party.address, claims[seat], task] as const;
    const commitment = await client.readContract({ ...at, functionName: "commitmentOf", args });
    await manager(party, "commit", [task, BigInt(seat), commitment]);
  }
  // The salts are known to all: nobody is to be surprised here.
  for (const [seat, party] of parties.entries())
    await manager(party, "reveal", [task, BigInt(seat), claims[seat], task]);
  await manager(owner, "compare", [task]);
  return terms;
}

async function playOut(
  session: Session,
  terms: Terms,
  memories: readonly [TraceMemory, TraceMemory],
  parties: readonly LocalAccount[],
  onMove: (move: GameMove) => void,
): Promise<OnChain> {
  const { client, deployment, source } = session;
  const at = { address: deployment.manager, abi: ABIS.manager } as const;
  const task = await client.readContract({ ...at, functionName: "taskId", args: [terms] });
  const facts = new GameFacts(memories[0].outline, memories[0].commitEvery);
  const place = { client, game: terms.game, fromBlock: source.fromBlock };
  const players = parties.map((party, i) => new Defender(place, facts, trainingProver(memories[i]), party.address));
  const moves: GameMove[] = [];
  for (let idle = 0; idle < players.length; )
    for (const by of [0, 1] as const) {
      const view = await readTask(source, task);
      if (view.phase !== "Playing") {
        const losers = view.seats.filter(({ out }) => out).map(({ seat }) => seat);
        return { moves, gas: moves.reduce((sum, { gas }) => sum + gas, 0), losers };
      }
      const due = await players[by].due({ task, dispute: view.dispute, terms });
      idle = due.length === 0 ? idle + 1 : 0;
      for (const { what, data, at: where = "", value = 0n } of due.slice(0, 1)) {
        const call = decodeFunctionData({ abi: ABIS.game, data });
        const { functionName, args } = call;
        const sent = await Sender.for(session, parties[by]).send({
          contract: "game",
          to: terms.game,
          functionName,
          args,
          value,
        });
        const move = { what, by, at: where, gas: Number(sent!.gasUsed), bytes: (data.length - 2) / 2, value };
        moves.push(move);
        onMove(move);
      }
    }
  throw new DisputeError("STUCK", "neither side has a move, and the game is not over; report this with both traces", {
    task,
  });
}
