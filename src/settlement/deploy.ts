/** Deploys the contracts without Ignition, with one transaction for each. */
import {
  type Abi,
  type Account,
  type Address,
  createWalletClient,
  custom,
  getAddress,
  type Hex,
  type PublicClient,
  type TransactionReceipt,
} from "viem";
import {
  disputeGameBytecode,
  judgeBytecode,
  refereeCommitteeBytecode,
  taskManagerBytecode,
  testTokenBytecode,
} from "./abi/bytecode.ts";
import { ABIS, type Contract } from "./contracts.ts";
import type { Deployment } from "./deployment.ts";
import type { Pace } from "./game/match.ts";
import { refusal } from "./refusal.ts";

/** What to deploy. */
export interface DeployOptions {
  /** The token of stakes and rewards. By default a test token is deployed, which anyone may mint. */
  token?: Address;
  /** The referees in the committee. */
  members: readonly Address[];
  /** How many of them have to sign a ruling. */
  threshold: number;
  /** Seconds from a request to unbond until the stake may be withdrawn. */
  unbondingPeriod: number;
  /** The game to which disputes may be escalated. By default none is deployed. */
  game?: {
    pace: Pace;
    /** Wei that the first move of each side posts. */
    gasBond: bigint;
  };
  onDeployed?(contract: Contract | "judge", receipt: TransactionReceipt): void;
}

/** A stand-in for the token: the errors of constructors contain no amounts. */
const NO_TOKEN = { symbol: "units", decimals: 0 };

/** Deploys the contracts. @throws {ChainError} when the chain refuses one of them */
export async function deployContracts(
  client: PublicClient,
  account: Account,
  options: DeployOptions,
): Promise<Deployment> {
  const wallet = createWalletClient({ account, transport: custom(client) });
  let block: bigint | undefined;
  const deploy = async (contract: Contract | "judge", bytecode: Hex, args: readonly unknown[]): Promise<Address> => {
    try {
      const hash = await wallet.deployContract({
        abi: contract === "judge" ? [] : (ABIS[contract] as Abi),
        bytecode,
        args,
        account,
        chain: null,
      });
      const receipt = await client.waitForTransactionReceipt({ hash });
      block ??= receipt.blockNumber;
      options.onDeployed?.(contract, receipt);
      return getAddress(receipt.contractAddress!);
    } catch (error) {
      throw refusal(error, `deploying the ${contract}`, account.address, NO_TOKEN);
    }
  };
  const token = options.token ?? (await deploy("token", testTokenBytecode, []));
  const manager = await deploy("manager", taskManagerBytecode, [token, BigInt(options.unbondingPeriod)]);
  const vault = await client.readContract({ address: manager, abi: ABIS.manager, functionName: "vault" });
  const committee = await deploy("committee", refereeCommitteeBytecode, [
    manager,
    options.members,
    BigInt(options.threshold),
  ]);
  const judge = options.game && (await deploy("judge", judgeBytecode, []));
  const { pace, gasBond } = options.game ?? {};
  const game = judge && (await deploy("game", disputeGameBytecode, [manager, judge, pace, gasBond]));
  return {
    schemaVersion: 1,
    chainId: await client.getChainId(),
    block: Number(block),
    token,
    manager,
    vault,
    committee,
    ...(game && { game, gasBond: String(gasBond) }),
  };
}
