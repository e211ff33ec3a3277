/**
 * Plans with liars, drawn from a seed: an audit blames nobody honest, and a dispute with an honest record ends at a
 * liar. A sample in the gate; `VERDE_SWEEP=1` runs 200 plans.
 */
import { describe, expect, test } from "vitest";
import { auditRecord, disputeRecords, parseRoundFault, type Plan, type PlantedFault } from "../../src/rounds/index.ts";
import { runOf } from "../../src/rounds/statement.ts";
import { bytesEqual } from "../../src/encoding/bytes.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { drawing } from "./draw.ts";
import { performedRecord } from "./liars.ts";
import { smallPlan } from "./small-plan.ts";

const SEED = 20261130;
const PLANS = process.env.VERDE_SWEEP ? 200 : 6;
const path = temporaryFolder();

function faultsOf(plan: Plan, draw: (below: number) => number): { faults: PlantedFault[]; liars: Set<string> } {
  const count = 1 + draw(plan.participants.length - 1);
  const names = plan.participants.map(({ name }) => name);
  const liars = new Set<string>();
  while (liars.size < count) liars.add(names[draw(names.length)]);
  const faults = [...liars].map((name) => {
    const round = 1 + draw(plan.rounds);
    const server = name === "server-0";
    const kinds = server
      ? [`aggregate:${draw(plan.participants.length - 1)}`, `message:entry=${draw(2)},bit=${draw(32)}`, `flip:step=0,operator=0,bit=${draw(31)}`, "stale:1"] // prettier-ignore
      : [`steps:${draw(2)}`, `message:entry=${draw(4)},bit=${draw(32)}`, `flip:step=${1 + draw(2)},operator=${draw(12)},bit=${draw(32)}`, "stale:0"]; // prettier-ignore
    const kind = kinds[draw(kinds.length)];
    // In round 1 a client reads round 0, before which there is nothing.
    const at = kind === "stale:0" ? Math.max(round, 2) : round;
    return parseRoundFault(plan, `participant=${name},round=${at},${kind}`);
  });
  return { faults, liars };
}

describe(`${PLANS} plans with one liar or more, with the seed ${SEED}`, () => {
  test("blame liars alone", { timeout: 1_200_000 }, async () => {
    let [planted, named] = [0, 0];
    for (let i = 0; i < PLANS; i++) {
      const draw = drawing(SEED + i);
      const plan = await smallPlan.close({ clients: 2 + draw(4), rounds: 2 + draw(2), seed: draw(1000) });
      const { faults, liars } = faultsOf(plan, draw);
      const what = `plan ${i}: ${JSON.stringify(faults)}`;
      const honest = await performedRecord(plan, path(`honest-${i}`));
      const record = await performedRecord(plan, path(`lying-${i}`), faults);
      const audit = await auditRecord(record);
      expect(audit.unavailable, what).toEqual([]);
      for (const { participant } of audit.liars) expect(liars, what).toContain(participant);
      planted += faults.length;
      named += new Set(audit.liars.map(({ participant }) => participant)).size;
      const differs = record.all.some((each) => !bytesEqual(runOf(plan, each), runOf(plan, honest.at(each)!)));
      const result = await disputeRecords(honest, record);
      expect(result.outcome, what).toBe(differs ? "divergence" : "agree");
      if (result.outcome !== "divergence") continue;
      expect(result.losers, what).toEqual([1]);
      for (const { participant } of result.blames) expect(liars, what).toContain(participant);
      expect(await auditRecord(honest), what).toMatchObject({ liars: [], unavailable: [] });
    }
    // Some flips change no bit of what is handed on.
    expect(named).toBeGreaterThan(planted / 2);
    expect(named).toBeLessThanOrEqual(planted);
  });
});
