/** Makes the ruling that a committee signs from verdict files, and the signatures (docs/settlement.md). */
import { type ClimbLeaf, climbLeaf } from "../encoding/merkle.ts";
import { type Address, bytesToHex, concat, type Hex, keccak256, recoverTypedDataAddress } from "viem";
import type { LocalAccount } from "viem/accounts";
import { type Bytes, fromHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { DisputeError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { jobIdOf } from "../job/closed.ts";
import { type CheckedVerdict, checkVerdict } from "../referee/check-verdict.ts";
import type { Verdict } from "../referee/verdict.ts";
import type { TaskView } from "./task.ts";

/** What the committee signs, together with the task's id. The same as in IRefereeCommittee.sol. */
export interface Ruling {
  dispute: bigint;
  /** All distinct claims that stand. */
  claims: readonly Hex[];
  /** Bit i: claims[i] is wrong. */
  losers: bigint;
  /** The hash of the verdict files. */
  file: Hex;
  /** Seconds since 1970. */
  validUntil: bigint;
}

const TYPES = {
  Verdict: [
    { name: "task", type: "bytes32" },
    { name: "dispute", type: "uint256" },
    { name: "claims", type: "bytes32[]" },
    { name: "losers", type: "uint256" },
    { name: "file", type: "bytes32" },
    { name: "validUntil", type: "uint64" },
  ],
} as const;

/**
 * The ruling for a dispute that follows from verdicts on pairs of its claims. All members with the same files
 * get the same ruling: it is valid as long as the dispute waits for it, and the claims are in the order of
 * their seats.
 * @param files the bytes of the verdict files, unchanged
 * @param climb follows the Merkle paths; `verde referee sign` gives that of a `SecondOpinion`, which needs
 *   Node
 * @returns the ruling, and for each file what it proves
 * @throws {FormatError} when a file is not JSON
 * @throws {DisputeError} when a verdict does not hold or is about other claims, or when more than one claim
 *   is left
 */
export function rulingFrom(
  task: TaskView,
  files: readonly Bytes[],
  climb: ClimbLeaf = climbLeaf,
): { ruling: Ruling; checked: CheckedVerdict[] } {
  const { claims, dispute, deadline } = task;
  let losers = 0n;
  const checked = files.map((bytes) => {
    const verdict = parse(bytes);
    const roots = verdict.runRoots.map((root) => claimIndex(root, task));
    if (jobIdHex(verdict) !== task.terms.job)
      throw new DisputeError(
        "VERDICT_FOREIGN",
        `a verdict is about another job than the task's, ${task.terms.job}; name verdicts about this task's claims`,
        { expected: task.terms.job, found: jobIdHex(verdict) },
      );
    const [a, b] = verdict.runRoots.map((root) => fromHex(root, 32));
    const result = checkVerdict(verdict, a, b, climb);
    for (const side of result.losers) losers |= 1n << BigInt(roots[side]);
    return result;
  });
  const left = claims.filter((_, i) => ((losers >> BigInt(i)) & 1n) === 0n);
  if (left.length > 1)
    throw new DisputeError(
      "UNDECIDED",
      `${left.length} claims are left: ${left.join(", ")}; add verdicts about these claims too`,
      { left },
    );
  const hashes = files.map((bytes) => keccak256(bytes));
  const file = hashes.length === 1 ? hashes[0] : keccak256(concat(hashes));
  return { ruling: { dispute: BigInt(dispute), claims, losers, file, validUntil: BigInt(deadline) }, checked };
}

function parse(bytes: Bytes): Verdict {
  const verdict = parseJson(new TextDecoder().decode(bytes), "a verdict") as Verdict | null;
  if (Array.isArray(verdict?.runRoots) && verdict.runRoots.length === 2) return verdict;
  throw new DisputeError(
    "VERDICT_MALFORMED",
    "one of the files is not a verdict; `verde dispute A B --verdict FILE` writes one",
  );
}

function claimIndex(root: string, { claims }: TaskView): number {
  const index = claims.indexOf(root as Hex);
  if (index < 0)
    throw new DisputeError(
      "VERDICT_FOREIGN",
      `the verdict is about the root ${quote(root)}, which no seat of the task claims; name verdicts about its claims`,
      { root, expected: claims, found: root },
    );
  return index;
}

function jobIdHex({ job }: Verdict): Hex {
  const { info, step, initKind, init, dataset, steps } = job;
  const parts = {
    info: fromHex(info),
    step: fromHex(step),
    initKind,
    init: fromHex(init),
    dataset: fromHex(dataset),
    steps,
  };
  return bytesToHex(jobIdOf(parts));
}

/** What the signatures are bound to, in addition to the ruling. */
export interface Bench {
  chainId: number;
  committee: Address;
  task: Hex;
}

function typedData({ chainId, committee, task }: Bench, ruling: Ruling) {
  return {
    domain: { name: "Verde committee", version: "1", chainId, verifyingContract: committee },
    types: TYPES,
    primaryType: "Verdict",
    message: { task, ...ruling },
  } as const;
}

/** A member's signature of a ruling (EIP-712). */
export function signRuling(account: LocalAccount, bench: Bench, ruling: Ruling): Promise<Hex> {
  return account.signTypedData(typedData(bench, ruling));
}

/** The address whose key made the signature. */
export function signerOfRuling(bench: Bench, ruling: Ruling, signature: Hex): Promise<Address> {
  return recoverTypedDataAddress({ ...typedData(bench, ruling), signature });
}
