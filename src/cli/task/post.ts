/** `verde task post`: posts a job as a task with a reward. */
import type { Command } from "commander";
import { UsageError } from "../../errors/index.ts";
import { ABIS } from "../../settlement/contracts.ts";
import { allowVault } from "../allowance.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { writeLine } from "../output.ts";
import { jobOptions, optionNames } from "../job-options.ts";
import { plain, Sender } from "../send.ts";
import { openSession, type SendFlags } from "../session.ts";
import { formatFields } from "../table.ts";
import { bondOf } from "../../settlement/game/bond.ts";
import { withTimeToPlay } from "../../settlement/terms.ts";
import { provableStep, withGameFields } from "./game.ts";
import { jobTerms } from "./job.ts";
import { termsFields, type TermsFlags, termsFrom } from "./terms.ts";

export interface PostFlags extends SendFlags, TermsFlags {
  approve: boolean;
  commitEvery?: number;
  quiet?: boolean;
  steps?: string;
  seed?: string;
}

export async function post(path: string, rest: readonly string[], flags: PostFlags, command: Command): Promise<void> {
  const { steps, seed, quiet = false } = flags;
  if (quiet && (flags.json || flags.dryRun))
    throw new UsageError("SYNTAX", "--quiet prints the id of a task that is posted; omit --json and --dry-run with it");
  const names = optionNames(command);
  const own = { ...(steps !== undefined && { steps }), ...(seed !== undefined && { seed }) };
  const job = await jobTerms(path, flags.commitEvery, { ...jobOptions(rest, names), ...own }, names);
  const session = await openSession(flags);
  const { client, deployment, token } = session;
  const sender = await Sender.open(session, flags);
  const { committee, game } = deployment;
  const chosen = termsFrom(flags, job.terms, { client: sender.address, committee, game, token });
  const terms = flags.toPlay === undefined ? await withTimeToPlay(client, chosen) : chosen;
  const address = deployment.manager;
  const task = await client.readContract({ address, abi: ABIS.manager, functionName: "taskId", args: [terms] });
  const json = flags.json ?? false;
  const gasBond = await bondOf(client, terms.game);
  const mostExpensive = gasBond === undefined ? undefined : provableStep(job.outline, terms.commitEvery);
  const fields = withGameFields(termsFields(terms, token), gasBond, mostExpensive);
  if (!json && !quiet) writeLine(...formatFields([["name", job.name], ...fields]));
  const escrow = BigInt(terms.providers) * terms.reward;
  await allowVault(session, sender, escrow, flags.approve);
  await sender.send({ contract: "manager", functionName: "post", args: [terms] });
  if (quiet) return writeLine(task);
  const done = `${task} is open: ${formatAmount(escrow, token)} are in escrow, ${terms.providers} seats are free.`;
  sender.report(
    json,
    {
      schemaVersion: 2,
      task,
      name: job.name,
      terms: plain(terms),
      gasBond: plain(gasBond ?? null),
      mostExpensiveStep: mostExpensive ?? null,
    },
    done,
  );
}
