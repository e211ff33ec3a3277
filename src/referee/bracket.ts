/**
 * More than two claims (spec 7.9). Parties with equal run roots are one team. The first team meets the
 * second, and the team that stands meets the next. A team falls when its run root is proven wrong, or when
 * each of its members has lost: a member that answers wrongly says nothing about the others. An honest team
 * stands against every other, so it never falls. If all teams lie, one that met nobody may be left.
 */
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";
import { expectComplete, openTrace } from "../trace/index.ts";
import { dispute, type DisputeOptions, type DisputeResult, type Divergence, type Undecision } from "./dispute.ts";
import { isAddress } from "../formats/http.ts";
import type { RunRoot } from "../trace/commitments.ts";
import { findEquivocation, type SignedOpening } from "./equivocation.ts";
import { type NamedParty, partiesOf, type PartyInput, type TraceParty } from "./party.ts";
import { presentRemote } from "./remote/present.ts";
import type { EquivocationRefuted, Verdict } from "./verdict.ts";
import { encodeEquivocation } from "./verdict-writer.ts";

/** The result of a bracket of several claims. */
export interface BracketResult {
  /** `undecided`: the members of a team that are left gave no answers, so nobody can say who is right. */
  outcome: "agree" | "divergence" | "undecided";
  parties: readonly NamedParty[];
  /** The ids of the parties whose claims were found wrong. */
  losers: readonly string[];
  /** The ids of the team that stands: proven right against every team that it met. */
  standing: readonly string[];
  /** The ids of the parties that gave no answer. */
  silent: readonly string[];
  disputes: readonly (Divergence | Undecision)[];
  /** Keys that signed two roots for one tree, in different disputes. */
  equivocations: readonly EquivocationRefuted[];
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
  const teams = new Map<string, Team>();
  for (const party of named) {
    const runRoot = await rootOf(party, options);
    const team = teams.get(toHex(runRoot)) ?? new Team();
    team.left.push(party);
    teams.set(toHex(runRoot), team);
  }
  const meeting = new Meetings(options);
  let standing: Team | undefined;
  for (const team of teams.values()) {
    if (standing) await meeting.between(standing, team);
    if (!standing || (standing.left.length === 0 && team.left.length > 0)) standing = team;
  }
  const all = [...teams.values()];
  const parties = new Map(meeting.parties.map((party) => [party.id, party]));
  const isOpen = all.some((team) => team.silent.length > 0 && team.left.length === 0 && !team.hasFallen);
  return {
    outcome: meeting.disputes.length === 0 ? "agree" : isOpen ? "undecided" : "divergence",
    parties: await Promise.all(named.map(async (party) => parties.get(party.id) ?? unmet(party, options))),
    losers: all.flatMap(({ fallen }) => fallen.map(({ id }) => id)),
    standing: (standing?.left ?? []).map(({ id }) => id),
    silent: all.flatMap(({ silent }) => silent.map(({ id }) => id)),
    disputes: meeting.disputes,
    equivocations: meeting.equivocations,
  };
}

async function unmet(party: TraceParty, options: DisputeOptions): Promise<NamedParty> {
  return { id: party.id, name: party.name, runRoot: await rootOf(party, options) };
}

async function rootOf({ trace }: TraceParty, { timeout, tokenFor, reach }: DisputeOptions): Promise<RunRoot> {
  if (!isAddress(trace)) return expectComplete(await openTrace(trace)).runRoot;
  const reached = await presentRemote(trace, {
    ...(timeout !== undefined && { timeout }),
    ...(tokenFor && { tokenFor }),
    ...(reach && { reach }),
  });
  await reached.close();
  return reached.runRoot;
}

/** The parties with one run root. */
class Team {
  /** Those that have neither lost nor failed to answer. */
  left: TraceParty[] = [];
  readonly fallen: TraceParty[] = [];
  readonly silent: TraceParty[] = [];
  hasFallen = false;

  /** @param which the members that leave */
  drop(which: (party: TraceParty) => boolean, to: TraceParty[]): void {
    to.push(...this.left.filter(which));
    this.left = this.left.filter((party) => !which(party));
  }
}

/** The disputes between members of teams, one after the other. */
class Meetings {
  readonly disputes: (Divergence | Undecision)[] = [];
  readonly parties: NamedParty[] = [];
  readonly equivocations: EquivocationRefuted[] = [];
  private readonly openings: SignedOpening[] = [];
  private readonly options: DisputeOptions;

  constructor(options: DisputeOptions) {
    this.options = options;
  }

  /** Each dispute removes a member of one team at least. */
  async between(one: Team, other: Team): Promise<void> {
    while (one.left.length > 0 && other.left.length > 0) {
      const [a, b] = [one.left[0], other.left[0]];
      const result: DisputeResult = await dispute(a, b, this.options);
      if (result.outcome === "agree")
        throw new DisputeError(
          "CHANGED",
          `${a.name} was changed during the dispute; repeat the dispute when nothing writes to it`,
        );
      this.disputes.push(result);
      this.parties.push(...result.parties);
      [one, other].forEach((team, side) => this.settle(team, result.parties[side], result));
    }
  }

  private settle(team: Team, party: NamedParty, result: Divergence | Undecision): void {
    const isParty = ({ id }: TraceParty): boolean => id === party.id;
    if (result.outcome === "undecided") {
      if (result.silent.some(({ id }) => id === party.id)) team.drop(isParty, team.silent);
      return;
    }
    this.openings.push(...result.openings.filter(({ run }) => bytesEqual(run, party.runRoot)));
    const found = findEquivocation(this.openings);
    const isKnown = this.equivocations.some((known) => found && known.run === toHex(found.run));
    if (found && !isKnown) this.equivocations.push(encodeEquivocation(found));
    if (result.losers.includes(party.id)) {
      const isRoot = refutesRoot(result.verdict, toHex(party.runRoot));
      team.drop(isRoot ? () => true : isParty, team.fallen);
      if (isRoot) team.hasFallen = true;
    }
    const isBoth = found && party.address && bytesEqual(found.address, party.address);
    if (isBoth && bytesEqual(found.run, party.runRoot)) team.drop(isParty, team.fallen);
    if (team.left.length === 0 && team.silent.length === 0) team.hasFallen = true;
  }
}

function refutesRoot(verdict: Verdict, run: string): boolean {
  return verdict.kind === "proof" && verdict.refuted.some((entry) => entry.run === run && entry.address === null);
}
