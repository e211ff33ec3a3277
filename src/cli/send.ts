/** Transactions of a command: shown with `--dry-run`, else sent one after the other. */
import { type Abi, type Address, encodeFunctionData, type Hex, type TransactionReceipt } from "viem";
import type { LocalAccount } from "viem/accounts";
import { ChainError } from "../errors/index.ts";
import { ETHER, formatAmount, formatFee } from "../settlement/amount.ts";
import { ABIS, type Contract } from "../settlement/contracts.ts";
import { refusal } from "../settlement/refusal.ts";
import { saltFor } from "../settlement/salt.ts";
import { shortLivedLog } from "../settlement/transactions/journal.ts";
import { Node } from "../settlement/transactions/node.ts";
import { type Settled, Transactor } from "../settlement/transactions/transactor.ts";
import { addressOfSigner, signerOf } from "./account.ts";
import { openJournal } from "./journals.ts";
import { colors, formatCount, Progress, writeJson, writeLine } from "./output.ts";
import type { SendFlags, Session } from "./session.ts";
import { formatFields } from "./table.ts";

/** How long a node may be away, and a transaction may wait before more is offered for it. */
const [AWAY_MILLIS, STUCK_MILLIS] = [60_000, 90_000];
/** What would be done twice if it were sent again; the contracts refuse a second time of all other calls. */
const REPEATABLE = ["post", "deposit", "requestUnbond", "demand", "mint"];
const OUTCOMES = { mined: "it is carried out", reverted: "it was refused" } as const;

export interface Call {
  contract: Contract;
  /** Where it is, if not where the deployment has it. */
  to?: Address;
  functionName: string;
  args: readonly unknown[];
  /** Wei that it brings; none unless given. */
  value?: bigint;
}

interface Planned extends Call {
  to: Address;
  value: bigint;
  /** Unknown where an earlier call has to be carried out first. */
  gas?: bigint;
  /** The most that the gas may cost, in wei. */
  fee?: bigint;
}

/** The account of a command; with `--dry-run` an address alone, which plans and sends nothing. */
export class Sender {
  readonly address: Address;
  readonly planned: Planned[] = [];
  readonly sent: { functionName: string; value: bigint; receipt: TransactionReceipt }[] = [];
  private readonly session: Session;
  private readonly account: LocalAccount | undefined;
  private readonly transactor: Transactor | undefined;
  /** What an earlier command had sent, and this one has found carried out. */
  private found: readonly Settled[] = [];
  private readonly progress = new Progress();

  private constructor(session: Session, address: Address, account?: LocalAccount, transactor?: Transactor) {
    this.session = session;
    this.address = address;
    this.account = account;
    this.transactor = transactor;
  }

  /** @throws {KeyError} when there is no key, or the password is wrong */
  static async open(session: Session, flags: SendFlags): Promise<Sender> {
    if (flags.dryRun) return new Sender(session, await addressOfSigner(flags));
    const account = await signerOf(flags);
    const { client, deployment } = session;
    const journal = await openJournal(flags.journal, client, deployment.chainId, account.address);
    const progress = new Progress();
    const node = new Node(client, deployment.chainId, { pollMillis: client.pollingInterval, awayMillis: AWAY_MILLIS });
    const transactor = new Transactor(node, account, deployment.chainId, journal, {
      confirmations: flags.confirmations,
      stuckMillis: STUCK_MILLIS,
      ...(flags.maxFee !== undefined && { maxFeePerGas: flags.maxFee }),
      onProgress: (text) => progress.show(text, true),
    });
    // However the command ends, it has said how; only one that is killed has not.
    process.once("exit", () => transactor.close());
    const sender = new Sender(session, account.address, account, transactor);
    sender.found = await transactor.reconcile();
    progress.clear();
    for (const { what, hash, status } of sender.found)
      process.stderr.write(`verde: an earlier ${what} was on its way as ${hash}: ${OUTCOMES[status]}\n`);
    return sender;
  }

  /** In a process that plays all parts of a story: nothing of it is kept. */
  static for(session: Session, account: LocalAccount): Sender {
    const { client, deployment } = session;
    const node = new Node(client, deployment.chainId, { pollMillis: 20, awayMillis: AWAY_MILLIS });
    const options = { confirmations: 1, stuckMillis: STUCK_MILLIS };
    const transactor = new Transactor(node, account, deployment.chainId, shortLivedLog(), options);
    return new Sender(session, account.address, account, transactor);
  }

  /** Of this account's commitment in a task; unknown in a dry run, because it takes a signature. */
  async salt(task: Hex): Promise<Hex | undefined> {
    const { manager, chainId } = this.session.deployment;
    return this.account && saltFor(this.account, manager, chainId, task);
  }

  /**
   * Sends a call and waits until it is in a block; with `--dry-run` only notes it.
   * @throws {ChainError} with the contract's reason when it is refused
   */
  async send({ contract, to, functionName, args, value = 0n }: Call): Promise<TransactionReceipt | undefined> {
    const { client, deployment } = this.session;
    const address = to ?? deployment[contract];
    if (address === undefined)
      throw new ChainError(
        "CONTRACT_MISSING",
        `this deployment has no ${contract}; name a deployment that has one with --deployment`,
        { contract },
      );
    const request = { address, abi: ABIS[contract] as Abi, functionName, args };
    const from = this.address;
    if (this.account === undefined) {
      await this.plan({ contract, functionName, args, to: address, value });
      return undefined;
    }
    const data = encodeFunctionData(request);
    this.refuseAgain(functionName, data);
    try {
      // Asked first, because a receipt does not tell why; but not of what is carried out already.
      if (!this.found.some((earlier) => earlier.data === data))
        await client.simulateContract({ ...request, account: from, value });
      const receipt = (await this.transactor!.send({ what: functionName, to: address, data, value }))!;
      this.progress.clear();
      if (receipt.status !== "success")
        throw new ChainError(
          "OVERTAKEN",
          `${functionName} was overtaken: the chain changed before ${receipt.transactionHash} was carried out; look at the task, and repeat the command if it still applies`,
          { hash: receipt.transactionHash },
        );
      this.sent.push({ functionName, value, receipt });
      return receipt;
    } catch (error) {
      throw refusal(error, functionName, from, this.session.token, value);
    }
  }

  /** An earlier command may have done the like with other arguments: a task has another salt each time. */
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

  private async plan(call: Planned): Promise<void> {
    const { client } = this.session;
    const { to, contract, functionName, args, value } = call;
    const request = { address: to, abi: ABIS[contract] as Abi, functionName, args, account: this.address, value };
    try {
      const gas = await client.estimateContractGas(request);
      const { maxFeePerGas } = await client.estimateFeesPerGas();
      this.planned.push({ ...call, gas, fee: gas * maxFeePerGas });
    } catch (error) {
      // What needs an approval that is itself only planned can't be tried out.
      if (this.planned.length === 0) throw refusal(error, functionName, this.address, this.session.token, value);
      this.planned.push(call);
    }
  }

  /** What was sent, or would be. */
  report(json: boolean, facts: Readonly<Record<string, unknown>>, sentence: string): void {
    if (json)
      writeJson({ schemaVersion: 1, ...(this.account ? {} : { dryRun: true }), ...facts, ...this.transactions() });
    else if (this.account === undefined) this.writePlan();
    else {
      for (const { functionName, receipt } of this.sent)
        writeLine(
          colors.dim(`${functionName}  ${receipt.transactionHash}  ${formatCount(Number(receipt.gasUsed))} gas`),
        );
      writeLine(sentence);
    }
  }

  private transactions(): Record<string, unknown> {
    if (this.account === undefined)
      return {
        from: this.address,
        transactions: this.planned.map(({ gas, fee, ...call }) => ({
          ...call,
          args: plain(call.args),
          value: `${call.value}`,
          gas: gas === undefined ? null : Number(gas),
          fee: fee === undefined ? null : `${fee}`,
        })),
      };
    const transactions = this.sent.map(({ functionName, value, receipt }) => ({
      functionName,
      value: `${value}`,
      hash: receipt.transactionHash,
      block: Number(receipt.blockNumber),
      gas: Number(receipt.gasUsed),
      fee: `${receipt.gasUsed * receipt.effectiveGasPrice}`,
    }));
    return { from: this.address, transactions };
  }

  private writePlan(): void {
    for (const { to, contract, functionName, args, value, gas, fee } of this.planned) {
      const cost =
        gas === undefined
          ? "known once what stands above is carried out"
          : `${formatCount(Number(gas))}, at most ${formatFee(fee!)}`;
      writeLine(colors.bold(functionName));
      writeLine(
        formatFields([
          ["from", this.address],
          ["to", `${to} (${contract})`],
          ["arguments", JSON.stringify(plain(args))],
          ...(value > 0n ? [["brings", formatAmount(value, ETHER)] satisfies [string, string]] : []),
          ["gas", cost],
        ]),
      );
    }
    writeLine("Nothing was signed or sent.");
  }
}

/** Numbers that JSON does not have become text. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_name, item: unknown) => (typeof item === "bigint" ? `${item}` : item)));
}
