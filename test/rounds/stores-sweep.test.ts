/**
 * Plans with stores, with liars drawn from a seed: participants that compute what is wrong, a recorder that leaves out
 * what stores have signed, stores that sign twice. An audit names the recorder and the stores that have lied, and
 * nobody honest. A sample in the gate; `VERDE_SWEEP=1` runs 200 plans.
 */
import { describe, expect, test } from "vitest";
import { auditRecord, disputeRecords, parseRoundFault, type RoundsRecord, type StoreSentence } from "../../src/rounds/index.ts"; // prettier-ignore
import { notesNeeded } from "../../src/rounds/storage.ts";
import type { RunRoot } from "../../src/trace/commitments.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { drawing } from "./draw.ts";
import { performedRecord, relisted, stored } from "./liars.ts";
import { membershipPlan } from "./membership-plan.ts";

const SEED = 20261204;
const PLANS = process.env.VERDE_SWEEP ? 200 : 4;
const path = temporaryFolder();
type Draw = (below: number) => number;

/** A record that lacks one sentence more than the plan allows for a place: they are missing, broken or another's. */
function lacking(record: RoundsRecord, draw: Draw): Promise<RoundsRecord> {
  const { plan, instance } = record;
  const all = record.sentences.all;
  const { round, seat } = all[draw(all.length)];
  const { members, copies } = plan.storage!;
  const left = (record.isAbsent({ round, seat }) ? notesNeeded(plan.storage!) : copies) - 1;
  const start = draw(members);
  const those = Array.from({ length: left }, (_, i) => (start + i) % members);
  const kind = draw(3);
  return relisted(record, (roll) => [roll], [], [], (each) => {
    if (each.round !== round || each.seat !== seat || those.includes(each.store)) return [each];
    if (kind === 0) return [];
    if (kind === 1) return [{ ...each, signature: each.signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) }];
    return [stored(instance, each, each.store, each.run, "server-0")];
  }); // prettier-ignore
}

/** Second sentences of stores about places, of which some are in the record, and some are shown beside it. */
function seconds(record: RoundsRecord, draw: Draw): { record: Promise<RoundsRecord>; stores: Set<string> } {
  const { instance } = record;
  const all = record.sentences.all;
  const shown: StoreSentence[] = [];
  const listed = new Map<StoreSentence, StoreSentence>();
  const stores = new Set<string>();
  for (let i = draw(3); i > 0; i--) {
    const of = all[draw(all.length)];
    const other = new Uint8Array(32).fill(1 + draw(250)) as Uint8Array as RunRoot;
    const second = stored(instance, of, of.store, of.run && draw(2) === 0 ? undefined : other);
    if (draw(2) === 0) shown.push(second);
    else listed.set(of, second);
    stores.add(`store-${of.store}`);
  }
  const made = relisted(record, (roll) => [roll], [], [], (each) => (listed.has(each) ? [each, listed.get(each)!] : [each])); // prettier-ignore
  return {
    stores,
    record: made.then((one) => {
      for (const each of shown) one.shownSentences.admit(each);
      return one;
    }),
  };
}

describe(`${PLANS} plans with stores, with the seed ${SEED}`, () => {
  test("blame liars alone, and each store and recorder that has lied", { timeout: 2_400_000 }, async () => {
    let [lies, twice] = [0, 0];
    for (let i = 0; i < PLANS; i++) {
      const draw = drawing(SEED + i);
      const clients = 2 + draw(3);
      const stores = 1 + draw(4);
      const plan = await membershipPlan.close({ clients, quorum: 1, rounds: 2, stores, copies: 1 + draw(stores), seed: draw(1000) }); // prettier-ignore
      const gone = [0, draw(clients), draw(clients)];
      const away = ({ round, seat }: { round: number; seat: number }): boolean => round > 0 && seat === gone[round];
      const liar = draw(3) === 0 ? undefined : draw(clients);
      const faults = liar === undefined || gone[1] === liar ? [] : [parseRoundFault(plan, `participant=client-${liar},round=1,message:entry=0,bit=${draw(31)}`)]; // prettier-ignore
      const honest = await performedRecord(plan, path(`honest-${i}`), [], { away });
      const performed = await performedRecord(plan, path(`lying-${i}`), faults, { away, salt: 2 });
      const recorderLies = draw(2) === 1;
      const second = seconds(performed, draw);
      const told = await second.record;
      const record = recorderLies ? await lacking(told, draw) : told;
      if (recorderLies) for (const each of told.shownSentences.all) record.shownSentences.admit(each);
      const liars = new Set([...second.stores, ...faults.map(() => `client-${liar}`), ...(recorderLies ? ["recorder"] : [])]); // prettier-ignore
      const what = `plan ${i}: ${JSON.stringify({ ...plan.storage, faults, liars: [...liars] })}`;
      const audit = await auditRecord(record);
      expect(audit.unavailable, what).toEqual([]);
      const found = new Set(audit.liars.map(({ participant }) => participant));
      for (const participant of found) expect(liars, what).toContain(participant);
      expect(found.has("recorder"), what).toBe(recorderLies);
      // A recorder may hide what a store has signed first, or second.
      if (!recorderLies) for (const store of second.stores) expect(found, what).toContain(store);
      lies += Number(recorderLies);
      twice += second.stores.size;
      expect(await auditRecord(honest), what).toMatchObject({ liars: [], unavailable: [] });
      const result = await disputeRecords(honest, record);
      if (result.outcome !== "divergence") continue;
      expect(result.losers, what).not.toContain(0);
      for (const { participant } of result.blames) expect(liars, what).toContain(participant);
    }
    expect(lies).toBeGreaterThan(0);
    expect(twice).toBeGreaterThan(0);
  });
});
