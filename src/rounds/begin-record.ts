/** The folder of a record before it has leaves. */
import { makeFolder } from "../files/folder.ts";
import { Blobs } from "./blobs.ts";
import { readInstance, writeInstance } from "./instance-file.ts";
import type { Plan } from "./plan.ts";
import { readPlan, writePlan } from "./plan-file.ts";
import { blobFolder, RoundsRecord } from "./record.ts";
import type { Instance } from "./statement.ts";

/** Begins the folder of a record. */
export async function beginRecord(folder: string, plan: Plan, instance: Instance): Promise<RoundsRecord> {
  const blobs = new Blobs(blobFolder(folder));
  await makeFolder(folder);
  await writePlan(folder, plan, blobs);
  await writeInstance(folder, plan, instance);
  return new RoundsRecord(folder, plan, instance, blobs);
}

/** A record without its statements, for a participant that is sent those that it needs. */
export async function openEmpty(folder: string): Promise<RoundsRecord> {
  const blobs = new Blobs(blobFolder(folder));
  const plan = await readPlan(folder, blobs);
  return new RoundsRecord(folder, plan, await readInstance(folder, plan), blobs);
}
