/** A worker as its coordinator sees it: what it has, what it has done, and whether it is asked again. */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import type { StateRoot, Tensor } from "../encoding/tensor.ts";
import { FormatError, messageOf } from "../errors/index.ts";
import type { JobId } from "../job/closed.ts";
import type { Channel, WorkerAddress } from "./channel.ts";
import type { Computed } from "./executor.ts";
import {
  decodeReply,
  decodeResult,
  encodeRequest,
  encodeTask,
  type Reply,
  resultBound,
  SHORT_REPLY,
  type Task,
} from "./messages.ts";
import type { ShardPlan } from "./plan.ts";

/** The entries that shards read, before a training step. */
export interface Snapshot {
  readonly step: number;
  readonly root: StateRoot;
  /** In the order of the plan. */
  readonly entries: readonly Tensor[];
  /** What has changed since the snapshot before, by place, and the root of that one. */
  readonly changes?: { readonly base: StateRoot; readonly places: readonly number[] };
}

/** What a worker has done, for a run's summary. */
export interface WorkerSummary {
  name: string;
  /** Shards of training steps that it has computed. */
  shards: number;
  /** How many of them were computed again and had the same bits. */
  checked: number;
  /** How often it was replaced within a step: it had ended, was late, or answered what is no answer. */
  failures: number;
  bytesSent: number;
  bytesReceived: number;
  /** It has lied, and is not asked again. */
  lied: boolean;
}

/** What is the same for all workers of a run. */
export interface WorkerOptions {
  readonly plan: ShardPlan;
  readonly job: { readonly id: JobId; readonly file: Bytes };
  /** Milliseconds for an answer. */
  readonly timeout: number;
}

/** The most training steps until a worker that has failed is asked again. */
const MOST_PAUSE = 64;

export class Worker {
  readonly summary: WorkerSummary;
  private readonly address: WorkerAddress;
  private readonly options: WorkerOptions;
  private channel: Channel | undefined;
  /** The root of the entries that it has. */
  private root: StateRoot | undefined;
  /** Steps for which it is not asked, after its last failure. */
  private pause = 0;
  private waits = 0;

  constructor(address: WorkerAddress, options: WorkerOptions) {
    this.address = address;
    this.options = options;
    const { name } = address;
    this.summary = { name, shards: 0, checked: 0, failures: 0, bytesSent: 0, bytesReceived: 0, lied: false };
  }

  get name(): string {
    return this.address.name;
  }

  /** Whether it is asked in the next training step. A worker that has failed is left out for some. */
  isNext(): boolean {
    if (this.summary.lied) return false;
    if (this.waits === 0) return true;
    this.waits--;
    return false;
  }

  /** Connects, and hands over the job. @throws {Error} when that is not possible */
  async open(): Promise<void> {
    if (this.channel) return;
    const { job } = this.options;
    this.channel = await this.address.connect();
    this.root = undefined;
    const reply = await this.send(encodeRequest({ kind: "open", job: job.file }), SHORT_REPLY);
    if (reply.kind !== "done") throw unusable(this.name, reply);
    if (!bytesEqual(reply.content, job.id)) throw new FormatError("MALFORMED", `${this.name} has opened another job`);
  }

  /**
   * Has shards computed.
   * @param roots whether the roots of all operators are wanted
   * @throws {Error} when it can't be reached, is late, or answers what is no answer
   */
  async compute(snapshot: Snapshot, shards: readonly number[], roots: boolean): Promise<Computed> {
    await this.open();
    let content = await this.ask(snapshot, shards, roots);
    // Another coordinator may have used it, or it was started anew.
    if (content === "closed") {
      await this.disconnect();
      await this.open();
      content = await this.ask(snapshot, shards, roots);
    }
    if (typeof content === "string") throw new FormatError("MALFORMED", `${this.name} is ${content} again and again`);
    this.pause = 0;
    return content;
  }

  /** Notes that it has failed: it is left out for some training steps, and for more each time. */
  async fail(): Promise<void> {
    this.summary.failures++;
    this.pause = Math.min(MOST_PAUSE, Math.max(1, 2 * this.pause));
    this.waits = this.pause;
    await this.disconnect();
  }

  async disconnect(): Promise<void> {
    const { channel } = this;
    this.channel = undefined;
    this.root = undefined;
    await channel?.close().catch(() => undefined);
  }

  private async ask(
    snapshot: Snapshot,
    shards: readonly number[],
    roots: boolean,
  ): Promise<Computed | "closed" | "stale"> {
    const { plan, job } = this.options;
    for (const isWhole of [false, true]) {
      const { changes, step, root } = snapshot;
      const has = this.root;
      const isKnown = has && (bytesEqual(has, root) || (changes && bytesEqual(has, changes.base)));
      if (!isWhole && !isKnown) continue;
      const places = isWhole ? [...plan.entries.keys()] : bytesEqual(has!, root) ? [] : changes!.places;
      const entries = new Map(places.map((place) => [place, snapshot.entries[place]]));
      const task: Task = { job: job.id, step, root, ...(!isWhole && { base: has! }), entries, shards, roots };
      const reply = await this.send(encodeTask(task), resultBound(plan, task));
      if (reply.kind === "stale") continue;
      if (reply.kind === "closed") return "closed";
      if (reply.kind === "failed") throw unusable(this.name, reply);
      this.root = root;
      return decodeResult(reply.content, plan, task);
    }
    return "stale";
  }

  private async send(message: Bytes, most: number): Promise<Reply> {
    const { summary } = this;
    const signal = AbortSignal.timeout(this.options.timeout);
    summary.bytesSent += message.length;
    // Whatever the channel does, it has no longer than this.
    const late = new Promise<never>((_, reject) => {
      const seconds = this.options.timeout / 1000;
      signal.addEventListener("abort", () => reject(new Error(`no answer within ${seconds} s`)), { once: true });
    });
    const reply = await Promise.race([this.channel!.send(message, most, signal), late]);
    summary.bytesReceived += reply.length;
    if (reply.length > most) throw new FormatError("TOO_LARGE", `${this.name} sent ${reply.length} bytes`);
    return decodeReply(reply);
  }
}

function unusable(name: string, reply: Exclude<Reply, { kind: "done" }>): Error {
  return new Error(reply.kind === "failed" ? `it says: ${reply.reason}` : `${name} answers ${reply.kind}`);
}

/** What is said of a worker that has failed. */
export const failureText = (error: unknown): string => {
  const because = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return messageOf(because);
};
