/** Values of a drand network in seeds: published values are the truth, and everybody checks what a record has. */
import { readdirSync, readFileSync, truncateSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { type Bytes, bytesEqual, fromHex, toHex, Writer } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import { auditRecord, type Beacon, disputeRecords, drandServers, QUICKNET, RoundsRecord, runRounds } from "../../src/rounds/index.ts"; // prettier-ignore
import { beaconRound, isBeacon, isValueOf, randomnessOf } from "../../src/rounds/beacon.ts";
import { readPlan } from "../../src/rounds/plan-file.ts";
import { originIn } from "../../src/rounds/seeds.ts";
import { Joined } from "../../src/services/rounds/join.ts";
import { musterOn } from "../../src/services/rounds/muster.ts";
import { InProcess } from "../../src/services/transport/in-process.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";
import { seedsPlan } from "./seeds-plan.ts";
import { beaconServer, bodyWith, given, publishedIn, testBeacon } from "./test-beacon.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
const plan = await seedsPlan.close({ published: 1, rounds: 2 });
const options = { state: path("keys"), salt: new Uint8Array(32).fill(5) };

/** Rounds of quicknet as its servers answer them: round, signature, randomness. */
const PUBLISHED = [
  [1000, "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39", "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"],
  [9683710, "b0a8b04e009cf72534321aca0f50048da596a3feec1172a0244d9a4a623a3123d0402da79854d4c705e94bc73224c342", "87f03ef5f62885390defedf60d5b8132b4dc2115b1efc6e99d166a37ab2f3a02"],
] as const; // prettier-ignore

describe("a value", () => {
  test.each(PUBLISHED)("of quicknet's round %i passes, and nothing else does for that round", (at, hex, randomness) => {
    const signature = fromHex(`0x${hex}`, 48);
    const beacon: Beacon = { ...QUICKNET, first: at, every: 1 };
    const value = { round: 1, signature };
    expect(isValueOf(beacon, value)).toBe(true);
    expect(toHex(randomnessOf(value))).toBe(`0x${randomness}`);
    const flipped = (i: number, bit: number) => signature.map((byte, k) => (k === i ? byte ^ bit : byte));
    const others: [Beacon, number, Bytes][] = [
      [beacon, 2, signature],
      [{ ...beacon, first: at + 1 }, 1, signature],
      [{ ...beacon, publicKey: testBeacon.publicKey }, 1, signature],
      // The other root of the point, and other bits.
      ...[0x20, 0x40, 0x80].map((bit): [Beacon, number, Bytes] => [beacon, 1, flipped(0, bit)]),
      [beacon, 1, flipped(47, 1)],
      [beacon, 1, new Uint8Array(48)],
      [beacon, 1, Uint8Array.of(0xc0, ...new Uint8Array(47))],
      [beacon, 1, signature.subarray(1)],
      [beacon, 1, publishedIn(at)],
    ];
    for (const [i, [named, round, bytes]] of others.entries()) expect(isValueOf(named, { round, signature: bytes }), `${i}`).toBe(false); // prettier-ignore
    expect(isValueOf({ ...beacon, first: at - 6, every: 3 }, { round: 3, signature })).toBe(true);
  });

  test("is of the network that the hash names: that is drand's hash of what quicknet says of itself", () => {
    const group = fromHex("0xf477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e", 32);
    const info = new Writer().u32(3).u64(1692803367).bytes(QUICKNET.publicKey).bytes(group);
    expect(toHex(sha256(info.bytes(new TextEncoder().encode("quicknet")).finish()))).toBe(toHex(QUICKNET.chain));
  });

  test("needs a beacon: a point of the group, and whole numbers from 1 on", async () => {
    expect(isBeacon(testBeacon)).toBe(true);
    const wrong = [undefined, {}, { ...testBeacon, first: 0 }, { ...testBeacon, every: 0.5 }, { ...testBeacon, chain: new Uint8Array(31) }, { ...testBeacon, publicKey: new Uint8Array(96) }, { ...testBeacon, publicKey: Uint8Array.of(0xc0, ...new Uint8Array(95)) }]; // prettier-ignore
    for (const [i, each] of wrong.entries()) expect(isBeacon(each), `${i}`).toBe(false);
    await expect(seedsPlan.close({ published: 1, seeds: "plan" })).rejects.toThrow("whose values no seeds need");
  });
});

describe("a plan with a beacon", () => {
  test("has an id that binds all of it, and is read as it was written", async () => {
    const without = await seedsPlan.close({ rounds: 2 });
    expect(bytesEqual(plan.id, without.id)).toBe(false);
    const record = await performedRecord(plan, path("bound"));
    expect((await readPlan(path("bound"), record.blobs)).beacon).toEqual(testBeacon);
    expect(beaconRound(testBeacon, 2)).toBe(15);
  });

  test("draws from the values that its servers publish, waits for one, and has the same record everywhere", async () => {
    const waits: number[] = [];
    let tooEarly = 2;
    const [late, lying, good] = [await beaconServer(() => 500), await beaconServer((round) => bodyWith(round, publishedIn(round + 1))), await beaconServer((round) => (round === 15 && tooEarly-- > 0 ? 425 : bodyWith(round, publishedIn(round))))]; // prettier-ignore
    closing.push(late.close, lying.close, good.close);
    const beacon = drandServers([lying.url, good.url], (round) => waits.push(round));
    const record = await runRounds(plan, { ...options, beacon, out: path("local") });
    expect(waits).toEqual([15]);
    const read = await RoundsRecord.open(path("local"));
    expect(await auditRecord(read)).toMatchObject({ liars: [], unavailable: [], leaves: 12 });
    for (const round of [1, 2]) {
      const words = new Writer()
        .u8(0x22)
        .bytes(record.instance.id)
        .u32(round)
        .bytes(record.marks[round - 1].root);
      expect(originIn(read, round)).toEqual(sha256(words.bytes(sha256(publishedIn(5 + 5 * round))).finish()));
    }
    await runRounds(plan, { ...options, beacon: given, out: path("apart"), participants: "processes" });
    const transport = new InProcess();
    for (const { name } of plan.participants) {
      const joined = await Joined.open({ transport, plan, participant: name, out: path(`own/${name}`), state: path("keys"), backend: "wasm" }); // prettier-ignore
      closing.push(() => joined.close());
    }
    await runRounds(plan, { ...options, beacon: given, out: path("network"), participants: await musterOn({ transport, plan }) }); // prettier-ignore
    const log = readFileSync(path("local/record.log"));
    for (const folder of ["apart", "network"]) {
      expect(readFileSync(path(`${folder}/record.log`)), folder).toEqual(log);
      expect(readdirSync(path(`${folder}/blobs`)).sort()).toEqual(readdirSync(path("local/blobs")).sort());
    }
    // A value that is in the log is not asked for again.
    truncateSync(path("local/record.log"), log.length - 1);
    const never = (): Promise<never> => Promise.reject(new Error("asked again"));
    await runRounds(plan, { ...options, beacon: never, out: path("local"), resume: true });
    expect(readFileSync(path("local/record.log"))).toEqual(log);
  });

  test("is not run without a server, nor with one that lies", async () => {
    await expect(runRounds(plan, { ...options, out: path("none") })).rejects.toThrow("name a server that has them with --beacon"); // prettier-ignore
    const lying = await beaconServer((round) => bodyWith(round, publishedIn(round + 1)));
    const empty = await beaconServer(() => "[]");
    closing.push(lying.close, empty.close);
    const run = runRounds(plan, { ...options, out: path("none"), resume: true, beacon: drandServers([lying.url, empty.url]) }); // prettier-ignore
    await expect(run).rejects.toThrow(/no server has the beacon's round 10, which round 1 needs: .* sent a value that is not that of round 10; /); // prettier-ignore
    await expect(runRounds(plan, { ...options, out: path("none"), resume: true, beacon: async () => publishedIn(11) })).rejects.toThrow("is not its value"); // prettier-ignore
  });
});

describe("a record with a beacon", () => {
  test("shows the recorder that has no value for a round, or another one, and nobody else", async () => {
    const honest = await performedRecord(plan, path("honest"));
    expect(await auditRecord(honest)).toMatchObject({ liars: [], unavailable: [] });
    const names = ["local-0", "local-1", "local-2", "merge-0"];
    for (const [what, signature] of [
      ["none", undefined],
      ["another", publishedIn(16)],
    ] as const) {
      const content = { statements: honest.all, rolls: honest.rolls.all, marks: honest.marks, beacons: [{ round: 1, signature: publishedIn(10) }, ...(signature ? [{ round: 2, signature }] : [])], end: 0, hash: options.salt }; // prettier-ignore
      const record = new RoundsRecord(honest.folder, plan, honest.instance, honest.blobs, content);
      const { liars } = await auditRecord(record);
      expect(liars.map(({ round, name, participant, reason }) => [round, name, participant, reason]), what).toEqual(names.map((name) => [2, name, "recorder", "record"])); // prettier-ignore
    }
    expect(await disputeRecords(honest, honest)).toMatchObject({ outcome: "agree" });
    const foreign = { statements: [], rolls: [], marks: [], beacons: [{ round: 3, signature: publishedIn(20) }], end: 0, hash: options.salt }; // prettier-ignore
    expect(() => new RoundsRecord(path("x"), plan, honest.instance, honest.blobs, foreign)).toThrow("for which the plan needs none"); // prettier-ignore
  });
});
