/**
 * Defends a claim in the game on a chain: it finds out what the claim's owner may do now, and returns the
 * calls for it. All that it knows comes from the chain and from the claim's trace, so it can be stopped and
 * started again at any time.
 */
import { type Address, encodeFunctionData, type Hex, isAddressEqual } from "viem";
import { DisputeError } from "../../errors/index.ts";
import { isRunning, type Machine } from "../../game/bisection.ts";
import { positionOf } from "../../game/level.ts";
import { trainingMachine } from "../../referee/machine.ts";
import type { Prover } from "../../game/prover.ts";
import type { Witness } from "../../referee/witness.ts";
import { disputeGameAbi } from "../abi/dispute-game.ts";
import type { Terms } from "../task.ts";
import { bondDue, sidesMoved } from "./bond.ts";
import { type ChainMatch, moveCall, proveCall, timeoutCall } from "./calls.ts";
import type { SignatureOf } from "./consent.ts";
import { type GameFacts, hex } from "./facts.ts";
import { followMatch, type GameEvent, gameEvents, type GamePlace } from "./follow.ts";
import { deadlineOf, type Pace, play } from "./match.ts";
import { makeTurn } from "./player.ts";

/** A call of the game that is due. */
export interface DueCall {
  what: "open" | "pair" | "move" | "prove" | "timeout" | "settle" | "close";
  data: Hex;
  /** Wei that are sent with it, if any. */
  value?: bigint;
  /** The number of the dispute, if the call belongs to one. */
  dispute?: bigint;
  /** The place of the dispute, for people. */
  at?: string;
}

/** A task whose dispute is played in the game. */
export interface Case {
  task: Hex;
  /** The number of the task's dispute. */
  dispute: number;
  terms: Terms;
}

type Opened = Extract<GameEvent, { eventName: "Opened" }>["args"];

/** The players of a task in the game, and what is known about them. */
interface Bracket extends Opened {
  /** The number of the owner among the players. */
  own: number;
  stands(player: number): boolean;
  paired: readonly Extract<GameEvent, { eventName: "Paired" }>["args"][];
}

/** Finds out what the owner of one claim may do in the game. It sends nothing itself. */
export class Defender {
  private readonly place: GamePlace;
  private readonly facts: GameFacts;
  private readonly machine: Machine;
  private readonly prover: Prover<Witness>;
  private readonly owner: Address;
  private readonly signatureOf: SignatureOf | undefined;
  private rules: { pace: Pace; gasBond: bigint } | undefined;

  /**
   * @param owner the owner of the claim
   * @param signatureOf the owner's signatures, if another account sends the calls
   */
  constructor(place: GamePlace, facts: GameFacts, prover: Prover<Witness>, owner: Address, signatureOf?: SignatureOf) {
    this.place = place;
    this.facts = facts;
    this.machine = trainingMachine(facts.facts);
    this.prover = prover;
    this.owner = owner;
    this.signatureOf = signatureOf;
  }

  /**
   * What the owner may do now. It is empty while others have to move.
   * @throws {DisputeError} when the claim can't be defended from this trace
   */
  async due(before: Case): Promise<DueCall[]> {
    const opened = await this.openedFor(before);
    if (!opened) return [{ what: "open", data: this.openCall(before.terms) }];
    const bracket = await this.bracketOf(opened);
    const { roster, own, stands, paired } = bracket;
    const { timestamp } = await this.place.client.getBlock();
    const calls = await this.settlements(bracket);
    const claims = new Set(roster.players.flatMap(({ claim }, player) => (stands(player) ? [claim] : [])));
    if (claims.size <= 1) return [...calls, { what: "close", data: encode("close", [before.terms, roster]) }];
    for (const [other, { claim }] of roster.players.entries()) {
      if (claim === roster.players[own].claim || !stands(own) || !stands(other)) continue;
      const [first, second] = [Math.min(own, other), Math.max(own, other)];
      const known = paired.find((pair) => Number(pair.first) === first && Number(pair.second) === second);
      if (!known) calls.push({ what: "pair", data: encode("pair", [roster, BigInt(first), BigInt(second)]) });
      else calls.push(...(await this.inDispute(known.dispute, own === first ? 0 : 1, Number(timestamp))));
    }
    return calls;
  }

  /**
   * The calls that get the owner's bonds back after a task is decided: disputes with players that are out may
   * still run.
   */
  async leftOver(before: Case): Promise<DueCall[]> {
    const opened = await this.openedFor(before);
    return opened ? this.settlements(await this.bracketOf(opened)) : [];
  }

  /** A player that stands gets the bonds of a dispute at once if the other player is out. */
  private async settlements({ own, stands, paired }: Bracket): Promise<DueCall[]> {
    const calls: DueCall[] = [];
    for (const { dispute, first, second } of paired) {
      const other = Number(first) === own ? Number(second) : Number(first);
      if (![Number(first), Number(second)].includes(own) || !stands(own) || stands(other)) continue;
      const { followed, gasBond } = await this.follow(dispute);
      if (!followed || gasBond === 0n || sidesMoved(followed.match) === 0) continue;
      calls.push({ what: "settle", data: timeoutCall(followed), dispute, at: placeText(followed) });
    }
    return calls;
  }

  private async follow(dispute: bigint): Promise<{ followed: ChainMatch | undefined; gasBond: bigint }> {
    this.rules ??= { pace: await this.read<Pace>("pace", []), gasBond: await this.read<bigint>("gasBond", []) };
    const { pace, gasBond } = this.rules;
    return { followed: await followMatch(this.place, this.facts, pace, dispute), gasBond };
  }

  private async inDispute(dispute: bigint, side: 0 | 1, now: number): Promise<DueCall[]> {
    const { followed, gasBond } = await this.follow(dispute);
    if (!followed) return [];
    const { match } = followed;
    const at = placeText(followed);
    if (!isRunning(match.game)) {
      const witness = await this.prover.witness(positionOf(match.game.path));
      if (!witness)
        throw new DisputeError(
          "WITNESS_MISSING",
          "this trace can't show the one-step proof for the step at the bottom; restore the trace and its checkpoints",
          { dispute },
        );
      return [{ what: "prove", data: proveCall(followed, witness), dispute, at }];
    }
    const deadline = deadlineOf(match);
    if (match.turn === side && now <= deadline) {
      const turn = await makeTurn(this.machine, this.prover, match);
      // The call does not contain the time of the move: the chain uses its own.
      const data = moveCall(followed, turn, play(this.machine, match, turn, now), this.signatureOf);
      const value = bondDue(match, gasBond);
      return [{ what: "move", data, ...(value > 0n && { value }), dispute, at }];
    }
    const isLate = match.turn !== side && now > deadline;
    return isLate ? [{ what: "timeout", data: timeoutCall(followed), dispute, at }] : [];
  }

  /** @throws {DisputeError} when the owner is not one of the players */
  private async bracketOf(opened: Opened): Promise<Bracket> {
    const { bracket, roster } = opened;
    const own = roster.players.findIndex(({ owner }) => isAddressEqual(owner, this.owner));
    if (own < 0)
      throw new DisputeError(
        "NO_CLAIM",
        `${this.owner} has no claim in the game; use the account that made the claim`,
        {
          owner: this.owner,
        },
      );
    const [{ standing }, events] = await Promise.all([
      this.read<{ standing: number }>("bracketOf", [bracket]),
      gameEvents(this.place, bracket),
    ]);
    const paired = events.flatMap((event) => (event.eventName === "Paired" ? [event.args] : []));
    return { ...opened, own, stands: (player) => ((standing >> player) & 1) === 1, paired };
  }

  private async openedFor({ task, dispute }: Case): Promise<Opened | undefined> {
    const opened = (await gameEvents(this.place, task)).flatMap((event) =>
      event.eventName === "Opened" ? [event.args] : [],
    );
    return opened.find(({ roster }) => Number(roster.dispute) === dispute);
  }

  private openCall(terms: Terms): Hex {
    const { parts } = this.facts.facts;
    const shown = {
      info: hex(parts.info),
      step: hex(parts.step),
      init: hex(parts.init),
      dataset: hex(parts.dataset),
      fromCheckpoint: parts.initKind === "checkpoint",
    };
    return encode("open", [terms, shown]);
  }

  private read<T>(functionName: string, args: readonly unknown[]): Promise<T> {
    const { client, game } = this.place;
    return client.readContract({ address: game, abi: disputeGameAbi, functionName, args } as never) as Promise<T>;
  }
}

function encode(functionName: string, args: readonly unknown[]): Hex {
  return encodeFunctionData({ abi: disputeGameAbi, functionName, args } as never);
}

/** `segment 3, step 1, operator tree, height 3` */
function placeText({ match: { game } }: ChainMatch): string {
  const passed = game.path.map(({ level, index }) => `${level.name} ${index}`);
  if (!isRunning(game)) return passed.join(", ");
  const asked =
    game.phase === "children" ? `${game.level.name} tree, height ${game.height}` : `${game.level.name} tree`;
  return [...passed, asked].join(", ");
}
