/** The calls that end what has run out of time: a performance, and questions in it. Anyone may make them. */
import type { Address } from "viem";
import type { LeafPlace } from "../../rounds/plan.ts";
import type { ContractCall } from "../transactions/caller.ts";
import type { PerformanceView } from "./performance.ts";
import { askedIn, isOver, type Question, QUESTIONS } from "./questions.ts";
import type { PostedRounds } from "./terms-file.ts";

/** @returns nothing while the time runs, something is open, or it has ended already */
export function endingCall(
  { terms }: PostedRounds,
  { state, deadline, now, open }: PerformanceView,
): ContractCall | undefined {
  // prettier-ignore
  if (now <= deadline) return undefined;
  const ends = (functionName: string): ContractCall => ({ contract: "roundManager", functionName, args: [terms] });
  if (state === "Joining" || state === "Running") return ends("cancel");
  return state === "Challengeable" && open === 0 ? ends("close") : undefined;
}

/**
 * The calls by which an account convicts who has not answered. It leaves itself to others.
 * @param numbers under which the account is in the performance
 */
export function unanswered(
  account: Address,
  numbers: readonly number[],
  posted: PostedRounds,
  { now, out }: PerformanceView,
  questions: readonly Question[],
): { place: LeafPlace; call: ContractCall }[] {
  return questions
    .filter((question) => {
      const asked = askedIn(posted, question);
      return !numbers.includes(asked) && isOver(question, account, now, out[asked]);
    })
    .map(({ kind, round, seat }) => {
      const place = { round, seat };
      return { place, call: { contract: "roundManager", functionName: QUESTIONS[kind].end, args: [posted.terms, place] } }; // prettier-ignore
    });
}
