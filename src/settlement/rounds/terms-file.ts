/**
 * The file in which a client hands on the terms of a performance. It does not matter who gives it: the terms
 * hash to the instance, which the contract knows.
 */
import { type Address, bytesToHex, type Hex, isAddressEqual } from "viem";
import { parseJson, plainJson } from "../../encoding/json.ts";
import { ChainError, FormatError, UsageError } from "../../errors/index.ts";
import type { Instance } from "../../rounds/statement.ts";
import type { Deployment } from "../deployment.ts";
import { decodeTerms, encodeTerms, instanceOfTerms, type ManagerAt, type RoundTerms } from "./terms.ts";

/** Terms, and where they were posted. */
export interface PostedRounds extends ManagerAt {
  readonly terms: RoundTerms;
  /** What signatures name. */
  readonly instance: Instance;
  readonly id: Hex;
}

/** Terms on the chain and with the manager of a deployment. */
export function postedRounds(terms: RoundTerms, { chainId, manager }: ManagerAt): PostedRounds {
  const instance = instanceOfTerms(terms, { chainId, manager });
  return { chainId, manager, terms, instance, id: bytesToHex(instance.id) };
}

/** What the file holds. */
export function formatPostedRounds({ chainId, manager, id, terms }: PostedRounds): string {
  return `${JSON.stringify({ schemaVersion: 1, chainId, manager, instance: id, terms: plainJson(terms) }, null, 2)}\n`;
}

/**
 * The terms in a file.
 * @param what names the file, for errors
 * @throws {FormatError} when the text has no terms, or they don't hash to the instance that it names
 */
export function parsePostedRounds(text: string, what: string): PostedRounds {
  const fail = (problem: string): FormatError =>
    new FormatError("MALFORMED", `${what} has no terms of rounds: ${problem}; \`verde rounds post\` writes the file`, { what }); // prettier-ignore
  const content = parseJson(text, what) as { schemaVersion?: unknown; instance?: unknown; terms?: unknown } | null;
  if (content?.schemaVersion !== 1)
    throw new FormatError("VERSION", `${what} has not schema version 1, so it is no file of this version with the terms of rounds; \`verde rounds post\` writes one`, { what }); // prettier-ignore
  let posted: PostedRounds;
  try {
    const { chainId, manager } = content as unknown as ManagerAt;
    if (!Number.isSafeInteger(chainId) || chainId < 0) throw new Error("chainId");
    // Amounts are texts in a file. So they are encoded and decoded once, which also checks every field.
    posted = postedRounds(decodeTerms(encodeTerms(content.terms as RoundTerms)), { chainId, manager });
  } catch {
    throw fail("a field of them is missing, or is of another kind");
  }
  if (posted.id !== content.instance)
    throw fail(`they hash to the instance ${posted.id}, and the file names ${String(content.instance)}`);
  return posted;
}

/**
 * The manager of a deployment, for terms.
 * @throws {ChainError} when the deployment has no contracts for rounds
 */
export function managerOf({ chainId, roundManager }: Deployment): ManagerAt {
  if (roundManager) return { chainId, manager: roundManager };
  throw new ChainError("CONTRACT_MISSING", "this deployment has no contracts for rounds; deploy with `verde chain deploy --rounds`, or name a deployment that has them with --deployment", { contract: "roundManager" }); // prettier-ignore
}

/** The game about leaves of a deployment. @throws {ChainError} when it has no contracts for rounds */
export function gameOf(deployment: Deployment): Address {
  managerOf(deployment);
  return deployment.roundGame!;
}

/** @throws {UsageError} when the terms are of another chain or another manager than the deployment's */
export function expectManager({ chainId, manager }: ManagerAt, deployment: Deployment): void {
  const own = managerOf(deployment);
  if (chainId === own.chainId && isAddressEqual(manager, own.manager)) return;
  throw new UsageError("FOREIGN", `the terms are for the manager ${manager} on chain ${chainId}, and the deployment has ${own.manager} on chain ${own.chainId}; name the deployment for which they were posted with --deployment`, { expected: own.manager, found: manager }); // prettier-ignore
}
