/**
 * Plans whose members come and go, with liars drawn from a seed, the recorder among them: an audit blames nobody
 * honest, and names the recorder if it has lied. A sample in the gate; `VERDE_SWEEP=1` runs 200 plans.
 */
import { describe, expect, test } from "vitest";
import { auditRecord, disputeRecords, parseRoundFault, type Plan, type PlantedFault, type Roll, type RoundsRecord } from "../../src/rounds/index.ts"; // prettier-ignore
import type { RecordMark } from "../../src/rounds/log-entry.ts";
import type { LeafPlace } from "../../src/rounds/plan.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { called, marked, performedRecord, relisted } from "./liars.ts";
import { drawing } from "./draw.ts";
import { membershipPlan } from "./membership-plan.ts";
import { seedsPlan } from "./seeds-plan.ts";

const SEED = 20261201;
const PLANS = process.env.VERDE_SWEEP ? 200 : 4;
const path = temporaryFolder();

/** Who is away: in each round up to as many clients as the quorum allows. */
function absences(plan: Plan, draw: (below: number) => number): (place: LeafPlace) => boolean {
  const { members, quorum = members } = plan.turns[0];
  const missing = Array.from({ length: plan.rounds + 1 }, () => {
    const those = new Set<number>();
    for (let i = draw(members - quorum + 1); i > 0; i--) those.add(draw(members));
    return those;
  });
  return ({ round, seat }) => missing[round].has(seat);
}

/** Participants that lie, each once, in a round in which it is there. */
function faultsOf(plan: Plan, away: (place: LeafPlace) => boolean, draw: (below: number) => number): PlantedFault[] {
  const count = draw(plan.participants.length);
  const liars = new Set<number>();
  while (liars.size < count) liars.add(draw(plan.participants.length));
  return [...liars].flatMap((participant) => {
    const { name, role } = plan.participants[participant];
    const members = plan.participants.length - 1;
    const rounds = Array.from({ length: plan.rounds }, (_, i) => i + 1).filter((round) => !away({ round, seat: participant })); // prettier-ignore
    if (rounds.length === 0) return [];
    const kinds =
      role === "server"
        ? [`presence:${draw(members)}`, `aggregate:${draw(members)}`, `message:entry=${draw(2)},bit=${draw(31)}`]
        : [`presence:${draw(2)}`, `steps:${draw(2)}`, `message:entry=${draw(4)},bit=${draw(31)}`];
    const text = `participant=${name},round=${rounds[draw(rounds.length)]},${kinds[draw(kinds.length)]}`;
    // A source that can't be absent is read as absent all the same: both are other jobs.
    return [parseRoundFault(plan, text)];
  });
}

/** A record as a lying recorder lists it: a roll of a round is another one, is missing, or has a second one. */
function lie(record: RoundsRecord, draw: (below: number) => number): Promise<RoundsRecord> {
  const { rolls, instance, plan } = record;
  if (plan.seeds && draw(2) === 1) return lieOfMark(record, draw);
  const at = rolls.all[draw(rolls.all.length)];
  const member = draw(plan.turns[0].members);
  const other = called(instance, at, at.present.map((each, i) => (i === member ? !each : each))); // prettier-ignore
  const unsigned = called(instance, at, at.present, "server-0");
  const lies: (readonly Roll[])[] = [[other], [at, other], [unsigned], []];
  const chosen = lies[draw(lies.length)];
  return relisted(record, (roll) => (roll === at ? chosen : [roll]));
}

/** The same, with another mark instead of one from which seeds follow, none, or a second one. */
function lieOfMark(record: RoundsRecord, draw: (below: number) => number): Promise<RoundsRecord> {
  const { marks, instance, plan } = record;
  const at = marks[draw(plan.rounds)];
  const other = marked(instance, at.rounds, new Uint8Array(32).fill(draw(256)));
  const lies: (readonly RecordMark[])[] = [[other], [at, other], [other, at], [marked(instance, at.rounds, at.root, "server-0")], []]; // prettier-ignore
  const chosen = lies[draw(lies.length)];
  return relisted(
    record,
    (roll) => [roll],
    marks.flatMap((mark) => (mark === at ? chosen : [mark])),
  );
}

describe(`${PLANS} plans whose members come and go, with the seed ${SEED}`, () => {
  test("blame liars alone, and the recorder if it has lied", { timeout: 2_400_000 }, async () => {
    let [planted, named, lies] = [0, 0, 0];
    for (let i = 0; i < PLANS; i++) {
      const draw = drawing(SEED + i);
      const clients = 2 + draw(4);
      // The seeds of every other plan follow from the record, so its two records are of one performance.
      const fromRecord = i % 2 === 1;
      const plan = await (fromRecord ? seedsPlan : membershipPlan).close({ clients, quorum: 1 + draw(clients - 1), rounds: 2 + draw(2), seed: draw(1000) }); // prettier-ignore
      const away = absences(plan, draw);
      const faults = faultsOf(plan, away, draw);
      const liars = new Set(faults.map(({ seat }) => plan.participants[plan.seats[seat].participant].name));
      const honest = await performedRecord(plan, path(`honest-${i}`), [], { away });
      const performed = await performedRecord(plan, path(`lying-${i}`), faults, { away, salt: fromRecord ? 1 : 2 });
      const recorderLies = draw(2) === 1;
      const record = recorderLies ? await lie(performed, draw) : performed;
      if (recorderLies) liars.add("recorder");
      const what = `plan ${i}: ${JSON.stringify(faults)} ${record.rolls.all.map(({ present }) => present.map(Number).join("")).join(" ")}`; // prettier-ignore
      const audit = await auditRecord(record);
      // What a lying recorder has hidden can't be judged.
      if (!recorderLies) expect(audit.unavailable, what).toEqual([]);
      const found = new Set(audit.liars.map(({ participant }) => participant));
      for (const participant of found) expect(liars, what).toContain(participant);
      expect(found.has("recorder"), what).toBe(recorderLies);
      planted += faults.length;
      named += faults.filter(({ seat }) => found.has(plan.participants[plan.seats[seat].participant].name)).length;
      lies += Number(recorderLies);
      const result = await disputeRecords(honest, record);
      if (result.outcome !== "divergence") continue;
      expect(result.losers, what).not.toContain(0);
      for (const { participant } of result.blames) expect(liars, what).toContain(participant);
      if (!recorderLies) expect(result.losers, what).toEqual([1]);
      expect(await auditRecord(honest), what).toMatchObject({ liars: [], unavailable: [] });
    }
    // Some faults change no bit of what is handed on, and some leaves read what the recorder has hidden.
    expect(named).toBeGreaterThan(planted / 2);
    expect(named).toBeLessThanOrEqual(planted);
    expect(lies).toBeGreaterThan(0);
  });
});
