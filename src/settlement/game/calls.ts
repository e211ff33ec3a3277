/** Moves as calls of the contract: what they show of the job beside the answers follows from where they lead. */
import { Writer } from "../../encoding/bytes.ts";
import { type GameState as Game, isRunning } from "../../referee/game.ts";
import { type Answer, positionOf } from "../../referee/level.ts";
import { isAssembly } from "../../referee/machine.ts";
import { graphAt, placeOf } from "../../referee/place.ts";
import type { Witness } from "../../referee/witness.ts";
import { encodeFunctionData, type Hex } from "viem";
import { disputeGameAbi } from "../abi/dispute-game.ts";
import { type GameFacts, hex, ZERO } from "./facts.ts";
import type { Match, Turn } from "./match.ts";
import { WitnessWriter } from "./witness.ts";
import { chainState, contextOf, type Players, questionOf } from "./state.ts";

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
 * @param after what `play` made of the turn
 */
export function moveCall({ facts, dispute, players, match }: ChainMatch, { reply, next }: Turn, after: Match): Hex {
  const state = chainState(facts, players, match);
  if (isPlainMove(match, after)) {
    const { word, context, shown } = state;
    const sibling = hex(reply![0]) === shown[0] ? ZERO : hex(reply![1]);
    const args = [dispute, word, context, shown, [hex(next![0]), hex(next![1])], sibling] as const;
    return encodeFunctionData({ abi: disputeGameAbi, functionName: "move", args });
  }
  const context = contextOf(facts, players, match.game);
  const payload = questionOf(match) === "payload" ? joined(match.shown) : "0x";
  const shown = factsFor(facts, match.game, after.game);
  const move = { facts: shown, payload, reply: joined(reply), next: joined(next) };
  return encodeFunctionData({ abi: disputeGameAbi, functionName: "turn", args: [dispute, state, context, move] });
}

/**
 * The call that ends a match at its bottom.
 * @param witness agreed values, from either side; a checkpoint needs none
 */
export function proveCall({ facts, dispute, players, match }: ChainMatch, witness: Witness): Hex {
  const { word } = chainState(facts, players, match);
  const { path } = match.game;
  const atCheckpoint = path[path.length - 1].level.name === "segment";
  const shown = atCheckpoint ? NO_WITNESS : new WitnessWriter(facts, path, witness).write();
  const args = [dispute, word, contextOf(facts, players, match.game), shown] as const;
  return encodeFunctionData({ abi: disputeGameAbi, functionName: "prove", args });
}

const NO_WITNESS = { kernel: "0x", data: "0x", path: [] } as const;

export function timeoutCall({ facts, dispute, players, match }: ChainMatch): Hex {
  const args = [dispute, chainState(facts, players, match), contextOf(facts, players, match.game)] as const;
  return encodeFunctionData({ abi: disputeGameAbi, functionName: "timeout", args });
}

/** From a node to one of its children, both with two children of their own. */
function isPlainMove(before: Match, after: Match): boolean {
  const [from, to] = [before.game, after.game];
  const inOneTree = from.phase === "children" && to.phase === "children" && from.path.length === to.path.length;
  return inOneTree && questionOf(before) === "children" && to.height === from.height - 1;
}

function joined(answer: Answer | undefined): Hex {
  const writer = new Writer();
  for (const part of answer ?? []) writer.bytes(part);
  return hex(writer.finish());
}

/** What the way from one question to the next needs of the job, and no more. */
function factsFor(gameFacts: GameFacts, before: Game, after: Game): ShownFacts {
  const { facts } = gameFacts;
  const passed = after.path.slice(before.path.length).map(({ level }) => level.name);
  const opening = [before, after]
    .filter(isRunning)
    .flatMap((game) => (game.phase === "opening" ? game.level.name : []));
  const entered = [...passed.slice(1), ...(isRunning(after) && passed.length > 0 ? [after.level.name] : [])];
  const place = placeOf(facts, positionOf(after.path));
  const inKernel = place.kernel !== undefined && !isAssembly(facts, place);
  const entersOps = entered.includes("op");
  const entersKernel = passed.includes("op") && inKernel;
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
