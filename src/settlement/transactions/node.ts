/** A node as transactions need it: it may be away for a while, and may return with another chain. */
import {
  type Address,
  BaseError,
  type Hex,
  isAddressEqual,
  type PublicClient,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
  type TransactionReceipt,
} from "viem";
import { ChainError, messageOf } from "../../errors/index.ts";
import { isLost } from "../nodes/endpoint.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";

export interface Patience {
  /** Milliseconds between two looks at the chain. */
  pollMillis: number;
  /** Milliseconds for which a node may be away. */
  awayMillis: number;
  /** Default: the machine's. */
  clock?: Clock;
}

/** A node's reply to a transaction that it is given. */
export type Reception = "taken" | "too cheap" | "nonce used";

/** A node of a chain. It may be away for a while, and it may forget transactions. */
export class Node {
  readonly client: PublicClient;
  private readonly chainId: number;
  private readonly patience: Patience;
  readonly clock: Clock;
  /** Whether it was away since its chain was last checked. */
  private wasAway = true;

  constructor(client: PublicClient, chainId: number, patience: Patience) {
    this.client = client;
    this.chainId = chainId;
    this.patience = patience;
    this.clock = patience.clock ?? SYSTEM_CLOCK;
  }

  /** Waits until the node is to be asked again. */
  pause(): Promise<void> {
    return this.clock.sleep(this.patience.pollMillis);
  }

  /**
   * Asks again while the node is away, with longer and longer pauses.
   * @throws {ChainError} when it stays away
   * @throws every other error of `ask`
   */
  async reach<T>(ask: (client: PublicClient) => Promise<T>): Promise<T> {
    const until = this.clock.now() + this.patience.awayMillis;
    for (let pause = this.patience.pollMillis; ; pause = Math.min(2 * pause, 10_000))
      try {
        return await ask(this.client);
      } catch (error) {
        if (!isLost(error)) throw error;
        this.wasAway = true;
        if (this.clock.now() + pause > until)
          throw new ChainError(
            "TIMEOUT",
            `the node does not answer any more (${messageOf(error).split("\n")[0]}); run the same command again: what was signed is in the journal`,
          );
        await this.clock.sleep(pause);
      }
  }

  /**
   * Checks that the chain is still the expected one, with the contract on it, if one is named.
   * @param always check even if the node was not away
   * @throws {ChainError} when it is not
   */
  async check(contract: Address | undefined, always = false): Promise<void> {
    if (!this.wasAway && !always) return;
    const chainId = await this.reach((client) => client.getChainId());
    if (chainId !== this.chainId)
      throw new ChainError(
        "WRONG_CHAIN",
        `the node serves chain ${chainId}, not chain ${this.chainId}; nothing was signed for it, so name a node of chain ${this.chainId} with --rpc`,
        { expected: this.chainId, found: chainId },
      );
    if (contract && (await this.reach((client) => client.getCode({ address: contract }))) === undefined)
      throw new ChainError(
        "CONTRACT_MISSING",
        `there is no contract at ${contract}; perhaps the chain was restarted. The journal is unchanged; name the right node with --rpc`,
        { contract },
      );
    this.wasAway = false;
  }

  /**
   * The receipt of a transaction that is in a block.
   * @param sender the account that has signed it
   * @throws {ChainError} for a receipt of another transaction
   */
  async receipt(hash: Hex, sender: Address): Promise<TransactionReceipt | undefined> {
    const receipt = await this.reach((client) =>
      client.getTransactionReceipt({ hash }).catch(unless(TransactionReceiptNotFoundError)),
    );
    if (!receipt) return undefined;
    const { transactionHash, from } = receipt;
    if (transactionHash === hash && isAddressEqual(from, sender)) return receipt;
    throw new ChainError(
      "ANSWER_FALSE",
      `the node was asked for the receipt of ${hash} by ${sender}, and gave that of ${transactionHash} by ${from}; ` +
        "it lies or is broken, so run the same command again with another node: what was signed is in the journal",
      { answer: "receipt", expected: hash, found: transactionHash },
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
  async broadcast(raw: Hex, hash: Hex, contract?: Address): Promise<Reception> {
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

/** A handler that returns `undefined` for one kind of error, and throws all others. */
function unless(kind: new (...args: never[]) => BaseError): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof BaseError && error.walk((cause) => cause instanceof kind)) return undefined;
    throw error;
  };
}
