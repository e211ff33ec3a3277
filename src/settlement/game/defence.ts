/**
 * Defends the claim of one account in a task until its end, whatever becomes of the node, the network and the
 * chain. Everything is tried again for ever, with longer and longer pauses. Only a final state ends it.
 */
import { type Hex, zeroAddress } from "viem";
import type { Duty } from "../duties.ts";
import type { Session } from "../session.ts";
import { readTask, type TaskView } from "../task.ts";
import { systemRandom } from "../transactions/backoff.ts";
import type { ContractCall } from "../transactions/caller.ts";
import { type Clock, SYSTEM_CLOCK } from "../transactions/clock.ts";
import { bondDueTo } from "./bond.ts";
import { type Case, caseOf } from "./case.ts";
import type { ClaimOwner, Defended, DefenceOptions } from "./defence-options.ts";
import { Defender } from "./defender.ts";
import type { DueCall } from "./due-call.ts";
import { gameAt, gameCall } from "./driver.ts";
import type { GameFacts } from "./facts.ts";
import { firstLook, NewestBlock } from "./first-look.ts";
import { Lanes } from "./lanes.ts";
import { Lasting } from "./lasting.ts";
import { dutiesIn, endOf, hasLost, isUncommitted, type Own, ownIn } from "./own.ts";
import { sendTogether } from "./together.ts";

/** Milliseconds between two looks while the sides are moving. */
const BRISK = 200;

/** What one look at the chain shows. */
interface Look {
  readonly view: TaskView;
  readonly own: Own;
  /** The newest block: its number, and its time in seconds. */
  readonly head: bigint;
  readonly now: number;
}

/**
 * Defends the claim of one account in a task, until the task is decided. It can be stopped and started again
 * at any time.
 * @returns `undefined` after a single look
 * @throws {ChainError} when there is no such task, or the account has no seat in it, at the first look that
 *   succeeds; nothing is thrown later
 */
export async function defendClaim(
  session: Session,
  task: Hex,
  facts: GameFacts,
  own: ClaimOwner,
  options: DefenceOptions,
): Promise<Defended | undefined> {
  return new Defence(session, task, facts, own, options).run();
}

class Defence {
  private readonly session: Session;
  private readonly task: Hex;
  private readonly facts: GameFacts;
  private readonly own: ClaimOwner;
  private readonly options: DefenceOptions;
  private readonly clock: Clock;
  private readonly lanes: Lanes;
  private defender: Defender | undefined;
  private disputed = false;
  private readonly newest: NewestBlock;
  /** That the task has ended, and that all have committed: what must not be taken back once it is used. */
  private readonly end = new Lasting();
  private readonly allCommitted = new Lasting();
  /** How many looks in a row have shown the own seat without its commitment. */
  private uncommitted = 0;

  constructor(session: Session, task: Hex, facts: GameFacts, own: ClaimOwner, options: DefenceOptions) {
    this.session = session;
    this.task = task;
    this.facts = facts;
    this.own = own;
    this.options = options;
    this.clock = options.clock ?? SYSTEM_CLOCK;
    this.newest = new NewestBlock(this.clock);
    const { random = systemRandom, everyMillis: firstMillis } = options;
    this.lanes = new Lanes({
      clock: this.clock,
      random,
      firstMillis,
      strict: options.once ?? false,
      say: (text) => options.onTrouble?.(text),
    });
  }

  async run(): Promise<Defended | undefined> {
    const { once, everyMillis, onWait, onLook } = this.options;
    let look: Look | undefined = await firstLook(() => this.look(), this.lanes, this.clock, this.options.once);
    for (;;) {
      const sent = look ? await this.act(look) : 0;
      if (typeof sent !== "number") return sent;
      if (once) return undefined;
      const pause = this.lanes.pause();
      if (look) onWait?.(look.view);
      // After a move of ours, the next one may be due soon.
      await this.clock.sleep(pause ?? (sent > 0 ? Math.min(everyMillis, BRISK) : everyMillis));
      onLook?.();
      look = await this.lanes.all(() => this.look());
    }
  }

  private async look(): Promise<Look> {
    const { client, source } = this.session;
    const { number: head, timestamp } = await client.getBlock();
    this.newest.expect(head);
    const view = await readTask(source, this.task);
    const own = await ownIn(view, source, this.own.address);
    return { view, own, head, now: Number(timestamp) };
  }

  /** Does what is due. @returns the number of calls that took effect, or how the defence has ended */
  private async act(look: Look): Promise<number | Defended> {
    const { view, own } = look;
    this.uncommitted = isUncommitted(view, own) ? this.uncommitted + 1 : 0;
    if (this.options.untilDropped === true && this.uncommitted > 1) return { view, out: false, dropped: true };
    this.disputed ||= view.state === "Disputed";
    if (this.isOver(look)) {
      const sent = await this.settle(view);
      return sent === 0 && this.isFinal(look) && !this.lanes.isOut ? endOf(view, own) : sent;
    }
    this.end.reset();
    if (this.disputed && view.state !== "Disputed") {
      this.disputed = false;
      this.options.onDecided?.({ view, out: false });
    }
    return (await this.doDuties(look)) + (view.phase === "Playing" ? await this.play(view) : 0);
  }

  private isOver({ view: { state }, own }: Look): boolean {
    if (state === "Final" || state === "Refunded" || hasLost(own) || "isLost" in own) return true;
    return this.options.untilDecided && this.disputed && state !== "Disputed";
  }

  /** Whether the end is final: two looks show it, and enough blocks have followed. */
  private isFinal({ head }: Look): boolean {
    return this.end.lasts(head, this.confirmations) && (this.end.looks > 1 || this.options.once === true);
  }

  private get confirmations(): number {
    return this.options.confirmations ?? 1;
  }

  private async doDuties({ view, own, now, head }: Look): Promise<number> {
    let sent = 0;
    const { client } = this.session;
    const bond = async (): Promise<bigint> => (await bondDueTo(client, view, own.owner)) ?? 0n;
    const means = { ...this.options, bond };
    const duties = dutiesIn(view, own, now, means);
    if (!duties.some(({ what }) => what === "reveal")) this.allCommitted.reset();
    // If the chain takes a commitment back, another seat can copy a root that is shown already.
    else if (!this.allCommitted.lasts(head, this.confirmations)) duties.shift();
    for (const duty of duties)
      await this.lanes.apart(duty.key, async () => {
        const call = await duty.call();
        if (call && (await this.send(call, duty))) sent++;
      });
    return sent;
  }

  private async play(view: TaskView): Promise<number> {
    if (view.terms.game === zeroAddress) return 0;
    const now = caseOf(view);
    let sent = 0;
    await this.lanes.all(async () => {
      const calls = this.player(now).calls(now, this.apart);
      sent = await sendTogether(calls, this.clock, (call) => this.carryOut(now, call));
    });
    return sent;
  }

  /**
   * Gets the bond of the owner back that is left in the game: the task may have been decided without it.
   * @returns the number of calls that took effect
   */
  private async settle(view: TaskView): Promise<number> {
    const last = caseOf(view);
    let sent = 0;
    if (view.state !== "Disputed" && view.terms.game !== zeroAddress)
      await this.lanes.all(async () => {
        // A game that is an account holds no bonds.
        if ((await this.session.client.getCode({ address: view.terms.game })) === undefined) return;
        const calls = await this.player(last).leftOver(last, this.apart);
        for (const call of calls) if (await this.carryOut(last, call)) sent++;
      });
    return sent;
  }

  private player({ terms }: Case): Defender {
    const { prover, address, signatureOf } = this.own;
    this.defender ??= new Defender(gameAt(this.session, terms.game), this.facts, prover, address, signatureOf);
    return this.defender;
  }

  private readonly apart = <T>(what: string, work: () => Promise<T>): Promise<T | undefined> =>
    this.lanes.apart(what, work);

  private async carryOut({ terms }: Case, call: DueCall): Promise<boolean | undefined> {
    const name = call.dispute === undefined ? call.what : `${call.what} in dispute ${call.dispute}`;
    const request = gameCall(gameAt(this.session, terms.game), call);
    return this.lanes.apart(name, () => this.send(request, call));
  }

  private async send(request: ContractCall, call: DueCall | Duty): Promise<boolean> {
    const receipt = await this.options.send(request);
    if (!receipt) return false;
    this.newest.sent(receipt);
    this.options.onCall?.(call, receipt);
    return true;
  }
}
