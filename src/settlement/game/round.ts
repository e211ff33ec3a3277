/**
 * A round: all that a side shows with one move (contracts/game/Rounds.sol). A transaction costs more than
 * what it shows. So a move answers several questions of the pure game at once, as many as stay valid whatever
 * the other side answers: a tree's opening, two levels of nodes, and instead of leaves their payloads, if
 * these are short.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { hashLeaf, hashNode, heightOf, widthAt } from "../../encoding/merkle.ts";
import { DisputeError } from "../../errors/index.ts";
import { type GameState, isRunning, objection, question, type RunningGame } from "../../game/bisection.ts";
import type { Question } from "../../game/question.ts";
import { type Answer, type Level, openClaim, openingLengths, type Side } from "../../game/level.ts";

/** What is shown of a tree: `width` nodes (0, 1, 2 or 4) at height `floor`, from position `first` on. */
export interface Below {
  readonly floor: number;
  readonly first: number;
  readonly width: number;
  /** Whether payloads are shown instead of leaves. */
  readonly payloads: boolean;
}

export interface Round extends Below {
  /** The game at the first question of the round. */
  readonly game: RunningGame;
}

/** Whether there are four nodes two levels below the one at `position`. */
function isDeep(count: number, height: number, position: number): boolean {
  return height >= 2 && 4 * position + 3 < widthAt(count, height - 2);
}

/**
 * What is shown below a node: its four grandchildren if it has them, or its two children. Below a leaf there
 * is nothing.
 */
export function belowNode({ name, count }: Pick<Level, "name" | "count">, height: number, position: number): Below {
  if (height === 0) return { floor: 0, first: position, width: 0, payloads: false };
  const depth = isDeep(count, height, position) ? 2 : 1;
  const [floor, width] = [height - depth, 2 ** depth];
  // Chunks are long, so only the right one is shown, after it is found.
  return { floor, first: width * position, width, payloads: floor === 0 && name !== "chunk" };
}

/** The round that begins with the question that a game asks. */
export function roundOf(game: RunningGame): Round {
  if (game.phase === "payload") return { game, floor: 0, first: game.position, width: 1, payloads: true };
  if (game.phase === "children") return { game, ...belowNode(game.level, game.height, game.position) };
  return { game, ...belowNode(game.level, heightOf(game.level.count), 0) };
}

/** Whether the side has answered in this round what the game asks now. */
export function isAnswered({ game, floor, first, width, payloads }: Round, now: GameState): now is RunningGame {
  if (!isRunning(now) || now.path.length !== game.path.length) return false;
  if (now === game) return true;
  if (now.phase === "children") return now.height > floor;
  return now.phase === "payload" && payloads && now.position >= first && now.position < first + width;
}

/** The questions of a round. Their answers, in order, are what is shown. */
export function roundQuestions({ game, floor, first, width, payloads }: Round): Question[] {
  const asked = question(game);
  const at = (kind: Question["kind"], height: number, position: number): Question => ({
    ...asked,
    kind,
    height,
    position,
  });
  const below = payloads
    ? Array.from({ length: width }, (_, i) => at("payload", 0, first + i))
    : Array.from({ length: width / 2 }, (_, i) => at("children", floor + 1, first / 2 + i));
  return game.phase === "opening" ? [asked, ...below] : below;
}

/** The lengths in bytes of the parts that are shown. */
export function roundLengths({ game, first, width, payloads }: Round): number[] {
  const { level, phase } = game;
  const below = Array.from({ length: width }, (_, i) => (payloads ? level.payloadBytes(first + i) : 32));
  return phase === "opening" ? [...openingLengths(level), ...below] : below;
}

/**
 * A side's answer to the question that the game asks now, taken from what it has shown.
 * @throws {DisputeError} when it has not shown this answer
 */
export function answerWithin(round: Round, shown: Answer, now: GameState): Answer {
  if (!isAnswered(round, now))
    throw new DisputeError("TURN", "there is a reply to a question that the other side has not answered");
  const { game, floor, first } = round;
  if (now.phase === "opening") return shown.slice(0, openingLengths(game.level).length);
  if (now.phase === "payload") return [shownBelow(round, shown)[now.position - first]];
  const nodes = nodesOf(round, shown);
  const levels = now.height - floor;
  if (levels === 2) return [hashNode(nodes[0], nodes[1]), hashNode(nodes[2], nodes[3])];
  const left = 2 * now.position - first;
  return [nodes[left], nodes[left + 1]];
}

function shownBelow({ game }: Round, shown: Answer): Answer {
  return game.phase === "opening" ? shown.slice(openingLengths(game.level).length) : shown;
}

function nodesOf(round: Round, shown: Answer): Answer {
  const below = shownBelow(round, shown);
  return round.payloads ? below.map((payload) => hashLeaf(round.game.level.tag, payload)) : below;
}

/** What is wrong with what a side shows, or `undefined` if it is valid. */
export function roundObjection(round: Round, side: Side, shown: Answer | undefined): string | undefined {
  const { game, width } = round;
  const lengths = roundLengths(round);
  const fits = shown?.length === lengths.length && shown.every((part, i) => part.length === lengths[i]);
  if (!fits) return `what is shown for the ${game.phase} in the ${game.level.name} tree is malformed`;
  const wrong = objection(game, side, answerWithin(round, shown, game));
  if (wrong || game.phase !== "opening" || width === 0) return wrong;
  const root = openClaim(game.level, game.claims[side], answerWithin(round, shown, game));
  const top = topOf(nodesOf(round, shown));
  return top.every((byte, i) => byte === root[i])
    ? undefined
    : `the nodes of the ${game.level.name} tree do not hash to its root`;
}

function topOf(nodes: Answer): Bytes {
  if (nodes.length === 1) return nodes[0];
  return topOf(Array.from({ length: nodes.length / 2 }, (_, i) => hashNode(nodes[2 * i], nodes[2 * i + 1])));
}
