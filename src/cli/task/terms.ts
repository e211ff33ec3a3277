/** The terms of a task from flags. Terms that are not given follow from those that are. */
import { type Command, Option } from "commander";
import { type Address, getAddress, isAddress, type Hex, zeroAddress } from "viem";
import { UsageError } from "../../errors/index.ts";
import type { Terms } from "../../settlement/task.ts";
import { formatAmount, parseAmount, type Token } from "../../settlement/amount.ts";
import { formatDuration, parseDuration } from "../../settlement/duration.ts";
import type { JobTerms } from "../../settlement/job-terms.ts";
import { type ProfileName, PROFILES } from "../../settlement/profile.ts";
import { termsOf } from "../../settlement/terms.ts";

/** How long each stage of a task may last. */
const PERIODS = {
  toAccept: "until all seats are taken",
  toCommit: "until all providers have committed",
  toReveal: "until all providers, and later all challengers, have revealed",
  toChallenge: "for challenges and demands",
  toJudge: "until the committee's verdict",
  toEscalate: "until a loser takes the dispute to the game",
  toPlay: "until the game's verdict",
  toAnswer: "until a demanded chunk is delivered, and for demands after challenges",
} as const satisfies Record<keyof Terms["periods"], string>;
const NAMES = Object.keys(PERIODS) as (keyof Terms["periods"])[];

export interface TermsFlags extends Partial<Record<keyof Terms["periods"], string>> {
  reward: string;
  providers: string;
  stake?: string;
  bond?: string;
  chunkPrice?: string;
  maxDemands: string;
  committee?: string;
  game?: string;
  salt?: string;
  seats?: string;
  profile?: ProfileName;
}

/** The option that names the kind of chain. */
export const profileOption = (description: string): Option =>
  new Option("--profile <kind>", description).choices(Object.keys(PROFILES));

/** The name of an option: `toReveal` is `to-reveal`. */
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export function addTermsOptions(command: Command): Command {
  command
    .requiredOption("--reward <tokens>", "for each provider whose claim stands at the end")
    .option("--providers <n>", "how many providers run the job, 2 to 16", "2")
    .option("--stake <tokens>", "the stake of each provider; default: 10 rewards")
    .option("--bond <tokens>", "the bond of a challenger; default: half the stake")
    .option("--chunk-price <tokens>", "what a demanded chunk costs the client; default: a tenth of the reward")
    .option("--max-demands <n>", "how many chunks the client may demand, up to 64", "3")
    .option("--committee <address>", "who decides disputes; `none` leaves them to the game; default: the deployment's")
    .option("--game <address>", "who decides when a loser escalates: an address, or `deployed`; default: no game")
    .option("--seats <who>", "who may take seats: `anyone`, `drawn`, or addresses, as 0x1…,0x2…; default: anyone")
    .option("--salt <hex>", "makes otherwise equal tasks different; default: random")
    .addOption(profileOption("the kind of chain, from which default periods follow; default: the deployment's"));
  for (const name of NAMES) {
    const length = formatDuration(PROFILES.l1.periods[name]).replaceAll(" ", "");
    command.option(`--${kebab(name)} <time>`, `${PERIODS[name]} (default: ${length}, on l1)`);
  }
  return command;
}

/** What terms follow from, in addition to the flags. */
interface Surroundings {
  readonly client: Address;
  /** The deployment's committee, game and profile. */
  readonly committee: Address;
  readonly game: Address | undefined;
  /** The contract that says who may take seats. Default: none. */
  readonly seatPolicy?: Address;
  readonly profile: ProfileName;
  readonly token: Token;
}

/** @throws {UsageError} for invalid amounts, counts, times and addresses */
export function termsFrom(
  flags: TermsFlags,
  job: JobTerms,
  { client, committee, game, seatPolicy = zeroAddress, token, profile }: Surroundings,
): Terms {
  const amount = (text: string | undefined): bigint | undefined =>
    text === undefined ? undefined : parseAmount(text, token);
  const judges = {
    committee: flags.committee === undefined ? committee : committeeFrom(flags.committee),
    game: gameFrom(flags.game, game),
  };
  if (judges.committee === zeroAddress && judges.game === zeroAddress)
    throw new UsageError("CONFLICT", "with --committee none the game decides disputes; name one with --game");
  const periods = NAMES.flatMap((name) => (flags[name] === undefined ? [] : [[name, parseDuration(flags[name])]]));
  return termsOf(job, {
    client,
    ...judges,
    seatPolicy,
    salt: flags.salt === undefined ? undefined : parseSalt(flags.salt),
    providers: parseCount(flags.providers, "--providers"),
    maxDemands: parseCount(flags.maxDemands, "--max-demands"),
    reward: parseAmount(flags.reward, token),
    stake: amount(flags.stake),
    bond: amount(flags.bond),
    chunkPrice: amount(flags.chunkPrice),
    periods: {
      ...PROFILES[flags.profile ?? profile].periods,
      ...(Object.fromEntries(periods) as Partial<Terms["periods"]>),
    },
  });
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
    throw new UsageError("CONFLICT", "--game deployed, but the deployment has no game; give the address of one");
  return deployed;
}

/** @throws {UsageError} for a text that is not an address, or whose capitals (the checksum) are wrong */
export function parseAddress(text: string, what: string): Address {
  if (!isAddress(text))
    throw new UsageError(
      "VALUE",
      `${what} ${text} is not an address; write 0x and 40 hexadecimal digits, with the right checksum in its capitals`,
      { found: text },
    );
  return getAddress(text);
}

/** @throws {UsageError} if the text is not a whole number below 256 */
export function parseCount(text: string, what: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 255)
    throw new UsageError("VALUE", `${what} ${text} is not a number from 0 to 255; write only digits`, { found: text });
  return Number(text);
}

/** @throws {UsageError} for a text that is not 32 bytes */
export function parseSalt(text: string): Hex {
  if (!/^0x[0-9a-f]{64}$/i.test(text))
    throw new UsageError("VALUE", `--salt ${text} is not a salt; write 0x and 64 hexadecimal digits`);
  return text as Hex;
}

/** The terms, for people. @param seats who may take them */
export function termsFields(terms: Terms, token: Token, seats: string): [string, string][] {
  const money = (amount: bigint): string => formatAmount(amount, token);
  const periods = NAMES.map((name) => `${name} ${formatDuration(terms.periods[name])}`);
  return [
    ["client", terms.client],
    ["job", `${terms.job}, ${terms.steps} training steps, a root every ${terms.commitEvery}`],
    ["layout", `${terms.stateLayout}, ${terms.tensors} tensors`],
    [
      "providers",
      `${terms.providers}, each with a stake of ${money(terms.stake)} for a reward of ${money(terms.reward)}`,
    ],
    ["seats", `${seats}, one for each owner`],
    ["challenges", `any number in one window, each with a bond of ${money(terms.bond)}`],
    ["demands", `up to ${terms.maxDemands} chunks, ${money(terms.chunkPrice)} each`],
    ["committee", terms.committee === zeroAddress ? "none, the game decides" : terms.committee],
    ["game", terms.game === zeroAddress ? "none" : terms.game],
    ["periods", periods.slice(0, 4).join(", ")],
    ["", periods.slice(4).join(", ")],
  ];
}
