/** Plans with stores, and what stores sign: ids, files, digests, and that a store signs one sentence for a place. */
import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { decode, encode } from "cborg";
import { hashTypedData } from "viem";
import { describe, expect, test } from "vitest";
import { signDigest } from "../../src/claims/signature.ts";
import { type Bytes, toHex, Writer } from "../../src/encoding/bytes.ts";
import { merkleRoot } from "../../src/encoding/merkle.ts";
import { SPEC_VERSION } from "../../src/encoding/tags.ts";
import type { Overrides } from "../../src/job/options.ts";
import { defineRounds, type RoundsSource, turn } from "../../src/rounds/index.ts";
import { beginRecord } from "../../src/rounds/begin-record.ts";
import { LogWriter, readLog } from "../../src/rounds/log.ts";
import { roundBytes } from "../../src/rounds/log-entry.ts";
import { type Plan, planLeaves } from "../../src/rounds/plan.ts";
import { planDifference } from "../../src/rounds/plan-difference.ts";
import { readPlan } from "../../src/rounds/plan-file.ts";
import { isMissed, isStored, isStores, missingDigest, notesOf, participantOfStore, receiptsOf, sameSentence, secondSentences, storedDigest, storeName, type StoreSentence, StoreSentences } from "../../src/rounds/receipt.ts"; // prettier-ignore
import { logFile, RoundsRecord } from "../../src/rounds/record.ts";
import { Signer } from "../../src/rounds/signer.ts";
import type { RunRoot } from "../../src/trace/commitments.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { secretOf, testInstance } from "./liars.ts";
import { membershipPlan } from "./membership-plan.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
const plan = await membershipPlan.close({ stores: 3, copies: 2 });
const instance = testInstance(plan);
const PLACE = { round: 1, seat: 0 };
const runs = [1, 2].map((i) => new Uint8Array(32).fill(i) as Uint8Array as RunRoot);

/** What a store signs, by its key or another one. */
function sentence(
  store: number,
  run?: RunRoot,
  { by = `store-${store}`, place = PLACE, of = instance } = {},
): StoreSentence {
  const digest = run ? storedDigest(of, place, run) : missingDigest(of, place);
  return { ...place, store, ...(run && { run }), signature: signDigest(digest, secretOf(by)) };
}

describe("a plan with stores", () => {
  test("has the id of the specification's sentence, and one without has the id that it had", async () => {
    const { turns, templates, seats } = planLeaves(plan);
    const roots = [turns, templates, seats].map((leaves) => merkleRoot(leaves));
    const storage = new Writer().u8(0x1b).u32(3).u32(5).bytes(new TextEncoder().encode("store")).u32(3).u32(2).finish();
    const head = new Writer().u8(0x1a).u32(SPEC_VERSION).u32(plan.rounds).text(plan.name);
    for (const root of roots) head.bytes(root);
    const sha256 = (bytes: Bytes): Bytes => new Uint8Array(createHash("sha256").update(bytes).digest());
    expect(toHex(plan.id)).toBe(toHex(sha256(head.bytes(sha256(storage)).finish())));
    expect(toHex((await membershipPlan.close()).id)).toBe(
      "0xc34f87c97a9edbb96e83335ee5ca269dac41ac0fd0d2a8359a22298725589d34",
    );
    const others: Overrides[] = [{ stores: 2 }, { stores: 3, copies: 1 }, { stores: 3, copies: 3 }, { stores: 3 }, {}];
    const ids = await Promise.all(others.map(async (options) => toHex((await membershipPlan.close(options)).id)));
    expect(new Set(ids).size).toBe(5);
  });

  test("has them after the members of its turns, each with a name and no seat", () => {
    expect(plan.participants.map(({ name }) => name)).toEqual(["client-0", "client-1", "client-2", "server-0", "store-0", "store-1", "store-2"]); // prettier-ignore
    expect(plan.seats.map(({ participant }) => participant)).toEqual([0, 1, 2, 3]);
    expect([participantOfStore(plan, 0), storeName(plan, 1)]).toEqual([4, "store-1"]);
  });

  const source: RoundsSource<Record<never, never>> = {
    name: "odd",
    rounds: 1,
    members: () => ({ worker: 2, store: 3, many: 1025, none: 0 }),
    turns: () => ({ one: turn({ by: "worker", reads: {}, entries: () => ({ x: { dtype: "f32", shape: [1] } }), begin: () => ({}) }) }), // prettier-ignore
  };
  test.each<[unknown, string]>([
    [{ by: "worker", copies: 1 }, "is by worker, a role that has the turn one; give it a role of its own"],
    [{ by: "shop", copies: 1 }, "is by shop, a role of undefined members; let `members` give it 1 to 1024"],
    [{ by: "many", copies: 1 }, "let `members` give it 1 to 1024"],
    [{ by: "none", copies: 1 }, "let `members` give it 1 to 1024"],
    [{ by: "toString", copies: 1 }, "let `members` give it 1 to 1024"],
    [{ by: "a-b", copies: 1 }, "name a role with letters and digits alone"],
    [{ copies: 1 }, "name a role with letters and digits alone"],
    [{ by: "store" }, "asks for undefined copies in 3 stores; take 1 to 3"],
    [{ by: "store", copies: 0 }, "take 1 to 3"],
    [{ by: "store", copies: 4 }, "take 1 to 3"],
    [{ by: "store", copies: 1.5 }, "take 1 to 3"],
    ["store", 'return { by: "store", copies: 2 }, or nothing'],
  ])("is refused with the storage %j", async (storage, problem) => {
    const given = storage as NonNullable<typeof source.storage>;
    await expect(defineRounds({ ...source, storage: given }).close()).rejects.toThrow(problem);
    await expect(defineRounds({ ...source, storage: given }).close()).rejects.toMatchObject({ code: "VERDE_ROUNDS_PLAN" }); // prettier-ignore
  });

  test("takes its storage as it is, or from the options", async () => {
    const stored = { ...source, members: () => ({ worker: 2, store: 3, none: 0 }) };
    const [plain, given] = [{ by: "store", copies: 3 }, () => ({ by: "store", copies: 3 })].map((storage) => defineRounds({ ...stored, storage }).close()); // prettier-ignore
    expect((await plain).storage).toEqual({ by: "store", members: 3, copies: 3 });
    expect(toHex((await given).id)).toBe(toHex((await plain).id));
    const without = { ...source, members: () => ({ worker: 2 }), storage: () => undefined };
    expect((await defineRounds(without).close()).storage).toBeUndefined();
    await expect(defineRounds({ ...stored, storage: () => undefined }).close()).rejects.toThrow("the role store of odd has 3 members and no turn"); // prettier-ignore
  });

  test("says how its storage differs from another's", async () => {
    const other = await membershipPlan.close({ stores: 4, copies: 3 });
    expect(planDifference(plan, other)).toBe(
      "its storage: 2 copies in 3 store members and 3 copies in 4 store members",
    );
    expect(planDifference(await membershipPlan.close(), plan)).toBe(
      "its storage: none and 2 copies in 3 store members",
    );
  });

  test("is the same read from its file, which is refused with another storage before stores are counted", async () => {
    const record = await beginRecord(path("begun"), plan, instance);
    const read = await readPlan(path("begun"), record.blobs);
    expect([read.storage, read.participants, toHex(read.id)]).toEqual([plan.storage, plan.participants, toHex(plan.id)]); // prettier-ignore
    const file = path("begun/plan.cbor");
    const encoded = decode(new Uint8Array(readFileSync(file))) as Record<string, unknown>;
    const storages = [
      { by: "store", members: 2 ** 31, copies: 2 }, { by: "store", members: 1025, copies: 2 }, { by: "store", members: 3, copies: 4 },
      { by: "store", members: 3, copies: 0 }, { by: "client", members: 3, copies: 2 }, { by: "a b", members: 3, copies: 2 },
      { by: 7, members: 3, copies: 2 }, { by: "store", members: "3", copies: 2 }, { by: "store", copies: 2 }, null, 7, [],
    ]; // prettier-ignore
    for (const storage of storages) {
      writeFileSync(file, encode({ ...encoded, storage }));
      await expect(readPlan(path("begun"), record.blobs), JSON.stringify(storage)).rejects.toThrow(
        "its storage is none",
      );
    }
    const { storage: _, ...without } = encoded;
    for (const other of [without, { ...encoded, storage: { by: "store", members: 4, copies: 2 } }]) {
      writeFileSync(file, encode(other));
      await expect(readPlan(path("begun"), record.blobs)).rejects.toThrow("its parts are not those of its id");
    }
    writeFileSync(file, encode(encoded));
  });
});

describe("what a store signs", () => {
  const domain = { name: "Verde rounds", version: "1" };
  const place = [
    { name: "instance", type: "bytes32" },
    { name: "round", type: "uint32" },
    { name: "seat", type: "uint32" },
  ] as const;

  test("has the digests of viem", () => {
    const message = { instance: toHex(instance.id) as `0x${string}`, ...PLACE };
    const run = toHex(runs[0]) as `0x${string}`;
    const stored = { domain, primaryType: "Stored", types: { Stored: [...place, { name: "run", type: "bytes32" }] }, message: { ...message, run } } as const; // prettier-ignore
    expect(toHex(storedDigest(instance, PLACE, runs[0]))).toBe(hashTypedData(stored));
    const missing = { domain, primaryType: "Missing", types: { Missing: place }, message } as const;
    expect(toHex(missingDigest(instance, PLACE))).toBe(hashTypedData(missing));
  });

  test("counts for its instance, place and run alone, and only of the store that it names", () => {
    const receipt = sentence(1, runs[0]);
    const others: StoreSentence[] = [
      { ...receipt, round: 2 },
      { ...receipt, seat: 1 },
      { ...receipt, run: runs[1] },
      { ...PLACE, store: 1, signature: receipt.signature },
      ...[0, 2, 3, -1, 0.5].map((store) => ({ ...receipt, store })),
      ...[0, 40, 64].map((i) => ({ ...receipt, signature: receipt.signature.map((byte, k) => (k === i ? byte ^ 1 : byte)) })), // prettier-ignore
      sentence(1, runs[0], { of: testInstance(plan, 2) }),
      sentence(1, runs[0], { by: "client-1" }),
    ];
    for (const signed of [receipt, sentence(1)]) expect(isStores(plan, instance, signed)).toBe(true);
    for (const [i, other] of others.entries()) expect(isStores(plan, instance, other), `${i}`).toBe(false);
    expect(isStores(plan, instance, { ...sentence(1), run: runs[0] })).toBe(false);
  });

  test("counts once for each store, and as often as the plan asks", () => {
    const [a, b, c] = [0, 1, 2].map((store) => sentence(store, runs[0]));
    const forged = sentence(1, runs[0], { by: "store-0" });
    const cases: [StoreSentence[], boolean][] = [
      [[a, b], true],
      [[a, b, c], true],
      [[a, a], false],
      [[a, forged], false],
      [[a, forged, b], true],
      [[a, sentence(1, runs[1])], false],
      [[a, sentence(1)], false],
      [[a, sentence(1, runs[0], { place: { round: 2, seat: 0 } })], false],
      [[], false],
    ];
    for (const [i, [given, expected]] of cases.entries()) expect(isStored(plan, instance, given, PLACE, runs[0]), `${i}`).toBe(expected); // prettier-ignore
    const notes = [0, 1, 2].map((store) => sentence(store));
    expect(isMissed(plan, instance, notes.slice(0, 2), PLACE)).toBe(true);
    expect(isMissed(plan, instance, [notes[0], notes[0], a, b], PLACE)).toBe(false);
    expect(isMissed(plan, instance, notes, { round: 1, seat: 1 })).toBe(false);
    expect([receiptsOf(plan, instance, [a, b, ...notes], PLACE, runs[0]), notesOf(plan, instance, [a, b, ...notes], PLACE)].map(({ length }) => length)).toEqual([2, 3]); // prettier-ignore
  });

  test("for presence and for absence meets in a store that has signed twice, whatever the numbers", async () => {
    for (const [stores, copies] of [
      [1, 1],
      [3, 1],
      [3, 2],
      [3, 3],
      [5, 3],
      [4, 2],
    ]) {
      const other = await membershipPlan.close({ stores, copies });
      const of = testInstance(other);
      const receipts = Array.from({ length: copies }, (_, store) => sentence(store, runs[0], { of }));
      const least = stores - copies + 1;
      const notes = Array.from({ length: least }, (_, i) => sentence(stores - 1 - i, undefined, { of }));
      expect(isStored(other, of, receipts, PLACE, runs[0]) && isMissed(other, of, notes, PLACE)).toBe(true);
      const twice = secondSentences(other, of, [...receipts, ...notes]);
      expect(twice.map(([{ store }]) => store)).toEqual([copies - 1]);
      expect(isStored(other, of, receipts.slice(1), PLACE, runs[0]) || isMissed(other, of, notes.slice(1), PLACE)).toBe(false); // prettier-ignore
    }
  });

  test("twice for a place is found, and nothing else is", () => {
    const receipt = sentence(0, runs[0]);
    const again = { ...receipt };
    expect(secondSentences(plan, instance, [receipt, again, sentence(1), sentence(0, runs[1], { place: { round: 2, seat: 0 } })])).toEqual([]); // prettier-ignore
    expect(secondSentences(plan, instance, [receipt, sentence(0, undefined, { by: "store-1" })])).toEqual([]);
    for (const second of [sentence(0), sentence(0, runs[1])])
      expect(secondSentences(plan, instance, [sentence(0, runs[1], { by: "store-2" }), receipt, second])).toEqual([[receipt, second]]); // prettier-ignore
    expect([again, sentence(0), sentence(0, runs[1]), sentence(1, runs[0])].map((each) => sameSentence(receipt, each))).toEqual([true, false, false, false]); // prettier-ignore
    const known = new StoreSentences();
    expect([receipt, again, sentence(0), sentence(1, runs[0])].map((each) => known.admit(each))).toEqual([true, false, true, true]); // prettier-ignore
    expect([known.all.length, known.at(PLACE).length, known.at({ round: 0, seat: 0 }).length]).toEqual([3, 3, 0]);
  });
});

describe("a store's key", () => {
  test("signs one sentence for a place, also when the process was killed after it had noted it", async () => {
    const signer = await Signer.open(path("keys"), "store-0");
    const first = await signer.receipt(instance, PLACE, runs[0]);
    expect(await signer.receipt(instance, PLACE, runs[0])).toEqual(first);
    const other = { round: 1, seat: 1 };
    await signer.absence(instance, other);
    const again = await Signer.open(path("keys"), "store-0");
    for (const second of [() => again.receipt(instance, PLACE, runs[1]), () => again.absence(instance, PLACE), () => again.receipt(instance, other, runs[0])]) // prettier-ignore
      await expect(second()).rejects.toMatchObject({ code: "VERDE_ROUNDS_SIGNED" });
    expect(await again.signedSentence(instance, PLACE)).toEqual(runs[0]);
    expect(await again.signedSentence(instance, other)).toBe("absence");
    expect(await again.signedSentence(instance, { round: 2, seat: 0 })).toBeUndefined();
    // A line that was cut has let no signature out.
    const [journal] = readdirSync(path("keys/rounds")).filter((name) => !name.endsWith(".lock"));
    appendFileSync(path(`keys/rounds/${journal}`), "store 2 0 0x12");
    await again.receipt(instance, { round: 2, seat: 0 }, runs[1]);
    await expect(again.absence(instance, { round: 2, seat: 0 })).rejects.toThrow("signs no second one");
    // A store's sentence takes nobody's place who signs a leaf with the same key.
    await again.leaf(instance, PLACE, runs[1]);
  });
});

describe("the log", () => {
  const sentences = [sentence(0, runs[0]), sentence(2), sentence(1, runs[1], { place: { round: 3, seat: 3 } })];

  test("has the sentences of stores, and a cut or altered one does not count", async () => {
    const record = await beginRecord(path("log"), plan, instance);
    const log = await LogWriter.open(logFile(path("log")));
    for (const each of sentences) await log.sentence(each);
    const opened = await RoundsRecord.open(path("log"));
    expect(opened.sentences.all).toEqual(sentences);
    const bytes = readFileSync(logFile(record.folder));
    expect(bytes.length).toBe(8 + 2 * (1 + 109 + 32) + (1 + 77 + 32));
    for (let at = 8; at < bytes.length; at += 7) {
      writeFileSync(logFile(record.folder), bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))); // prettier-ignore
      const altered = await readLog(logFile(record.folder), plan.turns).catch((error: unknown) => error);
      // The kind may say that more is to come, which is as if the entry had been cut.
      if (altered instanceof Error) expect(altered.message).toContain("was altered");
      else expect((altered as { sentences: StoreSentence[] }).sentences.length).toBeLessThan(3);
      writeFileSync(logFile(record.folder), bytes.subarray(0, at));
      const cut = await readLog(logFile(record.folder), plan.turns);
      expect(cut.sentences).toEqual(sentences.slice(0, at < 150 ? 0 : at < 260 ? 1 : 2));
    }
  });

  test("is refused with what the plan does not have", async () => {
    const wrong: [Plan, StoreSentence][] = [
      [plan, { ...sentences[0], store: 3 }],
      [plan, { ...sentences[0], round: 4 }],
      [plan, { ...sentences[0], seat: 4 }],
      [await smallPlan.close(), sentences[0]],
    ];
    for (const [i, [of, each]] of wrong.entries()) {
      await beginRecord(path(`wrong-${i}`), of, testInstance(of));
      await (await LogWriter.open(logFile(path(`wrong-${i}`)))).sentence(each);
      await expect(RoundsRecord.open(path(`wrong-${i}`))).rejects.toThrow("which the plan does not have; restore it");
    }
  });

  test("of a round may be as long as all that its stores can have signed", async () => {
    const without = await membershipPlan.close();
    expect(roundBytes(plan) - roundBytes(without)).toBe(4 * 3 * (1 + 109 + 32 + 1 + 77 + 32));
  });
});
