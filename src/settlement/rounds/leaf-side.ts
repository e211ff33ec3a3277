/** One side of the game about a leaf on a chain: what it may do now. */
import { type Address, decodeFunctionData, type Hex, isAddressEqual } from "viem";
import { bytesEqual, fromHex } from "../../encoding/bytes.ts";
import { DisputeError } from "../../errors/index.ts";
import { isRunning } from "../../game/bisection.ts";
import { positionOf } from "../../game/level.ts";
import { trainingProver } from "../../referee/claim.ts";
import { trainingMachine } from "../../referee/machine.ts";
import type { TraceMemory } from "../../referee/trace-memory.ts";
import { statedFault, statesRead } from "../../rounds/judge.ts";
import { jobOfLeaf, type LeafRunner, sameClaim } from "../../rounds/leaf.ts";
import { type LeafClaim, leafRoot, segmentOf, templateOf } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { roundGameAbi } from "../abi/round-game.ts";
import { bondDue } from "../game/bond.ts";
import { moveCall, placeText, proveCall, timeoutCall } from "../game/calls.ts";
import { GameFacts } from "../game/facts.ts";
import { type BlockTimes, followMatch, gameEvents, type GamePlace } from "../game/follow.ts";
import { deadlineOf, play } from "../game/match.ts";
import { makeTurn } from "../game/player.ts";
import type { Rules } from "../game/rules.ts";
import type { ContractCall } from "../transactions/caller.ts";
import type { LeafGame } from "./performance.ts";

/** A call that is due in a game. */
export interface LeafMove {
  readonly what: string;
  /** Where the game stands, for people. */
  readonly at: string;
  readonly call: ContractCall;
}

/** Answers for one claim in one dispute: the owner's, or the challenger's. */
export class LeafSide {
  readonly side: 0 | 1;
  private readonly place: GamePlace;
  private readonly game: LeafGame;
  private readonly times: BlockTimes = new Map();
  private readonly facts: GameFacts;
  private readonly memory: TraceMemory;
  private rules: Pick<Rules, "pace" | "gasBond"> | undefined;

  private constructor(place: GamePlace, game: LeafGame, side: 0 | 1, facts: GameFacts, memory: TraceMemory) {
    this.place = place;
    this.game = game;
    this.side = side;
    this.facts = facts;
    this.memory = memory;
  }

  /**
   * Executes the leaf again. The owner does so with the fault that its own record states, if it was a drill.
   * @param record the posted one
   * @throws {RoundsError} when what the leaf reads is not at hand
   */
  static async open(
    place: GamePlace,
    game: LeafGame,
    account: Address,
    record: RoundsRecord,
    runner: LeafRunner,
  ): Promise<LeafSide> {
    const { plan } = record;
    const side = isAddressEqual(game.challenger, account) ? 0 : 1;
    const sources = await statesRead(record, game);
    const [listed] = record.statements([game]);
    const right = await runner.run(plan, game, sources);
    const claim: LeafClaim = side === 1 ? listed : right;
    // Anyone may have written a fault into the file of a leaf that is right.
    const fault = sameClaim(plan, game, claim, right) ? undefined : await statedFault(record, game);
    const facts = factsOf(record, game, sources);
    const started = (await gameEvents(place, game.dispute)).find(({ eventName }) => eventName === "Started");
    const claims = started?.eventName === "Started" ? started.args.context.claims : undefined;
    if (claims && !bytesEqual(fromHex(claims[side], 32), leafRoot(templateOf(plan, game), claim)))
      throw new DisputeError("NO_CLAIM", `an execution does not give what this account claims in dispute ${game.dispute}; use the backend and the record with which it was claimed`, { dispute: String(game.dispute) }); // prettier-ignore
    return new LeafSide(place, game, side, facts, await runner.memory(plan, game, sources, claim, fault));
  }

  /**
   * The call that is due.
   * @param now the time of the newest block, in seconds
   * @returns nothing while the other side has to move, and when the game is over
   * @throws {DisputeError} when the claim can't be defended from this record
   */
  async due(now: number): Promise<LeafMove | undefined> {
    const { place, facts, game, side } = this;
    this.rules ??= await rulesOf(place);
    const { pace, gasBond } = this.rules;
    const followed = await followMatch(place, facts, pace, game.dispute, this.times);
    if (!followed) return undefined;
    const { match } = followed;
    const at = placeText(followed);
    const machine = trainingMachine(facts.facts);
    const prover = trainingProver(this.memory);
    if (!isRunning(match.game)) {
      const witness = await prover.witness(positionOf(match.game.path));
      if (!witness)
        throw new DisputeError("WITNESS_MISSING", "this record can't show the one-step proof for the step at the bottom; restore its blobs", { dispute: String(game.dispute) }); // prettier-ignore
      return { what: "prove", at, call: callOf(place, proveCall(followed, witness)) };
    }
    const deadline = deadlineOf(match);
    if (match.turn !== side)
      return now > deadline ? { what: "timeout", at, call: callOf(place, timeoutCall(followed)) } : undefined;
    const turn = await makeTurn(machine, prover, match);
    // If a node's block says that it is too late, the move is made all the same: a refusal costs nothing.
    const after = play(machine, match, turn, Math.min(now, deadline));
    return { what: "move", at, call: callOf(place, moveCall(followed, turn, after), bondDue(match, gasBond, false)) };
  }

  close(): Promise<void> {
    return this.memory.close();
  }
}

/** What the game knows of the leaf's job. */
function factsOf({ plan }: RoundsRecord, game: LeafGame, sources: Awaited<ReturnType<typeof statesRead>>): GameFacts {
  return new GameFacts(jobOfLeaf(plan, game, sources).outline, segmentOf(templateOf(plan, game)));
}

/**
 * The call that ends a game of others in which nobody moves any more. Its sides may have agreed on silence.
 * @param record the posted one; the leaf is not executed
 * @param now the time of the newest block, in seconds
 * @returns nothing while the side to move has time, and when the game is over
 */
export async function timeoutDue(
  place: GamePlace,
  game: LeafGame,
  record: RoundsRecord,
  now: number,
): Promise<LeafMove | undefined> {
  const facts = factsOf(record, game, await statesRead(record, game));
  const { pace } = await rulesOf(place);
  const followed = await followMatch(place, facts, pace, game.dispute);
  if (!followed || now <= deadlineOf(followed.match)) return undefined;
  return { what: "timeout", at: placeText(followed), call: callOf(place, timeoutCall(followed)) };
}

function callOf({ game }: GamePlace, data: Hex, value = 0n): ContractCall {
  const { functionName, args = [] } = decodeFunctionData({ abi: roundGameAbi, data });
  return { contract: "roundGame", to: game, functionName, args, value };
}

/** The clocks and the bond of a game about leaves, which has no rounds of its own. */
async function rulesOf({ client, game: address }: GamePlace): Promise<Pick<Rules, "pace" | "gasBond">> {
  const contract = { address, abi: roundGameAbi } as const;
  const [pace, gasBond] = await Promise.all([
    client.readContract({ ...contract, functionName: "pace" }),
    client.readContract({ ...contract, functionName: "gasBond" }),
  ]);
  return { pace, gasBond };
}

/** Which sides have lost a game; nothing while it is not over. */
export async function losersOf(place: GamePlace, dispute: bigint): Promise<bigint | undefined> {
  const ended = (await gameEvents(place, dispute)).find(({ eventName }) => eventName === "Ended");
  return ended?.eventName === "Ended" ? ended.args.losers : undefined;
}
