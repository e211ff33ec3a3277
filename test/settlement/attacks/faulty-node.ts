/** A node that fails as nodes do: by a schedule of faults that a seed determines, over simulated time. */
import { HttpRequestError, numberToHex, TimeoutError } from "viem";
import type { Endpoint, RpcRequest } from "../../../src/settlement/nodes/endpoint.ts";
import type { SimulatedTime } from "./simulated-time.ts";

export const FAULTS = ["away", "silent", "limits", "fails", "lags", "ahead", "hasty"] as const;
export type FaultKind = (typeof FAULTS)[number];

/** A fault between two moments, in seconds. */
export interface Interval {
  readonly kind: FaultKind;
  readonly from: number;
  readonly to: number;
}

/** A generator of numbers from 0 to 1 (mulberry32), for tests alone. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Faults one after the other, with quiet times between them.
 * @param share how much of the time has a fault, about
 * @param longest seconds of a fault
 */
export function scheduleOf(random: () => number, seconds: number, share: number, longest: number): Interval[] {
  const intervals: Interval[] = [];
  for (let at = longest * random(); at < seconds; ) {
    const length = 2 + (longest - 2) * random();
    const kind = FAULTS[Math.floor(FAULTS.length * random())];
    intervals.push({ kind, from: at, to: at + length });
    at += length / share + longest * (random() - 0.5) * 0.5;
    at = Math.max(at, intervals[intervals.length - 1].to);
  }
  return intervals;
}

/** How many blocks a node is late that lags, or that forges a head which does not exist. */
const BLOCKS = 5n;
const FUTURE_SECONDS = 7_200n;
/** The place of the block's name among the parameters. */
const BLOCK_AT: Readonly<Record<string, number>> = {
  eth_call: 1,
  eth_getBalance: 1,
  eth_getCode: 1,
  eth_getTransactionCount: 1,
  eth_estimateGas: 1,
  eth_getBlockByNumber: 0,
};

export class FaultyNode implements Endpoint {
  readonly name: string;
  /** How often each fault was met. */
  readonly met = new Map<FaultKind, number>();
  private readonly ask: (request: RpcRequest) => Promise<unknown>;
  private readonly time: SimulatedTime;
  private readonly schedule: readonly Interval[];
  private readonly random: () => number;

  constructor(
    name: string,
    ask: (request: RpcRequest) => Promise<unknown>,
    time: SimulatedTime,
    schedule: readonly Interval[],
    random: () => number,
  ) {
    this.name = name;
    this.ask = ask;
    this.time = time;
    this.schedule = schedule;
    this.random = random;
  }

  async request(request: RpcRequest): Promise<unknown> {
    const { seconds } = this.time;
    const kind = this.schedule.find(({ from, to }) => from <= seconds && seconds < to)?.kind;
    if (kind) this.met.set(kind, (this.met.get(kind) ?? 0) + 1);
    const url = `http://${this.name}`;
    switch (kind) {
      case "away":
        throw new HttpRequestError({ url, body: {}, details: "fetch failed" });
      case "silent":
        await this.time.sleep(10_000);
        throw new TimeoutError({ url, body: {} });
      case "limits":
        if (this.random() < 0.4) throw Object.assign(new Error("daily request count exceeded"), { code: -32005 });
        if (this.random() < 0.4) throw new HttpRequestError({ url, status: 429, details: "Too Many Requests" });
        return this.plain(request);
      case "fails":
        if (this.random() < 0.5) throw Object.assign(new Error("header not found"), { code: -32000 });
        if (this.random() < 0.3) throw Object.assign(new Error("missing trie node"), { code: -32603 });
        return this.plain(request);
      case "lags":
        return this.late(request);
      case "ahead":
        return this.ahead(request);
      case "hasty":
        // It takes the transaction and loses the answer.
        if (request.method !== "eth_sendRawTransaction") return this.plain(request);
        await this.plain(request);
        throw new HttpRequestError({ url, body: {}, details: "socket hang up" });
      default:
        return this.plain(request);
    }
  }

  private plain(request: RpcRequest): Promise<unknown> {
    return this.time.work(() => this.ask(request));
  }

  private async head(): Promise<bigint> {
    return BigInt((await this.plain({ method: "eth_blockNumber" })) as string);
  }

  /** Answers as it would have answered some blocks ago. */
  private async late({ method, params = [] }: RpcRequest): Promise<unknown> {
    const head = await this.head();
    const known = head > BLOCKS ? head - BLOCKS : 0n;
    if (method === "eth_blockNumber") return numberToHex(known);
    const given = [...(params as unknown[])];
    const at = BLOCK_AT[method];
    if (at !== undefined && (given[at] === undefined || given[at] === "latest" || given[at] === "pending"))
      given[at] = numberToHex(known);
    if (method === "eth_getLogs") {
      const filter = given[0] as { fromBlock?: string; toBlock?: string };
      const to =
        filter.toBlock?.startsWith("0x") && BigInt(filter.toBlock) < known ? filter.toBlock : numberToHex(known);
      if (filter.fromBlock?.startsWith("0x") && BigInt(filter.fromBlock) > BigInt(to)) return [];
      given[0] = { ...filter, toBlock: to };
    }
    const value = await this.plain({ method, params: given });
    if (method !== "eth_getTransactionReceipt" && method !== "eth_getTransactionByHash") return value;
    const block = (value as { blockNumber?: string | null } | null)?.blockNumber;
    return block && BigInt(block) > known ? null : value;
  }

  /** Shows a head that does not exist, hours ahead of the chain. */
  private async ahead(request: RpcRequest): Promise<unknown> {
    const { method, params } = request;
    if (method === "eth_blockNumber") return numberToHex((await this.head()) + 100n * BLOCKS);
    const value = await this.plain(request);
    if (method !== "eth_getBlockByNumber" || (params as unknown[])[0] !== "latest") return value;
    const { number, timestamp, ...rest } = value as { number: string; timestamp: string };
    return {
      ...rest,
      number: numberToHex(BigInt(number) + 100n * BLOCKS),
      timestamp: numberToHex(BigInt(timestamp) + FUTURE_SECONDS),
    };
  }
}
