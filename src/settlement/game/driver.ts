/** Plays claims in a game until it is over: it looks what is due, sends it, and looks again. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, decodeFunctionData, type Hex, isAddressEqual, type TransactionReceipt } from "viem";
import type { LocalAccount } from "viem/accounts";
import { ChainError, DisputeError } from "../../errors/index.ts";
import type { Prover } from "../../game/prover.ts";
import type { Witness } from "../../referee/witness.ts";
import { ABIS } from "../contracts.ts";
import type { Session } from "../session.ts";
import { readTask, type TaskView } from "../task.ts";
import { Caller, type ContractCall } from "../transactions/caller.ts";
import type { SignatureOf } from "./consent.ts";
import { type Case, Defender, type DueCall } from "./defender.ts";
import type { GameFacts } from "./facts.ts";
import type { GamePlace } from "./follow.ts";

/** A transaction of the game. */
export interface GameMove {
  readonly what: DueCall["what"];
  /** The number of the player that moved. */
  readonly by: number;
  /** The place of the dispute, for people. Empty if the move does not belong to one dispute. */
  readonly at: string;
  readonly gas: number;
  /** Bytes of calldata. */
  readonly bytes: number;
  /** Wei that were sent with it: the bond, with a side's first move. */
  readonly value: bigint;
}

/** A party that plays in this process. */
export interface Player {
  /** Sends the calls. */
  readonly account: LocalAccount;
  readonly prover: Prover<Witness>;
  /** The owner of the claim, and what it has signed, if another account plays for it. */
  readonly for?: { readonly owner: Address; readonly signatureOf: SignatureOf };
}

/**
 * Plays all claims of a task in the game, until the game is over.
 * @param onMove is called after each transaction
 * @throws {DisputeError} when nobody has a move, but the game is not over
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
  const sides = players.map(({ account, prover, for: played }) => ({
    defender: new Defender(place, facts, prover, played?.owner ?? account.address, played?.signatureOf),
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
  throw new DisputeError("STUCK", "neither side has a move, but the game is not over", { task });
}

/** A game of a deployment, with what is needed to read its events. */
function gameAt({ client, source }: Session, game: GamePlace["game"]): GamePlace {
  return { client, game, fromBlock: source.fromBlock };
}

function gameCall({ game }: GamePlace, { data, value = 0n }: DueCall): ContractCall {
  const { functionName, args = [] } = decodeFunctionData({ abi: ABIS.game, data });
  return { contract: "game", to: game, functionName, args, value };
}

/** Milliseconds between two looks while the sides are moving. */
const BRISK = 200;

/** How a claim is defended, and callbacks for what happens. */
export interface DefenceOptions {
  /** Milliseconds between two looks. */
  readonly everyMillis: number;
  /** Whether to escalate a ruling against the claim to the game. */
  readonly escalate: boolean;
  /** Whether to end when the dispute is decided. If not, the defence ends when the task is final. */
  readonly untilDecided: boolean;
  /** Look only once. */
  readonly once?: boolean;
  /** Sends a call. @returns its receipt; `undefined` if calls are only planned */
  send(call: ContractCall): Promise<TransactionReceipt | undefined>;
  /** Called after each call of the game. */
  onCall?(call: DueCall, receipt: TransactionReceipt): void;
  /**
   * Called when a call is refused, perhaps because somebody else was first. The next look finds what is due
   * then.
   */
  onRefused?(error: ChainError): void;
  /** Called when a dispute is decided and the defence continues. */
  onDecided?(ended: Defended): void;
  /** Called before each pause. */
  onWait?(view: TaskView): void;
  /** Called after each pause. */
  onLook?(): void;
}

/** How a defence ended. */
export interface Defended {
  readonly view: TaskView;
  /** Whether the claim has lost. */
  readonly out: boolean;
}

/**
 * Defends the claim of one account in a task, until the task is decided. It can be stopped and started again
 * at any time.
 * @param own the claim's owner, and what it has signed, if another account sends the calls; escalating a
 *   ruling and claiming a reward are up to the owner alone
 * @returns `undefined` after a single look
 * @throws {ChainError} when the account has no seat
 * @throws {DisputeError} when the claim can't be defended
 */
export async function defendClaim(
  session: Session,
  task: Hex,
  facts: GameFacts,
  own: { readonly address: Hex; readonly prover: Prover<Witness>; readonly signatureOf?: SignatureOf },
  options: DefenceOptions,
): Promise<Defended | undefined> {
  const { address, prover, signatureOf } = own;
  const { terms } = await readTask(session.source, task);
  const place = gameAt(session, terms.game);
  const defender = new Defender(place, facts, prover, address, signatureOf);
  let disputed = false;
  let last: Case | undefined;
  for (;;) {
    const view = await readTask(session.source, task);
    const seat = view.seats.find(({ owner }) => isAddressEqual(owner, address));
    if (!seat) throw new ChainError("NO_SEAT", `${address} has no seat in this task; use the account that has one`);
    const isOver = view.state === "Final" || view.state === "Refunded" || seat.out;
    disputed ||= view.state === "Disputed";
    if (isOver || (options.untilDecided && disputed && view.state !== "Disputed")) {
      // Others may have ended the task while bonds of the owner were in disputes with players that are out.
      for (const call of last ? await defender.leftOver(last) : []) await carryOut(place, call, options);
      return { view, out: seat.out };
    }
    if (disputed && view.state !== "Disputed") {
      disputed = false;
      options.onDecided?.({ view, out: false });
    }
    let calls = 0;
    if (view.phase === "Ruled" && options.escalate && losesBy(view, seat.root)) {
      const args = [terms, view.ruling, BigInt(seat.seat)];
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
    // After a move of ours, the next one may be due soon.
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
