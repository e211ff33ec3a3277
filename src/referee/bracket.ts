/**
 * More than two claims (spec 7.8). Equal claims are one team. The first team meets the second, who stands meets the next:
 * an honest team stands against every other, so it never loses; of teams that all lie, one may be left that nobody met.
 */
import { toHex } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";
import { expectComplete, openTrace } from "../trace/index.ts";
import { dispute, type DisputeOptions, type Divergence } from "./dispute.ts";

export interface BracketResult {
  outcome: "agree" | "divergence";
  /** Traces whose claim was found wrong. */
  losers: readonly string[];
  /** The team that stands: proven right against every team that it met. */
  standing: readonly string[];
  disputes: readonly Divergence[];
}

/**
 * @param paths of two or more traces of one job
 * @throws {DisputeError} when they are not comparable, {FormatError} for a trace that can't be used
 */
export async function bracket(paths: readonly string[], options: DisputeOptions = {}): Promise<BracketResult> {
  if (new Set(paths).size !== paths.length)
    throw new DisputeError("DUPLICATE", "a trace is named twice; name each once", { paths });
  const teams = new Map<string, string[]>();
  for (const path of paths) {
    const root = toHex(expectComplete(await openTrace(path)).runRoot);
    teams.set(root, [...(teams.get(root) ?? []), path]);
  }
  const disputes: Divergence[] = [];
  const losers: string[] = [];
  let standing: readonly string[] | undefined;
  for (const team of teams.values()) {
    if (!standing) {
      standing = team;
      continue;
    }
    const result = await dispute(standing[0], team[0], options);
    if (result.outcome === "agree")
      throw new DisputeError(
        "CHANGED",
        `${standing[0]} has changed while it was disputed; repeat the dispute when nobody writes to it`,
      );
    disputes.push(result);
    const lost = [standing, team].filter(([first]) => result.losers.includes(first));
    losers.push(...lost.flat());
    standing = [standing, team].find((candidate) => !lost.includes(candidate));
  }
  return { outcome: disputes.length > 0 ? "divergence" : "agree", losers, standing: standing ?? [], disputes };
}
