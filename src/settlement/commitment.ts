/**
 * The hashes that name a task and hide a claim: the twins of contracts/libraries/Terms.sol and
 * contracts/tasks/TaskStore.sol. They are computed here and never asked of a node. A node that saw root and
 * salt before others have committed could sell them, and a node that answered with a false hash would make
 * the claim impossible to reveal.
 */
import {
  type AbiParameter,
  type Address,
  encodeAbiParameters,
  getAbiItem,
  type Hex,
  keccak256,
  parseAbiParameters,
  stringToHex,
} from "viem";
import { taskManagerAbi } from "./abi/task-manager.ts";
import type { Deployment } from "./deployment.ts";
import type { Terms } from "./task.ts";

/** The chain, and the manager on it: every hash binds both. */
export type ManagerPlace = Pick<Deployment, "chainId" | "manager">;

const TERMS = getAbiItem({ abi: taskManagerAbi, name: "post" }).inputs[0];
const ID: readonly AbiParameter[] = [{ type: "uint256" }, { type: "address" }, TERMS];

/** The id of the task with these terms. */
export function taskIdOf({ chainId, manager }: ManagerPlace, terms: Terms): Hex {
  return keccak256(encodeAbiParameters(ID, [BigInt(chainId), manager, terms]));
}

const COMMITMENT = keccak256(
  stringToHex("Commitment(uint256 chain,address manager,bytes32 task,address owner,bytes32 root,bytes32 salt)"),
);
const COMMITTED = [
  { type: "bytes32" },
  { type: "uint256" },
  { type: "address" },
  { type: "bytes32" },
  { type: "address" },
  { type: "bytes32" },
  { type: "bytes32" },
] as const;

/**
 * The commitment that a seat makes before anyone reveals.
 * @param root the run root that it will claim
 */
export function commitmentOf({ chainId, manager }: ManagerPlace, task: Hex, owner: Address, root: Hex, salt: Hex): Hex {
  return keccak256(encodeAbiParameters(COMMITTED, [COMMITMENT, BigInt(chainId), manager, task, owner, root, salt]));
}

/** What a challenge is against: the claim that stands. */
export interface Challenged {
  /** The task's id. */
  readonly task: Hex;
  /** The claim that stands. */
  readonly standing: Hex;
}

const CHALLENGE = keccak256(
  stringToHex(
    "Challenge(uint256 chain,address manager,bytes32 task,bytes32 standing,address owner,bytes32 root,bytes32 salt)",
  ),
);
const CHALLENGED = parseAbiParameters("bytes32, uint256, address, bytes32, bytes32, address, bytes32, bytes32");

/**
 * The commitment that a challenger makes.
 * @param root the run root that it will claim
 */
export function challengeCommitment(
  { chainId, manager }: ManagerPlace,
  { task, standing }: Challenged,
  owner: Address,
  root: Hex,
  salt: Hex,
): Hex {
  const against = [BigInt(chainId), manager, task, standing] as const;
  return keccak256(encodeAbiParameters(CHALLENGED, [CHALLENGE, ...against, owner, root, salt]));
}
