/** How a performance is watched, and how that ends. */
import type { TransactionReceipt } from "viem";
import type { Backend } from "../../repops/backends/backend.ts";
import type { LeafPlace } from "../../rounds/plan.ts";
import type { Random } from "../transactions/backoff.ts";
import type { ContractCall } from "../transactions/caller.ts";
import type { Clock } from "../transactions/clock.ts";
import type { Conviction, PerformanceEvents, PerformanceView } from "./performance.ts";

/** A performance at one look at the chain. */
export interface Look {
  readonly view: PerformanceView;
  readonly events: PerformanceEvents;
}

/** Something that the watch has done. */
export interface WatchAct {
  /** The function that was called. */
  readonly what: string;
  /** The leaf that it is about. */
  readonly place?: LeafPlace;
  readonly dispute?: bigint;
  /** Where a game stands, for people. */
  readonly at?: string;
  /** Wei that were sent with it. */
  readonly value: bigint;
}

/** What is done, in words. */
export function actName({ what, place, dispute }: Omit<WatchAct, "value">): string {
  if (dispute !== undefined) return `${what} in dispute ${dispute}`;
  return place ? `${what} of seat ${place.seat} in round ${place.round}` : what;
}

/** How a performance is watched, and callbacks for what happens. */
export interface WatchOptions {
  /** Milliseconds between two looks. */
  readonly everyMillis: number;
  /** Whether it accuses, challenges and demands where it finds a lie. Else it only answers. Default: yes. */
  readonly accuses?: boolean;
  /**
   * What the account has kept of the performance itself, such as the folder of `Joined`: it answers and plays
   * from there where the record's folder can't, since others have written that. Default: none.
   */
  readonly evidence?: readonly string[];
  /** Executes leaves: a backend, or its name; default `wasm`. */
  readonly backend?: Backend | string;
  /** The blocks that make an end final: its own, and those after it. Default: 1. */
  readonly confirmations?: number;
  /** Look only once. Then every error is thrown. */
  readonly once?: boolean;
  /** Sends a call. @returns its receipt; `undefined` if calls are only planned */
  send(call: ContractCall): Promise<TransactionReceipt | undefined>;
  /** Called after each call. */
  onAct?(act: WatchAct, receipt: TransactionReceipt): void;
  /** Called with a sentence about what does not work at the moment, and when it works again, once each. */
  onTrouble?(sentence: string): void;
  /** Called before each pause. @param audited how many leaves were judged, of how many */
  onWait?(view: PerformanceView, audited: number, leaves: number): void;
  /** Called after each pause. */
  onLook?(): void;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Varies the pauses. Default: from the system's generator. */
  readonly random?: Random;
}

/** How a performance has ended for an account. */
export interface Watched {
  readonly view: PerformanceView;
  readonly convicted: readonly Conviction[];
  /** Whether the account has lost a stake in it, or the bond of a challenge. */
  readonly lost: boolean;
}
