/** Checks a verdict without the parties and without their traces (spec 7.7). */
import { formatClaim, type RunClaim } from "../claims/claim.ts";
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { type ClimbLeaf, climbLeaf } from "../encoding/merkle.ts";
import { DisputeError, SecondOpinionError, VerdeError } from "../errors/index.ts";
import type { Side } from "../game/level.ts";
import { jobIdOf } from "../job/closed.ts";
import { type AcceptSignature, checkProof, type RefutedClaim } from "./check-proof.ts";
import { type CheckedRuling, checkRuling } from "./check-ruling.ts";
import { type Verdict, VERDICT_VERSION } from "./verdict.ts";
import { invalid, readClaim, readJob } from "./verdict-reader.ts";

/** How a verdict is checked. */
export interface CheckOptions {
  /** Follows every Merkle path of the verdict; the one of a `SecondOpinion` follows each path twice. */
  climb?: ClimbLeaf;
  /**
   * Decides about a signature that is not by the key of the address: it may be by the owner of a wallet
   * contract. The default takes none.
   */
  accept?: AcceptSignature;
}

/** A proof that holds. Nothing is shown about claims that are not among the losers. */
export interface CheckedProof {
  kind: "proof";
  restsOn: "evidence";
  /** Which of the named claims are wrong: their numbers, ascending. */
  losers: number[];
  refuted: RefutedClaim[];
  /** The id of the job that the runs are of. */
  job: Bytes;
}

/** A ruling that is what its referee said. */
export interface NamedRuling extends Omit<CheckedRuling, "losers"> {
  kind: "ruling";
  restsOn: "referee";
  /** Which of the named claims the referee holds to be wrong: their numbers, ascending. */
  losers: number[];
  /** The sides of the ruling that lose. */
  losingSides: Side[];
}

/** A verdict that holds as what it is. */
export type CheckedVerdict = CheckedProof | NamedRuling;

/**
 * @param verdict the parsed JSON
 * @param claims the claims that the caller asks about: one or more for a proof, and both for a ruling. The
 *   statement of a key is refuted only if its claim is named with the key.
 * @throws {DisputeError} that names the first thing that does not hold
 * @throws {SecondOpinionError} from such a `climb`
 */
export function checkVerdict(
  verdict: unknown,
  claims: readonly RunClaim[],
  options: CheckOptions = {},
): CheckedVerdict {
  try {
    return check(verdict as Verdict, claims, options);
  } catch (error) {
    if (error instanceof DisputeError || error instanceof SecondOpinionError) throw error;
    // Reading a field failed: it is missing, has another type, or is cut off.
    const why = error instanceof VerdeError ? `: ${error.message}` : ", or a field is missing or of another type";
    throw invalid("VERDICT_MALFORMED", `this is no verdict of version ${VERDICT_VERSION}${why}`);
  }
}

function check(verdict: Verdict, claims: readonly RunClaim[], options: CheckOptions): CheckedVerdict {
  const { climb = climbLeaf, accept = () => false } = options;
  if (verdict.schemaVersion !== VERDICT_VERSION)
    throw invalid(
      "VERDICT_VERSION",
      `a verdict of schema version ${String(verdict.schemaVersion).slice(0, 40)}; this one reads version ${VERDICT_VERSION}`,
      { expected: VERDICT_VERSION, found: verdict.schemaVersion },
    );
  if (verdict.kind === "proof") {
    // Whose claims a proof is about is looked at first: nothing is computed for a stranger's.
    const losers = losersAmong(verdict.refuted.map(readClaim), claims);
    const refuted = checkProof(verdict, { climb, accept });
    return { kind: "proof", restsOn: "evidence", losers, refuted, job: jobIdOf(readJob(verdict).parts) };
  }
  if (verdict.kind !== "ruling") throw invalid("VERDICT_MALFORMED", "the verdict is neither a proof nor a ruling");
  const checked = checkRuling(verdict, climb);
  const { losers: losingSides, ...ruling } = checked;
  return { ...ruling, kind: "ruling", restsOn: "referee", losers: losersNamed(checked, claims), losingSides };
}

/** The named claims that a ruling is against. Both claims of the ruling have to be named. */
function losersNamed({ claims, losers }: CheckedRuling, named: readonly RunClaim[]): number[] {
  const indices = claims.map((claim) => named.flatMap((wanted, i) => (isNamed(claim, wanted) ? [i] : [])));
  const missing = claims.find((_, side) => indices[side].length === 0);
  if (missing)
    throw invalid(
      "VERDICT_FOREIGN",
      `the ruling is about the claim ${formatClaim(missing)}, which was not named; a ruling is about two claims, so name both`,
      { expected: named.map(formatClaim), found: claims.map(formatClaim) },
    );
  return [...new Set(losers.flatMap((side) => indices[side]))].sort((a, b) => a - b);
}

/** A claim without a key names the root alone. */
function isNamed({ run, address }: RunClaim, wanted: RunClaim): boolean {
  if (!bytesEqual(run, wanted.run)) return false;
  return !address || !wanted.address || bytesEqual(address, wanted.address);
}

/** The named claims that are refuted. Every refuted claim has to be one of them. */
function losersAmong(refuted: readonly RunClaim[], claims: readonly RunClaim[]): number[] {
  const losers = new Set<number>();
  for (const entry of refuted) {
    const fallen = claims.flatMap((claim, i) => (isRefuted(claim, entry) ? [i] : []));
    for (const i of fallen) losers.add(i);
    if (fallen.length > 0) continue;
    const { run, address } = entry;
    const evidence = { expected: claims.map(formatClaim), found: formatClaim(entry) };
    if (address && claims.some((claim) => bytesEqual(claim.run, run) && !claim.address))
      throw invalid(
        "VERDICT_FOREIGN",
        `the verdict refutes the statement ${formatClaim(entry)}, not the root alone; name the claim with its key`,
        evidence,
      );
    throw invalid(
      "VERDICT_FOREIGN",
      `the verdict is about the claim ${formatClaim(entry)}, which was not named`,
      evidence,
    );
  }
  return [...losers].sort((a, b) => a - b);
}

/**
 * Whether a claim falls with a refuted one. A refuted root falls for all; a refuted statement for its key.
 */
function isRefuted(claim: RunClaim, { run, address }: RunClaim): boolean {
  if (!bytesEqual(claim.run, run)) return false;
  return !address || (claim.address !== undefined && bytesEqual(claim.address, address));
}
