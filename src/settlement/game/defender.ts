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
import { bondDue } from "./bond.ts";
import type { Case } from "./case.ts";
import { type ChainMatch, moveCall, placeText, proveCall, timeoutCall } from "./calls.ts";
import type { SignatureOf } from "./consent.ts";
import type { DueCall } from "./due-call.ts";
import type { GameFacts } from "./facts.ts";
import { type BlockTimes, followMatch, type GameEvent, gameEvents, type GamePlace } from "./follow.ts";
import { matchOf } from "./knockout.ts";
import { deadlineOf, play } from "./match.ts";
import { makeTurn } from "./player.ts";
import { type Rules, readRules } from "./rules.ts";

/**
 * Does the work for one dispute apart from that for all others. It may keep an error, so that the others
 * continue.
 * @param what names the work, for people
 * @returns what the work returns; `undefined` if it was not done, or has failed
 */
export type Apart = <T>(what: string, work: () => Promise<T>) => Promise<T | undefined>;

const together: Apart = (_, work) => work();

/** A dispute that waits for one side. */
interface Waiting {
  readonly dispute: bigint;
  readonly followed: ChainMatch;
  readonly side: 0 | 1;
}

type Opened = Extract<GameEvent, { eventName: "Opened" }>["args"];

/** The players of a task in the game, and what is known about them. */
interface Bracket extends Opened {
  /** The number of the owner among the players. */
  own: number;
  stands(player: number): boolean;
  /** Whether the owner has posted its bond. */
  posted: boolean;
  closed: boolean;
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
  private readonly times: BlockTimes = new Map();
  private rules: Rules | undefined;

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
    const calls: DueCall[] = [];
    for await (const call of this.calls(before, together)) calls.push(call);
    return calls;
  }

  /**
   * What the owner may do now, one call after the other: a call can be sent while later ones are not yet
   * computed. The dispute whose time is over first comes first.
   */
  async *calls(before: Case, apart: Apart): AsyncGenerator<DueCall> {
    const opened = await this.openedFor(before);
    if (!opened) return yield* await this.unopened(before);
    const { roster, own, stands, paired, posted } = await this.bracketOf(opened);
    const { timestamp } = await this.place.client.getBlock();
    const { round } = await this.rulesOf();
    const over = Math.floor((Number(timestamp) - roster.since - 1) / round);
    const { claims, falls, opponents } = matchOf(roster.players, own, stands, over);
    if (claims <= 1) return yield { what: "close", data: encode("close", [before.terms, roster]) };
    if (falls) yield { what: "fall", data: encode("fall", [roster]) };
    const waiting: Waiting[] = [];
    for (const other of opponents) {
      const [first, second] = [Math.min(own, other), Math.max(own, other)];
      const known = paired.find((pair) => [pair.first, pair.second].every((one) => [own, other].includes(Number(one))));
      if (!known) {
        yield { what: "pair", data: encode("pair", [roster, BigInt(first), BigInt(second)]) };
        continue;
      }
      const { dispute } = known;
      const followed = await apart(`reading dispute ${dispute}`, () => this.follow(dispute));
      if (followed) waiting.push({ dispute, followed, side: Number(known.first) === own ? 0 : 1 });
    }
    // One bond is enough for all disputes.
    let posts = posted;
    for (const one of waiting.sort((a, b) => deadlineOf(a.followed.match) - deadlineOf(b.followed.match))) {
      const answer = () => this.inDispute(one, Number(timestamp), posts);
      const due = (await apart(`answering in dispute ${one.dispute}`, answer)) ?? [];
      posts ||= due.some(({ value }) => value !== undefined);
      yield* due;
    }
  }

  /**
   * The calls that get the owner's bond back after a task was decided without its bracket: the bracket's time
   * was over, or the committee's ruling was accepted.
   */
  async leftOver({ task, dispute, terms, settled = false }: Case, apart: Apart = together): Promise<DueCall[]> {
    const calls: DueCall[] = [];
    await apart("settling the bracket", async () => {
      const opened = await this.openedFor({ task, dispute, terms });
      if (!opened) return;
      const { roster, own, stands, posted, closed } = await this.bracketOf(opened);
      if (!closed && posted && stands(own)) calls.push({ what: "settle", data: encode("settle", [roster]) });
    });
    await apart("looking for a bond", async () => {
      if (settled && (await this.read<boolean>("hasPrepaid", [task, this.owner])))
        calls.push({ what: "reclaim", data: encode("reclaim", [terms, this.owner]) });
    });
    return calls;
  }

  /**
   * A challenger opens the dispute. The challenged need not pay for that: they wait until all challengers
   * have lost by their silence.
   */
  private async unopened({ terms, challenged }: Case): Promise<DueCall[]> {
    if (!challenged || challenged.by.some((owner) => isAddressEqual(owner, this.owner)))
      return [{ what: "open", data: this.openCall(terms) }];
    const { pace } = await this.rulesOf();
    const { timestamp } = await this.place.client.getBlock();
    const last = challenged.since + Math.max(pace.clock, pace.recompute);
    return Number(timestamp) > last ? [{ what: "forfeit", data: encode("forfeit", [terms]) }] : [];
  }

  private async rulesOf(): Promise<Rules> {
    this.rules ??= await readRules(this.place, this.facts);
    return this.rules;
  }

  private async follow(dispute: bigint): Promise<ChainMatch | undefined> {
    const { pace } = await this.rulesOf();
    return followMatch(this.place, this.facts, pace, dispute, this.times);
  }

  /** @param posted whether the owner has posted its bond */
  private async inDispute({ dispute, followed, side }: Waiting, now: number, posted: boolean): Promise<DueCall[]> {
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
    if (match.turn === side) {
      const turn = await makeTurn(this.machine, this.prover, match);
      // The call does not contain the time of the move: the chain uses its own. If it is too late by the
      // block that a node shows, the move is made nevertheless. The node may be wrong, and a refusal costs
      // nothing.
      const after = play(this.machine, match, turn, Math.min(now, deadline));
      const data = moveCall(followed, turn, after, this.signatureOf);
      const value = bondDue(match, (await this.rulesOf()).gasBond, posted);
      return [{ what: "move", data, ...(value > 0n && { value }), dispute, at }];
    }
    return now > deadline ? [{ what: "timeout", data: timeoutCall(followed), dispute, at }] : [];
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
    const [{ standing, posted, closed }, events] = await Promise.all([
      this.read<{ standing: number; posted: number; closed: boolean }>("bracketOf", [bracket]),
      gameEvents(this.place, bracket),
    ]);
    const paired = events.flatMap((event) => (event.eventName === "Paired" ? [event.args] : []));
    const has = (bits: number, player: number): boolean => ((bits >> player) & 1) === 1;
    return { ...opened, own, stands: (player) => has(standing, player), posted: has(posted, own), closed, paired };
  }

  private async openedFor({ task, dispute }: Case): Promise<Opened | undefined> {
    const opened = (await gameEvents(this.place, task)).flatMap((event) =>
      event.eventName === "Opened" ? [event.args] : [],
    );
    return opened.find(({ roster }) => Number(roster.dispute) === dispute);
  }

  private openCall(terms: Terms): Hex {
    return encode("open", [terms, this.facts.shownParts()]);
  }

  private read<T>(functionName: string, args: readonly unknown[]): Promise<T> {
    const { client, game } = this.place;
    return client.readContract({ address: game, abi: disputeGameAbi, functionName, args } as never) as Promise<T>;
  }
}

function encode(functionName: string, args: readonly unknown[]): Hex {
  return encodeFunctionData({ abi: disputeGameAbi, functionName, args } as never);
}
