/** `verde rounds post`: posts a plan on a chain, and writes its terms to a file. */
import type { Command } from "commander";
import { type Address, bytesToHex, type Hex } from "viem";
import { plainJson } from "../../encoding/json.ts";
import { UsageError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { exists } from "../../files/regular.ts";
import type { Plan } from "../../rounds/plan.ts";
import { formatAmount, parseAmount } from "../../settlement/amount.ts";
import { profileOf } from "../../settlement/deployment.ts";
import { parseDuration } from "../../settlement/duration.ts";
import { defaultPolicy } from "../../settlement/policy.ts";
import { PROFILES } from "../../settlement/profile.ts";
import { readPerformance } from "../../settlement/rounds/performance.ts";
import { roundRisksOf } from "../../settlement/rounds/risks.ts";
import { encodeTerms, roundTermsOf, type RoundTerms, shownPlan } from "../../settlement/rounds/terms.ts";
import { formatPostedRounds, managerOf, type PostedRounds, postedRounds } from "../../settlement/rounds/terms-file.ts";
import type { Session } from "../../settlement/session.ts";
import { allow } from "../allowance.ts";
import { writeNew } from "../key.ts";
import { reportLine, writeLine } from "../output.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import { formatFields } from "../table.ts";
import { parseAddress, parseSalt } from "../task/terms.ts";
import { type PlanFlags, planOf } from "./plan.ts";
import { readPosted, termsFields } from "./terms.ts";

type Periods = RoundTerms["periods"];

interface Flags extends SendFlags, PlanFlags, Partial<Record<keyof Periods, string>> {
  account: readonly string[];
  recorder: string;
  reward: string;
  stake?: string;
  bond?: string;
  price?: string;
  salt?: string;
  out: string;
  approve: boolean;
}

export async function postRounds(path: string, rest: string[], flags: Flags, command: Command): Promise<void> {
  const plan = await planOf(path, rest, flags, command);
  const participants = accountsFrom(flags.account, plan);
  const session = await openSession(flags);
  const { token, deployment } = session;
  const at = managerOf(deployment);
  const sender = await Sender.open(session, flags);
  const chosen = termsFrom(flags, plan, session, sender.address, participants);
  const posted = (await continued(flags, chosen)) ?? postedRounds(chosen, at);
  const { terms, id } = posted;
  const names = plan.participants.map(({ name }) => name);
  if (!flags.json) writeLine(...formatFields([["name", plan.name], ...termsFields(terms, token, names)]));
  for (const role of ["participant", ...(plan.storage ? (["store"] as const) : []), "recorder"] as const)
    for (const { term, value, bound, why } of roundRisksOf(terms, defaultPolicy(profileOf(deployment)), token, role))
      reportLine(`verde: a ${role} may refuse these terms: ${term} is ${value}, and should be ${bound}: ${why}`);
  // The file is there before the posting: with other terms of the same kind it would be another performance.
  if (!flags.dryRun && !(await exists(flags.out))) await writeNew(flags.out, formatPostedRounds(posted), 0o644);
  const escrow = terms.reward * BigInt(terms.participants.length + 1);
  const facts = {
    instance: id,
    manager: posted.manager,
    file: flags.out,
    escrow: `${escrow}`,
    terms: plainJson(terms),
  };
  if (await isPosted(session, posted))
    return sender.report(flags.json ?? false, facts, `${id} was posted already; its terms are in ${flags.out}.`);
  await allow(session, sender, { name: "vault", address: deployment.roundVault! }, escrow, flags.approve);
  await sender.send({ contract: "roundManager", functionName: "post", args: [terms, ...shownPlan(plan)] });
  const done = `${id} is posted: ${formatAmount(escrow, token)} are in escrow. Its terms are in ${flags.out}: give them to the others.`;
  sender.report(flags.json ?? false, facts, done);
}

/** The terms of a file that an earlier start has written. @throws {UsageError} when they are others */
async function continued({ out, salt }: Flags, chosen: RoundTerms): Promise<PostedRounds | undefined> {
  if (!(await exists(out))) return undefined;
  const before = await readPosted(out);
  const same = salt === undefined ? { ...chosen, salt: before.terms.salt } : chosen;
  if (encodeTerms(same) === encodeTerms(before.terms)) return before;
  throw new UsageError("EXISTS", `${out} has other terms; choose another file with --out, or repeat the options with which it was written`, { out }); // prettier-ignore
}

const isPosted = (session: Session, posted: PostedRounds): Promise<boolean> =>
  readPerformance(session, posted).then(
    () => true,
    (error: unknown) => {
      if ((error as { code?: unknown }).code === "VERDE_CHAIN_ROUNDS_MISSING") return false;
      throw error;
    },
  );

/** @throws {UsageError} when a participant has no account, or there is no such participant */
function accountsFrom(texts: readonly string[], plan: Plan): Address[] {
  const given = new Map<string, Address>();
  for (const text of texts) {
    const [, name, address] = /^([\w-]+)=(0x[0-9a-fA-F]+)$/.exec(text) ?? [];
    if (name === undefined || !plan.participants.some((each) => each.name === name))
      throw new UsageError("VALUE", `--account ${quote(text)} names no participant of the plan; write NAME=ADDRESS with one of ${plan.participants.map((each) => each.name).join(", ")}`, { found: text }); // prettier-ignore
    given.set(name, parseAddress(address, `--account ${name}`));
  }
  return plan.participants.map(({ name }) => {
    const address = given.get(name);
    if (address) return address;
    throw new UsageError("VALUE", `${name} has no account; give it one with --account ${name}=ADDRESS`, { participant: name }); // prettier-ignore
  });
}

function termsFrom(
  flags: Flags,
  plan: Plan,
  { deployment, token }: Session,
  client: Address,
  participants: readonly Address[],
): RoundTerms {
  const amount = (text: string | undefined, fallback: bigint): bigint =>
    text === undefined ? fallback : parseAmount(text, token);
  const reward = parseAmount(flags.reward, token);
  const stake = amount(flags.stake, 10n * reward);
  const { toAccept, toCommit, toChallenge, toAnswer } = PROFILES[profileOf(deployment)].periods;
  const time = (name: keyof Periods, fallback: number): number => {
    const text = flags[name];
    return text === undefined ? fallback : parseDuration(text);
  };
  return roundTermsOf(plan, {
    client,
    salt: flags.salt === undefined ? randomSalt() : parseSalt(flags.salt),
    participants,
    recorder: parseAddress(flags.recorder, "--recorder"),
    stake,
    bond: amount(flags.bond, stake / 2n),
    reward,
    price: amount(flags.price, reward / 10n),
    periods: {
      toJoin: time("toJoin", toAccept),
      toRecord: time("toRecord", toCommit),
      toChallenge: time("toChallenge", toChallenge),
      toAnswer: time("toAnswer", toAnswer),
    },
  });
}

const randomSalt = (): Hex => bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
