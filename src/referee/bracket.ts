/**
 * More than two claims (spec 7.8). Parties with equal claims are one team. The first team meets the second,
 * and the team that stands meets the next. An honest team wins against every other, so it never loses. If all
 * teams lie, one that met nobody may be left.
 */
import { toHex } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";
import { expectComplete, openTrace } from "../trace/index.ts";
import { dispute, type DisputeOptions, type Divergence } from "./dispute.ts";
import { type NamedParty, partiesOf, type PartyInput, type TraceParty } from "./party.ts";

/** The result of a bracket of several claims. */
export interface BracketResult {
  outcome: "agree" | "divergence";
  parties: readonly NamedParty[];
  /** The ids of the parties whose claims were found wrong. */
  losers: readonly string[];
  /** The ids of the team that stands: proven right against every team that it met. */
  standing: readonly string[];
  disputes: readonly Divergence[];
}

/**
 * @param inputs two or more traces of one job, as paths, or as parties with ids that the caller chooses
 * @throws {DisputeError} when they are not comparable
 * @throws {FormatError} for a trace that can't be used
 */
export async function bracket(inputs: readonly PartyInput[], options: DisputeOptions = {}): Promise<BracketResult> {
  const named = partiesOf(inputs);
  const paths = named.map(({ trace }) => trace);
  if (new Set(paths).size !== paths.length)
    throw new DisputeError("DUPLICATE", "a trace is named twice; name each once", { paths });
  const parties: NamedParty[] = [];
  const teams = new Map<string, TraceParty[]>();
  for (const party of named) {
    const { runRoot } = expectComplete(await openTrace(party.trace));
    parties.push({ id: party.id, name: party.name, runRoot });
    teams.set(toHex(runRoot), [...(teams.get(toHex(runRoot)) ?? []), party]);
  }
  const disputes: Divergence[] = [];
  const losers: TraceParty[] = [];
  let standing: readonly TraceParty[] | undefined;
  for (const team of teams.values()) {
    if (!standing) {
      standing = team;
      continue;
    }
    const result = await dispute(standing[0], team[0], options);
    if (result.outcome === "agree")
      throw new DisputeError(
        "CHANGED",
        `${standing[0].name} was changed during the dispute; repeat the dispute when nothing writes to it`,
      );
    disputes.push(result);
    const lost = [standing, team].filter(([{ id }]) => result.losers.includes(id));
    losers.push(...lost.flat());
    standing = [standing, team].find((candidate) => !lost.includes(candidate));
  }
  return {
    outcome: disputes.length > 0 ? "divergence" : "agree",
    parties,
    losers: losers.map(({ id }) => id),
    standing: (standing ?? []).map(({ id }) => id),
    disputes,
  };
}
