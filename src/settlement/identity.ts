/**
 * Whose a key on a network is: a stake wallet signs (EIP-712) that the key speaks for it, at one deployment
 * on one chain, until a time. A statement with a higher number replaces the ones before it.
 */
import { type Address, hashTypedData, type Hex, isAddressEqual, type PublicClient, recoverAddress } from "viem";
import type { LocalAccount } from "viem/accounts";
import type { ManagerPlace } from "./commitment.ts";
import { acceptedByWallet } from "./wallet-signature.ts";

/** What a wallet says about a key. */
export interface Identity {
  /** The public key, as NATS writes it. */
  readonly nkey: string;
  /** The wallet whose stake secures what the key's owner does. */
  readonly owner: Address;
  /**
   * Who runs it. Wallets of one operator name the same address, so that a client does not take two of them.
   * It is a promise: nothing shows that two operators are different people.
   */
  readonly operator: Address;
  /** Replaces statements with lower numbers. */
  readonly nonce: number;
  /** Seconds since 1970. */
  readonly expiry: number;
}

/** A statement with its signature: by the wallet's key, or one that its contract accepts (ERC-1271). */
export interface Statement extends Identity {
  readonly signature: Hex;
}

const TYPES = {
  NetworkIdentity: [
    { name: "nkey", type: "string" },
    { name: "owner", type: "address" },
    { name: "operator", type: "address" },
    { name: "nonce", type: "uint64" },
    { name: "expiry", type: "uint64" },
  ],
} as const;

function typedData({ chainId, manager }: ManagerPlace, { nkey, owner, operator, nonce, expiry }: Identity) {
  return {
    domain: { name: "Verde network", version: "1", chainId, verifyingContract: manager },
    types: TYPES,
    primaryType: "NetworkIdentity",
    message: { nkey, owner, operator, nonce: BigInt(nonce), expiry: BigInt(expiry) },
  } as const;
}

/** The digest that the wallet signs. */
function identityDigest(place: ManagerPlace, identity: Identity): Hex {
  return hashTypedData(typedData(place, identity));
}

/** @param place the chain, and the task manager there, which the statement is bound to */
export async function signIdentity(
  account: LocalAccount,
  place: ManagerPlace,
  identity: Omit<Identity, "owner">,
): Promise<Statement> {
  const whole = { ...identity, owner: account.address };
  return { ...whole, signature: await account.signTypedData(typedData(place, whole)) };
}

/**
 * Why a statement does not hold; `undefined` if it does.
 * @param now seconds since 1970
 * @throws {Error} when a wallet contract has to be asked, and no node answers
 */
export async function identityProblem(
  client: PublicClient,
  place: ManagerPlace,
  statement: Statement,
  now: number,
): Promise<string | undefined> {
  const { owner, signature, expiry } = statement;
  if (expiry <= now) return "it has expired";
  const digest = identityDigest(place, statement);
  const signer = await recoverAddress({ hash: digest, signature }).catch(() => undefined);
  if (signer !== undefined && isAddressEqual(signer, owner)) return undefined;
  if (await acceptedByWallet(client, owner, digest, signature)) return undefined;
  return `it is neither signed by ${owner} nor accepted by a wallet at this address`;
}
