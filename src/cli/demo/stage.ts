/**
 * The setting of the demo on a chain: a chain in this process, the contracts, accounts with tokens, and a
 * record of the gas that each call has used.
 */
import { type Address, type Hex, numberToHex, type TransactionReceipt } from "viem";
import type { LocalAccount } from "viem/accounts";
import { addressOf } from "../../claims/signature.ts";
import { ClaimStore } from "../../claims/store.ts";
import { fromHex } from "../../encoding/bytes.ts";
import { type ClosedJob, outlineOf } from "../../job/closed.ts";
import { ABIS, type Contract } from "../../settlement/contracts.ts";
import { formatAmount, formatChange } from "../../settlement/amount.ts";
import { publicPrivateKey } from "../../settlement/local/chain.ts";
import {
  localAccount,
  type LocalSettlement,
  mintTokens,
  openLocalSettlement,
  serveLocalSettlement,
} from "../../settlement/local/settlement.ts";
import { jobTermsOf } from "../../settlement/job-terms.ts";
import type { Session } from "../../settlement/session.ts";
import { readTask, type TaskView, type Terms } from "../../settlement/task.ts";
import { Caller } from "../../settlement/transactions/caller.ts";
import { formatCount } from "../output.ts";
import { formatTable } from "../table.ts";
import { termsFrom } from "../task/terms.ts";

const BURNED: Address = "0x000000000000000000000000000000000000dEaD";
/** What the client and each provider start with, in whole tokens. */
const ENDOWMENT = "1000";
const UNBONDING = 30 * 86_400;
export const PROVIDERS = ["Ada", "Ben", "Cleo"] as const;
const REFEREES = ["first referee", "second referee", "third referee"] as const;
export type Person = "deployer" | "client" | (typeof PROVIDERS)[number] | (typeof REFEREES)[number];
const PEOPLE: readonly Person[] = ["deployer", "client", ...PROVIDERS, ...REFEREES];

type Holdings = Map<string, bigint>;

export class Stage {
  readonly session: Session;
  /** The chain's address, if it is served. */
  readonly url: string;
  private readonly accounts: ReadonlyMap<Person, LocalAccount>;
  /** Gas used by each function, in the order of the first calls. */
  private readonly gas = new Map<string, bigint[]>();
  private readonly closeChain: () => Promise<void>;

  private constructor(
    session: Session,
    accounts: ReadonlyMap<Person, LocalAccount>,
    close: () => Promise<void>,
    url: string,
  ) {
    this.url = url;
    this.session = session;
    this.accounts = accounts;
    this.closeChain = close;
  }

  /**
   * Deploys the contracts with a test token, and gives tokens to the client and the providers.
   * @param serve whether other processes of this machine reach the chain
   */
  static async open(serve = false): Promise<Stage> {
    const accounts = new Map(PEOPLE.map((person, i) => [person, localAccount(i)]));
    const deployed: [string, TransactionReceipt][] = [];
    const options = {
      members: REFEREES.map((referee) => accounts.get(referee)!.address),
      threshold: 2,
      unbondingPeriod: UNBONDING,
      onDeployed: (contract: string, receipt: TransactionReceipt) =>
        void deployed.push([`deploy the ${contract}`, receipt]),
    };
    const opened: LocalSettlement & { url?: string } = serve
      ? await serveLocalSettlement(0, options)
      : await openLocalSettlement(options);
    const stage = new Stage(opened.session, accounts, opened.close, opened.url ?? "");
    for (const [name, receipt] of deployed) stage.note(name, receipt);
    for (const person of ["client", ...PROVIDERS] as const)
      await mintTokens(stage.session, stage.account(person), ENDOWMENT);
    return stage;
  }

  close(): Promise<void> {
    return this.closeChain();
  }

  account(person: Person): LocalAccount {
    return this.accounts.get(person)!;
  }

  /** The key of a person. On a chain for tests, keys are public. */
  keyOf(person: Person): Hex {
    return publicPrivateKey(PEOPLE.indexOf(person));
  }

  /** The claims of all people, with their keys at hand: on a chain for tests, keys are public. */
  claimsIn(folder: string): ClaimStore {
    const keys = PEOPLE.map((_, i) => {
      const secret = fromHex(publicPrivateKey(i), 32);
      return { secret, address: addressOf(secret) };
    });
    return new ClaimStore(folder, keys);
  }

  caller(person: Person): Caller {
    return Caller.shortLived(this.session, this.account(person));
  }

  async send(
    person: Person,
    contract: Contract,
    functionName: string,
    args: readonly unknown[],
  ): Promise<TransactionReceipt> {
    const receipt = await this.caller(person).call({ contract, functionName, args });
    this.note(functionName, receipt);
    return receipt;
  }

  private note(name: string, { gasUsed }: TransactionReceipt): void {
    this.gas.set(name, [...(this.gas.get(name) ?? []), gasUsed]);
  }

  /** Moves the clock of the chain forward. */
  async skip(seconds: number): Promise<void> {
    const { client } = this.session;
    for (const [method, params] of [
      ["evm_increaseTime", [numberToHex(seconds)]],
      ["evm_mine", []],
    ])
      await client.request({ method, params } as never);
  }

  /** The terms under which the client posts the job, for three providers. @param seatPolicy who may be one */
  terms(job: ClosedJob, salt?: Hex, seatPolicy?: Address): Terms {
    const { deployment, token } = this.session;
    const flags = { reward: "10", providers: "3", maxDemands: "3", ...(salt !== undefined && { salt }) };
    return termsFrom(flags, jobTermsOf(outlineOf(job), 1), {
      client: this.account("client").address,
      committee: deployment.committee,
      game: undefined,
      ...(seatPolicy !== undefined && { seatPolicy }),
      token,
      profile: "l1",
    });
  }

  task(id: Hex): Promise<TaskView> {
    return readTask(this.session.source, id);
  }

  money(amount: bigint): string {
    return formatAmount(amount, this.session.token);
  }

  /** What each account has: in the wallet, and in the vault as stake and credit. */
  async holdings(): Promise<Holdings> {
    const { client, deployment } = this.session;
    const held = async (address: Address): Promise<bigint> => {
      const [balance, { active, unbonding, credit }] = await Promise.all([
        client.readContract({ address: deployment.token, abi: ABIS.token, functionName: "balanceOf", args: [address] }),
        client.readContract({ address: deployment.vault, abi: ABIS.vault, functionName: "accountOf", args: [address] }),
      ]);
      return balance + active + unbonding + credit;
    };
    const vault = (functionName: "escrow" | "condemned"): Promise<bigint> =>
      client.readContract({ address: deployment.vault, abi: ABIS.vault, functionName });
    const own = await Promise.all(
      (["client", ...PROVIDERS] as const).map(
        async (person) => [person, await held(this.account(person).address)] as const,
      ),
    );
    return new Map<string, bigint>([
      ...own,
      ["committee", await held(deployment.committee)],
      ["escrow", await vault("escrow")],
      ["burned", (await held(BURNED)) + (await vault("condemned"))],
    ]);
  }

  /** What the vault owes a person. */
  async creditOf(person: Person): Promise<bigint> {
    const { client, deployment } = this.session;
    const args = [this.account(person).address] as const;
    const asked = { address: deployment.vault, abi: ABIS.vault, functionName: "accountOf", args } as const;
    return (await client.readContract(asked)).credit;
  }

  balanceTable(before: Holdings, after: Holdings): string[] {
    const { token } = this.session;
    const total = (held: Holdings): bigint => [...held.values()].reduce((sum, amount) => sum + amount, 0n);
    const rows = [...before].map(([name, amount]) => [name, amount, after.get(name)!] as const);
    const lines = [...rows, ["together", total(before), total(after)] as const].map(([name, was, is]) => [
      name,
      formatAmount(was, token),
      formatAmount(is, token),
      was === is ? "" : formatChange(is - was, token),
    ]);
    return formatTable(["", "before", "after", "change"], lines);
  }

  gasTable(): string[] {
    const rows = [...this.gas].map(([name, gas]) => {
      const most = gas.reduce((a, b) => (a > b ? a : b));
      const sum = gas.reduce((a, b) => a + b);
      return [name, String(gas.length), formatCount(Number(most)), formatCount(Number(sum))];
    });
    const all = [...this.gas].flatMap(([name, gas]) => (name.startsWith("deploy") ? [] : gas));
    const sum = all.reduce((a, b) => a + b, 0n);
    rows.push(["together, without deploying", String(all.length), "", formatCount(Number(sum))]);
    return formatTable(["transaction", "times", "gas at most", "in all"], rows);
  }
}
