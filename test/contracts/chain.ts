/** A chain in this process with the contracts on it, and accounts that act on them. */
import { network } from "hardhat";
import {
  type Abi,
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  createTestClient,
  custom,
  encodeDeployData,
  getAddress,
  type Hex,
  keccak256,
  publicActions,
  stringToHex,
  type TransactionReceipt,
  walletActions,
  zeroAddress,
} from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { refereeCommitteeBytecode, taskManagerBytecode, testTokenBytecode } from "../../src/settlement/abi/bytecode.ts";
import { refereeCommitteeAbi } from "../../src/settlement/abi/referee-committee.ts";
import { stakeVaultAbi } from "../../src/settlement/abi/stake-vault.ts";
import { taskManagerAbi } from "../../src/settlement/abi/task-manager.ts";
import type { Hardfork } from "../../src/settlement/local/hardfork.ts";
import { testTokenAbi } from "../../src/settlement/abi/test-token.ts";

export const DAY = 86_400;
export const UNIT = 10n ** 18n;
export const RICH = 1000n * UNIT;

/** The order of the enumerations in ITaskManager.sol. */
export const STATES = [
  "None",
  "Open",
  "Accepted",
  "Committed",
  "Revealed",
  "Challengeable",
  "Disputed",
  "Settled",
  "Final",
  "Refunded",
] as const;
export const PHASES = ["None", "Revealing", "Judging", "Ruled", "Playing"] as const;

export const digest = (text: string): Hex => keccak256(stringToHex(text));

async function connect(hardfork: Hardfork) {
  const { provider } = await network.create({ network: "default", override: { hardfork } });
  return createTestClient({
    chain: hardhat,
    mode: "hardhat",
    transport: custom(provider, { retryCount: 0 }),
    cacheTime: 0,
  })
    .extend(publicActions)
    .extend(walletActions);
}
type Client = Awaited<ReturnType<typeof connect>>;

export interface Chain {
  client: Client;
  accounts: readonly Address[];
  referees: readonly PrivateKeyAccount[];
  token: Address;
  manager: Address;
  vault: Address;
  committee: Address;
}

async function deploy(
  client: Client,
  account: Address,
  abi: Abi,
  bytecode: Hex,
  args: readonly unknown[],
): Promise<Address> {
  const hash = await client.sendTransaction({ account, data: encodeDeployData({ abi, bytecode, args }) });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  return getAddress(contractAddress as Address);
}

/** Account 0 deploys. Every account has tokens, an allowance, and the same amount again in stake. */
export async function openChain(unbondingPeriod = 30n * BigInt(DAY), hardfork: Hardfork = "osaka"): Promise<Chain> {
  const client = await connect(hardfork);
  const accounts = (await client.getAddresses()).slice(0, 8);
  const referees = ["a", "b", "c"]
    .map((name) => privateKeyToAccount(digest(`referee ${name}`)))
    .sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
  const [owner] = accounts;
  const token = await deploy(client, owner, testTokenAbi, testTokenBytecode, []);
  const manager = await deploy(client, owner, taskManagerAbi, taskManagerBytecode, [token, unbondingPeriod]);
  const vault = await client.readContract({ address: manager, abi: taskManagerAbi, functionName: "vault" });
  const members = referees.map(({ address }) => address);
  const committee = await deploy(client, owner, refereeCommitteeAbi, refereeCommitteeBytecode, [manager, members, 2n]);
  const chain = { client, accounts, referees, token, manager, vault, committee };
  for (const account of accounts) {
    await call(chain, account, "token", "mint", [account, 2n * RICH]);
    await call(chain, account, "token", "approve", [vault, 2n ** 256n - 1n]);
    await call(chain, account, "vault", "deposit", [RICH]);
  }
  return chain;
}

const ABIS = {
  token: testTokenAbi,
  manager: taskManagerAbi,
  vault: stakeVaultAbi,
  committee: refereeCommitteeAbi,
} as const;
type Contract = keyof typeof ABIS;

/** Sends a call and waits for it. A revert is thrown with its error decoded. */
export async function call(
  chain: Chain,
  account: Address,
  contract: Contract,
  functionName: string,
  args: readonly unknown[],
  value = 0n,
): Promise<TransactionReceipt> {
  const hash = await chain.client.writeContract({
    account,
    address: chain[contract],
    abi: ABIS[contract] as Abi,
    functionName,
    args,
    value,
  });
  return chain.client.waitForTransactionReceipt({ hash });
}

export function read<T>(chain: Chain, contract: Contract, functionName: string, args: readonly unknown[]): Promise<T> {
  const request = { address: chain[contract], abi: ABIS[contract] as Abi, functionName, args };
  return chain.client.readContract(request) as Promise<T>;
}

/** The name of the error that a call reverts with. */
export async function errorOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const reverted = error instanceof BaseError && error.walk((e) => e instanceof ContractFunctionRevertedError);
    if (reverted instanceof ContractFunctionRevertedError)
      return reverted.data?.errorName ?? reverted.reason ?? reverted.shortMessage;
    throw error;
  }
  return "no error";
}

export async function pass(chain: Chain, seconds: number): Promise<void> {
  await chain.client.increaseTime({ seconds });
  await chain.client.mine({ blocks: 1 });
}

export const NOBODY = zeroAddress;
