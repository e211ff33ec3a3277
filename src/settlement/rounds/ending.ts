/** The call that ends a performance whose time is over. Anyone may make it. */
import type { ContractCall } from "../transactions/caller.ts";
import type { PerformanceView } from "./performance.ts";
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
