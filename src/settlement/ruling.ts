/** Makes the ruling that a committee signs from verdict files, and the signatures (docs/settlement.md). */
import { formatAddress, type RunClaim } from "../claims/claim.ts";
import { type Address, bytesToHex, concat, type Hex, keccak256, recoverTypedDataAddress } from "viem";
import type { LocalAccount } from "viem/accounts";
import { type Bytes, bytesEqual, fromHex } from "../encoding/bytes.ts";
import { parseJson } from "../encoding/json.ts";
import { DisputeError } from "../errors/index.ts";
import { type CheckedVerdict, type CheckOptions, checkVerdict, type NamedRuling } from "../referee/check-verdict.ts";
import type { TaskView } from "./task.ts";

/** What the committee signs, together with the task's id. The same as in ICommittee.sol. */
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

/** A verdict file, and what a member adds to it. */
export interface GivenVerdict {
  /** The bytes of the file, unchanged. */
  bytes: Bytes;
  /**
   * What the member found when it replayed the disputed segment of a ruling: the run roots that are wrong.
   */
  replayed?: readonly Bytes[];
}

/** How verdicts become a ruling. */
export interface RulingOptions extends CheckOptions {
  /**
   * The addresses whose rulings the member answers for: its own. Rulings of others prove nothing, and are
   * refused. The default is none.
   */
  own?: readonly Bytes[];
}

/**
 * The ruling for a dispute that follows from verdicts on its claims. All members with the same files get the
 * same ruling: it is valid as long as the dispute waits for it, and the claims are in the order of their
 * seats. A root is ruled wrong if it was proven wrong, or if every seat that claims it was convicted: a seat
 * that copies an honest root and signs nonsense must not take the honest one with it.
 * @returns the ruling, and for each file what it says
 * @throws {FormatError} when a file is not JSON
 * @throws {DisputeError} when a verdict does not hold or is about other claims, when it rests on a word that
 *   is not the member's own, or when more than one claim is left
 */
export function rulingFrom(
  task: TaskView,
  files: readonly GivenVerdict[],
  options: RulingOptions = {},
): { ruling: Ruling; checked: CheckedVerdict[] } {
  const { claims, dispute, deadline } = task;
  const seats = standingSeats(task);
  const convicted = new Set<number>();
  const checked = files.map(({ bytes, replayed }) => {
    const verdict = parseJson(new TextDecoder().decode(bytes), "a verdict");
    const result = checkVerdict(verdict, seats, options);
    if (bytesToHex(result.job) !== task.terms.job)
      throw new DisputeError(
        "VERDICT_FOREIGN",
        `a verdict is about another job than the task's, ${task.terms.job}; name verdicts about this task's claims`,
        { expected: task.terms.job, found: bytesToHex(result.job) },
      );
    const losers = result.kind === "proof" ? result.losers : losersByWord(result, seats, replayed, options.own ?? []);
    for (const seat of losers) convicted.add(seat);
    return result;
  });
  const isWrong = (claim: Hex): boolean =>
    seats.every(({ run }, seat) => bytesToHex(run) !== claim || convicted.has(seat));
  const losers = claims.reduce((bits, claim, i) => (isWrong(claim) ? bits | (1n << BigInt(i)) : bits), 0n);
  const left = claims.filter((claim) => !isWrong(claim));
  if (left.length > 1)
    throw new DisputeError(
      "UNDECIDED",
      `${left.length} claims are left: ${left.join(", ")}; add verdicts about these claims too, one for each seat that claims them`,
      { left },
    );
  const hashes = files.map(({ bytes }) => keccak256(bytes));
  const file = hashes.length === 1 ? hashes[0] : keccak256(concat(hashes));
  return { ruling: { dispute: BigInt(dispute), claims, losers, file, validUntil: BigInt(deadline) }, checked };
}

/** The seats whose claims stand, as claims of their owners. */
export function standingSeats({ seats, claims }: TaskView): RunClaim[] {
  return seats.flatMap(({ owner, root, out }) =>
    root !== undefined && !out && claims.includes(root)
      ? [{ run: fromHex(root, 32), address: fromHex(owner, 20) }]
      : [],
  );
}

/**
 * The seats that lose by a member's own word. A replay shows that a root is wrong, whoever claims it. A
 * ruling shows that one party answered wrongly: it must be clear which seat that party was.
 */
function losersByWord(
  ruling: NamedRuling,
  seats: readonly RunClaim[],
  replayed: readonly Bytes[] | undefined,
  own: readonly Bytes[],
): number[] {
  const of = (runs: readonly Bytes[]): number[] =>
    seats.flatMap(({ run }, seat) => (runs.some((wrong) => bytesEqual(wrong, run)) ? [seat] : []));
  if (replayed) return of(replayed);
  if (!ruling.referee || !own.some((address) => bytesEqual(address, ruling.referee!)))
    throw new DisputeError(
      "VERDICT_UNCHECKABLE",
      "a verdict is a ruling: it rests on the word of the referee that made it, and proves nothing. " +
        "Replay it with --replay TRACE, or, if you made it yourself, add --witness",
      { referee: ruling.referee ? formatAddress(ruling.referee) : null },
    );
  for (const side of ruling.losingSides) {
    const { run, address } = ruling.claims[side];
    if (!address && of([run]).length > 1)
      throw new DisputeError(
        "VERDICT_UNCHECKABLE",
        `${of([run]).length} seats claim ${bytesToHex(run)}, and the ruling does not say which of them answered wrongly; replay it with --replay TRACE`,
        { run: bytesToHex(run) },
      );
  }
  return ruling.losers;
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
