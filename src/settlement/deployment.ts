/** The file with the addresses of one deployment's contracts, which commands read. */
import { type Address, type Hex, isAddress } from "viem";
import { parseJson } from "../encoding/json.ts";
import { FormatError, type FormatSubCode } from "../errors/index.ts";
import type { Build } from "./abilities.ts";
import { isProfile, PROFILES, type ProfileName } from "./profile.ts";

/** The addresses of one deployment's contracts. */
export interface Deployment {
  /** 3 with the contracts for rounds, else 2. */
  schemaVersion: 2 | 3;
  chainId: number;
  /** The block of its first transaction. There are no events before it. */
  block: number;
  token: Address;
  manager: Address;
  vault: Address;
  committee: Address;
  /**
   * The committee again, if its members are drawn for each dispute. Absent for one whose members are fixed.
   */
  rotating?: Address;
  /** The game to which disputes may be escalated. Absent if there is none. */
  game?: Address;
  /** The exchange in which final weights are sold. Absent in files of earlier versions. */
  exchange?: Address;
  /** Seats for owners that clients name. Absent in files of earlier versions, as the next two. */
  seatList?: Address;
  /** Seats that are drawn among offers. */
  seatDraw?: Address;
  /** Where clients show that a task was a canary. */
  canaries?: Address;
  /** Plans of rounds, with stakes of their participants. With it there are the next two. */
  roundManager?: Address;
  /** The vault of `roundManager`: stake in `vault` does not count for rounds. */
  roundVault?: Address;
  /** The game about leaves of rounds. */
  roundGame?: Address;
  /** The token's decimals. A node that names others would make amounts larger or smaller than they seem. */
  decimals?: number;
  /**
   * keccak256 of the code at each address. Absent in a file that was written by hand; then the contracts have
   * to be those of this version.
   */
  codes?: Readonly<Record<(typeof CODED)[number], Hex>> & { readonly [name in (typeof OPTIONAL)[number]]?: Hex };
  /** What each player of the game posts for the gas of the others, in wei. The game itself stores it too. */
  gasBond?: string;
  /** The kind of chain, from which clocks and periods follow. Absent in older files, which are for `l1`. */
  profile?: ProfileName;
  /** The build of the game and its judge: `osaka` needs CLZ. Absent in files of earlier versions. */
  build?: Build;
}

/** The kind of chain of a deployment. */
export const profileOf = ({ profile = "l1" }: Pick<Deployment, "profile">): ProfileName => profile;

const BUILDS: readonly unknown[] = ["osaka", "portable"] satisfies Build[];
const CODED = ["manager", "vault", "committee"] as const;
const ADDRESSES = ["token", ...CODED] as const;
const OF_ROUNDS = ["roundManager", "roundVault", "roundGame"] as const;
const OPTIONAL = ["rotating", "game", "exchange", "seatList", "seatDraw", "canaries", ...OF_ROUNDS] as const;

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
  if (value.schemaVersion !== 2 && value.schemaVersion !== 3)
    return fail(
      "VERSION",
      `it has schema version ${value.schemaVersion}, not 2 or 3, so the terms of its tasks are encoded otherwise (spec 6.11)`,
    );
  for (const name of ["chainId", "block"] as const)
    if (!Number.isSafeInteger(value[name]) || value[name]! < 0) fail("MALFORMED", `its ${name} is not a number`);
  for (const name of ADDRESSES)
    if (!isAddress(String(value[name]), { strict: true })) fail("MALFORMED", `its ${name} is not an address`);
  for (const name of OPTIONAL)
    if (value[name] !== undefined && !isAddress(String(value[name]), { strict: true }))
      fail("MALFORMED", `its ${name} is not an address`);
  const ofRounds = OF_ROUNDS.filter((name) => value[name] !== undefined).length;
  if (ofRounds !== (value.schemaVersion === 3 ? OF_ROUNDS.length : 0))
    fail("MALFORMED", `only version 3 has the contracts for rounds, and it has ${OF_ROUNDS.join(", ")}`);
  if (value.gasBond !== undefined && !/^\d{1,78}$/.test(String(value.gasBond)))
    fail("MALFORMED", "its gasBond is not a number of wei");
  if (value.profile !== undefined && !isProfile(value.profile))
    fail("MALFORMED", `its profile is none of ${Object.keys(PROFILES).join(", ")}`);
  if (value.build !== undefined && !BUILDS.includes(value.build))
    fail("MALFORMED", `its build is neither ${BUILDS.join(" nor ")}`);
  if (value.rotating !== undefined && value.rotating !== value.committee)
    fail("MALFORMED", "its rotating committee is another one than its committee");
  const { decimals, codes } = value;
  if (decimals !== undefined && !(Number.isInteger(decimals) && decimals >= 0 && decimals < 256))
    fail("MALFORMED", "its decimals are not a number from 0 to 255");
  const hashes = codes === undefined ? [] : [...CODED, ...OPTIONAL.filter((name) => value[name] !== undefined)];
  for (const name of hashes)
    if (!/^0x[0-9a-f]{64}$/.test(String((codes as Record<string, unknown> | null)?.[name])))
      fail("MALFORMED", `the code of its ${name} is not a hash`);
  return value as Deployment;
}
