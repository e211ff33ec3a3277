/** What a run has seen that its user should know, for people. */
import { describeNoted, isDivergence } from "../graph/outside.ts";
import type { FallbackSummary } from "../trace/fallback.ts";
import type { NotedInRun } from "../trace/observations.ts";
import type { RunResult } from "../trace/run.ts";
import { formatSeconds } from "./output.ts";

/** Lines of each kind; the rest is in the JSON. */
const MOST = 5;

/** Names, texts, and whether something is wrong. */
export function describeObserved({ noted, saturated, outOfRange }: RunResult): [string, string, boolean][] {
  const during = (steps: number): string => (steps === 1 ? "" : `, and in ${steps} steps in all`);
  const ofKind = (name: string, wanted: (found: NotedInRun) => boolean): [string, string, boolean][] =>
    (noted ?? [])
      .filter(wanted)
      .slice(0, MOST)
      .map((found) => {
        const text = `${found.label} ${describeNoted(found)} at training step ${found.step}${during(found.steps)}`;
        return [name, text, true];
      });
  const below = (noted ?? []).filter(({ kind }) => kind === "below");
  const rows: [string, string, boolean][] = [
    ...ofKind("diverged", isDivergence),
    ...saturated
      .slice(0, MOST)
      .map(({ step, tensor }): [string, string, boolean] => [
        "diverged",
        `${tensor} reached 2^127 at training step ${step}`,
        true,
      ]),
    ...ofKind("domain", ({ kind }) => kind === "domain"),
    ...outOfRange
      .slice(0, MOST)
      .map(({ step, label, count }): [string, string, boolean] => [
        "out of range",
        `${count} reads of ${label} at training step ${step} were outside their source`,
        true,
      ]),
  ];
  const [first] = below;
  if (first) {
    const others = below.length === 1 ? "" : `, and ${below.length - 1} more operators`;
    const text = `magnitudes below 2^${first.exponent} in ${first.label} from training step ${first.step} on${others}`;
    rows.push(["counted as 0", text, false]);
  }
  if (!noted) rows.push(["not seen", "numbers outside of ranges: this backend, or an earlier part, can't tell", false]);
  return rows;
}

/** `12 of 417 operators ran on wasm (dropout-mask, positions, …): 0.8 s of 4.1 s` */
export function describeFallback({ operators, of, backend, labels, seconds }: FallbackSummary, total: number): string {
  const names = [...labels.slice(0, 3), ...(labels.length > 3 ? ["…"] : [])].join(", ");
  return `${operators} of ${of} operators ran on ${backend} (${names}): ${formatSeconds(seconds)} of ${formatSeconds(total)}`;
}
