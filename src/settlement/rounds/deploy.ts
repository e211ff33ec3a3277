/** Deploys the contracts for plans of rounds: a manager with its own vault, and the game about leaves. */
import {
  type Abi,
  type Address,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  getContractAddress,
  type Hex,
} from "viem";
import { judgeBytecode, roundGameBytecode, roundManagerBytecode, roundQuestionsBytecode } from "../abi/bytecode.ts";
import { judgePortableBytecode, roundGamePortableBytecode } from "../abi/portable.ts";
import { roundGameAbi } from "../abi/round-game.ts";
import { roundManagerAbi } from "../abi/round-manager.ts";
import type { Build } from "../abilities.ts";
import type { Pace } from "../game/match.ts";

/** The judge and the game in both builds. The manager is the same in both. */
const CODES = {
  osaka: { judge: judgeBytecode, game: roundGameBytecode },
  portable: { judge: judgePortableBytecode, game: roundGamePortableBytecode },
} as const satisfies Record<Build, object>;

/** What to deploy. */
export interface DeployRoundsOptions {
  /** The token of stakes and rewards. */
  readonly token: Address;
  /** Seconds from a request to unbond until the stake may be withdrawn. */
  readonly unbondingPeriod: number;
  readonly pace: Pace;
  /** Wei that each side of a dispute posts for the gas of the other. */
  readonly gasBond: bigint;
  readonly build: Build;
  /** A judge of this build that is deployed already. Default: one is deployed. */
  readonly judge?: Address;
  /** Sends a transaction that creates a contract. @returns its address */
  deploy(what: "questions" | "manager" | "judge" | "game", data: Hex): Promise<Address>;
  /** Sends a transaction to a contract, from the account that has deployed the manager. */
  call(what: string, to: Address, data: Hex): Promise<void>;
}

/** Where the contracts for rounds are. */
export interface RoundsDeployment {
  readonly manager: Address;
  /** The manager's own vault: stake in that of tasks does not count here. */
  readonly vault: Address;
  readonly game: Address;
  readonly judge: Address;
}

/**
 * Deploys the code of questions, the manager with its vault, a judge if there is none, and the game, which
 * the manager is told.
 */
export async function deployRounds(options: DeployRoundsOptions): Promise<RoundsDeployment> {
  const { token, unbondingPeriod, pace, gasBond, build, deploy, call } = options;
  const create = async (
    what: "questions" | "manager" | "judge" | "game",
    abi: unknown,
    bytecode: Hex,
    args: readonly unknown[],
  ): Promise<Address> => getAddress(await deploy(what, encodeDeployData({ abi: abi as Abi, bytecode, args })));
  const questions = await create("questions", [], roundQuestionsBytecode, []);
  const manager = await create("manager", roundManagerAbi, roundManagerBytecode, [token, BigInt(unbondingPeriod), questions]); // prettier-ignore
  const vault = getContractAddress({ from: manager, nonce: 1n });
  const judge = options.judge ?? (await create("judge", [], CODES[build].judge, []));
  const game = await create("game", roundGameAbi, CODES[build].game, [manager, judge, pace, gasBond]);
  const named = encodeFunctionData({ abi: roundManagerAbi, functionName: "nameGame", args: [game] });
  await call("name the game", manager, named);
  return { manager, vault, game, judge };
}
