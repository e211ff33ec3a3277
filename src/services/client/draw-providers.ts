/**
 * A client asks for offers and draws its providers, before it posts its task: the terms' salt commits to the
 * secret of the draw.
 */
import type { Hex } from "viem";
import { plainJson } from "../../encoding/json.ts";
import { TransportError } from "../../errors/index.ts";
import type { Statement } from "../../settlement/identity.ts";
import type { Session } from "../../settlement/session.ts";
import type { Terms } from "../../settlement/task.ts";
import { byTicket, closingBlock, drawn, type Offer } from "../network/draw.ts";
import { MOST_OFFERS } from "../network/messages.ts";
import type { Notes } from "../network/notes.ts";
import { Trusted } from "../network/trusted.ts";
import { freeStake } from "../provider/offers.ts";
import { sleep } from "../provider/sleep.ts";

/** Seconds that it is known who was drawn, after the time for taking seats. */
const REMEMBERED_SECONDS = 3_600;
const LOOK_MILLIS = 500;

export interface DrawOptions {
  session: Session;
  notes: Notes;
  /** Whose the client's key is. */
  statement: Statement;
  task: Hex;
  /** Terms whose salt is `drawSaltOf(secret)`. */
  terms: Terms;
  /** 32 bytes. */
  secret: Hex;
  /** How long offers are waited for. */
  seconds: number;
  /** Whether two providers of one operator may be drawn. */
  together: boolean;
  /** Sends a transaction, which makes a chain for development mine a block. Other chains need none. */
  nudge(): Promise<void>;
  /** Told whenever there are more offers. */
  onOffers?(count: number): void;
}

/**
 * @returns whom it has drawn, after the boards say so
 * @throws {TransportError} OFFERS when too few offer
 */
export async function drawProviders(options: DrawOptions): Promise<{ drawn: readonly Offer[]; offers: number }> {
  const { session, notes, statement, task, terms, secret, seconds, together } = options;
  const { client } = session;
  const lasts = seconds + terms.periods.toAccept + REMEMBERED_SECONDS;
  const closes = Number((await client.getBlock()).timestamp) + seconds;
  await notes.post(
    "wanted",
    task,
    { statement, task, terms: plainJson(terms) as Record<string, unknown>, closes },
    lasts,
  );
  const trusted = new Trusted(session);
  const gather = async (): Promise<Offer[]> => {
    const found: Offer[] = [];
    for (const { author, body } of await notes.read("offers"))
      if (body.task === task && (await trusted.problem(author, body.statement)) === undefined)
        found.push({ owner: body.statement.owner, operator: body.statement.operator });
    return found;
  };
  let seen = 0;
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; await sleep(LOOK_MILLIS)) {
    const { length } = await gather();
    if (length > seen) options.onOffers?.(length);
    seen = Math.max(seen, length);
  }
  const found = await gather();
  let block = await closingBlock(client, closes);
  for (; !block; block = await closingBlock(client, closes)) {
    await options.nudge();
    await sleep(LOOK_MILLIS);
  }
  const facts = { task, secret, blockHash: block.hash };
  // Wallets cost nothing, stakes do: only who could take a seat has a ticket.
  const offers = byTicket(await staked(session, found, terms.stake), facts).slice(0, MOST_OFFERS);
  const chosen = drawn(offers, terms.providers, facts, together);
  const told = { ...facts, block: Number(block.number), together };
  if (chosen.length < terms.providers) {
    // Nobody is drawn, so that those who offered may offer elsewhere.
    await notes.post("draws", task, { ...told, offers: [] }, lasts);
    throw new TransportError(
      "OFFERS",
      `${found.length} providers offer, of whom ${chosen.length} can be drawn, and the task has ${terms.providers} seats; ` +
        "wait longer with --offers-for, or offer more",
      { expected: terms.providers, found: chosen.length },
    );
  }
  await notes.post("draws", task, { ...told, offers }, lasts);
  return { drawn: chosen, offers: offers.length };
}

/** The offers of owners that have the stake for a seat, free. */
async function staked(session: Session, offers: readonly Offer[], stake: bigint): Promise<Offer[]> {
  const free = await Promise.all(offers.map(({ owner }) => freeStake(session, owner)));
  return offers.filter((_, i) => free[i] >= stake);
}
