/** Decides on how many threads the kernels of a list run, and in how many pieces each is cut. */
import type { KernelPlan } from "../../schedule/kernel-plan.ts";
import { threads } from "../threads.ts";
import { costOf, HASHED_BYTE } from "./costs.ts";
import { canShareMemory } from "./crew.ts";
import { type Piece, piecesOf } from "./pieces.ts";

/** How a backend deals out its work; tests change it. */
export interface Dealing {
  /** Absent: as many as `threads()` says. */
  threads?: number;
  /** Nanoseconds of work (costs.ts) that are worth a call of their own; default 10,000. */
  piece?: number;
  /** Nanoseconds of work of a list, all its kernels together, that are worth threads; default 200,000. */
  list?: number;
  /** Whether helpers are waited for and do alone what is dealt out. */
  idle?: boolean;
}

/** Every piece of some size waits less long for the last one if there are more of them than threads. */
const PIECES_PER_THREAD = 2;

/** A kernel that generated code runs. */
export interface DealtPlan {
  pieces: readonly Piece[];
  /** Whether several threads run it. */
  dealt: boolean;
}

export interface Dealt {
  threads: number;
  /** `undefined` for a kernel that has no code of its own. */
  plans: readonly (DealtPlan | undefined)[];
}

/** @param lastingBytes the bytes of inputs and kept tensors, whose roots may be asked for */
export function deal(plans: readonly KernelPlan[], lastingBytes: number, dealing: Dealing): Dealt {
  const { piece = 10_000, list = 200_000 } = dealing;
  const wanted = canShareMemory() ? (dealing.threads ?? threads()) : 1;
  const costs = plans.map(costOf);
  const worth = costs.reduce((sum, cost) => (cost >= 2 * piece ? sum + cost : sum), 0) + hashCost(lastingBytes);
  const most = wanted === 1 || worth < list ? 1 : wanted;
  const cut = plans.map((plan, i): DealtPlan | undefined => {
    const count = most === 1 ? 1 : Math.max(1, Math.min(PIECES_PER_THREAD * most, Math.floor(costs[i] / piece)));
    const pieces = piecesOf(plan, count);
    return pieces && { pieces, dealt: count > 1 && pieces.length > 1 };
  });
  return { threads: most, plans: cut };
}

/** Below some megabytes a state is hashed so fast, and so rarely, that threads are not worth it. */
const FEW_BYTES = 2 ** 22;

const hashCost = (bytes: number): number => (bytes < FEW_BYTES ? 0 : HASHED_BYTE * bytes);

/** In how many pieces a hash of so many bytes is cut. */
export function hashPieces(bytes: number, threads: number, { piece = 10_000 }: Dealing): number {
  if (threads === 1) return 1;
  return Math.max(1, Math.min(PIECES_PER_THREAD * threads, Math.floor((HASHED_BYTE * bytes) / piece)));
}
