/**
 * What a dispute has passed, as the contract keeps it: a hash chain over the two run roots, and then over the
 * roots of side 0's segment, step and operator trees (contracts/training/Past.sol).
 */
import type { Hex } from "viem";
import type { Bytes } from "../../encoding/bytes.ts";
import { type GameState as Game, isRunning, type RunningGame } from "../../game/bisection.ts";
import { bothSides, type Pair, type Passed } from "../../game/level.ts";
import { hashTwo, hex } from "./facts.ts";

const KEPT: readonly string[] = ["segment", "step", "operator"];

/** The run roots that the sides claim. */
export function runsOf(game: Game): Pair<Bytes> {
  // Without a path the game asks about these claims themselves.
  return game.path.length > 0 ? game.path[0].claims : (game as RunningGame).claims;
}

/** The hash of both run roots, with which the chain and every one-step proof begin. */
export function hashOfRuns(runs: Pair<Bytes>): Hex {
  return hashTwo(hex(runs[0]), hex(runs[1]));
}

/** What the chain is made of: both run roots, and the roots of side 0's trees that the game has passed. */
export function pastOf(game: Game): { runs: Pair<Hex>; roots: Hex[] } {
  const runs = runsOf(game);
  const left: readonly Passed[] = isRunning(game) ? game.path : game.path.slice(0, -1);
  const kept = left.filter(({ level }) => KEPT.includes(level.name));
  return { runs: bothSides((side) => hex(runs[side])), roots: kept.map(({ roots }) => hex(roots[0])) };
}

/** The chain as one word. */
export function pastHash(game: Game): Hex {
  return pastOf(game).roots.reduce<Hex>((past, root) => hashTwo(past, root), hashOfRuns(runsOf(game)));
}
