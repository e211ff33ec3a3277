/** The policy of an account on the command line: `--policy FILE` and `--accept-risk TERM`. */
import type { Command } from "commander";
import { collected } from "../collected.ts";
import { unreadable, UsageError } from "../../errors/index.ts";
import { readRegularText } from "../../files/regular.ts";
import { profileOf } from "../../settlement/deployment.ts";
import { defaultPolicy, parsePolicy, type Policy } from "../../settlement/policy.ts";
import { expectNoRisk, RISKY_TERMS, type RiskyTerm, risksOf, type Role } from "../../settlement/risks.ts";
import type { Session } from "../../settlement/session.ts";
import type { Terms } from "../../settlement/task.ts";
import { longestGame } from "../../settlement/terms.ts";

export interface RiskFlags {
  /** A file. */
  policy?: string;
  acceptRisk: readonly RiskyTerm[];
}

export function addRiskOptions(command: Command, terms: readonly string[] = RISKY_TERMS): Command {
  return command
    .option("--policy <file>", "what terms have to grant you, as JSON; default: what docs/settlement.md lists")
    .option(
      "--accept-risk <term>",
      "accept this term although the policy refuses it; may be repeated",
      collected((text) => parseTerm(text, terms)),
      [],
    );
}

function parseTerm(text: string, terms: readonly string[]): string {
  if (terms.includes(text)) return text;
  throw new UsageError("VALUE", `--accept-risk ${text} is no term with a rule; choose from ${terms.join(", ")}`, {
    found: text,
    expected: terms,
  });
}

/** @throws {ChainError} when the terms risk more than the policy allows */
export async function expectWithinPolicy(session: Session, terms: Terms, role: Role, flags: RiskFlags): Promise<void> {
  const { client, token } = session;
  const risks = risksOf(terms, await policyFrom(session, flags), token, await longestGame(client, terms), role);
  expectNoRisk(risks, flags.acceptRisk);
}

/** The policy of a file, or the default for the deployment's kind of chain. */
export async function policyFrom({ deployment, token }: Session, { policy: file }: RiskFlags): Promise<Policy> {
  const profile = profileOf(deployment);
  if (file === undefined) return defaultPolicy(profile);
  const text = await readRegularText(file).catch((cause: unknown) => {
    throw unreadable(`the policy ${file}`, file, cause, "name it with --policy");
  });
  return parsePolicy(text, file, profile, token);
}
