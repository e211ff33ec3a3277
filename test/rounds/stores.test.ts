/** Runs of plans with stores: receipts before leaves, notes before absences, crashes, silence, and drills. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RoundsError } from "../../src/errors/index.ts";
import { auditRecord, disputeRecords, parseAway, RoundsRecord, runRounds } from "../../src/rounds/index.ts";
import { parseCensored, parseTwice } from "../../src/rounds/away.ts";
import type { Crew } from "../../src/rounds/crew.ts";
import { crewFor } from "../../src/rounds/crew.ts";
import type { LeafPlace } from "../../src/rounds/plan.ts";
import { isMissed, isStored } from "../../src/rounds/receipt.ts";
import { Signer } from "../../src/rounds/signer.ts";
import { runOf } from "../../src/rounds/statement.ts";
import { checkHeld, type Store } from "../../src/rounds/store.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { membershipPlan } from "./membership-plan.ts";

const path = temporaryFolder();
const SALT = new Uint8Array(32).fill(5);
const plan = await membershipPlan.close({ rounds: 2, stores: 3, copies: 2 });
const away = [parseAway(plan, "client-1=2")];
const options = { state: path("keys"), salt: SALT, away };
await runRounds(plan, { ...options, out: path("first") });
const ABSENT = { round: 2, seat: 1 };
const log = readFileSync(path("first/record.log"));
const liarsOf = async (record: RoundsRecord) =>
  (await auditRecord(record)).liars.map(({ round, name, participant, reason }) => `${round} ${name} ${participant} ${reason}`); // prettier-ignore

/** The entries of a log: their kinds, and where they begin. */
function entriesOf(bytes: Uint8Array): { kind: number; at: number; round: number }[] {
  const LENGTHS: Readonly<Record<number, number>> = { 1: 169, 2: 101, 3: 12 + 3 + 65, 5: 109, 6: 77 };
  const found: { kind: number; at: number; round: number }[] = [];
  for (let at = 8; at < bytes.length; at += 1 + LENGTHS[bytes[at]] + 32) {
    const kind = bytes[at];
    found.push({ kind, at, round: bytes[at + (kind > 4 ? 8 : 4)] });
  }
  return found;
}

describe("a record", () => {
  test("lists a leaf after the receipts of all stores, and a roll after the notes about who was absent", async () => {
    const kinds = entriesOf(log).map(({ kind }) => kind).join(""); // prettier-ignore
    const leaf = "5551";
    expect(kinds).toBe(`${leaf.repeat(4)}2${leaf.repeat(3)}3${leaf}2${leaf.repeat(2)}6663${leaf}2`);
    const record = await RoundsRecord.open(path("first"));
    for (const statement of record.all) {
      const place = { round: statement.round, seat: statement.seat };
      expect(isStored(plan, record.instance, record.sentences.at(place), place, runOf(plan, statement))).toBe(true);
    }
    expect(isMissed(plan, record.instance, record.sentences.at(ABSENT), ABSENT)).toBe(true);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [], leaves: 11 });
  });

  test("is the same to the byte in processes", async () => {
    await runRounds(plan, { ...options, out: path("apart"), participants: "processes" });
    expect(readFileSync(path("apart/record.log"))).toEqual(log);
  });

  test("is the same after a crash at each of its entries, and among them", async () => {
    const entries = entriesOf(log).filter(({ round, kind }) => round === 2 && kind !== 2);
    for (const [i, { at }] of entries.entries()) {
      if (i % 3 !== 0 && !(i >= 8 && i <= 12)) continue;
      writeFileSync(path("first/record.log"), log.subarray(0, at + (i % 2 === 0 ? 0 : 40)));
      await runRounds(plan, { ...options, out: path("first"), resume: true });
      expect(readFileSync(path("first/record.log")), `cut at entry ${i}`).toEqual(log);
    }
  });

  test("has an absence for good once the stores have signed it, whoever is back", async () => {
    const [out, state] = [path("noted"), path("noted-keys")];
    await runRounds(plan, { ...options, state, out });
    const written = readFileSync(join(out, "record.log"));
    const roll = entriesOf(written).findLast(({ kind }) => kind === 3)!;
    writeFileSync(join(out, "record.log"), written.subarray(0, roll.at));
    // As if it had stopped after the notes, and before it signed the roll.
    for (const name of readdirSync(join(state, "rounds"))) {
      const journal = join(state, "rounds", name);
      if (!name.endsWith(".lock")) writeFileSync(journal, readFileSync(journal, "utf8").replace(/^(roll 2|record 3|leaf 2 3|store 2 3) .*\n/gm, "")); // prettier-ignore
    }
    const told: string[] = [];
    const record = await runRounds(plan, { state, out, resume: true, onAbsent: ({ name }) => told.push(name) });
    expect(record.isAbsent(ABSENT)).toBe(true);
    expect(told).toEqual(["local-1"]);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
  });
});

describe("a store", () => {
  test("signs for a leaf that its owner has signed, and whose entries it has, each by its root", async () => {
    const record = await RoundsRecord.open(path("first"));
    const statement = record.at({ round: 1, seat: 0 })!;
    expect(await checkHeld(record, statement)).toEqual(runOf(plan, statement));
    const unsigned = { ...statement, signature: record.at({ round: 1, seat: 2 })!.signature };
    await expect(checkHeld(record, unsigned)).rejects.toThrow("local-0 in round 1 is not signed by its owner, so no store keeps it"); // prettier-ignore
    const { roots } = await record.note(statement);
    const file = record.blobs.fileOf(roots[1]);
    const bytes = readFileSync(file);
    for (const change of [
      () => rmSync(file),
      () =>
        writeFileSync(
          file,
          bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte)),
        ),
    ]) {
      // prettier-ignore
      change();
      // What was read before is in memory.
      const anew = await RoundsRecord.open(path("first"));
      await expect(checkHeld(anew, statement)).rejects.toMatchObject({ code: "VERDE_ROUNDS_UNAVAILABLE" });
    }
    writeFileSync(file, bytes);
    expect(await checkHeld(await RoundsRecord.open(path("first")), statement)).toEqual(runOf(plan, statement));
  });
});

describe("a store that is silent", () => {
  test("is missed while the others are enough, and said; else the run waits for it", async () => {
    const said: string[] = [];
    const silent = { ...options, away: [...away, parseAway(plan, "store-1=1..2")], salt: SALT.map(() => 6) };
    const record = await runRounds(plan, { ...silent, out: path("one"), onSilent: ({ name, why, round, seat }) => said.push(`${round}/${seat} ${name}: ${why}`) }); // prettier-ignore
    expect(said[0]).toBe("1/0 store-1: it stays away, as --away says");
    expect(said).toHaveLength(8);
    expect(record.sentences.at({ round: 1, seat: 0 }).map(({ store }) => store)).toEqual([0, 2]);
    expect(record.sentences.at(ABSENT).map(({ store }) => store)).toEqual([0, 2]);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
    const two = { ...silent, salt: SALT.map(() => 7), away: [...silent.away, parseAway(plan, "store-2=2")] };
    await expect(runRounds(plan, { ...two, out: path("two") })).rejects.toMatchObject({
      code: "VERDE_ROUNDS_QUORUM",
      message: expect.stringContaining("local-0 in round 2: 1 of 3 stores hold it, and the plan asks for 2; silent: store-1 (it stays away, as --away says), store-2 (it stays away") as string, // prettier-ignore
    });
    const later = await runRounds(plan, { ...two, away, out: path("two"), resume: true });
    expect(await auditRecord(later)).toMatchObject({ liars: [], unavailable: [] });
    expect(later.isAbsent(ABSENT)).toBe(true);
  });

  test("ends the run before a turn that misses nobody, with an error that names it", async () => {
    const whole = await membershipPlan.close({ rounds: 1, quorum: 3, stores: 2, copies: 2 });
    const silent = { state: path("keys"), away: [parseAway(whole, "store-1=1")], out: path("whole") };
    await expect(runRounds(whole, silent)).rejects.toMatchObject({
      code: "VERDE_ROUNDS_STORES",
      message: "local-0 in round 1: 1 of 2 stores hold it, and the plan asks for 2; silent: store-1 (it stays away, as --away says); continue with --resume when they are back", // prettier-ignore
    });
    await runRounds(whole, { ...silent, away: [], resume: true });
  });
});

describe("a member whom the recorder does not reach", () => {
  /** The crew of this process, but a member's leaf is lost on its way, and stores do what they are told. */
  async function crewWithout(
    record: RoundsRecord,
    lost: LeafPlace,
    change: (store: Store, i: number) => Partial<Store>,
  ) {
    const signers: Signer[] = [];
    for (const { name } of plan.participants) signers.push(await Signer.open(path("keys"), name));
    const crew = await crewFor(record, { participants: "local", state: path("keys"), out: record.folder, second: new Map() }, signers, () => false); // prettier-ignore
    const stores = crew.stores!.map((store, i) => Object.assign(Object.create(store) as Store, change(store, i)));
    const perform: Crew["perform"] = async (place, ...rest) => {
      const performed = await crew.perform(place, ...rest);
      if (place.round !== lost.round || place.seat !== lost.seat) return performed;
      kept.set("statement", performed.statement);
      throw new RoundsError("PARTICIPANT", "it is cut off");
    };
    return { ...crew, stores, perform };
  }
  const kept = new Map<"statement", NonNullable<ReturnType<RoundsRecord["at"]>>>();
  const run = async (out: string, change: (store: Store, i: number) => Partial<Store>) => {
    const owners = [];
    for (const { name } of plan.participants) owners.push((await Signer.open(path("keys"), name)).address);
    const muster = { owners, crew: (record: RoundsRecord) => crewWithout(record, ABSENT, change) };
    return runRounds(plan, { state: path("keys"), participants: muster, out: path(out) });
  };

  test("is present if a store holds its leaf, which the others then sign too", async () => {
    const record = await run("found", (store, i) => ({ held: async () => (i === 2 ? { statement: kept.get("statement")!, receipt: await store.receipt(kept.get("statement")!) } : undefined) })); // prettier-ignore
    expect(record.isAbsent(ABSENT)).toBe(false);
    expect(record.sentences.at(ABSENT).map(({ store, run }) => [store, run !== undefined])).toEqual([[0, true], [1, true], [2, true]]); // prettier-ignore
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [], leaves: 12 });
  });

  test("is found where its leaf reaches a store after that was asked what it holds", async () => {
    let asked = 0;
    const record = await run("raced", (store, i) => ({
      held: async () => (i === 0 && asked > 0 ? { statement: kept.get("statement")!, receipt: await store.receipt(kept.get("statement")!) } : undefined), // prettier-ignore
      // Both have signed a receipt by then.
      absence: async (place) => {
        asked++;
        if (i < 2) await store.receipt(kept.get("statement")!);
        return store.absence(place);
      },
    }));
    expect(record.isAbsent(ABSENT)).toBe(false);
    expect(record.sentences.at(ABSENT).filter(({ run }) => run !== undefined)).toHaveLength(2);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
  });

  test("is absent where no store has its leaf, and what a store has not signed counts as silence", async () => {
    const record = await run("absent", (store, i) =>
      i === 1
        ? {
            receipt: async (statement) => ({ ...(await store.receipt(statement)), store: 2 }),
            held: async () => { throw new RoundsError("SERVER", "it sends nonsense"); },
            absence: async (place) => ({ ...place, store: 1, signature: new Uint8Array(65) }),
          }
        : {},
    ); // prettier-ignore
    expect(record.isAbsent(ABSENT)).toBe(true);
    expect(record.sentences.all.every(({ store }) => store !== 1)).toBe(true);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
  });
});

describe("a drill", () => {
  const censored = [parseCensored(plan, "client-1=2")];
  const drill = { state: path("keys"), salt: SALT.map(() => 8) };

  test("of a recorder that leaves a member out names the recorder, with and without what the member shows", async () => {
    const record = await runRounds(plan, { ...drill, censored, out: path("censored") });
    expect(record.isAbsent(ABSENT)).toBe(true);
    expect(record.sentences.at(ABSENT)).toEqual([]);
    expect(await liarsOf(record)).toEqual(["2 local-1 recorder receipts"]);
    const shown = await RoundsRecord.open(path("censored"), [path("censored")]);
    expect(shown.shownSentences.at(ABSENT)).toHaveLength(3);
    expect(await liarsOf(shown)).toEqual(["2 local-1 recorder receipts"]);
    const honest = await runRounds(plan, { ...drill, out: path("honest") });
    expect(await disputeRecords(honest, record)).toMatchObject({ round: 2, name: "local-1", losers: [1], absent: [1], blames: [{ participant: "recorder", reason: "receipts", record: 1 }] }); // prettier-ignore
    expect(await disputeRecords(record, honest)).toMatchObject({ losers: [0] });
    await runRounds(plan, { ...drill, censored, out: path("censored"), resume: true });
    expect((await RoundsRecord.open(path("censored"), [path("censored")])).shownSentences.all).toHaveLength(3);
  });

  test("of a store that signs twice names the store alone", async () => {
    const twice = [parseTwice(plan, "store-1=2")];
    const record = await runRounds(plan, { ...drill, twice, out: path("twice") });
    expect(await liarsOf(record)).toEqual([0, 1, 2, 3].map((seat) => `2 ${seat < 3 ? `local-${seat}` : "merge-0"} store-1 equivocation`)); // prettier-ignore
  });

  test("of stores that sign for both names them by what the member shows, and the recorder has enough notes", async () => {
    const twice = ["store-1=2", "store-2=2"].map((text) => parseTwice(plan, text));
    const record = await runRounds(plan, { ...drill, salt: SALT.map(() => 9), censored, twice, out: path("both") });
    const others = (await liarsOf(record)).filter((liar) => liar.includes("local-1"));
    expect(others).toEqual([]);
    const shown = await RoundsRecord.open(path("both"), [path("both")]);
    expect((await liarsOf(shown)).filter((liar) => liar.includes("local-1"))).toEqual(["2 local-1 store-1 equivocation", "2 local-1 store-2 equivocation"]); // prettier-ignore
  });

  test.each([
    [() => parseCensored(plan, "store-1=2"), "is a store, which has no leaves"],
    [() => parseCensored(plan, "server-0=2"), "whom the turn merge can't miss"],
    [() => parseTwice(plan, "client-1=2"), "is no store of the plan"],
    [() => parseTwice(plan, "store-1=0"), "has no rounds of the plan"],
  ])("is refused where it is impossible: %s", (parsed, problem) => expect(parsed).toThrow(problem));

  test("of censorship is refused in a plan without storage", async () => {
    const without = await membershipPlan.close();
    expect(() => parseCensored(without, "client-1=2")).toThrow("can't be seen in a plan without storage");
  });
});
