/**
 * Reads the events of a contract in ranges that the node answers. Events in old blocks are read once. The
 * newest blocks are read again each time, since the chain may drop them.
 */
import { type Hex, numberToHex, type PublicClient } from "viem";
import { ChainError, messageOf } from "../../errors/index.ts";
import { isLost, RETRIES } from "../nodes/endpoint.ts";
import { REORGANIZABLE } from "../nodes/head.ts";
import { type Clock, SYSTEM_CLOCK } from "../transactions/clock.ts";
import { checkedLogs, type LogFilter, type MinedLog } from "./check.ts";
import { Limit, objectionOf, suggestedBlocks } from "./limit.ts";
import type { LogStore, Settled } from "./store.ts";

export interface LogReaderOptions {
  readonly store?: LogStore;
  /**
   * Milliseconds before a node that is asked too fast is asked again. They double each time. Default: 1000.
   */
  readonly pauseMillis?: number;
  /** Milliseconds between two times at which what was read is saved. Default: 30,000. */
  readonly saveMillis?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Called after each request, with the block that has been reached, and the last one. */
  readonly onProgress?: (block: bigint, last: bigint) => void;
}

/** How often a node that is asked too fast is asked again. */
const PATIENCE = 6;
/** A list with a multiple of this many events may have been cut without an error. */
const ROUND = 1000;
const SAVE_MILLIS = 30_000;
/** So many blocks without events are not read again by another process. */
const MUCH = 256n;

/** What is known about one filter. */
interface Known {
  settled: Settled | undefined;
  /** The newest block at the last look, and the events up to it that are not settled. */
  head: Hex | undefined;
  recent: readonly MinedLog[];
  /** When it was saved, by the clock of the process. */
  savedAt: number;
  saved: Settled | undefined;
}

/** Reads events from one node, or from several that are compared. It learns how much they answer at once. */
export class LogReader {
  private readonly client: PublicClient;
  private readonly options: LogReaderOptions;
  private readonly limit = new Limit();
  private readonly known = new Map<string, Known>();

  constructor(client: PublicClient, options: LogReaderOptions = {}) {
    this.client = client;
    this.options = options;
  }

  /**
   * All events, in their order.
   * @throws {ChainError} when the node does not give them, or gives others
   */
  async read(filter: LogFilter): Promise<readonly MinedLog[]> {
    const head = await this.client.getBlock();
    const known = await this.knownOf(filter);
    if (known.head !== head.hash) await this.update(filter, known, { number: head.number!, hash: head.hash! });
    return [...(known.settled?.logs ?? []), ...known.recent];
  }

  private async knownOf(filter: LogFilter): Promise<Known> {
    const key = `${filter.address} ${filter.topics.join(" ")} ${filter.from}`;
    const before = this.known.get(key);
    if (before) return before;
    const settled = await this.options.store?.load(filter);
    const known: Known = { settled, saved: settled, head: undefined, recent: [], savedAt: -Infinity };
    this.known.set(key, known);
    return known;
  }

  private async update(filter: LogFilter, known: Known, head: { number: bigint; hash: Hex }): Promise<void> {
    if (known.settled && !(await this.stands(known.settled, head.number))) known.settled = undefined;
    known.recent = [];
    const old = head.number - BigInt(REORGANIZABLE);
    const next = (): bigint => (known.settled ? known.settled.block + 1n : filter.from);
    let fresh: MinedLog[] = [];
    for (let from = next(); from <= old; ) {
      const { to, logs } = await this.range(filter, from, old);
      fresh.push(...logs);
      from = to + 1n;
      this.options.onProgress?.(to, head.number);
      if (to < old && !this.isDue(known)) continue;
      // What has been read survives the process, so that another one continues.
      known.settled = await this.settledWith(known.settled, to, fresh);
      fresh = [];
      if (to < old) await this.save(filter, known);
    }
    const recent: MinedLog[] = [];
    for (let from = next(); from <= head.number; ) {
      const { to, logs } = await this.range(filter, from, head.number);
      recent.push(...logs);
      from = to + 1n;
      this.options.onProgress?.(to, head.number);
    }
    known.recent = recent;
    known.head = head.hash;
    if (this.isWorthSaving(known)) await this.save(filter, known);
  }

  /** Whether the settled block is still in the chain. */
  private async stands({ block, hash }: Settled, head: bigint): Promise<boolean> {
    if (block > head) return false;
    const found = await this.client.getBlock({ blockNumber: block }).catch((error: unknown) => {
      if ((error as Error).name === "BlockNotFoundError") return undefined;
      throw error;
    });
    return found?.hash === hash;
  }

  private async settledWith(before: Settled | undefined, to: bigint, logs: readonly MinedLog[]): Promise<Settled> {
    const { hash } = await this.client.getBlock({ blockNumber: to });
    return { block: to, hash: hash!, logs: before ? [...before.logs, ...logs] : logs };
  }

  private async save(filter: LogFilter, known: Known): Promise<void> {
    if (!this.options.store || !known.settled) return;
    known.savedAt = this.clock.now();
    known.saved = known.settled;
    await this.options.store.save(filter, known.settled);
  }

  /** Whether another process would have to read much again. */
  private isWorthSaving({ settled, saved }: Known): boolean {
    if (!settled || !saved) return settled !== undefined;
    return settled.logs.length !== saved.logs.length || settled.block - saved.block >= MUCH;
  }

  private isDue({ savedAt }: Known): boolean {
    return this.clock.now() - savedAt >= (this.options.saveMillis ?? SAVE_MILLIS);
  }

  /** The events of as many blocks as the node answers at once, but at least of one. */
  private async range(filter: LogFilter, from: bigint, last: bigint): Promise<{ to: bigint; logs: MinedLog[] }> {
    for (let [hurried, lost] = [0, 0]; ; ) {
      const blocks = Math.min(this.limit.blocks, Number(last - from) + 1);
      const to = from + BigInt(blocks) - 1n;
      try {
        const logs = checkedLogs(await this.ask(filter, from, to), filter, from, to);
        const isCut = logs.length > 0 && logs.length % ROUND === 0 && blocks > 1;
        if (!isCut) {
          this.limit.accept(blocks);
          return { to, logs };
        }
        this.limit.refuse(blocks);
      } catch (error) {
        const objection = objectionOf(error);
        if (objection === "too fast" && hurried < PATIENCE) await this.clock.sleep(this.pauseMillis * 2 ** hurried++);
        else if (objection === "too much" && blocks > 1) this.limit.refuse(blocks, suggestedBlocks(error, from));
        else if (objection === undefined && isLost(error) && lost++ < RETRIES) await this.clock.sleep(this.pauseMillis);
        else throw error instanceof ChainError || isLost(error) ? error : unanswered(error, from);
      }
    }
  }

  private get clock(): Clock {
    return this.options.clock ?? SYSTEM_CLOCK;
  }

  private get pauseMillis(): number {
    return this.options.pauseMillis ?? 1000;
  }

  private ask({ address, topics }: LogFilter, from: bigint, to: bigint): Promise<unknown> {
    const filter = { address, topics, fromBlock: numberToHex(from), toBlock: numberToHex(to) };
    return this.client.request({ method: "eth_getLogs", params: [filter as never] });
  }
}

function unanswered(error: unknown, block: bigint): ChainError {
  const { details } = error as { details?: string };
  return new ChainError(
    "LOGS",
    `the node does not give the events of block ${block}, not even of this block alone: ${details || messageOf(error).split("\n")[0]}; ` +
      "name another node with --rpc, or the task's terms with --terms",
    { block: Number(block) },
  );
}
