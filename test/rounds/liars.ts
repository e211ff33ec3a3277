/** Records in which somebody lies, without running a plan again: statements are replaced or signed by others. */
import { signDigest } from "../../src/claims/signature.ts";
import { addressOf } from "../../src/claims/signature.ts";
import type { Bytes } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import type { Backend } from "../../src/repops/backends/backend.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { misread, misseeded, type PlantedFault } from "../../src/rounds/fault.ts";
import { LeafRunner } from "../../src/rounds/leaf.ts";
import { LogWriter } from "../../src/rounds/log.ts";
import type { RecordMark } from "../../src/rounds/log-entry.ts";
import { type LeafClaim, type LeafPlace, leafRoot, type Plan, templateOf } from "../../src/rounds/plan.ts";
import { beginRecord } from "../../src/rounds/begin-record.ts";
import { logFile, RoundsRecord } from "../../src/rounds/record.ts";
import { missingDigest, storedDigest, type StoreSentence } from "../../src/rounds/receipt.ts";
import { isRolled, type Roll, rollDigest, turnOf, type TurnPlace } from "../../src/rounds/roll.ts";
import { markBefore, needsMark, originIn } from "../../src/rounds/seeds.ts";
import {
  type Instance,
  instanceOf,
  leafDigest,
  recordDigest,
  runOf,
  type Statement,
} from "../../src/rounds/statement.ts";
import { recordClaim } from "../../src/rounds/machine.ts";
import type { RunRoot } from "../../src/trace/commitments.ts";
import { given } from "./test-beacon.ts";

/** The key of a party. */
export const secretOf = (name: string): Bytes => sha256(new TextEncoder().encode(`rounds ${name}`));

export function testInstance(plan: Plan, salt = 1): Instance {
  const owners = plan.participants.map(({ name }) => addressOf(secretOf(name)));
  return instanceOf({
    plan: plan.id,
    salt: new Uint8Array(32).fill(salt),
    owners,
    recorder: addressOf(secretOf("recorder")),
  });
}

/** A statement of a leaf, signed by its owner or by somebody else. */
export function stated(plan: Plan, instance: Instance, place: LeafPlace, claim: LeafClaim, by?: string): Statement {
  const owner = plan.participants[plan.seats[place.seat].participant].name;
  const digest = leafDigest(instance, place, leafRoot(templateOf(plan, place), claim));
  const { job, start, end } = claim;
  return { ...place, job, start, end, signature: signDigest(digest, secretOf(by ?? owner)) };
}

/** A roll, signed by the recorder or by somebody else. */
export function called(instance: Instance, at: TurnPlace, present: readonly boolean[], by = "recorder"): Roll {
  return { ...at, present, signature: signDigest(rollDigest(instance, at, present), secretOf(by)) };
}

/** What a store signs about a place, or somebody else does: a receipt of a run, or a note of absence. */
export function stored(
  instance: Instance,
  { round, seat }: LeafPlace,
  store: number,
  run?: RunRoot,
  by = `store-${store}`,
): StoreSentence {
  const digest = run ? storedDigest(instance, { round, seat }, run) : missingDigest(instance, { round, seat });
  return { round, seat, store, ...(run && { run }), signature: signDigest(digest, secretOf(by)) };
}

/** Has all stores sign of a place that they hold its leaf, or have none. */
function storedBy({ plan, instance, sentences }: RoundsRecord, place: LeafPlace, statement?: Statement): void {
  for (let store = 0; store < (plan.storage?.members ?? 0); store++)
    sentences.admit(stored(instance, place, store, statement && runOf(plan, statement)));
}

/** What the recorder signs of a record, or somebody else does. */
export function marked(instance: Instance, rounds: number, root: Bytes, by = "recorder"): RecordMark {
  return { rounds, root, signature: signDigest(recordDigest(instance, rounds, root), secretOf(by)) };
}

/** Signs the rounds of a record that has all their leaves. */
export function mark(record: RoundsRecord): void {
  for (let rounds = record.marks.length + 1; rounds <= record.complete; rounds++) {
    record.marks.push(marked(record.instance, rounds, recordClaim(record, rounds)));
  }
}

/**
 * The record as its recorder lists it with other rolls. Who has read leaves shows them, and the rolls and the
 * mark that it read.
 * @param marks that it has signed; default those of the new list
 * @param more statements that it lists beside
 * @param sentences of stores, each as it is listed
 */
export async function relisted(
  record: RoundsRecord,
  rolls: (roll: Roll) => readonly Roll[],
  marks: readonly RecordMark[] = [],
  more: readonly Statement[] = [],
  sentences: (sentence: StoreSentence) => readonly StoreSentence[] = (sentence) => [sentence],
): Promise<RoundsRecord> {
  const { folder, plan, instance, blobs, all } = record;
  const content = { statements: [...all, ...more], rolls: record.rolls.all.flatMap(rolls), marks, beacons: [...record.beacons.values()], sentences: record.sentences.all.flatMap(sentences), end: 0, hash: new Uint8Array() }; // prettier-ignore
  const other = new RoundsRecord(folder, plan, instance, blobs, content);
  for (const statement of all) {
    const { read: _, ...note } = await record.note(statement);
    const shown = needsMark(plan, statement.round) ? markBefore(record, statement.round) : undefined;
    await other.writeNote(statement, { ...note, read: record.sources(statement), rolls: record.reads(statement).asked, ...(shown && { mark: shown }) }); // prettier-ignore
  }
  if (marks.length === 0) mark(other);
  return other;
}

/** Who copies, and from which seat. */
interface Copy extends LeafPlace {
  readonly of: number;
}

/** Who reads another leaf than the plan says: one of its sources, and the seat of this round instead. */
interface Misread extends LeafPlace {
  readonly source: number;
  readonly instead: number;
}

/**
 * A record that is kept in a folder, without journals: its participants sign whatever they compute. Leaves before the
 * first fault are taken `from` another record of the plan, where one is given. Who copies hands on what another seat has
 * handed on in that round. Who `reads` wrongly computes from another leaf of it. Who is `away` makes no leaf. The recorder
 * signs the roots that `marks` have for as many rounds.
 */
export async function performedRecord(
  plan: Plan,
  folder: string,
  faults: readonly PlantedFault[] = [],
  { salt = 1, instance = testInstance(plan, salt), backend = wasm, from, copy, reads, marks = {}, away = () => false }: { salt?: number; instance?: Instance; backend?: Backend; from?: RoundsRecord; copy?: Copy; reads?: Misread; marks?: Readonly<Record<number, Bytes>>; away?: (place: LeafPlace) => boolean } = {}, // prettier-ignore
): Promise<RoundsRecord> {
  const record = await beginRecord(folder, plan, instance);
  const runner = new LeafRunner(backend);
  let same = from;
  for (let round = 0; round <= plan.rounds; round++) {
    if (plan.beacon && round > 0) record.beacons.set(round, { round, signature: await given(plan.beacon, round) });
    for (const seat of plan.seats.keys()) {
      const place = { round, seat };
      const turn = turnOf(plan, place);
      const { member } = plan.seats[seat];
      const isThere = !isRolled(plan, turn) || !away(place);
      const close = (): void => {
        if (!isThere) storedBy(record, place);
        if (!isRolled(plan, turn) || member !== plan.turns[turn.turn].members - 1) return;
        const present = plan.seats.flatMap((each, i) => (each.turn === turn.turn ? [record.at({ round, seat: i }) !== undefined] : [])); // prettier-ignore
        record.rolls.admit(called(instance, turn, present));
      };
      if (!isThere) {
        close();
        continue;
      }
      const planted = faults.find((each) => each.round === round && each.seat === seat);
      const copied = copy?.round === round && copy.seat === seat ? record.at({ round, seat: copy.of }) : undefined;
      const misled = reads?.round === round && reads.seat === seat ? reads : undefined;
      if (planted || copied || misled) same = undefined;
      if (same) {
        const claim = same.at(place)!;
        const { roots, tensors } = await same.state(claim);
        await record.blobs.put(tensors, roots);
        await record.writeNote(place, await same.note(place));
        record.admit(stated(plan, instance, place, claim));
        storedBy(record, place, record.at(place));
        close();
        continue;
      }
      const derived = record.reads(place);
      const read = planted ? misread(plan, planted, derived) : derived;
      const places = read.places.map((each) => record.standing(each));
      if (misled) places[misled.source] = { round, seat: misled.instead };
      const states = [];
      for (const [i, statement] of record.statements(places).entries())
        states.push({ ...(await record.state(statement)), absent: read.present[i] === 0 });
      const made = await runner.run(plan, place, states, { origin: misseeded(plan, originIn(record, round), planted?.fault), fault: planted?.fault }); // prettier-ignore
      if (copied) {
        const { roots: others, tensors } = await record.state(copied);
        Object.assign(made, { roots: others, state: tensors, end: copied.end });
      }
      const { roots, state, metrics, ...claim } = made;
      await record.blobs.put(state, roots);
      await record.writeNote(place, { roots, metrics, ...(planted && { fault: planted.fault }) });
      record.admit(stated(plan, instance, place, claim));
      storedBy(record, place, record.at(place));
      close();
    }
    const root = marks[round + 1];
    if (root) record.marks.push(marked(instance, round + 1, root));
    else mark(record);
  }
  await runner.close();
  return record;
}

/** Writes the log of a record, so that it can be opened from its folder. */
export async function writeRecordLog({ folder, all, second, rolls, marks, sentences }: RoundsRecord): Promise<void> {
  const log = await LogWriter.open(logFile(folder));
  for (const sentence of sentences.all) await log.sentence(sentence);
  for (const statement of [...all, ...second]) await log.statement(statement);
  for (const roll of [...rolls.all, ...rolls.second]) await log.roll(roll);
  for (const mark of marks) await log.mark(mark);
}
