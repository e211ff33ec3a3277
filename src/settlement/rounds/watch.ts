/**
 * Watches a performance for an account until its end, whatever becomes of the node, the network and the
 * chain: answers what is asked of the account, shows what is wrong in the posted record, and plays the games.
 * Everything is tried again for ever. All that it knows comes from the chain and from the record's folder, so
 * it can be killed and started again at any time.
 */
import type { Address, Hex } from "viem";
import { openBackend } from "../../certify/open-backend.ts";
import { DEFAULT } from "../../repops/backends/index.ts";
import { LeafRunner } from "../../rounds/leaf.ts";
import { firstLook, NewestBlock } from "../game/first-look.ts";
import { Lanes } from "../game/lanes.ts";
import { Lasting } from "../game/lasting.ts";
import type { Session } from "../session.ts";
import { systemRandom } from "../transactions/backoff.ts";
import type { ContractCall } from "../transactions/caller.ts";
import { type Clock, SYSTEM_CLOCK } from "../transactions/clock.ts";
import { answerFrom, type Copy, expectPosted, findingsIn, readCopy } from "./copy.ts";
import { copyActs, heldBack, waitsForCopies } from "./copies.ts";
import { endingCall, unanswered } from "./ending.ts";
import { LeafGames } from "./leaf-games.ts";
import { firstOf, OwnFolders } from "./own-folders.ts";
import { numbersOf, performanceEvents, readPerformance } from "./performance.ts";
import { askedIn, QUESTIONS } from "./questions.ts";
import { ShownOnChain } from "./shown-on-chain.ts";
import { SignedLeaves } from "./signed-leaves.ts";
import type { PostedRounds } from "./terms-file.ts";
import { actName, type Look, type WatchAct, type Watched, type WatchOptions } from "./watch-options.ts";

/** Milliseconds between two looks while something moves. */
const BRISK = 200;

/**
 * Watches a performance for an account until it is closed or cancelled.
 * @param folder of the record; it need not be there before the record is posted
 * @returns `undefined` after a single look
 * @throws {ChainError} when there is no such performance, at the first look that succeeds; nothing is thrown
 *   later
 */
export async function watchPerformance(
  session: Session,
  posted: PostedRounds,
  account: Address,
  folder: string,
  options: WatchOptions,
): Promise<Watched | undefined> {
  const { backend } = await openBackend(options.backend ?? DEFAULT);
  const watch = new Watch(session, posted, account, folder, options, new LeafRunner(backend));
  try {
    return await watch.run();
  } finally {
    await watch.close();
  }
}

class Watch {
  private readonly session: Session;
  private readonly posted: PostedRounds;
  private readonly account: Address;
  private readonly folder: string;
  private readonly options: WatchOptions;
  private readonly runner: LeafRunner;
  private readonly clock: Clock;
  private readonly lanes: Lanes;
  private readonly numbers: readonly number[];
  private readonly games: LeafGames;
  private readonly leaves: SignedLeaves;
  private readonly shown: ShownOnChain;
  private readonly end = new Lasting();
  private known: Copy | undefined;
  private readonly shownCopies = new Set<string>();
  private readonly own: OwnFolders;
  private readonly newest: NewestBlock;

  constructor(
    session: Session,
    posted: PostedRounds,
    account: Address,
    folder: string,
    options: WatchOptions,
    runner: LeafRunner,
  ) {
    this.session = session;
    this.posted = posted;
    this.account = account;
    this.folder = folder;
    this.options = options;
    this.runner = runner;
    this.clock = options.clock ?? SYSTEM_CLOCK;
    this.newest = new NewestBlock(this.clock);
    this.numbers = numbersOf(posted, account);
    this.leaves = new SignedLeaves(posted);
    this.own = new OwnFolders(options.evidence ?? [], posted, account);
    this.shown = new ShownOnChain(session.client, posted);
    this.games = new LeafGames(session, posted, account, runner);
    const { random = systemRandom, everyMillis: firstMillis, once: strict = false } = options;
    this.lanes = new Lanes({ clock: this.clock, random, firstMillis, strict, say: (text) => this.say(text) });
  }

  async run(): Promise<Watched | undefined> {
    const { once, everyMillis, onWait, onLook } = this.options;
    let look: Look | undefined = await firstLook(() => this.look(), this.lanes, this.clock, this.options.once);
    for (;;) {
      const sent = look ? await this.act(look) : 0;
      if (typeof sent !== "number") return sent;
      if (once) return undefined;
      const pause = this.lanes.pause();
      const { audit } = this.known ?? {};
      if (look) onWait?.(look.view, audit?.judged ?? 0, audit?.leaves ?? 0);
      const isMoving = sent > 0 || audit?.isMoving === true;
      await this.clock.sleep(pause ?? (isMoving ? Math.min(everyMillis, BRISK) : everyMillis));
      onLook?.();
      look = await this.lanes.all(() => this.look());
    }
  }

  async close(): Promise<void> {
    await this.games.close();
    await this.runner.close();
  }

  private async look(): Promise<Look> {
    const view = await readPerformance(this.session, this.posted);
    this.newest.expect(view.head);
    return {
      view,
      events: await performanceEvents(this.session, this.posted, { account: this.account, ended: this.shownCopies }),
    };
  }

  /** Does what is due. @returns the number of calls that took effect, or how the performance has ended */
  private async act(look: Look): Promise<number | Watched> {
    const { view } = look;
    if (view.state === "Closed" && waitsForCopies(this.account, this.posted, view, look.events.copies)) {
      await this.readFolders(view.record!);
      return this.copies(look);
    }
    if (view.state === "Closed" || view.state === "Cancelled") {
      const lasts = this.end.lasts(view.head, this.options.confirmations ?? 1);
      if (lasts && (this.end.looks > 1 || this.options.once)) return this.ended(look);
      return 0;
    }
    this.end.reset();
    let sent = 0;
    if (view.record !== undefined) {
      await this.readFolders(view.record);
      await this.lanes.apart("what the chain shows", () => this.shown.addTo(this.leaves, look.events, view.record!));
      sent += await this.answer(look);
      sent += await this.copies(look);
      sent += await this.playGames(look);
      if (this.options.accuses !== false && view.now <= view.deadline) sent += await this.accuse(look);
    }
    return sent + (await this.endWhatIsOver(look));
  }

  /** Opens the folder once its record is the posted one; until then it is read again and again. */
  private async readFolders(root: Hex): Promise<void> {
    await this.own.read(root, this.lanes, this.leaves);
    await this.lanes.apart("the record", async () => {
      this.known = await readCopy(this.known, this.folder, root, this.posted, this.account, this.leaves);
      expectPosted(this.known);
    });
  }

  /** Answers what is asked of the account. */
  private async answer({ view, events }: Look): Promise<number> {
    const { posted, session } = this;
    const copies = this.own.before(this.known);
    if (copies.length === 0) return 0;
    let sent = 0;
    for (const question of events.questions) {
      if (question.done || view.now > question.deadline) continue;
      if (!this.numbers.includes(askedIn(posted, question))) continue;
      const act = { what: QUESTIONS[question.kind].answer, place: question, value: 0n };
      sent += await this.send(act, () => firstOf(copies, (copy) => answerFrom(copy, question, posted, session.client)));
    }
    return sent;
  }

  /** Shows the chunks that the account is asked for as a store, and ends demands that nobody has answered. */
  private async copies({ view, events: { copies } }: Look): Promise<number> {
    let sent = 0;
    for (const { what, copy, make } of copyActs(this.account, this.posted, view, copies, this.own.records(this.known)))
      sent += await this.send({ what, place: copy, value: 0n }, make);
    return sent;
  }

  /** Makes the moves that are due in the games of the account. */
  private async playGames({ view, events }: Look): Promise<number> {
    const records = this.own.records(this.known);
    let sent = 0;
    for await (const { game, move } of this.games.due(events.games, records, view, this.lanes)) {
      const act = { what: move.what, place: game, dispute: game.dispute, at: move.at, value: move.call.value ?? 0n };
      sent += await this.send(act, async () => move.call);
    }
    return sent;
  }

  /** Shows what is wrong, where it has not been shown yet. */
  private async accuse({ view, events }: Look): Promise<number> {
    const { audit } = this.known ?? {};
    if (audit && !audit.isDone)
      await this.lanes.apart("the audit", () => audit.goOn(this.runner, this.clock, (text) => this.say(text), this.games.isPlaying, this.options.random)); // prettier-ignore
    const shown = new Set<number>();
    let sent = 0;
    for (const finding of findingsIn(this.known, this.leaves, this.shown, this.own.before())) {
      const { kind, round, seat, against } = finding;
      if (view.out[against] || shown.has(against) || this.numbers.includes(against)) continue;
      if (await this.games.isShown(finding, events, (text) => this.say(text))) continue;
      const done = await this.send({ what: kind, place: { round, seat }, value: 0n }, async () => finding.call);
      // It has lost by that, and nothing more can be won from it.
      if (done > 0 && !["demand", "accuse", "challenge", "accuseCensor"].includes(kind)) shown.add(against);
      sent += done;
    }
    return sent;
  }

  /** Convicts who has not answered in time, and ends the performance when its time is over. */
  private async endWhatIsOver({ view, events }: Look): Promise<number> {
    let sent = 0;
    for (const { place, call } of unanswered(this.account, this.numbers, this.posted, view, events.questions))
      sent += await this.send({ what: call.functionName, place, value: 0n }, async () => call);
    const call = endingCall(this.posted, view);
    return call ? sent + (await this.send({ what: call.functionName, value: 0n }, async () => call)) : sent;
  }

  private async send(act: WatchAct, make: () => Promise<ContractCall>): Promise<number> {
    const isSent = await this.lanes.apart(actName(act), async () => {
      const receipt = await this.options.send(await make());
      if (!receipt) return false;
      this.newest.sent(receipt);
      this.options.onAct?.(act, receipt);
      return true;
    });
    return isSent ? 1 : 0;
  }

  private async ended({ view, events }: Look): Promise<Watched> {
    const held = heldBack(this.account, view, events.copies);
    if (held) this.say(held);
    const isOut = held !== undefined || this.numbers.some((number) => view.out[number]);
    return { view, convicted: events.convicted, lost: isOut || (await this.games.hasLostBond(events.games)) };
  }

  private say(sentence: string): void {
    this.options.onTrouble?.(sentence);
  }
}
