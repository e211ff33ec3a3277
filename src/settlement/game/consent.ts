/**
 * The moves that only the owner of a claim may make, and how others make them with the owner's signatures
 * (contracts/game/Consents.sol). A claim that is the last leaf of many trees may be opened into any of them
 * by its owner, and by everybody else into the one that the owner has signed (spec 7.3).
 */
import type { Hex } from "viem";
import type { Bytes } from "../../encoding/bytes.ts";
import { CHUNK_ELEMENTS } from "../../encoding/tensor.ts";
import type { OpenedTree, Opening } from "../../claims/opening.ts";
import { DisputeError } from "../../errors/index.ts";
import { type GameState as Game, isRunning, type RunningGame } from "../../game/bisection.ts";
import { type Answer, openClaim, openingLengths, type Side } from "../../game/level.ts";
import type { LevelName } from "../../referee/place.ts";
import { hex } from "./facts.ts";
import type { Match, Turn } from "./match.ts";
import { pastOf, runsOf } from "./past.ts";

/**
 * The owner's signature over an opening: 65 bytes, or what the owner's contract accepts (ERC-1271).
 * `undefined` if there is none.
 */
export type SignatureOf = (opening: Opening) => Bytes | undefined;

/** The contract's `Consent`. */
interface Consent {
  chain: readonly Hex[];
  reply: Hex;
  next: Hex;
}

/** The trees that a move opens and that do not follow from what the mover has claimed. */
interface MoveOpenings {
  readonly reply?: Opening;
  readonly next?: Opening;
}

/**
 * What the owner of a claim has to sign before others can make this move. Empty for a move that anyone may
 * make.
 * @param after the game after the move
 */
function openingsOf({ game, shown, turn }: Match, { reply, next }: Turn, after: Game): MoveOpenings {
  const replied = shown !== undefined && isFree(game) ? openingOf(game, turn, reply[0]) : undefined;
  const answered = isFree(after) ? openingOf(after, turn, next!) : undefined;
  return { ...(replied && { reply: replied }), ...(answered && { next: answered }) };
}

/**
 * The signatures that a move needs if another account than the owner makes it. `undefined` for a move that
 * anyone may make.
 * @param after the game after the move
 * @throws {DisputeError} when a signature is missing
 */
export function consentFor(match: Match, turn: Turn, after: Game, signatureOf: SignatureOf): Consent | undefined {
  const openings = openingsOf(match, turn, after);
  const { reply, next } = openings;
  if (!reply && !next) return undefined;
  const signed = (opening: Opening | undefined): Hex => {
    if (!opening) return "0x";
    const signature = signatureOf(opening);
    if (signature) return hex(signature);
    throw new DisputeError(
      "ANSWER_MISSING",
      `the claim's owner has not signed its ${opening.tree} tree, and only the owner may open it without that`,
      { ...opening },
    );
  };
  const { runs, roots } = pastOf(next ? after : match.game);
  return { chain: [...runs, ...roots], reply: signed(reply), next: signed(next) };
}

/** Whether the game asks for a tree that does not follow from the claim above. */
function isFree(game: Game): game is RunningGame {
  return isRunning(game) && game.phase === "opening" && game.level.binding.kind === "last";
}

/** @param shown begins with the proof of the last leaf */
function openingOf(game: RunningGame, side: Side, shown: Answer): Opening {
  const { level, path, claims } = game;
  const passed = (name: LevelName) => path.find((one) => one.level.name === name);
  const chunk = passed("chunk");
  return {
    run: runsOf(game)[side],
    tree: level.name as OpenedTree,
    segment: passed("segment")!.index,
    step: passed("step")?.index ?? 0,
    kernel: passed("operator")?.index ?? 0,
    element: chunk ? CHUNK_ELEMENTS * chunk.index + chunk.part : 0,
    root: openClaim(level, claims[side], shown.slice(0, openingLengths(level).length)),
  };
}
