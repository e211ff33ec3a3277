/** What every command about a sale starts from, and what is due in words. */
import { ChainError } from "../../errors/index.ts";
import { formatAmount, type Token } from "../../settlement/amount.ts";
import { exchangeOf } from "../../settlement/exchange/sale-key.ts";
import { readSale, type SaleView } from "../../settlement/exchange/sale.ts";
import type { SaleState } from "../../settlement/exchange/states.ts";
import type { Session } from "../../settlement/session.ts";
import { readTask, type TaskView } from "../../settlement/task.ts";
import type { ContractCall } from "../../settlement/transactions/caller.ts";
import { allow } from "../allowance.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { parseId } from "../task/scene.ts";
import { timeLeft } from "../task/sentence.ts";

/** What a step of a sale starts from. */
export interface SaleScene {
  readonly session: Session;
  readonly sender: Sender;
  readonly sale: SaleView;
  /** Whether the task has ended without the seat's claim, so that there is nothing to sell. */
  readonly isLost: boolean;
}

/** Whether a task has ended without the claim of a seat. */
export function isLostSeat({ state, seats }: TaskView, index: number): boolean {
  const seat = seats[index];
  return state === "Refunded" || (state === "Final" && (seat === undefined || seat.out || !seat.root));
}

/** @throws {ChainError} when there is no such sale, or no node */
export async function saleSceneOf(id: string, flags: SendFlags): Promise<SaleScene> {
  const wanted = parseId(id, "sale", "verde task pledge");
  const session = await openSession(flags);
  const sender = await Sender.open(session, flags);
  const sale = await readSale(session.client, session.deployment, wanted);
  return { session, sender, sale, isLost: isLostSeat(await readTask(session.source, sale.task), sale.seat) };
}

/** Fails with what the sale waits for instead. The contract makes the final check. */
export async function expectSale(
  { session, sale, isLost }: SaleScene,
  step: string,
  ...states: SaleState[]
): Promise<void> {
  if (states.includes(sale.state)) return;
  throw new ChainError(
    "STATE",
    `the sale is ${sale.state}, so this is not the time to ${step}: ${saleDue(sale, await nowOf(session), isLost)}`,
    { state: sale.state },
  );
}

/** The chain's time in seconds. */
export async function nowOf({ client }: Session): Promise<number> {
  return Number((await client.getBlock()).timestamp);
}

/** Lets the exchange take an amount from the sender, and fails if it may not. */
export function allowExchange(
  session: Session,
  sender: Sender,
  amount: bigint,
  { approve }: { approve: boolean },
): Promise<void> {
  const spender = { name: "exchange", address: exchangeOf(session.deployment) };
  return allow(session, sender, spender, amount, approve);
}

/** What has to happen next, and which command does it. @param isLost whether the seat has nothing to sell */
export function saleDue({ state, deadline }: SaleView, now: number, isLost: boolean): string {
  const late = deadline > 0 && now > deadline;
  const left = timeLeft(deadline, now);
  switch (state) {
    case "Pledged":
      if (isLost) return "the task has ended without the seat's result: `verde task settle` gives the price back";
      if (deadline === 0) return "the task has to end first";
      return late ? "nobody has offered: `verde task settle`" : `the seat may offer: \`verde task sell\` (${left})`;
    case "Offered":
      return late
        ? "the offer was not taken: `verde task settle` burns the price"
        : `the buyer has to check the file and take the offer: \`verde task buy\` (${left})`;
    case "Taken":
      return late
        ? "the key was not released: `verde task settle`"
        : `the seller has to release the key: \`verde task release\` (${left})`;
    case "Released":
      return late
        ? "nobody has shown a wrong chunk: `verde task settle` pays the seller"
        : `the buyer may open the file: \`verde task open\` (${left})`;
    case "Paid":
      return "the seller has the price: `verde task claim` withdraws it";
    case "Returned":
      return "the buyer has the price back: `verde task claim` withdraws it";
    case "Burned":
      return "the offer was not taken, and the price is burned";
    case "None":
      return "nobody has pledged for it";
  }
}

/** Sends one call to the exchange, and reports the sale's new state. */
export async function moveSale(
  { session, sender, sale, isLost }: SaleScene,
  flags: SendFlags,
  call: ContractCall,
  facts: object = {},
  done: readonly string[] = [],
): Promise<void> {
  await sender.send(call);
  const after = await readSale(session.client, session.deployment, sale.id);
  const next = `The sale is ${after.state}: ${saleDue(after, await nowOf(session), isLost)}.`;
  sender.report(flags.json ?? false, { sale: sale.id, state: after.state, ...facts }, ...done, next);
}

/** The sale, for people. @param isLost whether the seat has nothing to sell */
export function saleFields(sale: SaleView, now: number, token: Token, isLost: boolean): [string, string][] {
  const offered = sale.chunks === 0 ? "nothing yet" : `${sale.chunks} chunks, root ${sale.root}`;
  return [
    ["sale", sale.id],
    ["task", `${sale.task}, seat ${sale.seat}`],
    ["buyer", sale.buyer],
    ["price", `${formatAmount(sale.price, token)}, and a bond of ${formatAmount(sale.bond, token)}`],
    ["offered", offered],
    ["state", `${sale.state}: ${saleDue(sale, now, isLost)}`],
  ];
}
