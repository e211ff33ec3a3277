/**
 * An account that calls the contracts of a deployment. Each call is simulated first, and then takes effect
 * once.
 */
import {
  type Abi,
  type Address,
  BaseError,
  ContractFunctionZeroDataError,
  encodeFunctionData,
  type Hex,
  type LocalAccount,
  type TransactionReceipt,
} from "viem";
import { ChainError } from "../../errors/index.ts";
import { ABIS, type Contract } from "../contracts.ts";
import { saleKeyFor } from "../exchange/sale-key.ts";
import { refusal } from "../refusal.ts";
import { saltFor } from "../salt.ts";
import { canarySecretFor, drawSecretFor, findCanarySecret, findDrawSecrets } from "../secrets.ts";
import type { Session } from "../session.ts";
import type { Terms } from "../task.ts";
import { shortLivedLog } from "./journal.ts";
import { Node } from "./node.ts";
import type { Settled } from "./actions.ts";
import { Transactor } from "./transactor.ts";

/**
 * How long a node may be away, and how long a transaction may wait before its fee is raised, in milliseconds.
 */
export const [AWAY_MILLIS, STUCK_MILLIS] = [60_000, 90_000];
/**
 * Calls that would take effect twice if they were sent twice. The contracts refuse the second one of all
 * other calls.
 */
const REPEATABLE = ["post", "deposit", "requestUnbond", "demand", "mint", "pledge"];
/** Of rounds, these take effect once: the terms are written down before they are posted. */
const ONCE: readonly Contract[] = ["roundManager", "roundGame"];

/** A call of a contract by its name in the deployment. */
export interface ContractCall {
  readonly contract: Contract;
  /** The contract's address, if it is not the deployment's. */
  readonly to?: Address;
  readonly functionName: string;
  readonly args: readonly unknown[];
  /** Wei that are sent with it. Default: none. */
  readonly value?: bigint;
}

/**
 * A call in viem's form.
 * @throws {ChainError} when the deployment has no such contract
 */
export function requestOf({ deployment }: Session, { contract, to, functionName, args }: ContractCall) {
  const address = to ?? deployment[contract];
  if (address === undefined)
    throw new ChainError(
      "CONTRACT_MISSING",
      `this deployment has no ${contract}; name a deployment that has one with --deployment`,
      { contract },
    );
  return { address, abi: ABIS[contract] as Abi, functionName, args };
}

/**
 * A handler for a simulated call: it throws the error, unless it is that a token returns nothing. Some do.
 */
function unlessSilent({ contract }: ContractCall): (error: unknown) => void {
  return (error) => {
    const isSilent =
      error instanceof BaseError && error.walk((inner) => inner instanceof ContractFunctionZeroDataError);
    if (contract !== "token" || !isSilent) throw error;
  };
}

/** Sends the calls of one account, each once. */
export class Caller {
  readonly address: Address;
  private readonly session: Session;
  private readonly account: LocalAccount;
  private readonly transactor: Transactor;
  private readonly found: readonly Settled[];

  /** @param found calls of an earlier process that the transactor has found on the chain */
  constructor(session: Session, account: LocalAccount, transactor: Transactor, found: readonly Settled[] = []) {
    this.session = session;
    this.address = account.address;
    this.account = account;
    this.transactor = transactor;
    this.found = found;
  }

  /** A caller for a chain that does not outlive the process. Nothing is written to a journal. */
  static shortLived(session: Session, account: LocalAccount): Caller {
    const { client, deployment } = session;
    const node = new Node(client, deployment.chainId, { pollMillis: 20, awayMillis: AWAY_MILLIS });
    const options = { confirmations: 1, stuckMillis: STUCK_MILLIS };
    return new Caller(session, account, new Transactor(node, account, deployment.chainId, shortLivedLog(), options));
  }

  /** The salt of this account's commitment in a task. */
  salt(task: Hex): Promise<Hex> {
    const { manager, chainId } = this.session.deployment;
    return saltFor(this.account, manager, chainId, task);
  }

  /** The key with which this account seals a checkpoint for a sale. */
  saleKey(sale: Hex): Promise<Hex> {
    return saleKeyFor(this.account, this.session.deployment, sale);
  }

  /** The secret of this account's draw of seats. @param number of the draw, among those with such terms */
  drawSecret(terms: Terms, number: number): Promise<Hex> {
    return drawSecretFor(this.account, this.session.deployment, terms, number);
  }

  /**
   * The secrets to which the salt of terms commits, in the order in which they are opened.
   * @throws {ChainError} when they are not those of this account
   */
  findDrawSecrets(terms: Terms): Promise<Hex[]> {
    return findDrawSecrets(this.account, this.session.deployment, terms);
  }

  /** The secret of this account's canary. @param number of the canary, among those with such terms */
  canarySecret(terms: Terms, root: Hex, number: number): Promise<Hex> {
    return canarySecretFor(this.account, this.session.deployment, terms, root, number);
  }

  /** The secret with which the salt of terms hides a root, if it does. */
  findCanarySecret(terms: Terms, root: Hex): Promise<Hex | undefined> {
    return findCanarySecret(this.account, this.session.deployment, terms, root);
  }

  /**
   * Sends a call, and waits until it is in a block.
   * @throws {ChainError} with the contract's reason when it is refused
   */
  async call(call: ContractCall): Promise<TransactionReceipt> {
    const { functionName, value = 0n } = call;
    const request = requestOf(this.session, call);
    const data = encodeFunctionData(request);
    if (!ONCE.includes(call.contract)) this.refuseAgain(functionName, data);
    try {
      // Simulated first, because a receipt has no reason. A call that has taken effect already is not
      // simulated.
      if (!this.found.some((earlier) => earlier.data === data))
        await this.session.client
          .simulateContract({ ...request, account: this.address, value })
          .catch(unlessSilent(call));
      const receipt = (await this.transactor.send({ what: functionName, to: request.address, data, value }))!;
      if (receipt.status === "success") return receipt;
      throw new ChainError(
        "OVERTAKEN",
        `${functionName} was overtaken: the chain changed before ${receipt.transactionHash} was executed; look at the task, and repeat the command if it still applies`,
        { hash: receipt.transactionHash },
      );
    } catch (error) {
      throw refusal(error, functionName, this.address, this.session.token, value);
    }
  }

  /**
   * An earlier process may have made the same call with other arguments: each task has another salt, for
   * example.
   */
  private refuseAgain(functionName: string, data: Hex): void {
    const again = this.found.find(({ what, status }) => what === functionName && status === "mined");
    if (again && again.data !== data && REPEATABLE.includes(functionName))
      throw new ChainError(
        "EARLIER",
        `an earlier ${functionName} of this account was already sent, and has taken effect now (${again.hash}); ` +
          "run the command again if you want another one",
        { hash: again.hash },
      );
  }
}
