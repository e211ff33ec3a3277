/** Transactions of a command: shown with `--dry-run`, else sent one after the other. */
import {
  type Abi,
  type Address,
  createWalletClient,
  custom,
  encodeFunctionData,
  type Hex,
  keccak256,
  type TransactionReceipt,
  type TransactionSerializableEIP1559,
} from "viem";
import type { LocalAccount } from "viem/accounts";
import { ChainError, messageOf } from "../errors.ts";
import { ABIS, type Contract } from "../settlement/contracts.ts";
import { Outbox } from "../settlement/outbox.ts";
import { isUnanswered, recover, type Recovered } from "../settlement/recover.ts";
import { refusal } from "../settlement/refusal.ts";
import { formatFee } from "../settlement/amount.ts";
import { saltFor } from "../settlement/salt.ts";
import { addressOfSigner, signerOf } from "./account.ts";
import { colors, formatCount, Progress, writeJson, writeLine } from "./output.ts";
import type { SendFlags, Session } from "./session.ts";
import { formatFields } from "./table.ts";

/** What would be done twice if it were sent again; the contracts refuse a second time of all other calls. */
const REPEATABLE = ["post", "deposit", "requestUnbond", "demand", "mint"];
const OUTCOMES = {
  success: "it is carried out",
  reverted: "it was refused",
  dropped: "another transaction has taken its place",
} as const;

export interface Call {
  contract: Contract;
  /** Where it is, if not where the deployment has it. */
  to?: Address;
  functionName: string;
  args: readonly unknown[];
}

interface Planned extends Call {
  to: Address;
  /** Unknown where an earlier call has to be carried out first. */
  gas?: bigint;
  /** The most that the gas may cost, in wei. */
  fee?: bigint;
}

/** The account of a command; with `--dry-run` an address alone, which plans and sends nothing. */
export class Sender {
  readonly address: Address;
  readonly planned: Planned[] = [];
  readonly sent: { functionName: string; receipt: TransactionReceipt }[] = [];
  private readonly session: Session;
  private readonly account: LocalAccount | undefined;
  private readonly outbox: Outbox | undefined;
  /** What an earlier start had sent, and this one has found carried out. */
  private found: readonly Recovered[] = [];
  private readonly progress = new Progress();

  private constructor(session: Session, address: Address, account?: LocalAccount, outbox?: Outbox) {
    this.session = session;
    this.address = address;
    this.account = account;
    this.outbox = outbox;
  }

  /** @throws {KeyError} when there is no key, or the password is wrong */
  static async open(session: Session, flags: SendFlags): Promise<Sender> {
    if (flags.dryRun) return new Sender(session, await addressOfSigner(flags));
    const account = await signerOf(flags);
    const sender = new Sender(session, account.address, account, await Outbox.load(flags.journal));
    await sender.recover();
    return sender;
  }

  static for(session: Session, account: LocalAccount): Sender {
    return new Sender(session, account.address, account);
  }

  private async recover(): Promise<void> {
    const { client, deployment } = this.session;
    const unsettled = this.outbox!.unsettled(deployment.chainId, this.address);
    if (unsettled.length > 0)
      this.progress.show(`looking for what an earlier start has sent: ${unsettled[0].hash}`, true);
    this.found = await recover(client, this.outbox!, unsettled);
    this.progress.clear();
    for (const { functionName, hash, outcome } of this.found)
      process.stderr.write(`verde: an earlier ${functionName} was on its way as ${hash}: ${OUTCOMES[outcome]}\n`);
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
  async send({ contract, to, functionName, args }: Call): Promise<TransactionReceipt | undefined> {
    const { client, deployment } = this.session;
    const address = to ?? deployment[contract];
    const request = { address, abi: ABIS[contract] as Abi, functionName, args };
    const from = this.address;
    if (this.account === undefined) {
      await this.plan({ contract, functionName, args, to: address });
      return undefined;
    }
    const again = this.found.find((earlier) => earlier.functionName === functionName && earlier.outcome === "success");
    if (again && REPEATABLE.includes(functionName))
      throw new ChainError(
        `an earlier ${functionName} of this account was on its way, and is carried out now (${again.hash}); ` +
          "start again if you want another one",
        { hash: again.hash },
      );
    try {
      // Asked first, because a receipt does not tell why.
      await client.simulateContract({ ...request, account: from });
      const hash = await this.submit(functionName, address, encodeFunctionData(request));
      const receipt = await this.waitFor(functionName, hash);
      if (receipt.status !== "success")
        throw new ChainError(`${functionName} was overtaken: the chain changed before ${hash} was carried out`, {
          hash,
        });
      this.sent.push({ functionName, receipt });
      return receipt;
    } catch (error) {
      throw refusal(error, functionName, from, this.session.token);
    }
  }

  /** Signs, notes, and sends, in this order. */
  private async submit(functionName: string, to: Address, data: Hex): Promise<Hex> {
    const { client, deployment } = this.session;
    const account = this.account!;
    const wallet = createWalletClient({ account, transport: custom(client) });
    const { chainId } = deployment;
    const request = await wallet.prepareTransactionRequest({ account, to, data, chain: null, chainId });
    const raw = await account.signTransaction(request as TransactionSerializableEIP1559);
    const hash = keccak256(raw);
    await this.outbox?.add({ chainId, from: this.address, functionName, nonce: request.nonce, hash, raw });
    await client.sendRawTransaction({ serializedTransaction: raw }).catch(async (error: unknown) => {
      if (!isUnanswered(error)) await this.outbox?.settle(hash);
      throw error;
    });
    return hash;
  }

  private async waitFor(functionName: string, hash: Hex): Promise<TransactionReceipt> {
    this.progress.show(`${functionName}: waiting for ${hash}`, true);
    try {
      const receipt = await this.session.client.waitForTransactionReceipt({ hash });
      await this.outbox?.settle(hash);
      return receipt;
    } catch (cause) {
      const detail = messageOf(cause).split("\n")[0];
      throw new ChainError(
        `${functionName} was sent as ${hash}, and has not been seen in a block (${detail}); the next command looks for it again`,
        { hash },
      );
    } finally {
      this.progress.clear();
    }
  }

  private async plan(call: Planned): Promise<void> {
    const { client } = this.session;
    const { to, contract, functionName, args } = call;
    const request = { address: to, abi: ABIS[contract] as Abi, functionName, args, account: this.address };
    try {
      const gas = await client.estimateContractGas(request);
      const { maxFeePerGas } = await client.estimateFeesPerGas();
      this.planned.push({ ...call, gas, fee: gas * maxFeePerGas });
    } catch (error) {
      // What needs an approval that is itself only planned can't be tried out.
      if (this.planned.length === 0) throw refusal(error, functionName, this.address, this.session.token);
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
          gas: gas === undefined ? null : Number(gas),
          fee: fee === undefined ? null : `${fee}`,
        })),
      };
    const transactions = this.sent.map(({ functionName, receipt }) => ({
      functionName,
      hash: receipt.transactionHash,
      block: Number(receipt.blockNumber),
      gas: Number(receipt.gasUsed),
      fee: `${receipt.gasUsed * receipt.effectiveGasPrice}`,
    }));
    return { from: this.address, transactions };
  }

  private writePlan(): void {
    for (const { to, contract, functionName, args, gas, fee } of this.planned) {
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
