/** A node as transactions see it: one that may be away for a while, and may come back as another chain. */
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

/** What a node says of a transaction that it is given. */
export type Reception = "taken" | "too cheap" | "nonce used";

const LOST = [HttpRequestError, TimeoutError, SocketClosedError, WebSocketRequestError];

/** A node of a chain that may be away for a while, and may not know what it was told. */
export class Node {
  readonly client: PublicClient;
  private readonly chainId: number;
  private readonly patience: Patience;
  /** Whether it was away since its chain was last looked at. */
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
   * @throws {ChainError} when it stays away; whatever else is thrown
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
            `the node does not answer any more (${messageOf(error).split("\n")[0]}); what was signed is in the journal, so run the same command again`,
          );
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
  }

  /**
   * That the chain is still the one that was meant, with the contract on it.
   * @param always also when the node was not away
   * @throws {ChainError} when it is not
   */
  async check(contract: Address, always = false): Promise<void> {
    if (!this.wasAway && !always) return;
    const chainId = await this.reach((client) => client.getChainId());
    if (chainId !== this.chainId)
      throw new ChainError(
        "WRONG_CHAIN",
        `the node is of chain ${chainId}, and not of chain ${this.chainId}; nothing was signed for it, so name a node of that chain with --rpc`,
        { expected: this.chainId, found: chainId },
      );
    if ((await this.reach((client) => client.getCode({ address: contract }))) === undefined)
      throw new ChainError(
        "CONTRACT_MISSING",
        `there is no contract at ${contract}; was the chain started anew? The journal is as it was; name the right node with --rpc`,
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
   * Hands over the bytes of a signed transaction; more than once does no harm.
   * @param contract that it is for
   */
  async broadcast(raw: Hex, hash: Hex, contract: Address): Promise<Reception> {
    try {
      await this.reach((client) => client.sendRawTransaction({ serializedTransaction: raw }));
      return "taken";
    } catch (error) {
      // A node may refuse what it has already, and some report a revert although they took it.
      if (error instanceof ChainError) throw error;
      await this.check(contract);
      if (await this.knows(hash)) return "taken";
      const text = error instanceof BaseError ? `${error.shortMessage} ${error.details}` : messageOf(error);
      if (/nonce.*too low|nonce.*already|invalid nonce/i.test(text)) return "nonce used";
      if (/underpriced|too low|less than block base fee|fee cap|below/i.test(text)) return "too cheap";
      throw error;
    }
  }

  /** Nonces that the account has used, `depth` blocks below the head. */
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

/** Nothing for one kind of error. */
function unless(kind: new (...args: never[]) => BaseError): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof BaseError && error.walk((cause) => cause instanceof kind)) return undefined;
    throw error;
  };
}
