/** The terms of a task from flags: what is not given follows from what is. */
import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { type Address, getAddress, isAddress, type Hex, toHex, zeroAddress } from "viem";
import { UsageError } from "../../errors/index.ts";
import type { Terms } from "../../settlement/task.ts";
import { formatAmount, formatDuration, parseAmount, parseDuration, type Token } from "../../settlement/amount.ts";
import type { JobTerms } from "./job.ts";

/** Of each state, with what it lasts unless a flag says otherwise. */
const PERIODS = {
  toAccept: ["1d", "until all seats are taken"],
  toCommit: ["2d", "until all providers have committed"],
  toReveal: ["1d", "until all, or a challenger, have revealed"],
  toChallenge: ["1d", "for challenges and demands"],
  toJudge: ["1d", "until the committee's verdict"],
  toEscalate: ["1d", "until a loser brings the dispute before the game"],
  toPlay: ["2d", "until the game's verdict"],
  toAnswer: ["1d", "until a demanded chunk"],
} as const satisfies Record<keyof Terms["periods"], readonly [string, string]>;

export interface TermsFlags extends Partial<Record<keyof Terms["periods"], string>> {
  reward: string;
  providers: string;
  stake?: string;
  bond?: string;
  chunkPrice?: string;
  maxChallenges: string;
  maxDemands: string;
  committee?: string;
  game?: string;
  salt?: string;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export function addTermsOptions(command: Command): Command {
  command
    .requiredOption("--reward <tokens>", "to each provider whose claim stands at the end")
    .option("--providers <n>", "how many run the job, 2 to 16", "2")
    .option("--stake <tokens>", "of each provider; 10 rewards unless given")
    .option("--bond <tokens>", "of a challenger; half the stake unless given")
    .option("--chunk-price <tokens>", "what a demanded chunk costs the client; a tenth of the reward unless given")
    .option("--max-challenges <n>", "how often a claim may be challenged, up to 8", "2")
    .option("--max-demands <n>", "how many chunks the client may demand, up to 64", "3")
    .option("--committee <address>", "who decides disputes, or `none`: then the game; the deployment's unless given")
    .option("--game <address>", "who decides when a loser escalates: an address, or `deployed`; nobody unless given")
    .option("--salt <hex>", "tells equal tasks apart; random unless given");
  for (const [name, [length, what]] of Object.entries(PERIODS))
    command.option(`--${kebab(name)} <time>`, `${what} (default: ${length})`);
  return command;
}

/** @throws {UsageError} for amounts, counts, times and addresses that are none */
export function termsFrom(
  flags: TermsFlags,
  job: JobTerms,
  { client, committee, game, token }: { client: Address; committee: Address; game: Address | undefined; token: Token },
): Terms {
  const amount = (text: string | undefined, otherwise: bigint): bigint =>
    text === undefined ? otherwise : parseAmount(text, token);
  const judges = {
    committee: flags.committee === undefined ? committee : committeeFrom(flags.committee),
    game: gameFrom(flags.game, game),
  };
  if (judges.committee === zeroAddress && judges.game === zeroAddress)
    throw new UsageError("CONFLICT", "--committee none: then disputes are the game's, so name one with --game");
  const reward = parseAmount(flags.reward, token);
  const stake = amount(flags.stake, 10n * reward);
  const periods = Object.entries(PERIODS).map(([name, [length]]) => [
    name,
    parseDuration(flags[name as keyof Terms["periods"]] ?? length),
  ]);
  return {
    client,
    salt: flags.salt === undefined ? toHex(randomBytes(32)) : parseSalt(flags.salt),
    ...job,
    providers: parseCount(flags.providers, "--providers"),
    maxChallenges: parseCount(flags.maxChallenges, "--max-challenges"),
    maxDemands: parseCount(flags.maxDemands, "--max-demands"),
    reward,
    stake,
    bond: amount(flags.bond, stake / 2n),
    chunkPrice: amount(flags.chunkPrice, reward / 10n),
    ...judges,
    periods: Object.fromEntries(periods) as unknown as Terms["periods"],
  };
}

/** @param flag an address, or `none` */
export function committeeFrom(flag: string): Address {
  return flag === "none" ? zeroAddress : parseAddress(flag, "--committee");
}

/** @param flag an address, or `deployed` */
export function gameFrom(flag: string | undefined, deployed: Address | undefined): Address {
  if (flag === undefined) return zeroAddress;
  if (flag !== "deployed") return parseAddress(flag, "--game");
  if (deployed === undefined)
    throw new UsageError("CONFLICT", "--game deployed: the deployment has no game; give its address");
  return deployed;
}

/** @throws {UsageError} for a text that is no address, or whose capitals are those of another one */
export function parseAddress(text: string, what: string): Address {
  if (!isAddress(text))
    throw new UsageError(
      "VALUE",
      `${what} ${text} is not an address: 0x and 40 hexadecimal digits, with a checksum in its capitals`,
      { found: text },
    );
  return getAddress(text);
}

/** @throws {UsageError} for what is no whole number below 256 */
export function parseCount(text: string, what: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255)
    throw new UsageError("VALUE", `${what} ${text} is not a number from 0 to 255; write digits alone`, { found: text });
  return Number(text);
}

function parseSalt(text: string): Hex {
  if (!/^0x[0-9a-f]{64}$/i.test(text))
    throw new UsageError("VALUE", `--salt ${text} is not a salt; write 0x and 64 hexadecimal digits`);
  return text as Hex;
}

/** What the parties agree on, for people. */
export function termsFields(terms: Terms, token: Token): [string, string][] {
  const money = (amount: bigint): string => formatAmount(amount, token);
  const periods = Object.keys(PERIODS).map(
    (name) => `${name} ${formatDuration(terms.periods[name as keyof Terms["periods"]])}`,
  );
  return [
    ["client", terms.client],
    ["job", `${terms.job}, ${terms.steps} steps, a root every ${terms.commitEvery}`],
    ["layout", `${terms.stateLayout}, ${terms.tensors} tensors`],
    [
      "providers",
      `${terms.providers}, each with a stake of ${money(terms.stake)} for a reward of ${money(terms.reward)}`,
    ],
    ["challenges", `up to ${terms.maxChallenges}, each with a bond of ${money(terms.bond)}`],
    ["demands", `up to ${terms.maxDemands} chunks, ${money(terms.chunkPrice)} each`],
    ["committee", terms.committee === zeroAddress ? "none, the game decides" : terms.committee],
    ["game", terms.game === zeroAddress ? "none" : terms.game],
    ["periods", periods.slice(0, 4).join(", ")],
    ["", periods.slice(4).join(", ")],
  ];
}
