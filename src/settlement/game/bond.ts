/**
 * The bond that each player of a bracket posts for the gas of the others
 * (contracts/interfaces/IGasBonds.sol): which calls post it, and how much it should be.
 */
import {
  type Address,
  encodeEventTopics,
  formatLog,
  type Hex,
  parseEventLogs,
  parseGwei,
  type PublicClient,
  zeroAddress,
} from "viem";
import { isRunning } from "../../game/bisection.ts";
import { ABIS } from "../contracts.ts";
import { ifForeign } from "../foreign.ts";
import { LogReader } from "../logs/reader.ts";
import { readTask, type TaskSource, type TaskView, type Terms } from "../task.ts";
import { isSettled } from "./case.ts";
import type { Match } from "./match.ts";

/**
 * The most gas that one side's transactions use: half of the moves of the longest dispute about a model of
 * 10^12 parameters, opening, pairing and closing, and its largest one-step proof. A test compares it with the
 * estimate of disputes. The game's constructor has the same number.
 */
export const SIDE_GAS = 1_650_000n;
/** Gas of a task with a dispute, for the account of one side: with less it can do too little. */
export const TASK_GAS = 4_000_000n;
/** Half of a lost bond is burned. The other half pays at up to twice the price that is expected. */
export const BOND_MARGIN = 4n;
/** The price that the game's constructor expects, in base fees of the block. */
const BASE_FEES = 2n;
/** Wei for each unit of gas, as on a busy day of a public chain. */
const GAS_PRICE = parseGwei("20");
/** The bond by default, in wei. */
export const DEFAULT_GAS_BOND = SIDE_GAS * GAS_PRICE * BOND_MARGIN;

/** The least bond that the game's constructor accepts. @param baseFee wei for each unit of gas */
export function leastBond(baseFee: bigint): bigint {
  return SIDE_GAS * BASE_FEES * baseFee * BOND_MARGIN;
}

/** How many sides of a dispute have moved. */
function sidesMoved(match: Match): 0 | 1 | 2 {
  const { game, shown } = match;
  if (!isRunning(game)) return 2;
  if (shown === undefined) return 0;
  return game.phase === "opening" && game.level.name === "segment" ? 1 : 2;
}

/**
 * What the next move posts in a game with this bond.
 * @param posted whether the mover has posted its bond before
 * @returns wei
 */
export function bondDue(match: Match, gasBond: bigint, posted: boolean): bigint {
  return !posted && sidesMoved(match) < 2 ? gasBond : 0n;
}

/** The bond of a game, in wei. `undefined` without a game, or for another kind of contract. */
export async function bondOf(client: PublicClient, game: Address): Promise<bigint | undefined> {
  if (game === zeroAddress) return undefined;
  return client.readContract({ address: game, abi: ABIS.game, functionName: "gasBond" }).catch(ifForeign(undefined));
}

/**
 * What an owner has to post to bring a task before its game: with a challenge, or with an escalation. 0 if it
 * has posted it before. `undefined` without a game, or for another kind of contract.
 */
export async function bondDueTo(
  client: PublicClient,
  { id, terms }: Pick<TaskView, "id" | "terms">,
  owner: Address,
): Promise<bigint | undefined> {
  const bond = await bondOf(client, terms.game);
  if (bond === undefined) return undefined;
  const call = { address: terms.game, abi: ABIS.game, functionName: "hasPrepaid", args: [id, owner] } as const;
  return (await client.readContract(call)) ? 0n : bond;
}

/**
 * The terms of all tasks for which an owner has posted a bond that no bracket has taken, and that can't
 * be challenged or disputed any more: it may reclaim these bonds.
 */
export async function unusedBonds(source: TaskSource, game: Address, owner: Address): Promise<Terms[]> {
  const { client, fromBlock: from, logs = new LogReader(client) } = source;
  const topics = encodeEventTopics({ abi: ABIS.game, eventName: "Prepaid", args: { owner } }) as Hex[];
  const found = await logs.read({ address: game, topics, from });
  const prepaid = parseEventLogs({ abi: ABIS.game, eventName: "Prepaid", logs: found.map((log) => formatLog(log)) });
  const free: Terms[] = [];
  for (const task of new Set(prepaid.map(({ args }) => args.task))) {
    const call = { address: game, abi: ABIS.game, functionName: "hasPrepaid", args: [task, owner] } as const;
    if (!(await client.readContract(call))) continue;
    const view = await readTask(source, task);
    if (isSettled(view)) free.push(view.terms);
  }
  return free;
}

/** What an owner may withdraw from a game, in wei. 0 without a game, or for another kind of contract. */
export async function bondCredit(client: PublicClient, game: Address | undefined, owner: Address): Promise<bigint> {
  if (game === undefined || game === zeroAddress) return 0n;
  const call = { address: game, abi: ABIS.game, functionName: "creditOf", args: [owner] } as const;
  return client.readContract(call).catch(ifForeign(0n));
}
