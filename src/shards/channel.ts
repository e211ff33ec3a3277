/**
 * The way from a coordinator to a worker. HTTP is one (http-channel.ts); whatever carries bytes may be
 * another.
 */
import type { Bytes } from "../encoding/bytes.ts";

export interface Channel {
  /**
   * Sends a message and waits for the reply.
   * @param most the most bytes of the reply; a longer one is an error, and is not read to its end
   * @param signal ends the wait
   */
  send(message: Bytes, most: number, signal: AbortSignal): Promise<Bytes>;
  close(): Promise<void>;
}

/** A worker that can be connected to, also again after it has failed. */
export interface WorkerAddress {
  /** What it is called in messages. */
  readonly name: string;
  connect(): Promise<Channel>;
}
