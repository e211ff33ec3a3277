/** `verde task pledge`: sets aside what the final weights of a task are worth. */
import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import type { Hex } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { ChainError, UsageError } from "../../errors/index.ts";
import { formatAmount, parseAmount } from "../../settlement/amount.ts";
import { profileOf } from "../../settlement/deployment.ts";
import { formatDuration, parseDuration } from "../../settlement/duration.ts";
import { saleIdOf, type SaleTerms } from "../../settlement/exchange/sale.ts";
import { PROFILES } from "../../settlement/profile.ts";
import { readTask } from "../../settlement/task.ts";
import { writeLine } from "../output.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { parseTaskId } from "../task/scene.ts";
import { kebab, parseCount, parseSalt } from "../task/terms.ts";
import { allowExchange } from "./scene.ts";

/** How long each step of a sale may take. */
const PERIODS = {
  toOffer: "for the seller's offer, from the end of the task",
  toTake: "for the buyer to fetch, check and take it",
  toRelease: "for the seller to release the key",
  toComplain: "for the buyer to find a wrong chunk",
} as const;
type Period = keyof typeof PERIODS;
const NAMES = Object.keys(PERIODS) as Period[];
/** The contract keeps a time in 24 bits. */
const LONGEST = 2 ** 24 - 1;

export interface PledgeFlags extends SendFlags, Partial<Record<Period, string>> {
  price: string;
  bond?: string;
  seat?: string;
  salt?: string;
  quiet?: boolean;
  approve: boolean;
}

export function addPledgeOptions(command: Command): Command {
  command
    .requiredOption("--price <tokens>", "for each seat: what it is paid for the final weights")
    .option("--bond <tokens>", "what a seller risks; default: the price")
    .option("--seat <n>", "only this seat; default: one sale for each provider")
    .option("--salt <hex>", "makes otherwise equal sales different; default: random")
    .option("--quiet", "print the ids of the sales and nothing else");
  for (const name of NAMES)
    command.option(
      `--${kebab(name)} <time>`,
      `${PERIODS[name]}; default: as the deployment's kind of chain needs, 1d on l1`,
    );
  return command;
}

export async function pledge(id: string, flags: PledgeFlags): Promise<void> {
  if (flags.quiet && (flags.json || flags.dryRun))
    throw new UsageError(
      "SYNTAX",
      "--quiet prints the ids of sales that are pledged; omit --json and --dry-run with it",
    );
  const task = parseTaskId(id);
  const session = await openSession(flags);
  const { deployment, token } = session;
  const sender = await Sender.open(session, flags);
  const { terms, state } = await readTask(session.source, task);
  if (state === "Refunded")
    throw new ChainError("STATE", "the task was refunded, so there are no weights to sell", { state });
  const seats =
    flags.seat === undefined
      ? Array.from({ length: terms.providers }, (_, seat) => seat)
      : [parseCount(flags.seat, "--seat")];
  const price = parseAmount(flags.price, token);
  const salt = flags.salt === undefined ? (toHex(randomBytes(32)) as Hex) : parseSalt(flags.salt);
  const times = { ...defaults(PROFILES[profileOf(deployment)].periods.toAnswer), ...given(flags) };
  const bond = flags.bond === undefined ? price : parseAmount(flags.bond, token);
  const sales = seats.map((seat): SaleTerms => ({ task, salt, buyer: sender.address, seat, price, bond, ...times }));
  await allowExchange(session, sender, price * BigInt(sales.length), flags);
  for (const sale of sales) await sender.send({ contract: "exchange", functionName: "pledge", args: [sale] });
  const made = sales.map((sale) => ({ sale: saleIdOf(deployment, sale), seat: sale.seat }));
  if (flags.quiet) return made.forEach(({ sale }) => writeLine(sale));
  sender.report(
    flags.json ?? false,
    { task, sales: made },
    `${formatAmount(price, token)} wait for each seller. A seat has ${formatDuration(times.toOffer)} for its offer, once the task has ended.`,
    ...made.map(({ sale, seat }) => `Seat ${seat}: ${sale}`),
  );
}

const defaults = (seconds: number): Record<Period, number> =>
  Object.fromEntries(NAMES.map((name) => [name, seconds])) as Record<Period, number>;

function given(flags: PledgeFlags): Partial<Record<Period, number>> {
  const times: Partial<Record<Period, number>> = {};
  for (const name of NAMES) {
    const text = flags[name];
    if (text === undefined) continue;
    const seconds = parseDuration(text);
    if (seconds > LONGEST)
      throw new UsageError("VALUE", `${text} is too long for a step of a sale; give at most 194d`, { found: text });
    times[name] = seconds;
  }
  return times;
}
