/** Members that are away: rolls, leaves that stand in, quorums, and the same record wherever it is made. */
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { add, toFloat, type Value } from "../../src/job/index.ts";
import { auditRecord, defineRounds, each, parseAway, type Plan, RoundsRecord, runRounds, turn } from "../../src/rounds/index.ts"; // prettier-ignore
import { wordOf } from "../../src/rounds/machine.ts";
import { ownList, sourcesOf } from "../../src/rounds/plan.ts";
import { runOf } from "../../src/rounds/statement.ts";
import { stateOf } from "../../src/rounds/template.ts";
import { roundTermsOf } from "../../src/settlement/rounds/terms.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";
import { membershipPlan } from "./membership-plan.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
const SALT = new Uint8Array(32).fill(5);
const AWAY = ["client-1=2", "client-2=1..2"];
const plan = await membershipPlan.close({ clients: 4 });
const away = AWAY.map((text) => parseAway(plan, text));
const options = { state: path("keys"), salt: SALT, away };

const valuesOf = async (record: RoundsRecord, round: number, seat: number) => {
  const { tensors } = await record.state(record.at({ round, seat })!);
  const types = stateOf(record.plan.templates[record.plan.seats[seat].template]);
  return new Map(types.map(({ name }, i) => [name, Array.from(tensors[i].data)]));
};

describe("a plan with a quorum", () => {
  test("has the id of one without where it asks for all, and others where it does not", async () => {
    const ids = new Set<string>();
    for (const quorum of [1, 2, 3]) ids.add(toHex((await membershipPlan.close({ quorum })).id));
    expect(ids.size).toBe(3);
    const { quorum: _, ...turns } = (await membershipPlan.close({ quorum: 3 })).turns[0];
    expect((await membershipPlan.close({ quorum: 3 })).turns[0]).toEqual(turns);
    // The ids of plans in which nobody may be away are those of earlier versions.
    expect(toHex((await smallPlan.close()).id)).toBe(
      "0x8145f4ad44fa3aaba8f97494395020b36892910088b4c64274f1fb6820648a2c",
    );
  });

  test("is refused where it names no turn, or more members than there are", async () => {
    for (const quorum of [0, 4, 1.5]) await expect(membershipPlan.close({ quorum })).rejects.toThrow(/quorum/);
    const source = { name: "odd", rounds: 1, members: () => ({ worker: 2 }), turns: () => ({ one: turn({ by: "worker", reads: {}, entries: () => ({ x: { dtype: "f32", shape: [1] } }), begin: () => ({}) }) }) } as const; // prettier-ignore
    await expect(defineRounds({ ...source, quorum: () => ({ two: 1 }) }).close()).rejects.toThrow(
      "a quorum of two, which is no turn of it; it has one",
    );
    await expect(defineRounds({ ...source, quorum: () => ({ one: 1 }), data: () => ({ present: { dtype: "i32", shape: [], data: new Int32Array(1) } }) }).close()).rejects.toThrow("has data called present"); // prettier-ignore
  });

  test("has its quorum in the terms of a chain", () => {
    const terms = roundTermsOf(plan, { participants: [] } as unknown as Parameters<typeof roundTermsOf>[1]);
    expect(terms.turns).toEqual([
      { members: 4, first: 0, quorum: 2 },
      { members: 1, first: 4, quorum: 0 },
    ]);
  });

  test.each([
    ["client-1", "is not NAME=ROUND"],
    ["client-9=1", "names nobody; take client-0"],
    ["client-1=0", "has no rounds of the plan"],
    ["client-1=2..9", "has no rounds of the plan"],
    ["client-1=3..2", "has no rounds of the plan"],
    ["server-0=1", "whom the turn merge can't miss"],
  ])("takes no absence like %s", (text, problem) => {
    expect(() => parseAway(plan, text)).toThrow(problem);
  });
});

describe("who is away", () => {
  test("leaves its last leaf standing, is told so when it is back, and does not count in the mean", async () => {
    const record = await runRounds(plan, { ...options, out: path("away") });
    const rolls = record.rolls.all.map(({ round, present }) => [round, present.map(Number).join("")]);
    expect(rolls).toEqual([[1, "1101"], [2, "1001"], [3, "1111"]]); // prettier-ignore
    expect(record.size).toBe(4 * 5 - 3);
    expect(record.complete).toBe(4);
    const server = 4;
    for (const [round, there] of [
      [1, [0, 1, 3]],
      [2, [0, 3]],
      [3, [0, 1, 2, 3]],
    ] as const) {
      const states = await Promise.all(there.map((seat) => valuesOf(record, round, seat)));
      for (const [name, merged] of await valuesOf(record, round, server))
        merged.forEach((value, i) => expect(value, name).toBeCloseTo(states.reduce((sum, state) => sum + state.get(name)![i], 0) / there.length, 6)); // prettier-ignore
    }
    // Client 2 was away for two rounds, so it continues from round 0; the server's places of it are not there.
    const own = sourcesOf(plan, { round: 3, seat: 2 }).findIndex(({ seat }) => seat === 2);
    expect(record.reads({ round: 3, seat: 2 })).toMatchObject({ present: own === 1 ? [1, 0] : [0, 1] });
    expect(record.standing({ round: 2, seat: 2 })).toEqual({ round: 0, seat: 2 });
    expect(record.standing({ round: 2, seat: 1 })).toEqual({ round: 1, seat: 1 });
    expect(record.reads({ round: 2, seat: server }).present).toEqual([1, 0, 0, 1]);
    const { tensors } = ownList(plan, { round: 2, seat: server }, [1, 0, 0, 1]);
    expect(tensors.at(-1)).toMatchObject({ name: "data/present", dtype: "i32", data: Int32Array.of(1, 0, 0, 1) });
    expect(ownList(plan, { round: 0, seat: server }, [0, 0, 0, 0]).tensors.at(-1)!.data).toEqual(Int32Array.of(1, 1, 1, 1)); // prettier-ignore
    // An absence is another word in the tree than the leaf that stands for it.
    const words = new Set([wordOf(record, { round: 2, seat: 2 }), wordOf(record, { round: 0, seat: 2 })].map(toHex));
    expect(words.size).toBe(2);
    expect(words).toContain(toHex(runOf(plan, record.at({ round: 0, seat: 2 })!)));
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [], leaves: 17, executed: 17 });
  });

  test("makes the same record to the byte here and in processes", async () => {
    await runRounds(plan, { ...options, out: path("here"), force: true });
    await runRounds(plan, { ...options, out: path("apart"), participants: "processes" });
    expect(readFileSync(path("apart/record.log"))).toEqual(readFileSync(path("here/record.log")));
    expect(readFileSync(path("apart/plan.cbor"))).toEqual(readFileSync(path("here/plan.cbor")));
    const read = await RoundsRecord.open(path("apart"));
    expect(read.rolls.all).toHaveLength(3);
    expect(await auditRecord(read)).toMatchObject({ liars: [], unavailable: [] });
  });

  test("with nobody away, a mean over those present has the bits of a plain mean", async () => {
    const plain = (await membershipPlan.close({ quorum: 3 })) as Plan;
    const [elastic, fixed] = [await performedRecord(await membershipPlan.close({ quorum: 1 }), path("elastic")), await performedRecord(plain, path("fixed"))]; // prettier-ignore
    expect(elastic.plan.id).not.toEqual(fixed.plan.id);
    // Seeds follow from the plan's id, and are part of the states of the clients.
    for (const { round, seat } of fixed.all) {
      const weights = await valuesOf(elastic, round, seat);
      for (const [name, values] of await valuesOf(fixed, round, seat))
        if (!name.startsWith("rng")) expect(weights.get(name), `${round}/${seat} ${name}`).toEqual(values);
    }
  });

  test("is counted by the program of any turn that reads it, in this round and an earlier one", async () => {
    const counting = (quorum: number) =>
      defineRounds({
        name: "counting",
        rounds: 3,
        members: () => ({ worker: 3, server: 1 }),
        quorum: () => ({ give: quorum }),
        turns: () => ({
          give: turn({
            by: "worker",
            reads: {},
            entries: () => ({ round: { dtype: "i32", shape: [] } }),
            begin: ({ data }) => ({ round: data.round as Value }),
          }),
          count: turn({
            by: "server",
            reads: { gifts: each("give"), earlier: each("give", 1) },
            entries: () => ({ count: { dtype: "f32", shape: [] }, last: { dtype: "f32", shape: [] } }),
            begin: ({ reads: { gifts, earlier } }) => ({
              count: gifts.map((gift) => toFloat(gift.present)).reduce((sum, one) => add(sum, one)),
              last: earlier.map((gift) => toFloat(gift.entry("round"))).reduce((sum, one) => add(sum, one)),
            }),
          }),
        }),
      }).close();
    const counted = await counting(1);
    const record = await performedRecord(counted, path("counting"), [], { away: ({ round, seat }) => round === 2 && seat !== 1 }); // prettier-ignore
    const told = [1, 2, 3].map(async (round) => [...(await valuesOf(record, round, 3)).values()].flat());
    // In round 3 it sees of round 2 one leaf, and two that stand from round 1.
    expect(await Promise.all(told)).toEqual([[3, 0], [1, 3], [3, 4]]); // prettier-ignore
    expect(counted.templates[1].round.lists.at(-1)).toBe(4);
    const all = await counting(3);
    expect(all.templates[1].round.lists.at(-1)).toBe(3);
    const whole = await performedRecord(all, path("counting-all"));
    expect([...(await valuesOf(whole, 3, 3)).values()].flat()).toEqual([3, 6]);
  });
});

describe("a quorum", () => {
  test("that is not there ends the run, which continues when they are back, also after a crash", async () => {
    const few = ["client-0=2", "client-1=2", "client-2=2"].map((text) => parseAway(plan, text));
    const [out, salt] = [path("few"), SALT.map(() => 6)];
    await expect(runRounds(plan, { ...options, salt, away: few, out })).rejects.toMatchObject({
      code: "VERDE_ROUNDS_QUORUM",
      message: expect.stringMatching(/round 2 1 of 4 members of local have delivered, and the plan needs 2; absent: client-0 \(it stays away/) as string, // prettier-ignore
    });
    const record = await runRounds(plan, { ...options, away: few.slice(1), out, resume: true });
    expect(record.rolls.at({ round: 2, turn: 0 })!.present).toEqual([true, false, false, true]);
    const log = readFileSync(path("few/record.log"));
    // At each cut of the last rounds, with the entries of a roll among them; a member that is away may be back by then.
    const rolls = log.length - 400;
    for (const length of [log.length - 1, log.length - 140, log.length - 300, rolls - 37, rolls - 200, rolls - 460]) {
      truncateSync(path("few/record.log"), 0);
      writeFileSync(path("few/record.log"), log.subarray(0, length));
      await runRounds(plan, { ...options, away: few.slice(1), out, resume: true });
      expect(readFileSync(path("few/record.log")), `cut at ${length} of ${log.length}`).toEqual(log);
    }
  });

  test("whose roll was signed before a crash is closed by the same roll, without asking again", async () => {
    const [out, salt] = [path("signed"), SALT.map(() => 7)];
    await runRounds(plan, { ...options, salt, out });
    const log = readFileSync(path("signed/record.log"));
    const at = rollAt(log, 2);
    writeFileSync(path("signed/record.log"), log.subarray(0, at));
    const told: string[] = [];
    // Nobody is away any more.
    const record = await runRounds(plan, { ...options, away: [], out, resume: true, onAbsent: ({ name, why }) => told.push(`${name}: ${why}`) }); // prettier-ignore
    expect(record.rolls.at({ round: 2, turn: 0 })!.present).toEqual([true, false, false, true]);
    expect(told).toEqual(["local-1: it had not delivered", "local-2: it had not delivered"]);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
  });
});

/** The place of the entry of a roll in a log. */
function rollAt(log: Uint8Array, round: number): number {
  const LENGTHS: Readonly<Record<number, number>> = { 1: 169, 2: 101, 3: 12 + 4 + 65 };
  for (let at = 8; at < log.length; at += 1 + LENGTHS[log[at]] + 32)
    if (log[at] === 3 && log[at + 4] === round) return at;
  throw new Error("no roll");
}

describe("the log", () => {
  test("of a record with a roll says where a byte of it was altered, and a cut roll does not count", async () => {
    await runRounds(plan, { ...options, out: path("log") });
    const log = readFileSync(path("log/record.log"));
    const at = rollAt(log, 2);
    const entry = 1 + 12 + 4 + 65 + 32;
    // The kind, each field, each member, the signature, and the hash.
    for (const byte of [0, 1, 4, 5, 8, 9, 12, 13, 14, 15, 16, 17, 81, 82, entry - 1]) {
      const altered = Uint8Array.from(log);
      altered[at + byte] ^= 1;
      writeFileSync(path("log/record.log"), altered);
      await expect(RoundsRecord.open(path("log")), `byte ${byte}`).rejects.toThrow(`was altered at byte ${at}`);
    }
    for (const length of [at + 1, at + 5, at + 12, at + 13, at + 20, at + entry - 1]) {
      writeFileSync(path("log/record.log"), log.subarray(0, length));
      const cut = await RoundsRecord.open(path("log"));
      expect(cut.rolls.at({ round: 2, turn: 0 }), `${length}`).toBeUndefined();
      expect(() => cut.reads({ round: 2, seat: 4 })).toThrow(/no roll of local in round 2/);
      expect(cut.complete).toBe(2);
    }
    expect(await auditRecord(await RoundsRecord.open(path("log")))).toMatchObject({ liars: [], unavailable: [] });
  });
});
