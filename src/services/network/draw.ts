/**
 * The draw of a task's providers among those that offer. The terms' salt commits to a secret of the client,
 * which is published before anybody offers; the block that ends the offers adds what nobody knew. Who knows
 * the secret and the offers can repeat the draw.
 *
 * It binds the client less than it may seem: the client says which offers it has seen.
 */
import { type Address, concat, type Hex, isAddressEqual, keccak256, type PublicClient, stringToHex } from "viem";
import { drawSaltOf } from "../../settlement/secrets.ts";
import type { Body } from "./messages.ts";

/** A provider that offers. */
export interface Offer {
  readonly owner: Address;
  readonly operator: Address;
}

const [SEED, TICKET] = ["Verde draw seed 1", "Verde draw ticket 1"].map((text) => keccak256(stringToHex(text)));

/** From what tickets follow: the task, the client's secret, and the block that ends the offers. */
interface DrawFacts {
  readonly task: Hex;
  readonly secret: Hex;
  readonly blockHash: Hex;
}

/** Offers in the order of their tickets, one for each owner. */
export function byTicket(offers: readonly Offer[], { task, secret, blockHash }: DrawFacts): Offer[] {
  const seed = keccak256(concat([SEED, task, secret, blockHash]));
  const ticketOf = ({ owner }: Offer): bigint => BigInt(keccak256(concat([TICKET, seed, owner])));
  const owners = new Map(offers.map((offer) => [offer.owner.toLowerCase(), offer]));
  const tickets = [...owners.values()].map((offer) => ({ offer, ticket: ticketOf(offer) }));
  return tickets.sort((a, b) => (a.ticket < b.ticket ? -1 : 1)).map(({ offer }) => offer);
}

/**
 * Draws providers: each offer has a ticket, and the lowest win.
 * @param together whether two of one operator may be drawn
 * @returns as many as there are seats, or all that may be drawn if that are fewer
 */
export function drawn(
  offers: readonly Offer[],
  seats: number,
  { task, secret, blockHash }: DrawFacts,
  together: boolean,
): Offer[] {
  const chosen: Offer[] = [];
  for (const offer of byTicket(offers, { task, secret, blockHash })) {
    const isKnown = chosen.some(({ operator }) => isAddressEqual(operator, offer.operator));
    if (chosen.length < seats && (together || !isKnown)) chosen.push(offer);
  }
  return chosen;
}

/**
 * The block that ends the offers: the first one whose time is not before the end. It is looked for among the
 * last 512 blocks.
 * @returns nothing as long as there is none
 */
export async function closingBlock(
  client: PublicClient,
  closes: number,
): Promise<{ number: bigint; hash: Hex } | undefined> {
  let block = await client.getBlock();
  if (Number(block.timestamp) < closes) return undefined;
  for (let looks = 0; looks < 512 && block.number > 0n; looks++) {
    const before = await client.getBlock({ blockNumber: block.number - 1n });
    if (Number(before.timestamp) < closes) break;
    block = before;
  }
  return { number: block.number, hash: block.hash };
}

/** Why a draw does not hold; `undefined` if it does. */
export async function drawProblem(
  client: PublicClient,
  draw: Body<"draws">,
  { salt, closes }: { readonly salt: Hex; readonly closes: number },
): Promise<string | undefined> {
  if (drawSaltOf(draw.secret) !== salt) return "its secret is not the one that the terms commit to";
  const number = BigInt(draw.block);
  const [block, before] = await Promise.all([
    client.getBlock({ blockNumber: number }),
    number > 0n ? client.getBlock({ blockNumber: number - 1n }) : undefined,
  ]);
  if (block.hash !== draw.blockHash) return `block ${draw.block} has another hash`;
  const isFirst = Number(block.timestamp) >= closes && (!before || Number(before.timestamp) < closes);
  return isFirst ? undefined : `block ${draw.block} is not the one that ends the offers`;
}
