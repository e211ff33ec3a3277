/** Checks a verdict without the parties and without their traces (spec 7.7). */
import { formatClaim, type RunClaim } from "../claims/claim.ts";
import { bytesEqual } from "../encoding/bytes.ts";
import { type ClimbLeaf, climbLeaf } from "../encoding/merkle.ts";
import { DisputeError, messageOf, SecondOpinionError, UsageError } from "../errors/index.ts";
import type { Side } from "../game/level.ts";
import { type AcceptSignature, checkProof, type RefutedClaim } from "./check-proof.ts";
import { type CheckedRuling, checkNamed, checkRuling } from "./check-ruling.ts";
import { type Verdict, VERDICT_VERSION } from "./verdict.ts";
import { invalid } from "./verdict-reader.ts";

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

/** A proof that holds: which of the named claims are wrong. Nothing is shown about the others. */
export interface CheckedProof {
  kind: "proof";
  restsOn: "evidence";
  losers: Side[];
  refuted: RefutedClaim[];
}

/** A verdict that holds as what it is. */
export type CheckedVerdict = CheckedProof | ({ kind: "ruling"; restsOn: "referee" } & CheckedRuling);

/**
 * @param verdict the parsed JSON
 * @param claims the claims that the caller asks about. A proof is about one of them at least; a ruling needs
 *   both, in its order. The statement of a key is refuted only if its claim is named with the key.
 * @throws {DisputeError} that names the first thing that does not hold
 * @throws {SecondOpinionError} from such a `climb`
 */
export function checkVerdict(
  verdict: unknown,
  claims: readonly [RunClaim, RunClaim?],
  options: CheckOptions = {},
): CheckedVerdict {
  try {
    return check(verdict as Verdict, claims, options);
  } catch (error) {
    if (error instanceof DisputeError || error instanceof SecondOpinionError || error instanceof UsageError)
      throw error;
    // Reading a field failed: it is missing, has another type, or is cut off.
    throw invalid("VERDICT_MALFORMED", `the verdict is malformed: ${messageOf(error)}`);
  }
}

function check(verdict: Verdict, [a, b]: readonly [RunClaim, RunClaim?], options: CheckOptions): CheckedVerdict {
  const { climb = climbLeaf, accept = () => false } = options;
  if (verdict.schemaVersion !== VERDICT_VERSION)
    throw invalid(
      "VERDICT_VERSION",
      `a verdict of schema version ${String(verdict.schemaVersion).slice(0, 40)}; this one reads version ${VERDICT_VERSION}`,
      { expected: VERDICT_VERSION, found: verdict.schemaVersion },
    );
  if (verdict.kind === "proof") {
    const refuted = checkProof(verdict, { climb, accept });
    return { kind: "proof", restsOn: "evidence", losers: losersAmong(refuted, b ? [a, b] : [a]), refuted };
  }
  if (verdict.kind !== "ruling") throw invalid("VERDICT_MALFORMED", "the verdict is neither a proof nor a ruling");
  if (!b)
    throw new UsageError("CONFLICT", "a ruling is about two claims; name both, in the ruling's order (--a and --b)");
  const checked = checkRuling(verdict, climb);
  checkNamed(checked, [a, b]);
  return { kind: "ruling", restsOn: "referee", ...checked };
}

/** The sides of the named claims that are refuted. Every refuted claim has to be one of them. */
function losersAmong(refuted: readonly RefutedClaim[], claims: readonly RunClaim[]): Side[] {
  const losers = new Set<Side>();
  for (const entry of refuted) {
    const sides = ([0, 1] as const).filter((side) => claims[side] && isRefuted(claims[side], entry));
    for (const side of sides) losers.add(side);
    if (sides.length > 0) continue;
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
  return [...losers].sort();
}

/** Whether a claim falls with a refuted one. A refuted root falls for all; a refuted statement for its key. */
export function isRefuted(claim: RunClaim, { run, address }: Pick<RefutedClaim, "run" | "address">): boolean {
  if (!bytesEqual(claim.run, run)) return false;
  return !address || (claim.address !== undefined && bytesEqual(claim.address, address));
}
