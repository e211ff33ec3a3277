/**
 * Whether the contracts of a deployment have the code that they should have. This finds a deployment whose
 * contracts were replaced by others, and a node that serves another chain under the same number.
 */
import {
  type Address,
  bytesToHex,
  getContractAddress,
  type Hex,
  hexToBytes,
  isAddressEqual,
  keccak256,
  type PublicClient,
} from "viem";
import { ChainError } from "../errors/index.ts";
import { CODES } from "./abi/code.ts";
import { disputeGamePortableCode, roundGamePortableCode } from "./abi/portable.ts";
import { roundManagerAbi } from "./abi/round-manager.ts";
import type { Deployment } from "./deployment.ts";

/** The contracts whose code is known, by their names in a deployment. */
const KINDS = {
  manager: "taskManager",
  vault: "stakeVault",
  committee: "refereeCommittee",
  rotating: "rotatingCommittee",
  game: "disputeGame",
  exchange: "exchange",
  seatList: "seatList",
  seatDraw: "seatDraw",
  canaries: "canaries",
  roundManager: "roundManager",
  roundVault: "roundVault",
  roundGame: "roundGame",
} as const satisfies Record<string, keyof typeof CODES>;
type Coded = keyof typeof KINDS;
/** Contracts whose code is another one in the portable build. */
const PORTABLE: { readonly [name in Coded]?: { readonly hash: Hex; readonly filled: readonly number[] } } = {
  game: disputeGamePortableCode,
  roundGame: roundGamePortableCode,
};

/** The contracts of a deployment whose code is known. */
function codedOf(deployment: Deployment): [Coded, Address][] {
  return (Object.keys(KINDS) as Coded[]).flatMap((name) => {
    const address = deployment[name];
    return address === undefined ? [] : [[name, address] satisfies [Coded, Address]];
  });
}

/** The hash of code in which what the constructor filled in is zero again. */
function hashWithout(code: Hex, filled: readonly number[]): Hex {
  const bytes = hexToBytes(code);
  for (const start of filled) bytes.fill(0, start, start + 32);
  return keccak256(bytesToHex(bytes));
}

/**
 * Checks the code of a deployment's contracts, and that each vault is its manager's own.
 * @returns keccak256 of each code
 * @throws {ChainError} when a contract is missing, or is another one
 */
export async function checkCodes(client: PublicClient, deployment: Deployment): Promise<Deployment["codes"]> {
  const { manager, vault, roundManager, roundVault } = deployment;
  const found = await Promise.all(
    codedOf(deployment).map(async ([name, address]) => ({ name, address, code: await client.getCode({ address }) })),
  );
  const coded = found.map(({ name, address, code }) => {
    if (code !== undefined) return { name, address, code };
    throw new ChainError(
      "CONTRACT_MISSING",
      `there is no contract at ${address}, where the deployment has its ${name}. If the chain was restarted, deploy again; if not, name the right node with --rpc`,
      { [name]: address },
    );
  });
  expectOwnVault(manager, vault);
  if (roundManager && !deployment.codes?.roundManager) await expectQuestions(client, roundManager);
  if (roundManager && roundVault) expectOwnVault(roundManager, roundVault);
  return Object.fromEntries(coded.map((one) => [one.name, expectCode(deployment, one)])) as NonNullable<
    Deployment["codes"]
  >;
}

/** A manager makes its vault in its constructor, as its first contract. */
function expectOwnVault(manager: Address, vault: Address): void {
  const own = getContractAddress({ from: manager, nonce: 1n });
  if (isAddressEqual(own, vault)) return;
  throw new ChainError(
    "CONTRACT_KIND",
    `the deployment names the vault ${vault}, but the vault of the manager ${manager} is ${own}; do not use this deployment`,
    { expected: own, found: vault },
  );
}

/** A manager of rounds hands calls on to a contract that its constructor was given, and that stays. */
async function expectQuestions(client: PublicClient, address: Address): Promise<void> {
  const found = await client.readContract({ address, abi: roundManagerAbi, functionName: "questions" });
  const { hash, filled } = CODES.roundQuestions;
  if (hashWithout((await client.getCode({ address: found })) ?? "0x", filled) === hash) return;
  throw new ChainError("CODE_FALSE", `the roundManager at ${address} hands calls on to ${found}, which is not the contract of this version; do not use this deployment`, { contract: "roundManager", address: found }); // prettier-ignore
}

/** @returns keccak256 of the code */
function expectCode(
  deployment: Deployment,
  { name, address, code }: { name: Coded; address: Address; code: Hex },
): Hex {
  const known = deployment.codes?.[name];
  const portable = deployment.build === "portable" ? PORTABLE[name] : undefined;
  const isRotating = name === "committee" && deployment.rotating !== undefined;
  const { hash, filled } = portable ?? CODES[isRotating ? KINDS.rotating : KINDS[name]];
  const [expected, found] = known === undefined ? [hash, hashWithout(code, filled)] : [known, keccak256(code)];
  if (found !== expected)
    throw new ChainError(
      "CODE_FALSE",
      `the node says that the ${name} at ${address} has another code than ${known === undefined ? `the ${name} of this version` : "when it was deployed"}; ` +
        "the node lies, or the deployment is not what it claims to be, so do not use them",
      { contract: name, address, expected, found },
    );
  return keccak256(code);
}
