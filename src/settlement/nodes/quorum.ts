/**
 * Several nodes as one: each is asked, and what they answer is compared. A node can't prove what it says
 * about a chain. A second one, run by somebody else, shows a lie.
 */
import { createPublicClient, hexToBigInt, numberToHex, type PublicClient } from "viem";
import { differing, lagging } from "./difference.ts";
import { type Endpoint, isLost, type RpcRequest } from "./endpoint.ts";
import { headOf, MOST_LAG, newestOf } from "./head.ts";
import { type Reply, replyOf, settled } from "./reply.ts";
import { type Clock, SYSTEM_CLOCK } from "../transactions/clock.ts";

/**
 * How many nodes have to give the same answer. `all`: each of them, and none may be away. `majority`: more
 * than half of those that answer, so a node that is away stops nothing.
 */
export type Agreement = "all" | "majority";

/** How the answers of several nodes are compared. */
export interface QuorumOptions {
  /** Default: `all`. */
  readonly agreement?: Agreement;
  /** Called when a majority has decided against an answer, with a sentence. */
  readonly onDissent?: (sentence: string) => void;
  /**
   * Milliseconds between two attempts to get one answer. Nodes differ for a moment at each new block.
   * Default: 300.
   */
  readonly pauseMillis?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** How often nodes that differ are asked. */
const ATTEMPTS = 4;
/** By how much the counts of an account's waiting transactions may differ between nodes. */
const MOST_WAITING = 16n;

/** The place of the block among the parameters of a request about the chain's state. */
const BLOCK_AT: Readonly<Record<string, number>> = {
  eth_call: 1,
  eth_getBalance: 1,
  eth_getCode: 1,
  eth_getTransactionCount: 1,
  eth_getBlockByNumber: 0,
};

/** A client that asks these nodes. One node is asked as it is. */
export function clientOf(endpoints: readonly Endpoint[], options: QuorumOptions = {}): PublicClient {
  const quorum = endpoints.length === 1 ? endpoints[0] : new Quorum(endpoints, options);
  const config = { key: "quorum", name: "Quorum", type: "quorum", retryCount: 0 } as const;
  const request = ((asked: RpcRequest) => quorum.request(asked)) as never;
  return createPublicClient({
    transport: () => ({ config: { ...config, request }, request }),
    cacheTime: 0,
    pollingInterval: 500,
  });
}

/** Asks several nodes, and gives the answer on which they agree. */
class Quorum {
  private readonly endpoints: readonly Endpoint[];
  private readonly options: QuorumOptions;
  /** Nodes whose newest block is too old. A majority is formed without them. */
  private behind: readonly Endpoint[] = [];

  constructor(endpoints: readonly Endpoint[], options: QuorumOptions) {
    this.endpoints = endpoints;
    this.options = options;
  }

  /** @throws {ChainError} when the nodes do not agree */
  async request(request: RpcRequest): Promise<unknown> {
    switch (request.method) {
      case "eth_blockNumber":
        return numberToHex(await this.head());
      case "eth_sendRawTransaction":
        return this.sendToAll(request);
      case "eth_getTransactionReceipt":
      case "eth_getTransactionByHash":
        return this.present(request);
      case "eth_estimateGas":
        return this.number(request, (values) => values[values.length - 1]);
      case "eth_gasPrice":
      case "eth_maxPriorityFeePerGas":
        // A node that names too much would make the sender pay for it.
        return this.number(request, (values) => values[(values.length - 1) >> 1]);
      case "eth_getTransactionCount":
        return blockOf(request) === "pending" ? this.waiting(request) : this.compared(request);
      case "eth_getLogs":
      case "eth_chainId":
      case "eth_getBlockByHash":
        return this.compared(request);
      default:
        return request.method in BLOCK_AT ? this.compared(request) : this.endpoints[0].request(request);
    }
  }

  private async compared(request: RpcRequest): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      // At first each node may answer for the newest block that it knows: mostly that makes no difference.
      const replies = await this.ask(attempt === 0 ? request : await this.pinned(request));
      const agreed = this.agreed(request, replies);
      if (agreed) return settled(agreed);
      if (attempt === ATTEMPTS) throw differing(request, replies);
      if (attempt > 0) await this.pause();
    }
  }

  /** A request for a block that enough nodes know. */
  private async pinned(request: RpcRequest): Promise<RpcRequest> {
    const block = blockOf(request);
    if (block !== "latest") return request;
    const head = numberToHex(await this.head());
    const params = [...(request.params as unknown[])];
    if (request.method === "eth_getLogs") params[0] = { ...(params[0] as object), toBlock: head };
    else params[BLOCK_AT[request.method]] = head;
    return { ...request, params };
  }

  /** The newest block that enough nodes know. */
  private async head(): Promise<bigint> {
    this.behind = [];
    const replies = await this.ask({ method: "eth_getBlockByNumber", params: ["latest", false] });
    const heads = replies.flatMap(({ node, value, text }) =>
      text === undefined || value === null ? [] : [headOf(node, value)],
    );
    heads.sort((a, b) => (a.number < b.number ? 1 : -1));
    const newest = newestOf(heads);
    const late = heads.filter(({ timestamp }) => newest.timestamp - timestamp > MOST_LAG);
    if (late.length > 0 && this.agreement === "all") throw lagging(late[0], newest);
    this.behind = late.map(({ node }) => node);
    const known = heads.filter((head) => !late.includes(head));
    return known[this.needed(known.length) - 1].number;
  }

  /**
   * Something that nodes get to know one after the other: `null` until enough nodes have it. Nodes that have
   * it in different blocks will agree later.
   */
  private async present(request: RpcRequest): Promise<unknown> {
    const replies = await this.ask(request);
    const having = replies.filter(({ value, text }) => text !== undefined && value !== null);
    const answering = replies.filter(({ text }) => text !== undefined).length;
    if (having.length < this.needed(answering)) return null;
    if (request.method === "eth_getTransactionByHash") return having[0].value;
    const agreed = this.agreed(request, having);
    if (agreed) return settled(agreed);
    const blocks = new Set(having.map(({ value }) => (value as { blockHash?: unknown }).blockHash));
    if (blocks.size > 1) return null;
    throw differing(request, having);
  }

  /** Each node gets a transaction, so that none can hold it back. One that takes it is enough. */
  private async sendToAll(request: RpcRequest): Promise<unknown> {
    const replies = await Promise.all(this.endpoints.map((node) => replyOf(node, request)));
    const taken = replies.find(({ text, error }) => text !== undefined && error === undefined);
    if (taken) return taken.value;
    throw (replies.find(({ error }) => !isLost(error)) ?? replies[0]).error;
  }

  private async number(request: RpcRequest, choose: (ascending: bigint[]) => bigint): Promise<unknown> {
    const replies = await this.ask(request);
    const refused = replies.filter(({ text, error }) => text !== undefined && error !== undefined);
    const values = replies.flatMap(({ value, error }) =>
      typeof value === "string" && !error ? [hexToBigInt(value as never)] : [],
    );
    if (refused.length > 0 && (this.agreement === "all" || refused.length >= values.length)) throw refused[0].error;
    return numberToHex(choose(values.sort((a, b) => (a < b ? -1 : 1))));
  }

  /** Nodes know different waiting transactions. A number that is far too high would block the account. */
  private async waiting(request: RpcRequest): Promise<unknown> {
    const replies = (await this.ask(request)).filter(({ text }) => text !== undefined);
    const values = replies.map(({ value }) => hexToBigInt(value as never)).sort((a, b) => (a < b ? -1 : 1));
    const most = values[values.length - 1];
    if (most - values[0] > MOST_WAITING) throw differing(request, replies);
    return numberToHex(most);
  }

  /**
   * The answers of all nodes that should answer.
   * @throws the error of a node that gives no answer, unless others are enough
   */
  private async ask(request: RpcRequest): Promise<Reply[]> {
    const asked = this.endpoints.filter((node) => !this.behind.includes(node));
    const replies = await Promise.all(asked.map((node) => replyOf(node, request)));
    const silent = replies.find(({ text }) => text === undefined);
    if (silent && (this.agreement === "all" || replies.every(({ text }) => text === undefined))) throw silent.error;
    return replies;
  }

  private agreed(request: RpcRequest, replies: readonly Reply[]): Reply | undefined {
    const answers = replies.filter(({ text }) => text !== undefined);
    const groups = [...Map.groupBy(answers, ({ text }) => text).values()].sort((a, b) => b.length - a.length);
    if (groups[0].length < this.needed(answers.length)) return undefined;
    if (groups.length > 1) this.options.onDissent?.(differing(request, [groups[0][0], groups[1][0]]).message);
    return groups[0][0];
  }

  private needed(answering: number): number {
    return this.agreement === "all" ? this.endpoints.length : Math.floor(answering / 2) + 1;
  }

  private get agreement(): Agreement {
    return this.options.agreement ?? "all";
  }

  private pause(): Promise<void> {
    return (this.options.clock ?? SYSTEM_CLOCK).sleep(this.options.pauseMillis ?? 300);
  }
}

function blockOf({ method, params }: RpcRequest): unknown {
  const given = (params ?? []) as readonly unknown[];
  if (method === "eth_getLogs") return (given[0] as { toBlock?: unknown }).toBlock ?? "latest";
  const at = BLOCK_AT[method];
  return at === undefined ? undefined : (given[at] ?? "latest");
}
