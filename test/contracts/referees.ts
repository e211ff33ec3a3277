/** Verdicts, signed as referees sign them. */
import type { Address, Hex, TransactionReceipt } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { type Chain, call, digest } from "./chain.ts";
import type { Play } from "./task.ts";

export interface Verdict {
  dispute: bigint;
  claims: readonly Hex[];
  losers: bigint;
  file: Hex;
  validUntil: bigint;
}

const TYPES = {
  Verdict: [
    { name: "task", type: "bytes32" },
    { name: "dispute", type: "uint256" },
    { name: "claims", type: "bytes32[]" },
    { name: "losers", type: "uint256" },
    { name: "file", type: "bytes32" },
    { name: "validUntil", type: "uint64" },
  ],
} as const;

/** What the signatures are bound to in addition to the verdict. */
export interface Domain {
  chainId: number;
  verifyingContract: Address;
  task: Hex;
}

export function domainOf(play: Play): Domain {
  return { chainId: play.chain.client.chain.id, verifyingContract: play.chain.committee, task: play.id };
}

export function verdictOf(claims: readonly Hex[], losers: bigint, changes: Partial<Verdict> = {}): Verdict {
  return { dispute: 1n, claims, losers, file: digest("verdict file"), validUntil: 2n ** 40n, ...changes };
}

export function sign(referee: PrivateKeyAccount, verdict: Verdict, domain: Domain): Promise<Hex> {
  const { task, ...rest } = domain;
  return referee.signTypedData({
    domain: { name: "Verde committee", version: "1", ...rest },
    types: TYPES,
    primaryType: "Verdict",
    message: { task, ...verdict },
  });
}

/** Submits the verdict with signatures of these referees to the committee. */
export async function submit(
  play: Play,
  verdict: Verdict,
  referees: readonly PrivateKeyAccount[] = play.chain.referees.slice(0, 2),
  domain: Domain = domainOf(play),
): Promise<TransactionReceipt> {
  const signatures = await Promise.all(referees.map((referee) => sign(referee, verdict, domain)));
  return submitSigned(play.chain, play, verdict, addressesOf(referees), signatures);
}

export function submitSigned(
  chain: Chain,
  play: Play,
  verdict: Verdict,
  signers: readonly Address[],
  signatures: readonly Hex[],
): Promise<TransactionReceipt> {
  return call(chain, chain.accounts[7], "committee", "submit", [play.terms, verdict, signers, signatures]);
}

export const addressesOf = (referees: readonly PrivateKeyAccount[]): Address[] =>
  referees.map(({ address }) => address);
