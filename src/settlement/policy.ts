/**
 * The policy of an account that risks its stake: what the terms of a task have to grant it. Terms below the
 * policy are lawful, but they let an outage of an hour, or a client that means harm, take a stake.
 */
import { parseGwei } from "viem";
import { parseJson } from "../encoding/json.ts";
import { FormatError, messageOf } from "../errors/index.ts";
import { parseAmount, type Token } from "./amount.ts";
import { parseDuration } from "./duration.ts";
import { PROFILES, type ProfileName } from "./profile.ts";

/** What the terms of a task have to grant. */
export interface Policy {
  /** How long the account may be unable to get a transaction into the chain, in seconds. */
  readonly inclusion: number;
  /** How long the account needs to run a job, in seconds. */
  readonly ownRun: number;
  /** What a run costs the account without its gas, in the token's smallest units. */
  readonly price: bigint;
  /** The largest stake to risk in one task, in the token's smallest units. Default: any. */
  readonly maxStake?: bigint;
  /** What a unit of gas may cost, in wei. */
  readonly gasPrice: bigint;
  /**
   * What the chain's currency is worth: the token's smallest units for 10^18 wei. Default: unknown; then gas
   * counts as nothing.
   */
  readonly tokensPerEther?: bigint;
}

const [HOUR, MINUTE] = [3_600, 60];

/** The policy where no file says otherwise. @param profile the kind of chain */
export function defaultPolicy(profile: ProfileName): Policy {
  const ownRun = profile === "local" ? MINUTE : HOUR;
  const { inclusion } = PROFILES[profile];
  return { inclusion, ownRun, price: 0n, gasPrice: parseGwei("20") };
}

type Fields = { readonly [F in keyof Policy]-?: (text: string, token: Token) => Policy[F] };

const FIELDS: Fields = {
  inclusion: parseDuration,
  ownRun: parseDuration,
  price: parseAmount,
  maxStake: parseAmount,
  gasPrice: (text) => (/^\d{1,9}(\.\d{1,9})?$/.test(text) ? parseGwei(text) : refuse("it is not an amount in gwei")),
  tokensPerEther: parseAmount,
};

function refuse(problem: string): never {
  throw new FormatError("MALFORMED", problem);
}

/**
 * A policy from a file: a JSON object. What it leaves out has its default. Values are texts as the command
 * line takes them: `"12h"`, `"10.5"`; numbers are accepted too.
 * @param what names the file, for errors
 * @throws {FormatError} for anything else, and for a field that no policy has
 */
export function parsePolicy(text: string, what: string, profile: ProfileName, token: Token): Policy {
  const value = parseJson(text, what);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FormatError("KIND", `${what} is not a policy: it is no JSON object; docs/settlement.md shows one`, {
      what,
    });
  const fields = Object.entries(value as Record<string, unknown>).map(([name, given]) => {
    if (!Object.hasOwn(FIELDS, name))
      throw new FormatError(
        "MALFORMED",
        `${what} has a field ${JSON.stringify(name)}, which no policy has; choose from ${Object.keys(FIELDS).join(", ")}`,
        { what, field: name },
      );
    try {
      if (typeof given !== "string" && typeof given !== "number") refuse("it is no text");
      return [name, FIELDS[name as keyof Policy](String(given), token)];
    } catch (cause) {
      throw new FormatError(
        "MALFORMED",
        `${what}: its ${name} is ${JSON.stringify(given)}, and that can't be used: ${messageOf(cause)}`,
        { what, field: name },
      );
    }
  });
  return { ...defaultPolicy(profile), ...(Object.fromEntries(fields) as Partial<Policy>) };
}
