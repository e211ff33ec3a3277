/**
 * Makes each action of an account take effect once, despite crashes, a node that goes away, reorganizations,
 * low fees, and foreign transactions with the same nonce. What is signed is in the journal before it is sent.
 * Replacements keep the nonce. An action gets another one only if a foreign transaction has used the old one.
 */
import { type Hex, keccak256, type LocalAccount, type TransactionReceipt } from "viem";
import { ChainError } from "../../errors/index.ts";
import { type Action, actionsOf, attemptsOf, type Call, isSame, type Settled } from "./actions.ts";
import { resendDropped } from "./dropped.ts";
import { clearWay, type ForeignOptions } from "./foreign.ts";
import { type Fees, isLess, nextFees } from "./fees.ts";
import type { JournalRecord, Log, Signed } from "./journal.ts";
import { REORGANIZABLE } from "../nodes/head.ts";
import type { Node } from "./node.ts";

export interface TransactorOptions extends ForeignOptions {
  /** The number of blocks that make a transaction final, including its own. */
  confirmations: number;
  /** Milliseconds after which a transaction that waits for a block is replaced by one with a higher fee. */
  stuckMillis: number;
  onProgress?(text: string): void;
}

/** Sends the calls of one account, so that each takes effect once, and keeps them in a journal. */
export class Transactor {
  readonly node: Node;
  readonly account: LocalAccount;
  readonly chainId: number;
  private readonly journal: Log;
  readonly options: TransactorOptions;
  private actions: Map<string, Action>;
  /** The actions whose outcomes this process has returned. */
  private readonly returned = new Set<string>();

  constructor(node: Node, account: LocalAccount, chainId: number, journal: Log, options: TransactorOptions) {
    this.node = node;
    this.account = account;
    this.chainId = chainId;
    this.journal = journal;
    this.options = options;
    this.actions = actionsOf(journal.records);
  }

  /**
   * Finishes the open calls of earlier commands, and sends calls again whose blocks the chain has dropped.
   * @returns the outcomes of calls whose command ended without reporting them
   * @throws {ChainError} as `send`
   */
  async reconcile(): Promise<Settled[]> {
    const head = Number(await this.node.reach((client) => client.getBlockNumber()));
    const settled: Settled[] = [];
    for (const id of this.actions.keys()) {
      const action = this.actions.get(id)!;
      // Older outcomes are not checked again.
      const isRecent = action.outcome !== undefined && head - action.outcome.block < REORGANIZABLE;
      const isOpen = action.outcome ? isRecent && !(await this.stands(action)) : attemptsOf(action).length > 0;
      // A call that lost its nonce waits for a command that can check whether it has taken effect.
      if (isOpen) await this.follow(id);
      const { closed, outcome, what, to, data } = this.actions.get(id)!;
      if (!closed && outcome) settled.push({ what, to, data, hash: outcome.hash, status: outcome.status });
    }
    return settled;
  }

  /**
   * Makes a call take effect. If an earlier command ended during the same call, it continues that one. If
   * this process has been told the outcome of the same call before, and it is still in the chain, the call is
   * made again: it is due again.
   * @returns the receipt; `undefined` if the call had taken effect without a transaction of ours
   * @throws {ChainError} when the chain is another one, the node stays away, or the fee would be too high
   */
  async send(call: Call): Promise<TransactionReceipt | undefined> {
    const own = this.unfinished().find((action) => isSame(action, call));
    const isOver = own?.outcome !== undefined && this.returned.has(own.id) && (await this.stands(own));
    if (isOver) this.note({ kind: "closed", action: own.id });
    const action = own && !isOver ? own : this.begin(call);
    const receipt = await this.carryOut(action, call.isDone);
    this.returned.add(action.id);
    return receipt;
  }

  /** Call this when the outcomes of all calls have been reported. */
  close(): void {
    for (const { id, outcome } of this.unfinished()) if (outcome) this.note({ kind: "closed", action: id });
    this.journal.close();
  }

  /** Ends without reporting outcomes. The next command continues what this one began. */
  abandon(): void {
    this.journal.close();
  }

  private note(record: JournalRecord): void {
    this.journal.append(record);
    this.actions = actionsOf(this.journal.records);
  }

  private unfinished(): Action[] {
    return [...this.actions.values()].filter(({ closed }) => !closed);
  }

  private begin(call: Call): Action {
    const { what, to, data, value = 0n } = call;
    const same = [...this.actions.values()].filter((action) => action.to === to && action.data === data).length;
    const id = `${keccak256(`${to ?? "0x"}${data.slice(2)}` as Hex).slice(0, 18)}-${same + 1}`;
    this.note({ kind: "action", action: id, what, to, data, ...(value > 0n && { value: String(value) }) });
    return this.actions.get(id)!;
  }

  private async carryOut({ id }: Action, isDone?: () => Promise<boolean>): Promise<TransactionReceipt | undefined> {
    for (;;) {
      const action = this.actions.get(id)!;
      if (action.outcome && (await this.stands(action)))
        return this.node.receipt(action.outcome.hash, this.account.address);
      if (attemptsOf(action).length === 0) {
        if (action.lost.size > 0 && (await isDone?.())) {
          this.note({ kind: "closed", action: id });
          return undefined;
        }
        await this.sign(action);
      }
      await this.follow(id);
    }
  }

  /** Whether the outcome is still in the chain. If not, the action is open again. */
  private async stands({ id, outcome }: Action): Promise<boolean> {
    const receipt = await this.node.receipt(outcome!.hash, this.account.address);
    if (receipt?.blockHash === outcome!.blockHash) return true;
    this.note({ kind: "reorganized", action: id, hash: outcome!.hash });
    return false;
  }

  /** Signs a transaction with the next nonce, or with the nonce of the transaction that it replaces. */
  private async sign({ id, to, data, value, what }: Action, replaced?: Signed): Promise<void> {
    await this.node.check(to, true);
    const { address } = this.account;
    const nonce =
      replaced?.nonce ??
      (await this.node.reach((client) => client.getTransactionCount({ address, blockTag: "pending" })));
    const fees = await this.fees(what, replaced);
    // The gas of a call may grow until it is executed.
    const gas = replaced
      ? BigInt(replaced.gas)
      : ((await this.node.reach((client) => client.estimateGas({ account: address, to, data, value }))) * 5n) / 4n;
    const raw = await this.account.signTransaction({
      type: "eip1559",
      chainId: this.chainId,
      to,
      data,
      value,
      nonce,
      gas,
      ...fees,
    });
    this.note({
      kind: "signed",
      action: id,
      nonce,
      hash: keccak256(raw),
      raw,
      gas: String(gas),
      maxFeePerGas: String(fees.maxFeePerGas),
      maxPriorityFeePerGas: String(fees.maxPriorityFeePerGas),
    });
  }

  private async fees(what: string, replaced?: Signed): Promise<Fees> {
    const estimate = await this.node.reach((client) => client.estimateFeesPerGas());
    const fees = nextFees(estimate, replaced, this.options.maxFeePerGas);
    if (fees) return fees;
    throw new ChainError(
      "FEE",
      `${what} needs a fee above ${this.options.maxFeePerGas} wei for each unit of gas; allow more, or wait and run the same command again` +
        (replaced ? ": the waiting transaction is in the journal" : ""),
      { expected: `at most ${this.options.maxFeePerGas}`, found: String(estimate.maxFeePerGas) },
    );
  }

  /** Waits until one of the attempts is final, or the nonce is lost. */
  private async follow(id: string): Promise<void> {
    const begun = this.actions.get(id)!;
    const [{ nonce }] = attemptsOf(begun);
    if ((await this.fillGap(nonce)) > 0) await clearWay(begun, this.actions, this);
    let signedAt = this.node.clock.now();
    for (;;) {
      const action = this.actions.get(id)!;
      const attempts = attemptsOf(action);
      const last = attempts[attempts.length - 1];
      await this.node.check(action.to);
      if (await this.isSettled(action, attempts)) return;
      await this.fillGap(last.nonce);
      const isKnown = await this.node.knows(last.hash);
      const reception = isKnown ? "taken" : await this.node.broadcast(last.raw, last.hash, action.to);
      const isStuck = reception === "taken" && this.node.clock.now() - signedAt > this.options.stuckMillis;
      if (reception === "too cheap" || (isStuck && (await this.offersTooLittle(attempts)))) {
        this.options.onProgress?.(`${action.what}: raising the fee`);
        await this.sign(action, last);
      }
      if (isStuck) signedAt = this.node.clock.now();
      this.options.onProgress?.(`${action.what}: waiting for ${last.hash}`);
      await this.node.pause();
    }
  }

  /** @returns how many transactions of another wallet wait before a nonce of ours */
  private async fillGap(nonce: number): Promise<number> {
    const all = [...this.actions.values()];
    const { foreign, tooCheap } = await resendDropped(nonce, this.account.address, this.node, all);
    if (tooCheap) await this.sign(tooCheap.action, tooCheap.last);
    return foreign;
  }

  /** Whether a waiting transaction offers less than the node's estimate. One that offers more just waits. */
  private async offersTooLittle(attempts: readonly Signed[]): Promise<boolean> {
    if (await this.anyReceipt(attempts)) return false;
    const estimate = await this.node.reach((client) => client.estimateFeesPerGas());
    return isLess(attempts[attempts.length - 1], estimate);
  }

  private async anyReceipt(attempts: readonly Signed[]): Promise<TransactionReceipt | undefined> {
    for (const { hash } of attempts) {
      const receipt = await this.node.receipt(hash, this.account.address);
      if (receipt) return receipt;
    }
    return undefined;
  }

  /** Notes an outcome that has enough confirmations. @returns whether there is one */
  private async isSettled({ id }: Action, attempts: readonly Signed[]): Promise<boolean> {
    const depth = this.options.confirmations - 1;
    const receipt = await this.anyReceipt(attempts);
    if (receipt) {
      const head = await this.node.reach((client) => client.getBlockNumber());
      if (head - receipt.blockNumber < BigInt(depth)) return false;
      const { transactionHash: hash, blockHash, blockNumber, status } = receipt;
      const kind = status === "success" ? "mined" : "reverted";
      this.note({ kind, action: id, hash, block: Number(blockNumber), blockHash });
      return true;
    }
    const [{ nonce }] = attempts;
    if ((await this.node.noncesUsed(this.account.address, depth)) <= nonce) return false;
    // The transaction may have got into a block between the two requests.
    if (await this.anyReceipt(attempts)) return false;
    this.note({ kind: "void", action: id, nonce });
    return true;
  }
}
