/** The games of one account about leaves of a performance. */
import { type Address, isAddressEqual } from "viem";
import type { LeafRunner } from "../../rounds/leaf.ts";
import type { LeafPlace } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import type { GamePlace } from "../game/follow.ts";
import type { Lanes } from "../game/lanes.ts";
import type { Session } from "../session.ts";
import type { Finding } from "./findings.ts";
import { type LeafMove, LeafSide, losersOf, timeoutDue } from "./leaf-side.ts";
import type { LeafGame, PerformanceEvents, PerformanceView } from "./performance.ts";
import { firstOf } from "./own-folders.ts";
import { gameOf, type PostedRounds } from "./terms-file.ts";

/** The answers to demands of one account after which it demands nothing more. */
const MOST_ANSWERED = 3;

/** Plays for one account. It sends nothing itself. */
export class LeafGames {
  private readonly place: GamePlace;
  private readonly posted: PostedRounds;
  private readonly account: Address;
  private readonly runner: LeafRunner;
  private readonly sides = new Map<bigint, LeafSide>();
  /** What was known of the chain when the last demand was made. */
  private demandedIn: PerformanceEvents | undefined;
  private hasEnough = false;

  constructor({ client, source, deployment }: Session, posted: PostedRounds, account: Address, runner: LeafRunner) {
    const { fromBlock, logs } = source;
    this.place = { client, game: gameOf(deployment), fromBlock, ...(logs && { logs }) };
    this.posted = posted;
    this.account = account;
    this.runner = runner;
  }

  /** Whether a game of the account was not over at the last look. */
  get isPlaying(): boolean {
    return this.sides.size > 0;
  }

  /**
   * The moves that are due, one after the other. A game that fails pauses by itself. Once the performance
   * could end, games of others are ended too whose side to move has let its time pass: they keep it open.
   * @param records each game is played from the first one that has what it needs; without one nothing is due
   */
  async *due(
    games: readonly LeafGame[],
    records: readonly RoundsRecord[],
    { now, deadline }: Pick<PerformanceView, "now" | "deadline">,
    lanes: Lanes,
  ): AsyncGenerator<{ game: LeafGame; move: LeafMove }> {
    for (const game of records.length > 0 ? games : []) {
      const { dispute, owner, challenger } = game;
      const isOwn = [owner, challenger].some((one) => isAddressEqual(one, this.account));
      if (!isOwn && now <= deadline) continue;
      const move = await lanes.apart(`dispute ${dispute}`, async () => {
        if ((await losersOf(this.place, dispute)) !== undefined) return this.over(dispute);
        if (!isOwn) return firstOf(records, (record) => timeoutDue(this.place, game, record, now));
        const side = this.sides.get(dispute) ?? (await this.opened(game, records));
        this.sides.set(dispute, side);
        return side.due(now);
      });
      if (move) yield { game, move };
    }
  }

  /**
   * Whether something is shown already, or waits: for the end of a game with the same party, or as a demand
   * for the answer to another one.
   * @param say is told once when nothing more is demanded
   */
  async isShown(
    { kind, round, seat, against }: Finding,
    events: PerformanceEvents,
    say: (sentence: string) => void,
  ): Promise<boolean> {
    const { questions, games } = events;
    const isHere = (place: LeafPlace): boolean => place.round === round && place.seat === seat;
    const asked = ({ demand: "demand", accuse: "accusation", accuseCensor: "censorship" } as const)[kind as string];
    if (asked) {
      const isAsked = questions.some((one) => isHere(one) && one.kind === asked);
      return isAsked || (kind === "demand" && this.waitsToDemand(events, say));
    }
    if (kind !== "challenge") return false;
    const owner = this.posted.terms.participants[against];
    for (const game of games) {
      if (!isAddressEqual(game.challenger, this.account)) continue;
      if (isHere(game)) return true;
      if (isAddressEqual(game.owner, owner) && (await losersOf(this.place, game.dispute)) === undefined) return true;
    }
    return false;
  }

  /**
   * A demand is paid for if it is answered. Who has served a record with spoiled signatures would have its
   * recorder paid for each, so there is one demand at a time, and no more after a few answers.
   */
  private waitsToDemand(events: PerformanceEvents, say: (sentence: string) => void): boolean {
    const own = events.questions.filter(({ kind, by }) => kind === "demand" && isAddressEqual(by, this.account));
    if (this.demandedIn === events || own.some(({ done }) => !done)) return true;
    if (own.length < MOST_ANSWERED) {
      this.demandedIn = events;
      return false;
    }
    if (!this.hasEnough) say(`the recorder has shown ${own.length} leaves whose signatures were demanded, and others are lacking; nothing more is demanded, as each answer is paid for: fetch the record from another server into a folder of its own`); // prettier-ignore
    this.hasEnough = true;
    return true;
  }

  /** Whether the account has challenged, and lost. */
  async hasLostBond(games: readonly LeafGame[]): Promise<boolean> {
    for (const { challenger, dispute } of games) {
      if (!isAddressEqual(challenger, this.account)) continue;
      const losers = await losersOf(this.place, dispute).catch(() => undefined);
      if (losers !== undefined && (losers & 1n) === 1n) return true;
    }
    return false;
  }

  async close(): Promise<void> {
    for (const side of this.sides.values()) await side.close();
  }

  private opened(game: LeafGame, records: readonly RoundsRecord[]): Promise<LeafSide> {
    return firstOf(records, (record) => LeafSide.open(this.place, game, this.account, record, this.runner));
  }

  private async over(dispute: bigint): Promise<undefined> {
    await this.sides.get(dispute)?.close();
    this.sides.delete(dispute);
  }
}
