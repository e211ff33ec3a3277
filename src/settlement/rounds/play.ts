/** The ordinary game about a leaf on a chain: both sides execute it again, and answer for their claims. */
import { decodeFunctionData, type Hex, parseEventLogs } from "viem";
import { DisputeError } from "../../errors/index.ts";
import { isRunning } from "../../game/bisection.ts";
import { bothSides, positionOf, SIDES } from "../../game/level.ts";
import type { Prover } from "../../game/prover.ts";
import { trainingProver } from "../../referee/claim.ts";
import { locate } from "../../referee/decision.ts";
import { trainingMachine } from "../../referee/machine.ts";
import type { Witness } from "../../referee/witness.ts";
import { ownerOf, partiesOf, statesRead } from "../../rounds/judge.ts";
import { jobOfLeaf, type LeafRunner, sameClaim } from "../../rounds/leaf.ts";
import { type LeafPlace, segmentOf, templateOf } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { roundGameAbi } from "../abi/round-game.ts";
import { bondDue } from "../game/bond.ts";
import { type ChainMatch, moveCall, proveCall, timeoutCall } from "../game/calls.ts";
import { GameFacts } from "../game/facts.ts";
import { type BlockTimes, followMatch, type GamePlace } from "../game/follow.ts";
import { deadlineOf, play } from "../game/match.ts";
import { makeTurn } from "../game/player.ts";
import type { ChainBlame } from "./dispute.ts";
import { type PostedRecord, shownClaim } from "./evidence.ts";
import type { RoundsStage } from "./stage.ts";

/**
 * The holder of another record challenges a leaf, with the states that its own record has there.
 * @returns who has lost; the challenger is side 0. Nobody, if the holder has nothing else to claim
 */
export async function playLeaf(
  stage: RoundsStage,
  posted: PostedRecord,
  other: RoundsRecord,
  { place, runner }: { place: LeafPlace; runner: LeafRunner },
): Promise<ChainBlame[]> {
  const { record } = posted;
  const { plan } = record;
  const template = templateOf(plan, place);
  const [listed] = record.statements([place]);
  const sources = await statesRead(record, place).catch(() => statesRead(other, place));
  // A holder without a leaf there executes it: then there is a challenge only if it gives something else.
  const own = other.isAbsent(place) ? await runner.run(plan, place, sources) : other.statements([place])[0];
  if (sameClaim(plan, place, own, listed)) return [];
  const { start, end } = shownClaim(template, own);
  const call = [stage.terms, posted.evidence(place), start, end, stage.signed(plan, listed)];
  const begun = await stage.send("challenger", "game", "challenge", call);
  const [started] = parseEventLogs({ abi: roundGameAbi, eventName: "LeafChallenged", logs: begun.logs });
  const { outline } = jobOfLeaf(plan, place, sources);
  const claims = [{ ...own, job: listed.job }, listed] as const;
  const parties = await partiesOf([other, record], place, { claims, sources, runner });
  const open = (side: 0 | 1) => runner.memory(plan, place, sources, claims[side], parties[side].fault);
  const memories = [await open(0), await open(1)] as const;
  try {
    const facts = new GameFacts(outline, segmentOf(template));
    const names = ["challenger", ownerOf(plan, place)] as const;
    const provers = bothSides((side) => trainingProver(memories[side]));
    const { losers, last } = await new LeafGame(stage, facts, names, provers).play(started.args.dispute);
    if (!last) return losers.map((side) => ({ participant: names[side], reason: "silence" }));
    const location = locate(facts.facts, positionOf(last.match.game.path));
    const isMessage = location.operator?.kind === "state-update" && location.step === template.steps;
    const reason = isMessage ? "message" : "operator";
    return losers.map((side) => ({ participant: names[side], reason, location }));
  } finally {
    for (const memory of memories) await memory.close();
  }
}

/** Plays both sides of a dispute about a leaf. */
class LeafGame {
  private readonly stage: RoundsStage;
  private readonly facts: GameFacts;
  private readonly names: readonly [string, string];
  private readonly provers: readonly [Prover<Witness>, Prover<Witness>];

  constructor(
    stage: RoundsStage,
    facts: GameFacts,
    names: readonly [string, string],
    provers: readonly [Prover<Witness>, Prover<Witness>],
  ) {
    this.stage = stage;
    this.facts = facts;
    this.names = names;
    this.provers = provers;
  }

  /** @returns who has lost, and the match at its bottom, if nobody was silent */
  async play(dispute: bigint): Promise<{ losers: (0 | 1)[]; last: ChainMatch | undefined }> {
    const { stage, facts } = this;
    const { client, deployment, gasBond, pace } = stage;
    const place: GamePlace = { client, game: deployment.game, fromBlock: 0n };
    const machine = trainingMachine(facts.facts);
    const times: BlockTimes = new Map();
    for (;;) {
      const followed = (await followMatch(place, facts, pace, dispute, times))!;
      const { match } = followed;
      if (!isRunning(match.game)) return { losers: await this.proven(followed), last: followed };
      const by = this.names[match.turn];
      const turn = await makeTurn(machine, this.provers[match.turn], match).catch((error: unknown) => {
        if (error instanceof DisputeError) return undefined;
        throw error;
      });
      if (!turn) return { losers: await this.timedOut(followed), last: undefined };
      const after = play(machine, match, turn, match.since);
      const data = moveCall(followed, turn, after);
      await stage.sendData(by, nameOf(data), "game", data, bondDue(match, gasBond, false));
    }
  }

  /** The step at the bottom, which either side can show. */
  private async proven(followed: ChainMatch): Promise<(0 | 1)[]> {
    const at = positionOf(followed.match.game.path);
    const witness = (await this.provers[0].witness(at)) ?? (await this.provers[1].witness(at));
    if (!witness) throw new DisputeError("WITNESS_MISSING", "neither side can show the step at the bottom");
    return this.ended("prove", proveCall(followed, witness));
  }

  private async timedOut(followed: ChainMatch): Promise<(0 | 1)[]> {
    await this.stage.pass(deadlineOf(followed.match) - followed.match.since + 1);
    return this.ended("timeout", timeoutCall(followed));
  }

  private async ended(what: string, data: Hex): Promise<(0 | 1)[]> {
    const { logs } = await this.stage.sendData(this.names[0], what, "game", data);
    const [{ args }] = parseEventLogs({ abi: roundGameAbi, eventName: "Ended", logs });
    return SIDES.filter((side) => (args.losers >> BigInt(side)) & 1n);
  }
}

const nameOf = (data: Hex): string => decodeFunctionData({ abi: roundGameAbi, data }).functionName;
