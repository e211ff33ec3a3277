/** A node as transactions need it: it may be away for a while, and may return with another chain. */
import {
  type Address,
  BaseError,
  type Hex,
  HttpRequestError,
  type PublicClient,
  SocketClosedError,
  TimeoutError,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
  type TransactionReceipt,
  WebSocketRequestError,
} from "viem";
import { ChainError, messageOf } from "../../errors/index.ts";

export interface Patience {
  /** Milliseconds between two looks at the chain. */
  pollMillis: number;
  /** Milliseconds for which a node may be away. */
  awayMillis: number;
}

/** A node's reply to a transaction that it is given. */
export type Reception = "taken" | "too cheap" | "nonce used";

const LOST = [HttpRequestError, TimeoutError, SocketClosedError, WebSocketRequestError];

/** A node of a chain. It may be away for a while, and it may forget transactions. */
export class Node {
  readonly client: PublicClient;
  private readonly chainId: number;
  private readonly patience: Patience;
  /** Whether it was away since its chain was last checked. */
  private wasAway = true;

  constructor(client: PublicClient, chainId: number, patience: Patience) {
    this.client = client;
    this.chainId = chainId;
    this.patience = patience;
  }

  pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.patience.pollMillis));
  }

  /**
   * Asks again while the node is away, with longer and longer pauses.
   * @throws {ChainError} when it stays away
   * @throws every other error of `ask`
   */
  async reach<T>(ask: (client: PublicClient) => Promise<T>): Promise<T> {
    const until = performance.now() + this.patience.awayMillis;
    for (let pause = this.patience.pollMillis; ; pause = Math.min(2 * pause, 10_000))
      try {
        return await ask(this.client);
      } catch (error) {
        if (!isLost(error)) throw error;
        this.wasAway = true;
        if (performance.now() + pause > until)
          throw new ChainError(
            "TIMEOUT",
            `the node does not answer any more (${messageOf(error).split("\n")[0]}); run the same command again: what was signed is in the journal`,
          );
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
  }

  /**
   * Checks that the chain is still the expected one, with the contract on it.
   * @param always check even if the node was not away
   * @throws {ChainError} when it is not
   */
  async check(contract: Address, always = false): Promise<void> {
    if (!this.wasAway && !always) return;
    const chainId = await this.reach((client) => client.getChainId());
    if (chainId !== this.chainId)
      throw new ChainError(
        "WRONG_CHAIN",
        `the node serves chain ${chainId}, not chain ${this.chainId}; nothing was signed for it, so name a node of chain ${this.chainId} with --rpc`,
        { expected: this.chainId, found: chainId },
      );
    if ((await this.reach((client) => client.getCode({ address: contract }))) === undefined)
      throw new ChainError(
        "CONTRACT_MISSING",
        `there is no contract at ${contract}; perhaps the chain was restarted. The journal is unchanged; name the right node with --rpc`,
        { contract },
      );
    this.wasAway = false;
  }

  receipt(hash: Hex): Promise<TransactionReceipt | undefined> {
    return this.reach((client) =>
      client.getTransactionReceipt({ hash }).catch(unless(TransactionReceiptNotFoundError)),
    );
  }

  /** Whether the node has the transaction, in a block or waiting for one. */
  async knows(hash: Hex): Promise<boolean> {
    return (
      (await this.reach((client) => client.getTransaction({ hash }).catch(unless(TransactionNotFoundError)))) !==
      undefined
    );
  }

  /**
   * Sends the bytes of a signed transaction. To send them again does no harm.
   * @param contract the contract that it calls
   */
  async broadcast(raw: Hex, hash: Hex, contract: Address): Promise<Reception> {
    try {
      await this.reach((client) => client.sendRawTransaction({ serializedTransaction: raw }));
      return "taken";
    } catch (error) {
      // A node may refuse a transaction that it has already. Some report a revert although they accepted it.
      if (error instanceof ChainError) throw error;
      await this.check(contract);
      if (await this.knows(hash)) return "taken";
      const text = error instanceof BaseError ? `${error.shortMessage} ${error.details}` : messageOf(error);
      if (/nonce.*too low|nonce.*already|invalid nonce/i.test(text)) return "nonce used";
      if (/underpriced|too low|less than block base fee|fee cap|below/i.test(text)) return "too cheap";
      throw error;
    }
  }

  /** The number of nonces that the account has used, `depth` blocks below the head. */
  async noncesUsed(address: Address, depth = 0): Promise<number> {
    if (depth === 0) return this.reach((client) => client.getTransactionCount({ address, blockTag: "latest" }));
    const head = await this.reach((client) => client.getBlockNumber());
    const blockNumber = head - BigInt(depth);
    return blockNumber < 0n ? 0 : this.reach((client) => client.getTransactionCount({ address, blockNumber }));
  }
}

function isLost(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  return error.walk((cause) => LOST.some((kind) => cause instanceof kind)) !== null;
}

/** A handler that returns `undefined` for one kind of error, and throws all others. */
function unless(kind: new (...args: never[]) => BaseError): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof BaseError && error.walk((cause) => cause instanceof kind)) return undefined;
    throw error;
  };
}
