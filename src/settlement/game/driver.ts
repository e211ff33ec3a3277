/** Drives the claims before a game until it is over: looks what is due, has it carried out, and looks again. */
import { setTimeout as sleep } from "node:timers/promises";
import { decodeFunctionData, type Hex, isAddressEqual, type TransactionReceipt } from "viem";
import type { LocalAccount } from "viem/accounts";
import { ChainError, DisputeError } from "../../errors/index.ts";
import type { Prover } from "../../game/prover.ts";
import type { Witness } from "../../referee/witness.ts";
import { ABIS } from "../contracts.ts";
import type { Session } from "../session.ts";
import { readTask, type TaskView } from "../task.ts";
import { Caller, type ContractCall } from "../transactions/caller.ts";
import { type Case, Defender, type DueCall } from "./defender.ts";
import type { GameFacts } from "./facts.ts";
import type { GamePlace } from "./follow.ts";

/** A transaction of the game. */
export interface GameMove {
  readonly what: DueCall["what"];
  /** The number of the player that moved. */
  readonly by: number;
  /** Where the dispute stood, for people; empty where the move is not of one dispute. */
  readonly at: string;
  readonly gas: number;
  /** Of calldata. */
  readonly bytes: number;
  /** Wei that were sent along: the bond, with a side's first move. */
  readonly value: bigint;
}

/** A party that plays in this process. */
export interface Player {
  readonly account: LocalAccount;
  readonly prover: Prover<Witness>;
}

/**
 * Plays all claims of a task that is before the game, until the game is over.
 * @param onMove is told of each transaction
 * @throws {DisputeError} when nobody has a move, and the game is not over
 */
export async function playOut(
  session: Session,
  task: Hex,
  facts: GameFacts,
  players: readonly Player[],
  onMove?: (move: GameMove) => void,
): Promise<{ moves: GameMove[]; view: TaskView }> {
  const { terms } = await readTask(session.source, task);
  const place = gameAt(session, terms.game);
  const sides = players.map(({ account, prover }) => ({
    defender: new Defender(place, facts, prover, account.address),
    caller: Caller.shortLived(session, account),
  }));
  const moves: GameMove[] = [];
  for (let idle = 0; idle < sides.length; )
    for (const [by, { defender, caller }] of sides.entries()) {
      const view = await readTask(session.source, task);
      if (view.phase !== "Playing") return { moves, view };
      const [due] = await defender.due({ task, dispute: view.dispute, terms });
      idle = due ? 0 : idle + 1;
      if (!due) continue;
      const { what, data, at = "", value = 0n } = due;
      const { gasUsed } = await caller.call(gameCall(place, due));
      const move = { what, by, at, gas: Number(gasUsed), bytes: (data.length - 2) / 2, value };
      moves.push(move);
      onMove?.(move);
    }
  throw new DisputeError("STUCK", "neither side has a move, and the game is not over", { task });
}

/** A game of a deployment, where its events are read. */
function gameAt({ client, source }: Session, game: GamePlace["game"]): GamePlace {
  return { client, game, fromBlock: source.fromBlock };
}

function gameCall({ game }: GamePlace, { data, value = 0n }: DueCall): ContractCall {
  const { functionName, args = [] } = decodeFunctionData({ abi: ABIS.game, data });
  return { contract: "game", to: game, functionName, args, value };
}

/** Milliseconds between two looks while moves go to and fro. */
const BRISK = 200;

/** How a claim is defended, and who is told of it. */
export interface DefenceOptions {
  /** Milliseconds between two looks. */
  readonly everyMillis: number;
  /** Whether a ruling against the claim is brought before the game. */
  readonly escalate: boolean;
  /** Ends when the dispute is decided; else when the task is final. */
  readonly untilDecided: boolean;
  /** Looks once, and ends. */
  readonly once?: boolean;
  /** Carries a call out. @returns its receipt; none where calls are only planned */
  send(call: ContractCall): Promise<TransactionReceipt | undefined>;
  /** What was carried out of the game. */
  onCall?(call: DueCall, receipt: TransactionReceipt): void;
  /** Somebody else was first, perhaps: the next look tells what is due then. */
  onRefused?(error: ChainError): void;
  /** Before each pause. */
  onWait?(view: TaskView): void;
  /** After each pause. */
  onLook?(): void;
}

/** How a defence ended. */
export interface Defended {
  readonly view: TaskView;
  /** Whether the claim has lost. */
  readonly out: boolean;
}

/**
 * Defends the claim of one account in a task, until that is decided. It can be ended at any time and started again.
 * @returns `undefined` after a single look
 * @throws {ChainError} when the account has no seat; {DisputeError} when the claim can't be defended
 */
export async function defendClaim(
  session: Session,
  task: Hex,
  facts: GameFacts,
  { address, prover }: { address: Hex; prover: Prover<Witness> },
  options: DefenceOptions,
): Promise<Defended | undefined> {
  const { terms } = await readTask(session.source, task);
  const place = gameAt(session, terms.game);
  const defender = new Defender(place, facts, prover, address);
  let disputed = false;
  let last: Case | undefined;
  for (;;) {
    const view = await readTask(session.source, task);
    const own = view.seats.find(({ owner }) => isAddressEqual(owner, address));
    if (!own) throw new ChainError("NO_SEAT", `${address} has no seat in this task; use the account that has one`);
    const isOver = view.state === "Final" || view.state === "Refunded" || own.out;
    disputed ||= view.state === "Disputed";
    if (isOver || (options.untilDecided && disputed && view.state !== "Disputed")) {
      // Others may have ended the task while the owner's bonds were in disputes with those that are out.
      for (const call of last ? await defender.leftOver(last) : []) await carryOut(place, call, options);
      return { view, out: own.out };
    }
    let calls = 0;
    if (view.phase === "Ruled" && options.escalate && losesBy(view, own.root)) {
      const args = [terms, view.ruling, BigInt(own.seat)];
      await options.send({ contract: "manager", functionName: "escalate", args });
      calls++;
    } else if (view.phase === "Playing") {
      last = { task, dispute: view.dispute, terms };
      for (const call of await defender.due(last)) {
        await carryOut(place, call, options);
        calls++;
      }
    }
    if (options.once) return undefined;
    options.onWait?.(view);
    // Whoever has just moved may have the next move soon.
    await sleep(calls > 0 ? Math.min(options.everyMillis, BRISK) : options.everyMillis);
    options.onLook?.();
  }
}

async function carryOut(place: GamePlace, call: DueCall, { send, onCall, onRefused }: DefenceOptions): Promise<void> {
  try {
    const receipt = await send(gameCall(place, call));
    if (receipt) onCall?.(call, receipt);
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    onRefused?.(error);
  }
}

/** Whether the committee has ruled against a claim. */
function losesBy({ ruling }: TaskView, root: Hex | undefined): boolean {
  const claim = ruling?.claims.findIndex((other) => other === root) ?? -1;
  return claim >= 0 && ((ruling!.losers >> BigInt(claim)) & 1n) === 1n;
}
