/** Transactions of a command: shown with `--dry-run`, else sent one after the other. */
import type { Address, Hex, TransactionReceipt } from "viem";
import { ETHER, formatAmount, formatFee } from "../settlement/amount.ts";
import { refusal } from "../settlement/refusal.ts";
import type { Session } from "../settlement/session.ts";
import { AWAY_MILLIS, Caller, type ContractCall, requestOf, STUCK_MILLIS } from "../settlement/transactions/caller.ts";
import { Node } from "../settlement/transactions/node.ts";
import { Transactor } from "../settlement/transactions/transactor.ts";
import { addressOfSigner, signerOf } from "./account.ts";
import { openJournal } from "./journals.ts";
import { colors, formatCount, Progress, writeJson, writeLine } from "./output.ts";
import type { SendFlags } from "./session.ts";
import { formatFields } from "./table.ts";

const OUTCOMES = { mined: "it is carried out", reverted: "it was refused" } as const;

interface Planned extends ContractCall {
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
  private readonly caller: Caller | undefined;
  private readonly progress: Progress;

  private constructor(session: Session, address: Address, caller?: Caller, progress = new Progress()) {
    this.session = session;
    this.address = address;
    this.caller = caller;
    this.progress = progress;
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
    const found = await transactor.reconcile();
    progress.clear();
    for (const { what, hash, status } of found)
      process.stderr.write(`verde: an earlier ${what} was on its way as ${hash}: ${OUTCOMES[status]}\n`);
    return new Sender(session, account.address, new Caller(session, account, transactor, found), progress);
  }

  /** Of this account's commitment in a task; unknown in a dry run, because it takes a signature. */
  async salt(task: Hex): Promise<Hex | undefined> {
    return this.caller?.salt(task);
  }

  /**
   * Sends a call and waits until it is in a block; with `--dry-run` only notes it.
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
      // What needs an approval that is itself only planned can't be tried out.
      if (this.planned.length === 0) throw refusal(error, functionName, this.address, this.session.token, value);
      this.planned.push(call);
    }
  }

  /** What was sent, or would be. */
  report(json: boolean, facts: Readonly<Record<string, unknown>>, sentence: string): void {
    if (json)
      writeJson({ schemaVersion: 1, ...(this.caller ? {} : { dryRun: true }), ...facts, ...this.transactions() });
    else if (this.caller === undefined) this.writePlan();
    else {
      for (const { functionName, receipt } of this.sent)
        writeLine(
          colors.dim(`${functionName}  ${receipt.transactionHash}  ${formatCount(Number(receipt.gasUsed))} gas`),
        );
      writeLine(sentence);
    }
  }

  private transactions(): Record<string, unknown> {
    if (this.caller === undefined)
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
