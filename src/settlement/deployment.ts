/** The file with the addresses of one deployment's contracts, which commands read. */
import { type Address, isAddress } from "viem";
import { parseJson } from "../encoding/json.ts";
import { FormatError, type FormatSubCode } from "../errors/index.ts";

/** The addresses of one deployment's contracts. */
export interface Deployment {
  schemaVersion: 1;
  chainId: number;
  /** The block of its first transaction. There are no events before it. */
  block: number;
  token: Address;
  manager: Address;
  vault: Address;
  committee: Address;
  /** The game to which disputes may be escalated. Absent if there is none. */
  game?: Address;
  /** What the first move of each side of a dispute posts, in wei. The game itself stores it too. */
  gasBond?: string;
}

const ADDRESSES = ["token", "manager", "vault", "committee"] as const;

/**
 * @param what names the file, for errors
 * @throws {FormatError} if the text is not a deployment
 */
export function parseDeployment(text: string, what: string): Deployment {
  const fail = (subCode: FormatSubCode, problem: string): never => {
    throw new FormatError(subCode, `${what} is not a deployment: ${problem}; \`verde chain deploy\` writes one`, {
      what,
    });
  };
  const value = parseJson(text, what) as Partial<Deployment> | null;
  if (typeof value?.schemaVersion !== "number") return fail("KIND", "it has no schema version");
  if (value.schemaVersion !== 1) return fail("VERSION", `it has schema version ${value.schemaVersion}, not 1`);
  for (const name of ["chainId", "block"] as const)
    if (!Number.isSafeInteger(value[name]) || value[name]! < 0) fail("MALFORMED", `its ${name} is not a number`);
  for (const name of ADDRESSES)
    if (!isAddress(String(value[name]), { strict: true })) fail("MALFORMED", `its ${name} is not an address`);
  if (value.game !== undefined && !isAddress(String(value.game), { strict: true }))
    fail("MALFORMED", "its game is not an address");
  if (value.gasBond !== undefined && !/^\d{1,78}$/.test(String(value.gasBond)))
    fail("MALFORMED", "its gasBond is not a number of wei");
  return value as Deployment;
}
