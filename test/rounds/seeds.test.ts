/** Seeds that follow from the record: nobody has them before the round, and every way of running has the same. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { bytesEqual, toHex, Writer } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import { auditRecord, disputeRecords, parseAway, RoundsRecord, runRounds } from "../../src/rounds/index.ts";
import { deriveJob, ownList } from "../../src/rounds/plan.ts";
import { readPlan } from "../../src/rounds/plan-file.ts";
import { originIn } from "../../src/rounds/seeds.ts";
import { Joined } from "../../src/services/rounds/join.ts";
import { musterOn } from "../../src/services/rounds/muster.ts";
import { InProcess } from "../../src/services/transport/in-process.ts";
import { roundTermsOf } from "../../src/settlement/rounds/terms.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord, testInstance } from "./liars.ts";
import { membershipPlan } from "./membership-plan.ts";
import { seedsPlan } from "./seeds-plan.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
const SALT = new Uint8Array(32).fill(5);
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
const plan = await seedsPlan.close();
const away = [parseAway(plan, "client-1=2")];
const options = { state: path("keys"), salt: SALT, away };
const local = await runRounds(plan, { ...options, out: path("local") });

/** The slow reference: the words of a seed by the specification's sentence, with Node's own hash. */
function wordsByTheClause(record: RoundsRecord, round: number, seat: number): number[] {
  const head = new Writer().u8(0x22).bytes(record.instance.id).u32(round);
  const root = record.marks.find((mark) => mark.rounds === round)?.root;
  const origin = sha256((root && round > 0 ? head.bytes(root) : head).finish());
  const hash = sha256(new Writer().u8(0x20).bytes(origin).u32(round).u32(seat).finish());
  return Array.from({ length: 8 }, (_, i) => new DataView(hash.buffer, hash.byteOffset).getInt32(4 * i));
}

const seedOf = (record: RoundsRecord, round: number, seat: number): number[] =>
  Array.from(ownList(record.plan, { round, seat }, undefined, originIn(record, round)).tensors.find(({ name }) => name === "data/seed")!.data); // prettier-ignore

describe("a plan", () => {
  test("has the id that it had, unless its seeds follow from the record, which its id binds", async () => {
    const [first, second] = [await seedsPlan.close({ seeds: "plan" }), await seedsPlan.close()];
    expect(first.seeds).toBeUndefined();
    expect(second.seeds).toBe("record");
    expect(toHex(first.id)).not.toBe(toHex(second.id));
    expect([toHex((await smallPlan.close()).id), toHex((await membershipPlan.close()).id)]).toEqual([
      "0x8145f4ad44fa3aaba8f97494395020b36892910088b4c64274f1fb6820648a2c",
      "0xc34f87c97a9edbb96e83335ee5ca269dac41ac0fd0d2a8359a22298725589d34",
    ]);
    await expect(seedsPlan.close({ seeds: "chance" })).rejects.toThrow('the seeds of draws follow from the text "chance"; write "plan" or "record"'); // prettier-ignore
    const read = await readPlan(path("local"), local.blobs);
    expect([read.seeds, toHex(read.id)]).toEqual(["record", toHex(second.id)]);
  });

  test("needs the record for a job, and is performed on no chain", () => {
    expect(() => deriveJob(plan, { round: 1, seat: 0 }, [])).toThrow("the seeds of draws follow from its record");
    const turns = plan.turns.map(({ name, by, members }) => ({ name, by, members }));
    expect(() => roundTermsOf({ ...plan, turns }, {} as never)).toThrow('take seeds: "plan", or perform the plan on no chain'); // prettier-ignore
  });
});

describe("a seed", () => {
  test("is that of the specification, and another one in each round and seat", () => {
    const seen = new Set<string>();
    for (let round = 0; round <= plan.rounds; round++)
      for (const seat of plan.seats.keys()) {
        const words = seedOf(local, round, seat);
        expect(words, `${round} ${seat}`).toEqual(wordsByTheClause(local, round, seat));
        seen.add(words.join());
      }
    expect(seen.size).toBe(16);
  });

  test("is another one by another salt, and where somebody was away in the round before", async () => {
    const other = await runRounds(plan, { ...options, salt: new Uint8Array(32).fill(6), out: path("other") });
    for (let round = 0; round <= 3; round++) expect(seedOf(other, round, 0)).not.toEqual(seedOf(local, round, 0));
    const all = await runRounds(plan, { ...options, away: [], out: path("all"), state: path("keys-of-all") });
    const same = await performedRecord(plan, path("same"));
    const missed = await performedRecord(plan, path("missed"), [], { away: ({ round, seat }) => round === 2 && seat === 1 }); // prettier-ignore
    for (let round = 0; round <= 3; round++)
      expect(seedOf(same, round, 0).join() === seedOf(missed, round, 0).join(), `${round}`).toBe(round < 3);
    expect(await auditRecord(all)).toMatchObject({ liars: [], unavailable: [] });
  });

  test("is not to be had before the recorder has signed the round before", () => {
    const cut = new RoundsRecord(path("local"), plan, local.instance, local.blobs, { statements: local.all, rolls: local.rolls.all, marks: local.marks.slice(0, 2) }); // prettier-ignore
    expect(bytesEqual(originIn(cut, 2)!, originIn(local, 2)!)).toBe(true);
    expect(() => originIn(cut, 3)).toThrow("no signature of the recorder over the rounds before round 3");
  });
});

describe("a record", () => {
  const leavesOf = (folder: string) =>
    readdirSync(path(`${folder}/rounds`), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".leaf"))
      .sort()
      .map((name) => [name, readFileSync(path(`${folder}/rounds/${name}`)).toString("hex")]);
  const expectLocal = (folder: string): void => {
    expect(readFileSync(path(`${folder}/record.log`))).toEqual(readFileSync(path("local/record.log")));
    expect(readdirSync(path(`${folder}/blobs`)).sort()).toEqual(readdirSync(path("local/blobs")).sort());
    expect(leavesOf(folder)).toEqual(leavesOf("local"));
  };

  test("is right, and the same to the byte from processes and over a network", async () => {
    expect(await auditRecord(await RoundsRecord.open(path("local")))).toMatchObject({ liars: [], unavailable: [], leaves: 15 }); // prettier-ignore
    await runRounds(plan, { ...options, participants: "processes", out: path("apart") });
    expectLocal("apart");
    const transport = new InProcess();
    for (const { name } of plan.participants) {
      const joined = await Joined.open({ transport, plan, participant: name, out: path(`own/${name}`), state: path("keys"), backend: "wasm" }); // prettier-ignore
      closing.push(() => joined.close());
    }
    await runRounds(plan, { ...options, participants: await musterOn({ transport, plan }), out: path("network") });
    expectLocal("network");
  });

  test("is continued from wherever its log was cut, also between the rounds", async () => {
    await runRounds(plan, { ...options, out: path("cut") });
    const log = readFileSync(path("cut/record.log"));
    for (const length of [9, 800, Math.floor(log.length / 2), log.length - 200, log.length - 1]) {
      truncateSync(path("cut/record.log"), 0);
      writeFileSync(path("cut/record.log"), log.subarray(0, length));
      await runRounds(plan, { ...options, out: path("cut"), resume: true });
      expectLocal("cut");
    }
  });

  test("of another performance can't be compared leaf by leaf, and one of the same performance can", async () => {
    const [a, b] = [await performedRecord(plan, path("a")), await performedRecord(plan, path("b"), [], { salt: 2 })];
    const found = await disputeRecords(a, b);
    expect(found).toMatchObject({ outcome: "undecided", why: expect.stringContaining("audit each of them") as string });
    expect(await disputeRecords(b, b)).toEqual({ outcome: "agree", rounds: 4 });
    expect(toHex(b.instance.id)).toBe(toHex(testInstance(plan, 2).id));
  });
});
