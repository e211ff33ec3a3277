/** Moves as calls of the contract. The place that a move leads to decides which facts of the job it shows. */
import { bytesEqual, Writer } from "../../encoding/bytes.ts";
import { hashNode } from "../../encoding/merkle.ts";
import { type GameState as Game, isRunning } from "../../game/bisection.ts";
import { type Answer, openingLengths, positionOf } from "../../game/level.ts";
import { isStateUpdate } from "../../referee/machine.ts";
import { graphAt, placeOf } from "../../referee/place.ts";
import type { Witness } from "../../referee/witness.ts";
import { encodeFunctionData, type Hex } from "viem";
import { disputeGameAbi } from "../abi/dispute-game.ts";
import { type GameFacts, hex, ZERO } from "./facts.ts";
import { consentFor, type SignatureOf } from "./consent.ts";
import type { Match, Turn } from "./match.ts";
import { roundOf } from "./round.ts";
import { WitnessWriter } from "./witness.ts";
import { type ChainState, chainState, contextOf, type Players } from "./state.ts";

/** The contract's `Facts`. */
interface ShownFacts {
  job: Hex;
  head: Hex;
  trees: Hex;
  kernel: Hex;
  kernelProof: readonly Hex[];
}

/** A match that is played on a chain. */
export interface ChainMatch {
  readonly facts: GameFacts;
  /** The dispute's number. */
  readonly dispute: bigint;
  readonly players: Players;
  readonly match: Match;
}

/**
 * The call that brings a match from one state to the next.
 * @param after the match that `play` returned for the turn
 * @param signatureOf the signatures of the claim's owner, if another account makes the move
 * @throws {DisputeError} when another account makes the move, and it needs a signature that is missing
 */
export function moveCall(
  { facts, dispute, players, match }: ChainMatch,
  { reply, next }: Turn,
  after: Match,
  signatureOf?: SignatureOf,
): Hex {
  const state = chainState(facts, players, match);
  if (isPlainMove(match, after)) return plainCall(dispute, state, match, { reply, next });
  const context = contextOf(facts, players, match.game);
  const { game } = match;
  // At an opening the state holds the root itself. So only the nodes below it are shown again, not the
  // opening.
  const opening = isRunning(game) && game.phase === "opening" ? openingLengths(game.level).length : 0;
  const shown = joined(match.shown?.slice(opening));
  const move = {
    facts: factsFor(facts, match.game, after.game),
    shown,
    reply: joined(reply.flat()),
    next: joined(next),
  };
  const args = [dispute, state, context, move] as const;
  const consent = signatureOf && consentFor(match, { reply, next }, after.game, signatureOf);
  return consent
    ? encodeFunctionData({ abi: disputeGameAbi, functionName: "turnFor", args: [...args, consent] })
    : encodeFunctionData({ abi: disputeGameAbi, functionName: "turn", args });
}

function plainCall(dispute: bigint, { word, context }: ChainState, match: Match, { reply, next }: Turn): Hex {
  const [upper, lower] = reply;
  const [a, b, c, d] = match.shown!;
  const [left, right] = [hashNode(a, b), hashNode(c, d)];
  const goesRight = bytesEqual(upper[0], left);
  const [first, second] = goesRight ? [c, d] : [a, b];
  const goesRightBelow = bytesEqual(lower[0], first);
  const args = [
    dispute,
    word,
    context,
    hex(goesRightBelow ? second : first),
    [hex(goesRight ? left : right), hex(goesRightBelow ? first : second)],
    [goesRight ? ZERO : hex(upper[1]), goesRightBelow ? ZERO : hex(lower[1])],
    next!.map(hex) as unknown as readonly [Hex, Hex, Hex, Hex],
  ] as const;
  return encodeFunctionData({ abi: disputeGameAbi, functionName: "move", args });
}

/**
 * The call that ends a match at its bottom.
 * @param witness the agreed values, from either side; a checkpoint needs none
 */
export function proveCall({ facts, dispute, players, match }: ChainMatch, witness: Witness): Hex {
  const { word } = chainState(facts, players, match);
  const { path } = match.game;
  const atCheckpoint = path[path.length - 1].level.name === "segment";
  const shown = atCheckpoint ? "0x" : new WitnessWriter(facts, path, witness).write();
  const args = [dispute, word, contextOf(facts, players, match.game), shown] as const;
  return encodeFunctionData({ abi: disputeGameAbi, functionName: "prove", args });
}

/** The call that ends a match if the side to move is late, or if one side is out already. */
export function timeoutCall({ facts, dispute, players, match }: ChainMatch): Hex {
  const args = [dispute, chainState(facts, players, match), contextOf(facts, players, match.game)] as const;
  return encodeFunctionData({ abi: disputeGameAbi, functionName: "timeout", args });
}

/** Where a match stands, for people: `segment 3, step 1, operator tree, height 3`. */
export function placeText({ match: { game } }: ChainMatch): string {
  const passed = game.path.map(({ level, index }) => `${level.name} ${index}`);
  if (!isRunning(game)) return passed.join(", ");
  const asked =
    game.phase === "children" ? `${game.level.name} tree, height ${game.height}` : `${game.level.name} tree`;
  return [...passed, asked].join(", ");
}

/** Whether a move goes down two levels of one tree, from four shown nodes to four shown nodes. */
function isPlainMove({ game: from, shown }: Match, { game: to }: Match): boolean {
  if (shown === undefined || from.phase !== "children" || to.phase !== "children") return false;
  const [before, after] = [roundOf(from), roundOf(to)];
  const inOneTree = from.path.length === to.path.length && to.height === from.height - 2;
  return inOneTree && before.width === 4 && after.width === 4 && !after.payloads;
}

function joined(answer: Answer | undefined): Hex {
  const writer = new Writer();
  for (const part of answer ?? []) writer.bytes(part);
  return hex(writer.finish());
}

/** Exactly the facts of the job that are needed on the way from one question to the next. */
function factsFor(gameFacts: GameFacts, before: Game, after: Game): ShownFacts {
  const { facts } = gameFacts;
  const passed = after.path.slice(before.path.length).map(({ level }) => level.name);
  const opening = [before, after]
    .filter(isRunning)
    .flatMap((game) => (game.phase === "opening" ? game.level.name : []));
  const entered = [...passed.slice(1), ...(isRunning(after) && passed.length > 0 ? [after.level.name] : [])];
  const place = placeOf(facts, positionOf(after.path));
  const inKernel = place.kernel !== undefined && !isStateUpdate(facts, place);
  const entersOps = entered.includes("operator");
  const entersKernel = passed.includes("operator") && inKernel;
  const { head, trees } = entersOps || entersKernel ? gameFacts.graph(graphAt(place)) : NOTHING;
  const needsKernel = entersKernel || opening.includes("chunk");
  const kernel = needsKernel ? gameFacts.kernel(graphAt(place), place.kernel!) : undefined;
  const needsJob = passed.includes("segment") || passed.includes("step") || opening.includes("segment");
  return {
    job: needsJob ? gameFacts.encodedJob() : "0x",
    head: entersOps ? head : "0x",
    trees,
    kernel: kernel ? hex(kernel.encoding) : "0x",
    kernelProof: kernel && entersKernel ? kernel.proof.map(hex) : [],
  };
}

const NOTHING = { head: "0x", trees: "0x" } as const;
