/**
 * Rebuilds a match from a chain: reads its moves from events and plays them again
 * (contracts/interfaces/IBisection.sol).
 */
import {
  type Address,
  formatLog,
  type Hex,
  numberToHex,
  pad,
  parseEventLogs,
  type PublicClient,
  type RpcLog,
} from "viem";
import { type Bytes, fromHex } from "../../encoding/bytes.ts";
import { hashNode } from "../../encoding/merkle.ts";
import { DisputeError } from "../../errors/index.ts";
import { answerLengths, isRunning, type Machine } from "../../game/bisection.ts";
import type { Answer } from "../../game/level.ts";
import { trainingMachine } from "../../referee/machine.ts";
import { disputeGameAbi } from "../abi/dispute-game.ts";
import type { ChainMatch } from "./calls.ts";
import { type GameFacts, ZERO } from "./facts.ts";
import { afterAnswer, asksReply, type Match, type Pace, play, startMatch, type Turn } from "./match.ts";
import { roundLengths, roundOf } from "./round.ts";

export type GameEvent = ReturnType<typeof parseEventLogs<typeof disputeGameAbi, true>>[number];
type MovedArgs = Extract<GameEvent, { eventName: "Moved" }>["args"];

/** Where a game is. */
export interface GamePlace {
  client: PublicClient;
  game: Address;
  /** The block from which its events are read. There are none before. */
  fromBlock: bigint;
}

/**
 * Events with this first indexed argument, in their order.
 * @param subject a task, a bracket, or a dispute's number
 */
export async function gameEvents({ client, game, fromBlock }: GamePlace, subject: Hex | bigint): Promise<GameEvent[]> {
  const topic = typeof subject === "bigint" ? pad(numberToHex(subject)) : subject;
  const filter = { address: game, topics: [null, topic], fromBlock: numberToHex(fromBlock), toBlock: "latest" };
  const logs = (await client.request({ method: "eth_getLogs", params: [filter as never] })) as RpcLog[];
  return parseEventLogs({ abi: disputeGameAbi, logs: logs.map((log) => formatLog(log)) });
}

/**
 * A dispute, played again from its events. `undefined` if it has ended.
 * @throws {DisputeError} when the events are not those of a dispute about this job
 */
export async function followMatch(
  place: GamePlace,
  facts: GameFacts,
  pace: Pace,
  dispute: bigint,
): Promise<ChainMatch | undefined> {
  const machine = trainingMachine(facts.facts);
  let followed: ChainMatch | undefined;
  for (const event of await gameEvents(place, dispute)) {
    if (event.eventName === "Ended") return undefined;
    const { timestamp } = await place.client.getBlock({ blockNumber: event.blockNumber });
    const now = Number(timestamp);
    if (event.eventName === "Started") {
      const { claims, players: pair, owners } = event.args.context;
      const match = startMatch(machine, [fromHex(claims[0]), fromHex(claims[1])], pace, now);
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
