/**
 * What a client hides in the salt of its terms: the secret of a draw of seats, or the root of a canary. A
 * secret is the hash of a signature of the client's key, which is the same each time (RFC 6979). So nothing
 * has to be kept. The salts are those of contracts/libraries/DrawSecrets.sol and contracts/Canaries.sol.
 */
import { concat, encodeAbiParameters, type Hex, keccak256, parseAbiParameters, stringToHex, zeroHash } from "viem";
import type { LocalAccount } from "viem/accounts";
import { ChainError } from "../errors/index.ts";
import { type ManagerPlace, taskIdOf } from "./commitment.ts";
import type { Terms } from "./task.ts";

const DRAW = keccak256(stringToHex("Verde draw commitment 1"));
const LINK = keccak256(stringToHex("Verde draw link 1"));
const CANARY = keccak256(stringToHex("Canary(bytes32 root,bytes32 secret)"));
const WORDS = parseAbiParameters("bytes32, bytes32, bytes32");
/** How many tasks of a kind a client can have with terms that are equal but for their salts. */
const MOST_EQUAL = 1000;

/** The salt of terms whose seats are drawn with this secret. */
export const drawSaltOf = (secret: Hex): Hex => keccak256(concat([DRAW, secret]));

/**
 * How often the secret of a task with a rotating committee commits to a further one: two disputes, with three
 * rounds each, and two more.
 */
const LINKS = 8;

/** The secret that commits to the next one. */
const linkOf = (next: Hex): Hex => keccak256(concat([LINK, next]));

/**
 * The secrets of a task, in the order in which they are opened: that of the seats, then one for each round of
 * a rotating committee. @param last commits to nothing
 */
export function linksOf(last: Hex): Hex[] {
  const links = [last];
  for (let i = 0; i < LINKS; i++) links.unshift(linkOf(links[0]));
  return links;
}

/**
 * The secret that a round of a committee needs. @param opened the last one of the task, or zero
 * @returns nothing if all are opened, or these are not the task's
 */
export function nextLink(links: readonly Hex[], opened: Hex): Hex | undefined {
  const last = opened === zeroHash ? 0 : links.indexOf(opened);
  return last < 0 ? undefined : links[last + 1];
}

/** The salt of a canary's terms. @param root that the client knows */
export const canarySaltOf = (root: Hex, secret: Hex): Hex =>
  keccak256(encodeAbiParameters(WORDS, [CANARY, root, secret]));

async function secretFor(
  account: LocalAccount,
  { chainId, manager }: ManagerPlace,
  use: "draw" | "canary",
  subject: Hex,
  number: number,
): Promise<Hex> {
  const signature = await account.signTypedData({
    domain: { name: `Verde ${use} secret`, version: "1", chainId, verifyingContract: manager },
    types: {
      Secret: [
        { name: "subject", type: "bytes32" },
        { name: "number", type: "uint32" },
      ],
    },
    primaryType: "Secret",
    message: { subject, number },
  });
  return keccak256(signature);
}

/**
 * The secret of a draw.
 * @param terms the salt does not matter
 * @param number of the draw, among those of the client with such terms
 */
export async function drawSecretFor(
  account: LocalAccount,
  place: ManagerPlace,
  terms: Terms,
  number: number,
): Promise<Hex> {
  return secretFor(account, place, "draw", taskIdOf(place, { ...terms, salt: zeroHash }), number);
}

/**
 * The secrets to which the salt of terms commits: the first one is that of the seats.
 * @throws {ChainError} when they are not those of this account
 */
export async function findDrawSecrets(account: LocalAccount, place: ManagerPlace, terms: Terms): Promise<Hex[]> {
  for (let number = 0; number < MOST_EQUAL; number++) {
    const last = await drawSecretFor(account, place, terms, number);
    const links = linksOf(last);
    if (drawSaltOf(links[0]) === terms.salt) return links;
    if (drawSaltOf(last) === terms.salt) return [last];
  }
  throw new ChainError(
    "NO_SECRET",
    `the salt of the terms commits to no secret of ${account.address}; use the account that has posted the task, and for a canary \`--canary\``,
    { address: account.address, salt: terms.salt },
  );
}

/**
 * The secret of a canary. Each has its own, so that one that was shown tells nothing about the others.
 * @param terms the salt does not matter
 * @param root that the client knows
 * @param number of the canary, among those of the client with such terms and this root
 */
export async function canarySecretFor(
  account: LocalAccount,
  place: ManagerPlace,
  terms: Terms,
  root: Hex,
  number: number,
): Promise<Hex> {
  const task = taskIdOf(place, { ...terms, salt: zeroHash });
  return secretFor(account, place, "canary", keccak256(concat([task, root])), number);
}

/**
 * The secret with which the salt of terms hides a root. If seats are drawn, the salt commits to the secret of
 * the draw, which is `canarySaltOf` of root and secret.
 * @returns nothing when no secret of this account hides it
 */
export async function findCanarySecret(
  account: LocalAccount,
  place: ManagerPlace,
  terms: Terms,
  root: Hex,
): Promise<Hex | undefined> {
  for (let number = 0; number < MOST_EQUAL; number++) {
    const secret = await canarySecretFor(account, place, terms, root, number);
    const mark = canarySaltOf(root, secret);
    if (terms.salt === mark || terms.salt === drawSaltOf(mark)) return secret;
  }
  return undefined;
}
