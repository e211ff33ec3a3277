/** A sale as it is on the chain, and the calls that move it. */
import {
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionReturnType,
  encodeAbiParameters,
  formatLog,
  getAbiItem,
  type Hex,
  isAddressEqual,
  keccak256,
  parseEventLogs,
  type PublicClient,
} from "viem";
import { bytesEqual, fromHex, toHex } from "../../encoding/bytes.ts";
import { ChainError } from "../../errors/index.ts";
import { exchangeAbi } from "../abi/exchange.ts";
import type { Deployment } from "../deployment.ts";
import { LogReader } from "../logs/reader.ts";
import type { Session } from "../session.ts";
import type { ContractCall } from "../transactions/caller.ts";
import type { WrongChunk } from "./open-sealed.ts";
import { exchangeOf } from "./sale-key.ts";
import { keyHashOf } from "./seal.ts";
import { SALE_STATES, type SaleState } from "./states.ts";

/** What a buyer pledges for: its hash, with chain and contract, is the sale's id. */
export type SaleTerms = ContractFunctionArgs<typeof exchangeAbi, "nonpayable", "pledge">[0];
type Stored = ContractFunctionReturnType<typeof exchangeAbi, "view", "saleOf">;

/** A sale as it is now. */
export interface SaleView extends Omit<Stored, "state"> {
  readonly id: Hex;
  readonly state: SaleState;
  /** The last second for the next step; 0 if there is none yet, or none any more. */
  readonly deadline: number;
}

const TERMS = getAbiItem({ abi: exchangeAbi, name: "pledge" }).inputs[0];

/** The id of the sale with these terms. It is computed here, and not asked of a node. */
export function saleIdOf(deployment: Deployment, terms: SaleTerms): Hex {
  const types = [{ type: "uint256" }, { type: "address" }, TERMS] as const;
  return keccak256(encodeAbiParameters(types, [BigInt(deployment.chainId), exchangeOf(deployment), terms]));
}

/**
 * A sale as it is now.
 * @throws {ChainError} when there is no such sale
 */
export async function readSale(client: PublicClient, deployment: Deployment, id: Hex): Promise<SaleView> {
  const contract = { address: exchangeOf(deployment), abi: exchangeAbi } as const;
  const [stored, deadline] = await Promise.all([
    client.readContract({ ...contract, functionName: "saleOf", args: [id] }),
    client.readContract({ ...contract, functionName: "deadlineOf", args: [id] }),
  ]);
  const state = SALE_STATES[stored.state];
  if (state === "None")
    throw new ChainError(
      "SALE_MISSING",
      `there is no sale ${id} at ${contract.address}; check the id, the chain and the deployment`,
      { sale: id },
    );
  return { ...stored, id, state, deadline: Number(deadline) };
}

/** What an account can claim from the exchange; zero if the deployment has none. */
export async function saleCredit({ client, deployment }: Session, owner: Address): Promise<bigint> {
  const { exchange: address } = deployment;
  if (address === undefined) return 0n;
  return client.readContract({ address, abi: exchangeAbi, functionName: "creditOf", args: [owner] });
}

/** The ids of a task's sales, in their order. */
export async function salesOf(session: Session, task: Hex): Promise<Hex[]> {
  const events = await saleEvents(session, [null, null, task]);
  return events.flatMap((event) => (event.eventName === "Pledged" ? [event.args.sale] : []));
}

async function saleEvents({ deployment, source }: Session, topics: readonly (Hex | null)[]) {
  const { client, logs = new LogReader(client), fromBlock: from } = source;
  const found = await logs.read({ address: exchangeOf(deployment), topics, from });
  return parseEventLogs({ abi: exchangeAbi, logs: found.map((log) => formatLog(log)) });
}

/**
 * The key of a sale that was released.
 * @throws {ChainError} when the node does not show it, or shows another one
 */
export async function releasedKey(session: Session, { id, keyHash }: SaleView): Promise<Hex> {
  const events = await saleEvents(session, [null, id]);
  const [key] = events.flatMap((event) => (event.eventName === "KeyReleased" ? [event.args.key] : []));
  if (key !== undefined && bytesEqual(keyHashOf(fromHex(id), fromHex(key)), fromHex(keyHash))) return key;
  throw new ChainError(
    "ANSWER_FALSE",
    `the node says that the key of sale ${id} was released, and shows ${key ?? "none"}, which is not the one that was offered; name another node with --rpc`,
    { sale: id, expected: keyHash, found: key ?? "none" },
  );
}

/** The call that shows a wrong chunk. */
export function complaintOf(sale: Hex, key: Hex, { index, leaf, ciphertext, path }: WrongChunk): ContractCall {
  const chunk = { index, leaf: toHex(leaf), ciphertext: toHex(ciphertext), path: path.map(toHex) };
  return { contract: "exchange", functionName: "complain", args: [sale, key, chunk] };
}

/**
 * Which call ends a sale now, so that its money is free; `undefined` if none does.
 * @param now in seconds
 * @param caller who would send it: the buyer need not wait until complaints are too late
 * @param sellable whether the task may still end with the seat's claim
 */
export function endingCall(sale: SaleView, now: number, caller: Address, sellable: boolean): ContractCall | undefined {
  const { state, deadline, id, buyer } = sale;
  const late = now > deadline || (state === "Pledged" && !sellable);
  const isBuyer = isAddressEqual(caller, buyer);
  if (state === "Released" && (late || isBuyer)) return { contract: "exchange", functionName: "finish", args: [id] };
  const expires = (state === "Pledged" && deadline > 0) || state === "Offered" || state === "Taken";
  return expires && late ? { contract: "exchange", functionName: "expire", args: [id] } : undefined;
}
