/** `verde task post`: posts a job as a task with a reward. */
import type { Command } from "commander";
import type { Hex } from "viem";
import { plainJson } from "../../encoding/json.ts";
import { UsageError } from "../../errors/index.ts";
import { taskIdOf } from "../../settlement/commitment.ts";
import { allowVault } from "../allowance.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { reportLine, writeLine } from "../output.ts";
import { jobOptions, optionNames } from "../job-options.ts";
import { Sender } from "../send.ts";
import { openSession } from "../session.ts";
import type { SendFlags } from "../session-options.ts";
import type { Session } from "../../settlement/session.ts";
import type { Terms } from "../../settlement/task.ts";
import { formatFields } from "../table.ts";
import { bondOf } from "../../settlement/game/bond.ts";
import { expectSettleable } from "../../settlement/game/lengths.ts";
import { profileOf } from "../../settlement/deployment.ts";
import { defaultPolicy } from "../../settlement/policy.ts";
import { risksOf } from "../../settlement/risks.ts";
import { longestGame, withTimeToPlay } from "../../settlement/terms.ts";
import { withGameFields } from "./game.ts";
import { isRotating } from "./committee.ts";
import { jobTerms } from "./job.ts";
import { expectFreeSalt, withSalt } from "./salts.ts";
import { nameOwners, policyFor, type SeatRule, seatRuleFrom, seatsText } from "./seats.ts";
import { termsFields, type TermsFlags, termsFrom } from "./terms.ts";

export interface PostFlags extends SendFlags, TermsFlags {
  approve: boolean;
  canary?: string;
  commitEvery?: number;
  quiet?: boolean;
  steps?: string;
  seed?: string;
}

/** A task that can be posted. */
export interface PreparedTask {
  readonly session: Session;
  readonly sender: Sender;
  readonly terms: Terms;
  readonly task: Hex;
  /** What all providers together get, in the token's smallest units. */
  readonly escrow: bigint;
  /** Who may take its seats. */
  readonly seats: SeatRule;
  /** The secret to which the salt commits, where seats are drawn. */
  readonly secret: Hex | undefined;
  /** What `--json` prints. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export async function post(path: string, rest: readonly string[], flags: PostFlags, command: Command): Promise<void> {
  const { quiet = false } = flags;
  if (quiet && (flags.json || flags.dryRun))
    throw new UsageError("SYNTAX", "--quiet prints the id of a task that is posted; omit --json and --dry-run with it");
  const prepared = await prepareTask(path, rest, flags, command);
  await sendTask(prepared, flags.approve);
  if (quiet) return writeLine(prepared.task);
  const { sender, session, escrow, terms, task, facts } = prepared;
  const money = formatAmount(escrow, session.token);
  const done = `${task} is open: ${money} are in escrow, ${terms.providers} seats are free.`;
  sender.report(flags.json ?? false, facts, done);
}

/**
 * Makes a task from the command line, and shows it.
 * @param seats who may take its seats; default: what the command line says
 * @param secret of a draw on a network, to which the salt commits unless the task is a canary
 */
export async function prepareTask(
  path: string,
  rest: readonly string[],
  flags: PostFlags,
  command: Command,
  seats = seatRuleFrom(flags.seats),
  secret?: Hex,
): Promise<PreparedTask> {
  const uses = { canary: flags.canary, drawn: seats.kind === "draw", secret };
  expectFreeSalt(flags.salt, uses);
  const { steps, seed, quiet = false } = flags;
  const names = optionNames(command);
  const own = { ...(steps !== undefined && { steps }), ...(seed !== undefined && { seed }) };
  const job = await jobTerms(path, flags.commitEvery, { ...jobOptions(rest, names), ...own }, names);
  const session = await openSession(flags);
  const { client, deployment, token } = session;
  const sender = await Sender.open(session, flags);
  const { committee, game } = deployment;
  const profile = profileOf(deployment);
  const seatPolicy = policyFor(deployment, seats);
  const chosen = termsFrom(flags, job.terms, { client: sender.address, committee, game, seatPolicy, token, profile });
  const rotates = isRotating(deployment, chosen);
  const timed = flags.toPlay === undefined ? await withTimeToPlay(client, chosen) : chosen;
  const commits = rotates && flags.canary === undefined && flags.salt === undefined && secret === undefined;
  const salted = await withSalt(session, sender, timed, { ...uses, drawn: uses.drawn || commits, rotates });
  const { terms } = salted;
  const task = taskIdOf(deployment, terms);
  const gasBond = await bondOf(client, terms.game);
  const mostExpensive = gasBond === undefined ? undefined : expectSettleable(terms, job.outline, deployment.build);
  const shown = termsFields(terms, token, seatsText(deployment, terms));
  const fields = withGameFields(shown, gasBond, mostExpensive);
  if (!flags.json && !quiet) writeLine(...formatFields([["name", job.name], ...fields]));
  const longest = await longestGame(client, terms);
  for (const { term, value, bound, why } of risksOf(terms, defaultPolicy(flags.profile ?? profile), token, longest))
    reportLine(`verde: providers may refuse this task: ${term} is ${value}, and should be ${bound}: ${why}`);
  const facts = {
    schemaVersion: 2,
    task,
    name: job.name,
    terms: plainJson(terms),
    gasBond: plainJson(gasBond ?? null),
    mostExpensiveStep: mostExpensive ?? null,
  };
  return {
    session,
    sender,
    terms,
    task,
    escrow: BigInt(terms.providers) * terms.reward,
    seats,
    secret: salted.secret,
    facts,
  };
}

/** Posts it, and lets the vault take its reward. Owners are named before anybody can see the task. */
export async function sendTask(prepared: PreparedTask, approve: boolean): Promise<void> {
  const { session, sender, terms, escrow, seats } = prepared;
  await nameOwners(sender, terms, seats.owners);
  await allowVault(session, sender, escrow, approve);
  await sender.send({ contract: "manager", functionName: "post", args: [terms] });
}
