/** How a claim is defended, and how its defence ends. */
import type { Hex, TransactionReceipt } from "viem";
import type { Prover } from "../../game/prover.ts";
import type { Witness } from "../../referee/witness.ts";
import type { Duty, SeatMeans } from "../duties.ts";
import type { TaskView } from "../task.ts";
import type { Random } from "../transactions/backoff.ts";
import type { ContractCall } from "../transactions/caller.ts";
import type { Clock } from "../transactions/clock.ts";
import type { SignatureOf } from "./consent.ts";
import type { DueCall } from "./due-call.ts";

/** How a claim is defended, and callbacks for what happens. */
export interface DefenceOptions extends SeatMeans {
  /** Milliseconds between two looks. */
  readonly everyMillis: number;
  /** Whether to end when the dispute is decided. If not, the defence ends when the task is final. */
  readonly untilDecided: boolean;
  /**
   * The blocks that make an end final: its own, and those after it. Until then the chain may take it back.
   * The claim is not revealed either until the last commitment has as many. Default: 1.
   */
  readonly confirmations?: number;
  /**
   * Whether to end when two looks in a row show the own seat without a commitment: the chain has dropped it,
   * and the caller commits again. Default: the defence waits for it.
   */
  readonly untilDropped?: boolean;
  /** Look only once. Then every error is thrown. */
  readonly once?: boolean;
  /** Sends a call. @returns its receipt; `undefined` if calls are only planned */
  send(call: ContractCall): Promise<TransactionReceipt | undefined>;
  /** Called after each call. */
  onCall?(call: DueCall | Duty, receipt: TransactionReceipt): void;
  /** Called with a sentence about what does not work at the moment, and when it works again, once each. */
  onTrouble?(sentence: string): void;
  /** Called when a dispute is decided and the defence continues. */
  onDecided?(ended: Defended): void;
  /** Called before each pause. */
  onWait?(view: TaskView): void;
  /** Called after each pause. */
  onLook?(): void;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Varies the pauses. Default: from the system's generator. */
  readonly random?: Random;
}

/** How a defence ended. */
export interface Defended {
  readonly view: TaskView;
  /** Whether the claim has lost. */
  readonly out: boolean;
  /** Whether it is a challenge that takes no seat: its claim stands already, or there is no place for it. */
  readonly turnedAway?: boolean;
  /** Whether the chain has no commitment of it any more, and the task still takes one. */
  readonly dropped?: boolean;
}

/** The owner of a claim. */
export interface ClaimOwner {
  readonly address: Hex;
  readonly prover: Prover<Witness>;
  /** What the owner has signed, if another account sends the calls. Escalating is up to the owner alone. */
  readonly signatureOf?: SignatureOf;
}
