/** How a record is fetched, and what has come of it. */
import type { LeafPlace } from "../../rounds/plan.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import type { InstanceId } from "../../rounds/statement.ts";
import type { Transport } from "../transport/transport.ts";

export interface FetchOptions {
  readonly transport: Transport;
  /** The performance whose record it is. */
  readonly instance: InstanceId;
  /** The folder in which it is kept. */
  readonly out: string;
  /** The most bytes that the folder may have. Default: 64 GiB. */
  readonly limit?: number | undefined;
  /** Milliseconds for which the server may be away. Default: a minute. */
  readonly patience?: number | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told of each round that is checked and kept.
   * @param unsigned what it lists without the signature that it needs
   */
  onRound?(round: number, rounds: number, unsigned: readonly string[]): void;
}

/** A leaf whose files are not there. */
export interface Lacking extends LeafPlace {
  /** `local-2` */
  readonly name: string;
  readonly why: string;
}

/** What a folder has after it was fetched into. */
export interface Fetched {
  readonly record: RoundsRecord;
  /** Rounds that are there, round 0 included. */
  readonly rounds: number;
  /** Whether all rounds of the plan are there. Files of leaves may be lacking all the same. */
  readonly isWhole: boolean;
  readonly lacking: readonly Lacking[];
  /** The bytes of the folder. */
  readonly bytes: number;
}
