/** `verde task post`: a job becomes a task with a reward. */
import { type PublicClient, zeroAddress } from "viem";
import { ChainError, messageOf } from "../../errors.ts";
import type { Terms } from "../../settlement/task.ts";
import { ABIS } from "../../settlement/contracts.ts";
import { allowVault } from "../allowance.ts";
import { formatAmount } from "../../settlement/amount.ts";
import { writeLine } from "../output.ts";
import { jobOptions } from "../run.ts";
import { plain, Sender } from "../send.ts";
import { openSession, type SendFlags } from "../session.ts";
import { formatFields } from "../table.ts";
import { jobTerms } from "./job.ts";
import { termsFields, type TermsFlags, termsFrom } from "./terms.ts";

export interface PostFlags extends SendFlags, TermsFlags {
  approve: boolean;
  commitEvery?: number;
  steps?: string;
  seed?: string;
}

export async function post(path: string, rest: readonly string[], flags: PostFlags): Promise<void> {
  const { steps, seed } = flags;
  const own = { ...(steps !== undefined && { steps }), ...(seed !== undefined && { seed }) };
  const job = await jobTerms(path, flags.commitEvery, { ...own, ...jobOptions(rest) });
  const session = await openSession(flags);
  const { client, deployment, token } = session;
  const sender = await Sender.open(session, flags);
  const { committee, game } = deployment;
  const chosen = termsFrom(flags, job.terms, { client: sender.address, committee, game, token });
  const terms = flags.toPlay === undefined ? await withTimeToPlay(client, chosen) : chosen;
  const address = deployment.manager;
  const task = await client.readContract({ address, abi: ABIS.manager, functionName: "taskId", args: [terms] });
  const json = flags.json ?? false;
  if (!json) writeLine(formatFields([["name", job.name], ...termsFields(terms, token)]));
  const escrow = BigInt(terms.providers) * terms.reward;
  await allowVault(session, sender, escrow, flags.approve);
  await sender.send({ contract: "manager", functionName: "post", args: [terms] });
  const done = `${task} is open: ${formatAmount(escrow, token)} are in escrow, ${terms.providers} seats are free.`;
  sender.report(json, { task, name: job.name, terms: plain(terms) }, done);
}

/** At least what a game about these terms may take; the manager refuses less. */
async function withTimeToPlay(client: PublicClient, terms: Terms): Promise<Terms> {
  const { game, steps, commitEvery, periods } = terms;
  if (game === zeroAddress) return terms;
  const args = [BigInt(steps), BigInt(commitEvery)] as const;
  const longest = await client
    .readContract({ address: game, abi: ABIS.game, functionName: "longestGame", args })
    .catch((cause: unknown) => {
      throw new ChainError(`${game} is no game (${messageOf(cause).split("\n")[0]})`, { game });
    });
  return { ...terms, periods: { ...periods, toPlay: Math.max(periods.toPlay, Number(longest)) } };
}
