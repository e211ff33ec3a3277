/** An account that calls the contracts of a deployment: each call is tried first, then carried out once. */
import { type Abi, type Address, encodeFunctionData, type Hex, type LocalAccount, type TransactionReceipt } from "viem";
import { ChainError } from "../../errors/index.ts";
import { ABIS, type Contract } from "../contracts.ts";
import { refusal } from "../refusal.ts";
import { saltFor } from "../salt.ts";
import type { Session } from "../session.ts";
import { shortLivedLog } from "./journal.ts";
import { Node } from "./node.ts";
import { type Settled, Transactor } from "./transactor.ts";

/** Milliseconds that a node may be away, and that a transaction may wait before more is offered for it. */
export const [AWAY_MILLIS, STUCK_MILLIS] = [60_000, 90_000];
/** What would be done twice if it were sent again; the contracts refuse a second time of all other calls. */
const REPEATABLE = ["post", "deposit", "requestUnbond", "demand", "mint"];

/** A call of a contract by its name in the deployment. */
export interface ContractCall {
  readonly contract: Contract;
  /** Where it is, if not where the deployment has it. */
  readonly to?: Address;
  readonly functionName: string;
  readonly args: readonly unknown[];
  /** Wei that are sent along; none unless given. */
  readonly value?: bigint;
}

/**
 * A call as viem takes it.
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

/** Sends the calls of one account, each once. */
export class Caller {
  readonly address: Address;
  private readonly session: Session;
  private readonly account: LocalAccount;
  private readonly transactor: Transactor;
  private readonly found: readonly Settled[];

  /** @param found what an earlier process had sent, and the transactor has found carried out */
  constructor(session: Session, account: LocalAccount, transactor: Transactor, found: readonly Settled[] = []) {
    this.session = session;
    this.address = account.address;
    this.account = account;
    this.transactor = transactor;
    this.found = found;
  }

  /** For a chain that does not outlive the process: nothing is written down. */
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

  /**
   * Carries a call out, and waits until it is in a block.
   * @throws {ChainError} with the contract's reason when it is refused
   */
  async call(call: ContractCall): Promise<TransactionReceipt> {
    const { functionName, value = 0n } = call;
    const request = requestOf(this.session, call);
    const data = encodeFunctionData(request);
    this.refuseAgain(functionName, data);
    try {
      // Asked first, because a receipt does not tell why; but not of what is carried out already.
      if (!this.found.some((earlier) => earlier.data === data))
        await this.session.client.simulateContract({ ...request, account: this.address, value });
      const receipt = (await this.transactor.send({ what: functionName, to: request.address, data, value }))!;
      if (receipt.status === "success") return receipt;
      throw new ChainError(
        "OVERTAKEN",
        `${functionName} was overtaken: the chain changed before ${receipt.transactionHash} was carried out; look at the task, and repeat the command if it still applies`,
        { hash: receipt.transactionHash },
      );
    } catch (error) {
      throw refusal(error, functionName, this.address, this.session.token, value);
    }
  }

  /** An earlier process may have done the like with other arguments: a task has another salt each time. */
  private refuseAgain(functionName: string, data: Hex): void {
    const again = this.found.find(({ what, status }) => what === functionName && status === "mined");
    if (again && again.data !== data && REPEATABLE.includes(functionName))
      throw new ChainError(
        "EARLIER",
        `an earlier ${functionName} of this account was on its way, and is carried out now (${again.hash}); ` +
          "start again if you want another one",
        { hash: again.hash },
      );
  }
}
