/**
 * The transactions of a command. With `--dry-run` they are shown, otherwise they are sent one after the
 * other.
 */
import type { Address, Hex, TransactionReceipt } from "viem";
import { plainJson } from "../encoding/json.ts";
import { ETHER, formatAmount, formatFee } from "../settlement/amount.ts";
import { refusal } from "../settlement/refusal.ts";
import type { Session } from "../settlement/session.ts";
import { AWAY_MILLIS, Caller, type ContractCall, requestOf } from "../settlement/transactions/caller.ts";
import { addressOfSigner, signerOf } from "./account.ts";
import { colors, formatCount, writeJson, writeLine } from "./output.ts";
import { Progress } from "./progress.ts";
import type { SendFlags } from "./session-options.ts";
import { formatFields } from "./table.ts";
import { openTransactor } from "./transactor.ts";

interface Planned extends ContractCall {
  to: Address;
  value: bigint;
  /** Unknown if an earlier call has to take effect first. */
  gas?: bigint;
  /** The most that the gas may cost, in wei. */
  fee?: bigint;
}

/** The account of a command. With `--dry-run` it is only an address, which notes calls and sends nothing. */
export class Sender {
  readonly address: Address;
  readonly planned: Planned[] = [];
  readonly sent: { functionName: string; value: bigint; receipt: TransactionReceipt }[] = [];
  private readonly session: Session;
  private readonly caller: Caller | undefined;
  private readonly progress: Progress;

  private constructor(session: Session, address: Address, caller?: Caller, progress = new Progress()) {
    this.session = session;
    this.address = address;
    this.caller = caller;
    this.progress = progress;
  }

  /**
   * @param awayMillis how long the node may be away before a call fails, in milliseconds
   * @throws {KeyError} when there is no key, or the password is wrong
   */
  static async open(session: Session, flags: SendFlags, awayMillis = AWAY_MILLIS): Promise<Sender> {
    if (flags.dryRun) return new Sender(session, await addressOfSigner(flags));
    const account = await signerOf(flags);
    const { client, deployment } = session;
    const opened = await openTransactor(client, deployment.chainId, account, flags, awayMillis);
    const { transactor, found, progress } = opened;
    return new Sender(session, account.address, new Caller(session, account, transactor, found), progress);
  }

  /** The salt of this account's commitment in a task. Unknown in a dry run, because it needs a signature. */
  async salt(task: Hex): Promise<Hex | undefined> {
    return this.caller?.salt(task);
  }

  /** What makes the secrets of this account. Unknown in a dry run, because they need a signature. */
  get secrets(): Pick<Caller, "drawSecret" | "findDrawSecrets" | "canarySecret" | "findCanarySecret"> | undefined {
    return this.caller;
  }

  /** The key of this account's seal in a sale. Unknown in a dry run, because it needs a signature. */
  async saleKey(sale: Hex): Promise<Hex | undefined> {
    return this.caller?.saleKey(sale);
  }

  /**
   * Sends a call and waits until it is in a block. With `--dry-run` it only notes the call.
   * @throws {ChainError} with the contract's reason when it is refused
   */
  async send(call: ContractCall): Promise<TransactionReceipt | undefined> {
    const { functionName, value = 0n } = call;
    if (this.caller === undefined) {
      await this.plan({ ...call, to: requestOf(this.session, call).address, value });
      return undefined;
    }
    const receipt = await this.caller.call(call);
    this.progress.clear();
    this.sent.push({ functionName, value, receipt });
    return receipt;
  }

  private async plan(call: Planned): Promise<void> {
    const { client } = this.session;
    const { functionName, value } = call;
    const request = { ...requestOf(this.session, call), account: this.address, value };
    try {
      const gas = await client.estimateContractGas(request);
      const { maxFeePerGas } = await client.estimateFeesPerGas();
      this.planned.push({ ...call, gas, fee: gas * maxFeePerGas });
    } catch (error) {
      // A call that needs a noted call before it, for example an approval, can't be tried out.
      if (this.planned.length === 0) throw refusal(error, functionName, this.address, this.session.token, value);
      this.planned.push(call);
    }
  }

  /** Prints what was sent, or what would be sent. */
  report(json: boolean, facts: Readonly<Record<string, unknown>>, ...sentences: readonly string[]): void {
    if (json)
      writeJson({ schemaVersion: 1, ...(this.caller ? {} : { dryRun: true }), ...facts, ...this.transactions() });
    else if (this.caller === undefined) this.writePlan();
    else {
      for (const { functionName, receipt } of this.sent)
        writeLine(
          colors.dim(`${functionName}  ${receipt.transactionHash}  ${formatCount(Number(receipt.gasUsed))} gas`),
        );
      writeLine(...sentences);
    }
  }

  private transactions(): Record<string, unknown> {
    if (this.caller === undefined)
      return {
        from: this.address,
        transactions: this.planned.map(({ gas, fee, ...call }) => ({
          ...call,
          args: plainJson(call.args),
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
          ? "known once the calls above have taken effect"
          : `${formatCount(Number(gas))}, at most ${formatFee(fee!)}`;
      writeLine(colors.bold(functionName));
      writeLine(
        ...formatFields([
          ["from", this.address],
          ["to", `${to} (${contract})`],
          ["arguments", JSON.stringify(plainJson(args))],
          ...(value > 0n ? [["value", formatAmount(value, ETHER)] satisfies [string, string]] : []),
          ["gas", cost],
        ]),
      );
    }
    writeLine("Nothing was signed or sent.");
  }
}
