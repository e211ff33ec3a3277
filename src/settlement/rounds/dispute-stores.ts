/** What is shown about stores when a record is disputed on a chain in this process. */
import { bytesEqual } from "../../encoding/bytes.ts";
import { signedIn, unstoredIn } from "../../rounds/blame-stores.ts";
import type { Blame } from "../../rounds/judge.ts";
import type { LeafPlace } from "../../rounds/plan.ts";
import { secondSentences, storeName } from "../../rounds/receipt.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { type RoundsStage, TOO_LONG } from "./stage.ts";
import { twiceSigned } from "./store-calls.ts";

/** A demand that nobody can answer: the recorder loses. */
export async function demanded(
  stage: RoundsStage,
  { round, seat }: LeafPlace,
  reason: "unsigned" | "receipts",
): Promise<Blame[]> {
  await stage.send("challenger", "manager", "demand", [stage.terms, { round, seat }]);
  await stage.pass(TOO_LONG);
  await stage.send("challenger", "manager", "lapse", [stage.terms, { round, seat }]);
  return [{ participant: "recorder", reason }];
}

/** The record lacks receipts of the leaf, or notes for whom the roll of its turn calls absent. */
export async function blamesOfStorage(stage: RoundsStage, record: RoundsRecord, place: LeafPlace): Promise<Blame[]> {
  const unstored = unstoredIn(record, place);
  return unstored ? demanded(stage, unstored, "receipts") : [];
}

/** Stores that have signed two sentences of the place, in this record or in another one of the instance. */
export async function blamesOfStores(
  stage: RoundsStage,
  record: RoundsRecord,
  place: LeafPlace,
  other: RoundsRecord,
): Promise<Blame[]> {
  const { plan, instance } = record;
  const known = bytesEqual(instance.id, other.instance.id) ? [record, other] : [record];
  const blames: Blame[] = [];
  for (const both of secondSentences(plan, instance, signedIn(known, place))) {
    const { functionName, args } = twiceSigned(plan, stage.terms, both, (each) => stage.stored(plan, each));
    await stage.send("challenger", "manager", functionName, args);
    blames.push({ participant: storeName(plan, both[0].store), reason: "equivocation" });
  }
  return blames;
}
