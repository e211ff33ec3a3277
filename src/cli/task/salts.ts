/** What a client hides in the salt of its terms: the root of a canary, the secret of a draw, or both. */
import { type Hex, zeroHash } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { UsageError } from "../../errors/index.ts";
import { taskIdOf } from "../../settlement/commitment.ts";
import { ABIS } from "../../settlement/contracts.ts";
import { canarySaltOf, drawSaltOf, linksOf } from "../../settlement/secrets.ts";
import type { Session } from "../../settlement/session.ts";
import type { Terms } from "../../settlement/task.ts";
import type { Sender } from "../send.ts";
import { traceFor } from "./job.ts";

/** What a salt is for. */
export interface SaltUses {
  /** The trace of a canary. */
  readonly canary?: string | undefined;
  /** Whether a contract draws who takes the seats, or who judges. */
  readonly drawn: boolean;
  /** Whether the secret commits to further ones, for the rounds of a committee that is drawn. */
  readonly rotates?: boolean;
  /** The secret of a draw on a network. A canary has one that hides its root. */
  readonly secret?: Hex | undefined;
}

/** @throws {UsageError} when a given salt has another use */
export function expectFreeSalt(salt: string | undefined, { canary, drawn }: SaltUses): void {
  if (salt === undefined || (canary === undefined && !drawn)) return;
  const option = canary === undefined ? "--seats drawn" : "--canary";
  throw new UsageError("CONFLICT", `${option} and --salt both use the salt of the terms; omit one of them`, {
    options: [option, "--salt"],
  });
}

/**
 * The terms with a salt for its uses, such that there is no such task yet. A dry run has no key, so its salt
 * is another one.
 * @returns also the secret to which the salt commits, where seats are drawn
 */
export async function withSalt(
  { client, deployment }: Session,
  { secrets }: Sender,
  terms: Terms,
  { canary, drawn, rotates = false, secret }: SaltUses,
): Promise<{ terms: Terms; secret: Hex | undefined }> {
  if (canary === undefined && !drawn && secret === undefined) return { terms, secret };
  const root = canary === undefined ? undefined : (toHex((await traceFor(canary, terms)).runRoot) as Hex);
  const hidden = async (number: number): Promise<Hex> => {
    if (root !== undefined) return canarySaltOf(root, (await secrets?.canarySecret(terms, root, number)) ?? zeroHash);
    const last = secret ?? (await secrets?.drawSecret(terms, number)) ?? zeroHash;
    return rotates && secret === undefined ? linksOf(last)[0] : last;
  };
  for (let number = 0; ; number++) {
    const found = await hidden(number);
    const salted = { ...terms, salt: drawn || secret !== undefined ? drawSaltOf(found) : found };
    const args = [taskIdOf(deployment, salted)] as const;
    const call = { address: deployment.manager, abi: ABIS.manager, functionName: "taskOf", args } as const;
    if (secrets === undefined || (await client.readContract(call)).state === 0) return { terms: salted, secret: found };
  }
}
