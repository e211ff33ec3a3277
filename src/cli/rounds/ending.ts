/** Whether a record is whole. */
import type { RoundsRecord } from "../../rounds/record.ts";

/**
 * Where a record ends, in words, if that is before a round is whole.
 * @param last the last round that matters; default: that of the plan
 */
export function endOf({ complete, plan }: RoundsRecord, last = plan.rounds): string | undefined {
  if (complete > last) return undefined;
  return `is not whole: it ends in round ${complete} of ${plan.rounds}. What is missing was cut off, or has to be run with --resume.`;
}
