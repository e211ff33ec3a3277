/** A record whose seeds follow from it, and from a beacon, is fetched with all that they follow from. */
import { cpSync } from "node:fs";
import { expect, test } from "vitest";
import { auditRecord, RoundsRecord, runRounds } from "../../../src/rounds/index.ts";
import { LogWriter } from "../../../src/rounds/log.ts";
import { logFile } from "../../../src/rounds/record.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { seedsPlan } from "../../rounds/seeds-plan.ts";
import { given, publishedIn } from "../../rounds/test-beacon.ts";
import { contentOf, fetched, servedFrom } from "./fetched.ts";

const path = temporaryFolder();
const plan = await seedsPlan.close({ published: 1, rounds: 2 });
const record = await runRounds(plan, { state: path("keys"), out: path("own"), beacon: given });
const { id: instance } = record.instance;

test("has the beacon's values and the marks, to the byte", async () => {
  const transport = await servedFrom(record.folder);
  expect(await fetched({ transport, instance, out: path("fetched") })).toMatchObject({ isWhole: true, lacking: [] });
  expect(contentOf(path("fetched"))).toEqual(contentOf(record.folder));
  const read = await RoundsRecord.open(path("fetched"));
  expect(read.beacons.size).toBe(2);
  expect(await auditRecord(read)).toMatchObject({ liars: [], unavailable: [], leaves: 12 });
});

/** The record with other values of the beacon at the beginning of round 1. */
async function withValues(name: string, values: { round: number; published: number }[]): Promise<string> {
  const folder = path(name);
  cpSync(record.folder, folder, { recursive: true });
  const log = await LogWriter.open(logFile(folder));
  for (let round = 0; round <= plan.rounds; round++) {
    if (round === 1) for (const { round: of, published } of values) await log.beacon({ round: of, signature: publishedIn(published) }); // prettier-ignore
    for (const statement of record.all) if (statement.round === round) await log.statement(statement);
    for (const mark of record.marks) if (mark.rounds === round + 1) await log.mark(mark);
  }
  return folder;
}

test.each([
  ["another", [{ round: 1, published: 11 }], "another value of the beacon for round 1"],
  ["one-of-another-round", [{ round: 2, published: 15 }], "a value of a beacon for round 2 where round 1"],
  ["one-twice", [{ round: 1, published: 10 }, { round: 1, published: 10 }], "a value of a beacon for round 1 where round 1"], // prettier-ignore
])("with %s is refused", async (name, values, problem) => {
  const transport = await servedFrom(await withValues(name, values));
  await expect(fetched({ transport, instance, out: path(`${name}-fetched`) })).rejects.toThrow(problem);
});
