/**
 * Rebuilds a match from a chain: reads its moves from events and plays them again
 * (contracts/interfaces/IBisection.sol).
 */
import { type Address, formatLog, type Hex, numberToHex, pad, parseEventLogs, type PublicClient } from "viem";
import { type Bytes, fromHex } from "../../encoding/bytes.ts";
import { hashNode } from "../../encoding/merkle.ts";
import { DisputeError } from "../../errors/index.ts";
import { answerLengths, isRunning, type Machine } from "../../game/bisection.ts";
import type { Answer } from "../../game/level.ts";
import { LogReader } from "../logs/reader.ts";
import { trainingMachine } from "../../referee/machine.ts";
import { disputeGameAbi } from "../abi/dispute-game.ts";
import type { ChainMatch } from "./calls.ts";
import { type GameFacts, ZERO } from "./facts.ts";
import { afterAnswer, asksReply, type Match, type Pace, play, startMatch, type Turn } from "./match.ts";
import { roundLengths, roundOf } from "./round.ts";
import { firstClock } from "./state.ts";

export type GameEvent = ReturnType<typeof parseEventLogs<typeof disputeGameAbi, true>>[number];
type MovedArgs = Extract<GameEvent, { eventName: "Moved" }>["args"];

/** Where a game is. */
export interface GamePlace {
  client: PublicClient;
  game: Address;
  /** The block from which its events are read. There are none before. */
  fromBlock: bigint;
  /** Reads events. Default: a reader that keeps nothing. */
  logs?: LogReader;
}

/**
 * Events with this first indexed argument, in their order.
 * @param subject a task, a bracket, or a dispute's number
 */
export async function gameEvents(place: GamePlace, subject: Hex | bigint): Promise<GameEvent[]> {
  const { client, game: address, fromBlock: from, logs = new LogReader(client) } = place;
  const topic = typeof subject === "bigint" ? pad(numberToHex(subject)) : subject;
  const found = await logs.read({ address, topics: [null, topic], from });
  return parseEventLogs({ abi: disputeGameAbi, logs: found.map((log) => formatLog(log)) });
}

/** The times of blocks, in seconds, by their hashes: a hash has one time, whatever becomes of the chain. */
export type BlockTimes = Map<Hex, number>;

async function timeOf({ client }: GamePlace, { blockHash }: GameEvent, times: BlockTimes): Promise<number> {
  const known = times.get(blockHash);
  if (known !== undefined) return known;
  const { timestamp } = await client.getBlock({ blockHash });
  times.set(blockHash, Number(timestamp));
  return Number(timestamp);
}

/**
 * A dispute, played again from its events. `undefined` if it has ended.
 * @param times the times of blocks that are known already; it gets those that are read
 * @throws {DisputeError} when the events are not those of a dispute about this job
 */
export async function followMatch(
  place: GamePlace,
  facts: GameFacts,
  pace: Pace,
  dispute: bigint,
  times: BlockTimes = new Map(),
): Promise<ChainMatch | undefined> {
  const machine = trainingMachine(facts.facts);
  let followed: ChainMatch | undefined;
  for (const event of await gameEvents(place, dispute)) {
    if (event.eventName === "Ended") return undefined;
    const now = await timeOf(place, event, times);
    if (event.eventName === "Started") {
      const { state, context } = event.args;
      const { claims, players: pair, owners } = context;
      const match = startMatch(machine, [fromHex(claims[0]), fromHex(claims[1])], pace, now, firstClock(state.word));
      followed = { facts, dispute, players: { pair, owners }, match };
    } else if (followed) {
      const turn = turnOf(machine, followed.match, event);
      if (turn) followed = { ...followed, match: play(machine, followed.match, turn, now) };
    }
  }
  if (!followed)
    throw new DisputeError("UNKNOWN", `there is no dispute ${dispute}; \`verde task show\` names it`, {
      dispute: String(dispute),
    });
  return followed;
}

/** What a move showed, read from its event. */
function turnOf(machine: Machine, match: Match, event: GameEvent): Turn | undefined {
  if (event.eventName === "Moved") return movedTurn(match, event.args);
  if (event.eventName !== "Turned") return undefined;
  const reply: Answer[] = [];
  let game = match.game;
  for (let bytes = fromHex(event.args.reply); asksReply(match, game); ) {
    const lengths = answerLengths(game);
    const length = lengths.reduce((sum, part) => sum + part, 0);
    const answer = partsOf(lengths, bytes);
    game = afterAnswer(machine, match, game, answer);
    reply.push(answer);
    bytes = bytes.slice(length);
  }
  return { reply, next: isRunning(game) ? partsOf(roundLengths(roundOf(game)), fromHex(event.args.next)) : undefined };
}

/**
 * The mover's nodes on the way follow from the nodes that it shows next. The event holds no left siblings:
 * they are those of the other side.
 */
function movedTurn({ shown }: Match, { siblings, next }: MovedArgs): Turn {
  const [a, b, c] = shown!;
  const [upper, lower] = siblings.map((sibling) => (sibling === ZERO ? undefined : fromHex(sibling)));
  const nodes = next.map((word) => fromHex(word));
  const child = hashNode(hashNode(nodes[0], nodes[1]), hashNode(nodes[2], nodes[3]));
  const pair: Answer = lower ? [child, lower] : [upper ? a : c, child];
  const node = hashNode(pair[0], pair[1]);
  return { reply: [upper ? [node, upper] : [hashNode(a, b), node], pair], next: nodes };
}

function partsOf(lengths: readonly number[], bytes: Bytes): Answer {
  let at = 0;
  return lengths.map((length) => bytes.slice(at, (at += length)));
}
