/** A plan's contracts and accounts on a chain in this process. */
import {
  type Abi,
  type Address,
  bytesToHex,
  createPublicClient,
  createWalletClient,
  custom,
  encodeFunctionData,
  type Hex,
  keccak256,
  maxUint256,
  parseEther,
  parseEventLogs,
  type PublicClient,
  stringToHex,
  type TransactionReceipt,
} from "viem";
import { type LocalAccount, privateKeyToAccount } from "viem/accounts";
import { fromHex } from "../../encoding/bytes.ts";
import { signDigest } from "../../claims/signature.ts";
import { ownerOf } from "../../rounds/judge.ts";
import type { Plan } from "../../rounds/plan.ts";
import { sentenceDigest, storeName, type StoreSentence } from "../../rounds/receipt.ts";
import { type Roll, rollDigest } from "../../rounds/roll.ts";
import { type Instance, leafDigest, runOf, type Statement } from "../../rounds/statement.ts";
import { testTokenBytecode } from "../abi/bytecode.ts";
import { roundGameAbi } from "../abi/round-game.ts";
import { roundManagerAbi } from "../abi/round-manager.ts";
import { stakeVaultAbi } from "../abi/stake-vault.ts";
import { testTokenAbi } from "../abi/test-token.ts";
import { abilitiesOf, buildFor } from "../abilities.ts";
import { CONTRACT_GAS } from "../deploy.ts";
import { DEFAULT_GAS_BOND } from "../game/bond.ts";
import { openLocalChain } from "../local/chain.ts";
import type { Hardfork } from "../local/hardfork.ts";
import { localAccount } from "../local/settlement.ts";
import { PROFILES } from "../profile.ts";
import { refusal } from "../refusal.ts";
import { deployRounds, type RoundsDeployment } from "./deploy.ts";
import { instanceOn, type RoundTerms, roundTermsOf, shownPlan } from "./terms.ts";

const { pace: PACE, unbonding: UNBONDING } = PROFILES.l1;
const DAY = 86_400;
/** Seconds. Longer than an answer may take. */
export const TOO_LONG = DAY + 1;
const TOKEN = { symbol: "VTT", decimals: 18 };
const [STAKE, BOND, REWARD, PRICE] = ["10", "5", "1", "0.1"].map((amount) => parseEther(amount));

/** A transaction about rounds. */
export interface RoundMove {
  /** The function that was called. */
  readonly what: string;
  /** `client-1`, `recorder`, `client` or `challenger`. */
  readonly by: string;
  readonly gas: number;
  /** Bytes of calldata. */
  readonly bytes: number;
}

const ABIS = { token: testTokenAbi, vault: stakeVaultAbi, manager: roundManagerAbi, game: roundGameAbi } as const;

/** Everybody's keys are public: they follow from the names. */
const secretOf = (name: string): Hex => keccak256(stringToHex(`verde rounds on a local chain: ${name}`));

/** The contracts, with everybody's stake. */
export class RoundsStage {
  readonly client: PublicClient;
  readonly deployment: RoundsDeployment & { readonly token: Address };
  readonly terms: RoundTerms;
  readonly instance: Instance;
  /** The deployment, and everything from the posting on. */
  readonly moves: RoundMove[];
  readonly gasBond = DEFAULT_GAS_BOND;
  readonly pace = PACE;
  private readonly accounts: ReadonlyMap<string, LocalAccount>;
  private readonly closeChain: () => Promise<void>;

  private constructor(
    plan: Plan,
    client: PublicClient,
    accounts: ReadonlyMap<string, LocalAccount>,
    deployment: RoundsStage["deployment"],
    terms: RoundTerms,
    chainId: number,
    deployed: RoundMove[],
    close: () => Promise<void>,
  ) {
    this.client = client;
    this.moves = deployed;
    this.accounts = accounts;
    this.deployment = deployment;
    this.terms = terms;
    this.instance = instanceOn(plan, terms, { chainId, manager: deployment.manager });
    this.closeChain = close;
  }

  /**
   * Deploys the contracts, posts a plan, and has everybody join.
   * @param hardfork the chain's rules
   * @throws {ChainError} when Hardhat is not installed
   */
  static async open(plan: Plan, hardfork?: Hardfork): Promise<RoundsStage> {
    const { provider, close } = await openLocalChain(hardfork);
    try {
      const client = createPublicClient({ transport: custom(provider), cacheTime: 0, pollingInterval: 20 });
      const names = [...plan.participants.map(({ name }) => name), "recorder"];
      const accounts = new Map<string, LocalAccount>(names.map((name) => [name, privateKeyToAccount(secretOf(name))]));
      accounts.set("client", localAccount(0)).set("challenger", localAccount(1));
      const wallet = createWalletClient({ account: localAccount(0), transport: custom(provider) });
      for (const name of names)
        await wallet.sendTransaction({ to: accounts.get(name)!.address, value: parseEther("100"), chain: null });
      const moves: RoundMove[] = [];
      const deploy = async (what: string, data: Hex): Promise<Address> => {
        const hash = await wallet.sendTransaction({ data, chain: null });
        const { gasUsed, contractAddress } = await client.waitForTransactionReceipt({ hash });
        moves.push({ what: `deploy ${what}`, by: "client", gas: Number(gasUsed), bytes: (data.length - 2) / 2 });
        return contractAddress!;
      };
      const token = await deploy("token", testTokenBytecode);
      const build = buildFor(await abilitiesOf(client), CONTRACT_GAS);
      const call = async (what: string, to: Address, data: Hex): Promise<void> => {
        const hash = await wallet.sendTransaction({ to, data, chain: null });
        const { gasUsed } = await client.waitForTransactionReceipt({ hash });
        moves.push({ what, by: "client", gas: Number(gasUsed), bytes: (data.length - 2) / 2 });
      };
      const options = { token, unbondingPeriod: UNBONDING, pace: PACE, gasBond: DEFAULT_GAS_BOND, build, deploy, call };
      const deployment = await deployRounds(options);
      const addressOf = (name: string): Address => accounts.get(name)!.address;
      const terms = roundTermsOf(plan, {
        client: addressOf("client"),
        salt: keccak256(stringToHex("a local chain")),
        participants: plan.participants.map(({ name }) => addressOf(name)),
        recorder: addressOf("recorder"),
        stake: STAKE,
        bond: BOND,
        reward: REWARD,
        price: PRICE,
        periods: { toJoin: DAY, toRecord: DAY, toChallenge: DAY, toAnswer: DAY },
      });
      const chainId = await client.getChainId();
      const stage = new RoundsStage(plan, client, accounts, { ...deployment, token }, terms, chainId, moves, close);
      await stage.joined(plan);
      return stage;
    } catch (error) {
      await close();
      throw error;
    }
  }

  /**
   * Sends a call. It is simulated first, so that a refusal has its reason.
   * @throws {ChainError} when it is refused
   */
  async send(
    by: string,
    contract: keyof typeof ABIS,
    functionName: string,
    args: readonly unknown[],
    value = 0n,
  ): Promise<TransactionReceipt> {
    const account = this.accounts.get(by)!;
    const request = { address: this.deployment[contract], abi: ABIS[contract] as Abi, functionName, args, value };
    try {
      await this.client.simulateContract({ ...request, account });
    } catch (error) {
      throw refusal(error, functionName, account.address, TOKEN, value);
    }
    return this.sendData(by, functionName, contract, encodeFunctionData(request), value);
  }

  /** Sends a call that is encoded already. */
  async sendData(
    by: string,
    what: string,
    contract: keyof typeof ABIS,
    data: Hex,
    value = 0n,
  ): Promise<TransactionReceipt> {
    const account = this.accounts.get(by)!;
    const wallet = createWalletClient({ account, transport: custom(this.client) });
    const hash = await wallet.sendTransaction({ to: this.deployment[contract], data, value, chain: null });
    const receipt = await this.client.waitForTransactionReceipt({ hash });
    this.moves.push({ what, by, gas: Number(receipt.gasUsed), bytes: (data.length - 2) / 2 });
    return receipt;
  }

  /** Signs a statement anew, as its owner, for the instance on this chain. */
  signed(plan: Plan, statement: Statement): Hex {
    const digest = leafDigest(this.instance, statement, runOf(plan, statement));
    return bytesToHex(signDigest(digest, fromHex(secretOf(ownerOf(plan, statement)), 32)));
  }

  /** Signs a roll anew, as the recorder, for the instance on this chain. */
  called(roll: Roll): Hex {
    return bytesToHex(signDigest(rollDigest(this.instance, roll, roll.present), fromHex(secretOf("recorder"), 32)));
  }

  /** Signs anew what a store has signed, for the instance on this chain. */
  stored(plan: Plan, sentence: StoreSentence): Hex {
    const digest = sentenceDigest(this.instance, sentence);
    return bytesToHex(signDigest(digest, fromHex(secretOf(storeName(plan, sentence.store)), 32)));
  }

  /** Lets time pass. */
  async pass(seconds: number): Promise<void> {
    const request = this.client.request as (call: { method: string; params: unknown[] }) => Promise<unknown>;
    await request({ method: "evm_increaseTime", params: [seconds] });
    await request({ method: "evm_mine", params: [] });
  }

  /** Who has lost its stake in a transaction, and why, by the numbers of the contract. */
  convictedIn({ logs }: TransactionReceipt): { participant: number; fault: number }[] {
    const events = parseEventLogs({ abi: roundManagerAbi, eventName: "Convicted", logs });
    return events.map(({ args }) => ({ participant: Number(args.participant), fault: args.fault }));
  }

  close(): Promise<void> {
    return this.closeChain();
  }

  private async joined(plan: Plan): Promise<void> {
    const { terms, deployment, moves } = this;
    const deployed = moves.length;
    for (const [name, { address }] of this.accounts) {
      await this.send(name, "token", "mint", [address, 10n * STAKE]);
      await this.send(name, "token", "approve", [deployment.vault, maxUint256]);
      if (name !== "client") await this.send(name, "vault", "deposit", [2n * STAKE]);
    }
    // How everybody comes by its tokens is no part of a performance.
    moves.length = deployed;
    await this.send("client", "manager", "post", [terms, ...shownPlan(plan)]);
    for (const [i, { name }] of plan.participants.entries())
      await this.send(name, "manager", "join", [terms, BigInt(i)]);
    await this.send("recorder", "manager", "join", [terms, BigInt(plan.participants.length)]);
  }
}
