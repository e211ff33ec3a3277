/**
 * Keeps what is done for one claim in lanes: one for each dispute, and one for each duty in the task. A lane
 * that fails pauses by itself, and the others continue. What fails for all of them, such as a node that is
 * away, is an outage: it is told once when it lasts for more than one look, and once when it is over.
 */
import { formatDuration } from "../duration.ts";
import { Backoff, type Random } from "../transactions/backoff.ts";
import type { Clock } from "../transactions/clock.ts";
import { clauseOf, fateOf } from "./fate.ts";

interface Lane {
  readonly backoff: Backoff;
  /** Until when it pauses, by the clock. */
  until: number;
  /** What was said about it since its last success. */
  said: string | undefined;
  /** Whether it was said to be stuck, so that its continuation is worth a sentence. */
  isStuck: boolean;
}

/** How long pauses may get, in milliseconds. */
const [LONGEST_OUTAGE, LONGEST_STUCK] = [30_000, 120_000];

export interface LaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds of the first pause. */
  readonly firstMillis: number;
  /** Whether to throw every error instead. */
  readonly strict: boolean;
  /** Called with each sentence about trouble, and about its end. */
  say(sentence: string): void;
}

export class Lanes {
  private readonly options: LaneOptions;
  private readonly lanes = new Map<string, Lane>();
  private readonly outage: Backoff;
  /** When the outage began, and the reasons that were told. */
  private since: number | undefined;
  private readonly told = new Set<string>();
  /** Whether something has failed for all lanes in the current look. */
  isOut = false;

  constructor(options: LaneOptions) {
    this.options = options;
    this.outage = new Backoff(options.firstMillis, LONGEST_OUTAGE, options.random);
  }

  /** Does work that concerns everything: its failure is an outage. @returns `undefined` if it has failed */
  async all<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (this.options.strict) throw error;
      this.out(clauseOf(error));
      return undefined;
    }
  }

  /**
   * Does the work of one lane, unless the lane pauses.
   * @returns `undefined` if it has failed, or was not done
   */
  async apart<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    const { clock } = this.options;
    const lane = this.laneOf(name);
    if (clock.now() < lane.until) return undefined;
    try {
      const done = await work();
      lane.backoff.succeeded();
      if (lane.isStuck) this.options.say(`${name} continues`);
      [lane.said, lane.isStuck] = [undefined, false];
      return done;
    } catch (error) {
      if (this.options.strict) throw error;
      this.failed(name, lane, error);
      return undefined;
    }
  }

  /** Notes that everything waits for something. @param reason a clause */
  out(reason: string): void {
    this.isOut = true;
    this.since ??= this.options.clock.now();
    // One look may meet a node that has not heard of a block yet.
    if (this.outage.failures === 0) return;
    // The numbers in a reason change from one attempt to the next.
    const kind = reason.replace(/0x[0-9a-f]+|\d+/gi, "#");
    if (this.told.has(kind)) return;
    this.told.add(kind);
    this.options.say(`${reason}; trying again until it works`);
  }

  /** Ends a look. @returns the pause before the next one, in milliseconds; `undefined` if nothing was out */
  pause(): number | undefined {
    const { clock, say } = this.options;
    if (this.isOut) {
      this.isOut = false;
      return this.outage.next();
    }
    if (this.told.size > 0)
      say(`it works again, after ${formatDuration(Math.max(1, (clock.now() - this.since!) / 1_000))}`);
    this.since = undefined;
    this.told.clear();
    this.outage.succeeded();
    return undefined;
  }

  private failed(name: string, lane: Lane, error: unknown): void {
    const fate = fateOf(error);
    const reason = clauseOf(error);
    if (fate === "outage") return this.out(reason);
    const longest = fate === "overtaken" ? LONGEST_OUTAGE : LONGEST_STUCK;
    lane.until = this.options.clock.now() + Math.min(lane.backoff.next(), longest);
    const sentence =
      fate === "overtaken" ? `${reason}; looking again` : `${name}: ${reason}; trying again until it works`;
    if (lane.said === sentence) return;
    lane.said = sentence;
    lane.isStuck ||= fate === "stuck";
    this.options.say(sentence);
  }

  private laneOf(name: string): Lane {
    const known = this.lanes.get(name);
    if (known) return known;
    const { firstMillis, random } = this.options;
    const backoff = new Backoff(firstMillis, LONGEST_STUCK, random);
    const lane: Lane = { backoff, until: -Infinity, said: undefined, isStuck: false };
    this.lanes.set(name, lane);
    return lane;
  }
}
