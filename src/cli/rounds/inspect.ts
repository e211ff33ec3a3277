/** `verde rounds inspect`: what a record holds, as text, JSON or a picture. */
import { formatAddress } from "../../claims/claim.ts";
import { toHex } from "../../encoding/bytes.ts";
import { byteLength } from "../../encoding/tensor.ts";
import { RoundsError, UsageError } from "../../errors/index.ts";
import { writeResult } from "../../files/replace.ts";
import { disputeRecords } from "../../rounds/dispute.ts";
import { ownerOf } from "../../rounds/judge.ts";
import { type LeafPlace, type Plan, seatName } from "../../rounds/plan.ts";
import { storeName } from "../../rounds/receipt.ts";
import { RoundsRecord } from "../../rounds/record.ts";
import { runOf } from "../../rounds/statement.ts";
import { stateOf } from "../../rounds/template.ts";
import { formatBytes, writeJson, writeLine } from "../output.ts";
import { drawRecord } from "./picture.ts";

interface Flags {
  svg?: string;
  against?: string;
  json?: boolean;
}

export async function inspectRounds(folder: string, { svg, against, json }: Flags): Promise<void> {
  if (against !== undefined && svg === undefined)
    throw new UsageError(
      "CONFLICT",
      "--against marks a leaf in a picture; add --svg FILE, or use `verde rounds dispute`",
    );
  const record = await RoundsRecord.open(folder);
  const wrong = against === undefined ? undefined : await differing(record, against);
  if (svg !== undefined) await writeResult(svg, drawRecord(record, wrong));
  if (json) writeJson(recordJson(record));
  else writeLine(...describe(record), ...(svg === undefined ? [] : [`The picture is in ${svg}.`]));
}

async function differing(record: RoundsRecord, against: string): Promise<LeafPlace | undefined> {
  const result = await disputeRecords(record, await RoundsRecord.open(against));
  if (result.outcome === "undecided") throw new RoundsError("FOREIGN", result.why);
  return result.outcome === "agree" ? undefined : result;
}

/** The bytes of the final state of a seat: what others may fetch of it in a round. */
const portBytes = ({ templates, seats }: Plan, seat: number): number =>
  stateOf(templates[seats[seat].template]).reduce((sum, type) => sum + byteLength(type), 0);

/** Places whose members were away, and the round of the leaf that stands there. */
export function absencesOf(record: RoundsRecord): (LeafPlace & { readonly standing: number })[] {
  const { plan, rolls } = record;
  return rolls.all.flatMap(({ round, turn }) =>
    plan.seats.flatMap((each, seat) => {
      const place = { round, seat };
      return each.turn === turn && record.isAbsent(place) ? [{ ...place, standing: record.standing(place).round }] : [];
    }),
  );
}

/** What each store has signed by a record. Nobody has checked the signatures. */
function storesIn({ plan, sentences }: RoundsRecord) {
  const { all } = sentences;
  return Array.from({ length: plan.storage?.members ?? 0 }, (_, store) => {
    const own = all.filter((each) => each.store === store);
    const receipts = own.filter(({ run }) => run !== undefined).length;
    return { name: storeName(plan, store), receipts, notes: own.length - receipts };
  });
}

/** The stores that have signed a receipt of a place, or a note of absence; nothing in a plan without them. */
function signedBy({ plan, sentences }: RoundsRecord, place: LeafPlace, kind: "receipts" | "notes") {
  if (!plan.storage) return {};
  const own = sentences.at(place).filter(({ run }) => (run !== undefined) === (kind === "receipts"));
  return { [kind]: own.map(({ store }) => storeName(plan, store)) };
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

function recordJson(record: RoundsRecord) {
  const { plan, instance, marks, complete, size } = record;
  return {
    schemaVersion: 1,
    plan: toHex(plan.id),
    name: plan.name,
    rounds: plan.rounds,
    seeds: plan.seeds ?? "plan",
    ...(plan.beacon && {
      beacon: { chain: toHex(plan.beacon.chain), first: plan.beacon.first, every: plan.beacon.every },
    }),
    ...(plan.storage && { storage: { ...plan.storage, stores: storesIn(record) } }),
    complete: Math.max(complete - 1, 0),
    leaves: size,
    instance: toHex(instance.id),
    root: marks.length > 0 ? toHex(marks[marks.length - 1].root) : null,
    recorder: formatAddress(instance.recorder),
    participants: plan.participants.map(({ name }, i) => ({ name, address: formatAddress(instance.owners[i]) })),
    turns: plan.turns.map(({ name, by, members, quorum = members }) => ({ name, by, members, quorum })),
    seats: plan.seats.map((each, seat) => ({ name: seatName(plan, seat), participant: ownerOf(plan, { round: 0, seat }), stateBytes: portBytes(plan, seat), steps: plan.templates[each.template].round.steps })), // prettier-ignore
    statements: record.all.map((statement) => ({ round: statement.round, leaf: seatName(plan, statement.seat), job: toHex(statement.job), run: toHex(runOf(plan, statement)), state: toHex(statement.end), ...signedBy(record, statement, "receipts") })), // prettier-ignore
    rolls: record.rolls.all.map(({ round, turn, present }) => ({ round, turn: plan.turns[turn].name, present })),
    absent: absencesOf(record).map(({ round, seat, standing }) => ({ round, leaf: seatName(plan, seat), participant: ownerOf(plan, { round, seat }), standing, ...signedBy(record, { round, seat }, "notes") })), // prettier-ignore
  };
}

function describe(record: RoundsRecord): string[] {
  const { plan, instance, complete, size, marks } = record;
  const absent = absencesOf(record);
  const turns = plan.turns.map(
    ({ name, by, members, quorum }) =>
      `${name} (${members} ${by}${members === 1 ? "" : "s"}${quorum === undefined ? "" : `, ${quorum} or more in a round`})`,
  );
  return [
    `${plan.name}: ${plan.rounds} rounds of ${turns.join(", ")}.`,
    `plan      ${toHex(plan.id)}`,
    ...(plan.seeds
      ? [`seeds     follow from the record${plan.beacon ? `, and from the beacon ${toHex(plan.beacon.chain)}` : ""}`]
      : []),
    ...(plan.storage
      ? [`storage   ${plan.storage.copies} of ${count(plan.storage.members, "store")} hold each leaf`]
      : []),
    `instance  ${toHex(instance.id)}`,
    ...(marks.length > 0 ? [`record    ${toHex(marks[marks.length - 1].root)}`] : []),
    `leaves    ${size} of ${plan.seats.length * (plan.rounds + 1)}${absent.length === 0 ? "" : `, ${absent.length} absent`}; ${Math.max(complete - 1, 0)} of ${plan.rounds} rounds are whole`,
    ...plan.seats.map((_, seat) => `  ${seatName(plan, seat).padEnd(16)} ${ownerOf(plan, { round: 0, seat }).padEnd(16)} ${formatBytes(portBytes(plan, seat))} of state`), // prettier-ignore
    ...storesIn(record).map(({ name, receipts, notes }) => `  ${name.padEnd(16)} ${"store".padEnd(16)} ${count(receipts, "receipt")}${notes === 0 ? "" : `, ${count(notes, "note")} of absence`}`), // prettier-ignore
    ...absent.map(({ round, seat, standing }) => `absent    ${seatName(plan, seat)} in round ${round}; its leaf of round ${standing} stands`), // prettier-ignore
  ];
}
