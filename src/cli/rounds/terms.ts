/** The terms of a performance on a chain, from a file, and in words. */
import { unreadable } from "../../errors/index.ts";
import { readRegularText } from "../../files/regular.ts";
import { type Plan, seatName } from "../../rounds/plan.ts";
import { formatAmount, formatTime, type Token } from "../../settlement/amount.ts";
import { formatDuration } from "../../settlement/duration.ts";
import type { PerformanceView } from "../../settlement/rounds/performance.ts";
import { expectManager, parsePostedRounds, type PostedRounds } from "../../settlement/rounds/terms-file.ts";
import type { RoundTerms } from "../../settlement/rounds/terms.ts";
import type { Session } from "../../settlement/session.ts";
import { openSession } from "../session.ts";
import type { ChainFlags } from "../session-options.ts";

/** @throws {FileError | FormatError} when there is no such file, or it has no terms */
export async function readPosted(file: string): Promise<PostedRounds> {
  const text = await readRegularText(file).catch((cause: unknown) => {
    throw unreadable(`the terms ${file}`, file, cause, "name the file that `verde rounds post` has written");
  });
  return parsePostedRounds(text, file);
}

/** Reads terms, and opens the deployment for which they are. */
export async function openPosted(file: string, flags: ChainFlags): Promise<{ session: Session; posted: PostedRounds }> {
  const posted = await readPosted(file);
  const { terms: _, ...chain } = flags;
  const session = await openSession(chain);
  expectManager(posted, session.deployment);
  return { session, posted };
}

/** What a participant is called in a performance of a plan that is not at hand. */
export function partyName({ participants }: RoundTerms, number: number, plan?: Plan): string {
  return number === participants.length ? "recorder" : (plan?.participants[number].name ?? `participant ${number}`);
}

/** `local-2`, or `seat 3` without the plan. */
export const leafName = (seat: number, plan?: Plan): string => (plan ? seatName(plan, seat) : `seat ${seat}`);

/** Terms for people. @param names of the participants, if they are known */
export function termsFields(terms: RoundTerms, token: Token, names?: readonly string[]): [string, string][] {
  const money = (amount: bigint): string => formatAmount(amount, token);
  const periods = Object.entries(terms.periods).map(([name, seconds]) => `${name} ${formatDuration(seconds)}`);
  return [
    ["client", terms.client],
    ["plan", `${terms.plan}, ${terms.rounds} rounds`],
    ...terms.participants.map((owner, i): [string, string] => [names?.[i] ?? `participant ${i}`, owner]),
    ["recorder", terms.recorder],
    ["stake", `${money(terms.stake)} of each, for a reward of ${money(terms.reward)}`],
    ["challenges", `each with a bond of ${money(terms.bond)}; a demand costs ${money(terms.price)}`],
    ["periods", periods.join(", ")],
  ];
}

/** Where a performance stands, and what it waits for. */
export function stateText({ terms }: PostedRounds, view: PerformanceView): string {
  const { state, deadline, now, joined, open } = view;
  const until = `until ${formatTime(deadline)}`;
  const isOver = now > deadline;
  const missing = joined.flatMap((has, i) => (has ? [] : [partyName(terms, i)]));
  switch (state) {
    case "Joining":
      return isOver ? "Joining: its time is over, `verde rounds close` returns the stakes" : `Joining: ${missing.join(", ")} may join ${until}`; // prettier-ignore
    case "Running":
      return isOver ? "Running: there is no record in time, `verde rounds close` returns the stakes" : `Running: the recorder may post the record ${until}`; // prettier-ignore
    case "Challengeable":
      if (!isOver) return `Challengeable: leaves may be challenged ${until}`;
      return open > 0 ? `Challengeable: ${open} challenges, accusations or demands have not ended` : "Challengeable: nothing is open, `verde rounds close` pays"; // prettier-ignore
    default:
      return state;
  }
}
