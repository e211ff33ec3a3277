/** Deploying the contracts, without Ignition: a transaction for each, and their addresses. */
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

/** What a deployment is to have. */
export interface DeployOptions {
  /** What stakes and rewards are in; a test token that anyone may mint unless given. */
  token?: Address;
  /** Referees. */
  members: readonly Address[];
  /** How many of them make a verdict. */
  threshold: number;
  /** Seconds. */
  unbondingPeriod: number;
  /** A game that disputes may be escalated to; none is deployed unless given. */
  game?: {
    pace: Pace;
    /** Wei that the first move of each side brings. */
    gasBond: bigint;
  };
  onDeployed?(contract: Contract | "judge", receipt: TransactionReceipt): void;
}

/** No amount stands in an error of a constructor. */
const NO_TOKEN = { symbol: "units", decimals: 0 };

/** @throws {ChainError} when the chain refuses one of them */
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
