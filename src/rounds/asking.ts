/** How the recorder asks the members of a turn for their leaves. */
import { messageOf, RoundsError } from "../errors/index.ts";
import { type Away, isAway } from "./away.ts";
import type { Crew } from "./crew.ts";
import type { LeafFault, PlantedFault } from "./fault.ts";
import type { Performed } from "./participant.ts";
import type { LeafPlace, Plan } from "./plan.ts";

/** What a participant was asked for: its leaf, or why there is none. */
export type Outcome = { readonly performed: Performed } | { readonly why: string };

const MINUTE = 60_000;
/** The longest time that a timer takes. */
const LONGEST = 2 ** 31 - 1;
/** Failures of a participant that a turn may miss. Others are of this machine, and end the run. */
const ABSENCE: ReadonlySet<string> = new Set(["VERDE_ROUNDS_PARTICIPANT", "VERDE_ROUNDS_LATE"]);

/** Whether a failure says no more than that a participant was not there. */
export const isAbsence = (error: unknown): boolean => error instanceof RoundsError && ABSENCE.has(error.code);

interface AskingOptions {
  readonly faults?: readonly PlantedFault[] | undefined;
  readonly away?: readonly Away[] | undefined;
  readonly patience?: number | undefined;
}

/** Asks the members of a turn. */
export class Asking {
  private readonly plan: Plan;
  private readonly crew: Crew;
  private readonly options: AskingOptions;

  constructor(plan: Plan, crew: Crew, options: AskingOptions) {
    this.plan = plan;
    this.crew = crew;
    this.options = options;
  }

  /** Has a leaf performed, with the fault of a drill. */
  perform(place: LeafPlace, signal?: AbortSignal): Promise<Performed> {
    return this.crew.perform(place, this.faultOf(place), signal);
  }

  /** The same, of a member that the turn may miss. */
  async attempt(place: LeafPlace, signal?: AbortSignal): Promise<Outcome> {
    if (isAway(this.plan, this.options.away ?? [], place)) return { why: "it stays away, as --away says" };
    try {
      return { performed: await this.perform(place, signal) };
    } catch (error) {
      if (isAbsence(error)) return { why: messageOf(error) };
      throw error;
    }
  }

  /**
   * Asks all at once. When as many as the turn needs have delivered, the others have some time left.
   * @param least how many the turn needs of those that are asked
   * @param onLate is told of a leaf that comes after that time
   */
  async gathered(
    asked: readonly LeafPlace[],
    least: number,
    onLate: (place: LeafPlace) => void,
  ): Promise<ReadonlyMap<number, Outcome>> {
    const { patience = MINUTE } = this.options;
    const outcomes = new Map<number, Outcome>();
    const waiting = new AbortController();
    let delivered = 0;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (outcomes.size === asked.length) resolve();
        else if (delivered >= least) timer ??= setTimeout(resolve, Math.min(patience, LONGEST));
      };
      for (const place of asked)
        this.attempt(place, waiting.signal).then((outcome) => {
          if (waiting.signal.aborted && "performed" in outcome) onLate(place);
          outcomes.set(place.seat, outcome);
          if ("performed" in outcome) delivered++;
          check();
        }, reject);
      check();
    }).finally(() => clearTimeout(timer));
    const inTime = new Map(outcomes);
    waiting.abort();
    for (const { seat } of asked) if (!inTime.has(seat)) inTime.set(seat, { why: "it has not delivered in time" });
    return inTime;
  }

  private faultOf({ round, seat }: LeafPlace): LeafFault | undefined {
    return this.options.faults?.find((planted) => planted.round === round && planted.seat === seat)?.fault;
  }
}
