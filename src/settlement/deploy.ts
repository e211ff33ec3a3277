/** Deploys the contracts without Ignition, with one transaction for each. */
import {
  type Abi,
  type Account,
  type Address,
  createWalletClient,
  custom,
  encodeDeployData,
  getAddress,
  getContractAddress,
  type Hex,
  type PublicClient,
  type TransactionReceipt,
  zeroAddress,
} from "viem";
import { ChainError } from "../errors/index.ts";
import {
  canariesBytecode,
  disputeGameBytecode,
  exchangeBytecode,
  judgeBytecode,
  refereeCommitteeBytecode,
  rotatingCommitteeBytecode,
  seatDrawBytecode,
  seatListBytecode,
  taskManagerBytecode,
  testTokenBytecode,
} from "./abi/bytecode.ts";
import { disputeGamePortableBytecode, judgePortableBytecode } from "./abi/portable.ts";
import { abilitiesOf, type Build, buildFor } from "./abilities.ts";
import { checkCodes } from "./code.ts";
import { ABIS, type Contract } from "./contracts.ts";
import type { Deployment } from "./deployment.ts";
import { leastBond } from "./game/bond.ts";
import type { Pace } from "./game/match.ts";
import { refusal } from "./refusal.ts";
import { deployRounds } from "./rounds/deploy.ts";
import { sentenceFor } from "./sentences.ts";
import { readToken } from "./token.ts";

/** The judge and the game in both builds. The other contracts are the same in both. */
const CODES = {
  osaka: { judge: judgeBytecode, game: disputeGameBytecode },
  portable: { judge: judgePortableBytecode, game: disputeGamePortableBytecode },
} as const satisfies Record<Build, object>;
/** The most gas that one contract takes to deploy: the task manager, with its vault. */
export const CONTRACT_GAS = 7_500_000;

/** The name of a contract that is deployed. The last two have no address in a deployment's file. */
type Deployed = Contract | "judge" | "roundQuestions";

/** What to deploy. */
export interface DeployOptions {
  /** The token of stakes and rewards. By default a test token is deployed, which anyone may mint. */
  token?: Address;
  /** The referees in the committee. Nobody, if it is a rotating one. */
  members: readonly Address[];
  /** A committee that is drawn for each dispute: how many are drawn, and the stake of each candidate. */
  rotating?: { readonly members: number; readonly stake: bigint };
  /** How many of them have to sign a ruling. */
  threshold: number;
  /** Seconds from a request to unbond until the stake may be withdrawn. */
  unbondingPeriod: number;
  /** The game to which disputes may be escalated. By default none is deployed. */
  game?: {
    pace: Pace;
    /** Wei that each player posts for the gas of the others. */
    gasBond: bigint;
    /** Whether the contracts for rounds are deployed too, with the same clocks and bond. Default: no. */
    rounds?: boolean;
  };
  /** The build of the judge and the game. By default the chain is asked what it can do. */
  build?: Build;
  /**
   * Sends a transaction that creates a contract, or one to a contract, and waits until it is in a block. By
   * default it is sent at once, and nothing is kept of it.
   */
  send?(what: string, data: Hex, to?: Address): Promise<TransactionReceipt | undefined>;
  /** Called after each contract. */
  onDeployed?(contract: Deployed, receipt: TransactionReceipt): void;
}

/** A stand-in for the token: the errors of constructors contain no amounts. */
const NO_TOKEN = { symbol: "units", decimals: 0 };

/** Deploys the contracts. @throws {ChainError} when the chain refuses one of them */
export async function deployContracts(
  client: PublicClient,
  account: Account,
  options: DeployOptions,
): Promise<Deployment> {
  const build = options.build ?? buildFor(await abilitiesOf(client), CONTRACT_GAS);
  const wallet = createWalletClient({ account, transport: custom(client) });
  const sendNow = async (_what: string, data: Hex, to?: Address): Promise<TransactionReceipt> =>
    client.waitForTransactionReceipt({ hash: await wallet.sendTransaction({ data, ...(to && { to }), account, chain: null }) }); // prettier-ignore
  const { send = sendNow } = options;
  let block: bigint | undefined;
  const create = async (contract: Deployed, data: Hex): Promise<Address> => {
    try {
      const receipt = (await send(`deploy ${contract}`, data))!;
      if (receipt.status !== "success")
        throw new ChainError(
          "REFUSED",
          `deploying the ${contract} is refused: ${receipt.transactionHash} has reverted`,
        );
      block ??= receipt.blockNumber;
      options.onDeployed?.(contract, receipt);
      return getAddress(receipt.contractAddress!);
    } catch (error) {
      throw refusal(error, `deploying the ${contract}`, account.address, NO_TOKEN);
    }
  };
  const deploy = (contract: Contract | "judge", bytecode: Hex, args: readonly unknown[]): Promise<Address> => {
    const abi = contract === "judge" ? [] : (ABIS[contract] as Abi);
    return create(contract, encodeDeployData({ abi, bytecode, args }));
  };
  const { pace, gasBond, rounds = false } = options.game ?? {};
  if (gasBond !== undefined) await expectBond(client, gasBond);
  const token = options.token ?? (await deploy("token", testTokenBytecode, []));
  const manager = await deploy("manager", taskManagerBytecode, [token, BigInt(options.unbondingPeriod)]);
  const vault = getContractAddress({ from: manager, nonce: 1n });
  const { rotating: drawn, threshold } = options;
  const fixed = drawn
    ? undefined
    : await deploy("committee", refereeCommitteeBytecode, [manager, options.members, BigInt(threshold)]);
  const exchange = await deploy("exchange", exchangeBytecode, [manager]);
  const seatList = await deploy("seatList", seatListBytecode, [manager]);
  const seatDraw = await deploy("seatDraw", seatDrawBytecode, [manager]);
  const canaries = await deploy("canaries", canariesBytecode, [manager]);
  const judge = options.game && (await deploy("judge", CODES[build].judge, []));
  const game = judge && (await deploy("game", CODES[build].game, [manager, judge, pace, gasBond]));
  // It has to know the game that may overturn its verdicts.
  const rotating =
    drawn &&
    (await deploy("rotating", rotatingCommitteeBytecode, [
      manager,
      game ?? zeroAddress,
      drawn.stake,
      BigInt(drawn.members),
      BigInt(threshold),
    ]));
  const named = { questions: "roundQuestions", manager: "roundManager", judge: "judge", game: "roundGame" } as const;
  const call = async (what: string, to: Address, data: Hex): Promise<void> => {
    const receipt = await send(what, data, to).catch((error: unknown) => {
      throw refusal(error, what, account.address, NO_TOKEN);
    });
    if (receipt?.status === "success") return;
    throw new ChainError("REFUSED", `${what} is refused: ${receipt?.transactionHash} has reverted`);
  };
  const ofRounds =
    rounds && judge && options.game
      ? await deployRounds({ ...options.game, token, unbondingPeriod: options.unbondingPeriod, build, judge, deploy: (what, data) => create(named[what], data), call }) // prettier-ignore
      : undefined;
  const deployment: Deployment = {
    schemaVersion: ofRounds ? 3 : 2,
    chainId: await client.getChainId(),
    block: Number(block),
    token,
    manager,
    vault,
    committee: (rotating ?? fixed)!,
    ...(rotating && { rotating }),
    exchange,
    seatList,
    seatDraw,
    canaries,
    ...(game && { game, gasBond: String(gasBond), build }),
    ...(ofRounds && { roundManager: ofRounds.manager, roundVault: ofRounds.vault, roundGame: ofRounds.game }),
  };
  const { decimals } = await readToken(client, token);
  return { ...deployment, decimals, codes: (await checkCodes(client, deployment))! };
}

/**
 * The game refuses a bond that would not pay for a dispute. A node's estimate may be made without a base fee,
 * so this is found out before anything is deployed.
 */
async function expectBond(client: PublicClient, gasBond: bigint): Promise<void> {
  const { baseFeePerGas } = await client.getBlock();
  const least = leastBond(baseFeePerGas ?? 0n);
  if (gasBond < least)
    throw new ChainError(
      "REFUSED",
      `deploying the game is refused: ${sentenceFor("BondTooSmall", [gasBond, least], NO_TOKEN)}`,
      {
        error: "BondTooSmall",
        args: [gasBond, least].map(String),
      },
    );
}
