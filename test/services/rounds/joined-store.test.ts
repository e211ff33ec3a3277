/** A store as a process on a network: what it signs, what it refuses, and what of it outlives the process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { Bytes } from "../../../src/encoding/bytes.ts";
import { bytesIn } from "../../../src/files/size.ts";
import { TransportError } from "../../../src/errors/index.ts";
import { Blobs } from "../../../src/rounds/blobs.ts";
import { isStores, type StoreSentence } from "../../../src/rounds/receipt.ts";
import { RoundsRecord } from "../../../src/rounds/record.ts";
import { runOf, type Statement } from "../../../src/rounds/statement.ts";
import { type Asked, type Reply, sentInstance } from "../../../src/services/rounds/messages.ts";
import { Http } from "../../../src/services/transport/http.ts";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import type { Transport } from "../../../src/services/transport/transport.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { performedRecord, stated, testInstance } from "../../rounds/liars.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";
import { absenceOf, askOf, joinedStore, keepOf, serveOwners } from "./stored.ts";

const path = temporaryFolder();
const PROGRAM = fileURLToPath(new URL("./join-store.ts", import.meta.url));
const plan = await membershipPlan.close({ stores: 3, copies: 2 });
const instance = testInstance(plan);
const OWNERS = ["client-0", "client-1", "client-2", "server-0"];
const record = await performedRecord(plan, path("record"), []);
const PLACE = { round: 1, seat: 0 };
const plainly = (value: object): object => Object.fromEntries(Object.entries(value).map(([name, each]: [string, unknown]) => [name, each instanceof Uint8Array ? new Uint8Array(each) : each])); // prettier-ignore
const statement = plainly(record.at(PLACE)!) as Statement;
const run: Bytes = new Uint8Array(runOf(plan, statement));
/** Another leaf of the place, which its owner has signed too. */
const other = stated(plan, instance, PLACE, record.at({ round: 2, seat: 0 })!);
let folders = 0;
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** A store with an empty folder, and owners that have the record's leaves. */
async function begun(
  options: Partial<Parameters<typeof joinedStore>[0]> = {},
  before?: Parameters<typeof serveOwners>[3],
) {
  const network = new InProcess();
  const folder = path(`store-${folders++}`);
  await serveOwners(network, record, OWNERS, before);
  const open = () => joinedStore({ transport: network, plan, participant: "store-1", out: folder, state: `${folder}-keys`, ...options }, instance); // prettier-ignore
  const store = await open();
  return { network, folder, store, open, ask: (question: Asked) => askOf(network, plan, "store-1", question) };
}
const failed = (code: string, message: string) => ({ kind: "failed", code: `VERDE_ROUNDS_${code}`, message: expect.stringContaining(message) as string }); // prettier-ignore
const sentenceIn = (reply: Reply): StoreSentence => {
  if (reply.kind !== "sentence") throw new Error(JSON.stringify(reply));
  return reply.sentence;
};

describe("a store", () => {
  test("signs a receipt for a leaf whose entries it has fetched, and serves them without the owner", async () => {
    const { network, folder, store, open, ask } = await begun();
    const receipt = sentenceIn(await ask(await keepOf(record, PLACE)));
    expect(receipt).toMatchObject({ ...PLACE, store: 1, run });
    expect(isStores(plan, instance, receipt)).toBe(true);
    expect(sentenceIn(await ask(await keepOf(record, PLACE)))).toEqual(receipt);
    const held = { kind: "held", instance: sentInstance(instance), ...PLACE } as const;
    const { roots } = await record.note(PLACE);
    expect(await ask(held)).toEqual({ kind: "held", statement, roots, sentence: receipt });
    await store.close();
    // A process that is started again serves what its folder has.
    await open();
    for (const root of roots)
      expect(await askOf(network, plan, "store-1", { kind: "blob", root, from: 0 })).toMatchObject({ kind: "piece", bytes: await record.blobs.part(root, 0, 2 ** 20) }); // prettier-ignore
    const [name] = readdirSync(folder);
    const kept = await RoundsRecord.open(`${folder}/${name}`);
    expect([kept.all, kept.sentences.all]).toEqual([[statement], [receipt]]);
    // They are checked by their roots.
    expect((await kept.state(statement)).roots).toEqual(roots);
  });

  test("signs one sentence for a place", async () => {
    const { ask } = await begun();
    await ask(await keepOf(record, { round: 0, seat: 0 }));
    const receipt = sentenceIn(await ask(await keepOf(record, PLACE)));
    // The recorder gets the receipt where it asks for a note, and the owner no second one.
    expect(sentenceIn(await ask(absenceOf(instance, PLACE)))).toEqual(receipt);
    const second = { ...(await keepOf(record, { round: 2, seat: 0 })), statement: other };
    expect(await ask(second)).toMatchObject(failed("SIGNED", "another leaf of local-0 in round 1 is kept"));
    const away = { round: 1, seat: 1 };
    const note = sentenceIn(await ask(absenceOf(instance, away)));
    expect(note).toMatchObject({ ...away, store: 1 });
    expect([note.run, isStores(plan, instance, note)]).toEqual([undefined, true]);
    expect(await ask(await keepOf(record, away))).toMatchObject(failed("SIGNED", "it has signed that it has no leaf of local-1 in round 1")); // prettier-ignore
    expect(sentenceIn(await ask(absenceOf(instance, away)))).toEqual(note);
    expect(await ask({ kind: "held", instance: sentInstance(instance), ...away })).toMatchObject(failed("UNAVAILABLE", "it holds no leaf of local-1 in round 1")); // prettier-ignore
  });

  test("lets an owner deliver when the recorder has asked for a note", async () => {
    const { ask } = await begun({ notice: 60_000 });
    await ask(await keepOf(record, { round: 0, seat: 0 }));
    const asked = ask(absenceOf(instance, PLACE));
    const receipt = sentenceIn(await ask(await keepOf(record, PLACE)));
    expect(receipt.run).toEqual(run);
    // It says that it waits, and the next question has the answer.
    expect(await asked).toEqual({ kind: "working" });
    expect(sentenceIn(await ask(absenceOf(instance, PLACE)))).toEqual(receipt);
  }, 30_000);

  test("keeps one of two leaves that an owner sends at once", async () => {
    let [begin, release] = [(): void => {}, (): void => {}];
    const isBegun = new Promise<void>((resolve) => (begin = resolve));
    const held = new Promise<void>((resolve) => (release = resolve));
    const { ask } = await begun({}, async (_, reply) => {
      begin();
      await held;
      return reply;
    });
    const first = ask(await keepOf(record, PLACE));
    await isBegun;
    expect(await ask({ ...(await keepOf(record, { round: 2, seat: 0 })), statement: other })).toMatchObject(failed("SIGNED", "it keeps another leaf of local-0 in round 1")); // prettier-ignore
    release();
    expect(sentenceIn(await first).run).toEqual(run);
  });

  test("takes no file that was cut for an entry, and fetches it again", async () => {
    const { folder, ask, store, open } = await begun();
    await ask(await keepOf(record, { round: 0, seat: 0 }));
    await store.close();
    const [name] = readdirSync(folder);
    const { roots } = await record.note(PLACE);
    const blobs = new Blobs(`${folder}/${name}/blobs`);
    const root = roots.find((each) => !existsSync(blobs.fileOf(each)))!;
    const { length } = (await record.blobs.part(root, 0, 2 ** 20))!;
    writeFileSync(blobs.fileOf(root), new Uint8Array(length));
    await open();
    expect(sentenceIn(await ask(await keepOf(record, PLACE))).run).toEqual(run);
    expect((await new Blobs(`${folder}/${name}/blobs`).get([root])).length).toBe(1);
  });

  test("says when it is full, and goes on serving", async () => {
    const told: string[] = [];
    const { network, folder, ask, store } = await begun();
    const receipt = sentenceIn(await ask(await keepOf(record, PLACE)));
    await store.close();
    const limit = (await bytesIn(folder)) + 100;
    await joinedStore({ transport: network, plan, participant: "store-1", out: folder, state: `${folder}-keys`, limit, onFull: (why) => told.push(why) }, instance); // prettier-ignore
    for (const seat of [0, 1])
      expect(await ask(await keepOf(record, { round: 3, seat }))).toMatchObject(failed("LIMIT", `it may have ${limit}; give the store a higher --limit`)); // prettier-ignore
    expect(told.length).toBe(1);
    expect(sentenceIn(await ask(await keepOf(record, PLACE)))).toEqual(receipt);
  });
});

describe("a store refuses", () => {
  const flipped = <T extends Uint8Array>(bytes: T): T => bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) as T;
  const foreign = testInstance(plan, 2);

  test("what the owner has not signed, and what is of another instance or no place", async () => {
    const { ask } = await begun();
    const keep = await keepOf(record, PLACE);
    const cases: [Asked, ReturnType<typeof failed>][] = [
      [{ ...keep, statement: { ...statement, signature: new Uint8Array(65) } }, failed("PARTICIPANT", "local-0 in round 1 is not signed by its owner")], // prettier-ignore
      [{ ...keep, statement: { ...statement, end: flipped(statement.end) } }, failed("PARTICIPANT", "not signed by its owner")], // prettier-ignore
      [{ ...keep, statement: { ...statement, seat: 1 } }, failed("PARTICIPANT", "not signed by its owner")],
      [{ ...keep, statement: stated(plan, instance, PLACE, statement, "client-1") }, failed("PARTICIPANT", "not signed by its owner")], // prettier-ignore
      [{ ...keep, statement: stated(plan, foreign, PLACE, statement) }, failed("PARTICIPANT", "not signed by its owner for this instance")], // prettier-ignore
      [{ ...keep, instance: sentInstance(foreign) }, failed("FOREIGN", "not the one for which this participant has a stake")], // prettier-ignore
      [
        { ...keep, statement: { ...statement, seat: 99 } },
        failed("FOREIGN", "seat 99 in round 1 is no place of the plan"),
      ],
      [
        { ...keep, statement: { ...statement, round: 9 } },
        failed("FOREIGN", "seat 0 in round 9 is no place of the plan"),
      ],
      [{ ...keep, roots: keep.roots.map((root, i) => (i === 0 ? flipped(root) : root)) }, failed("PARTICIPANT", "the entries of local-0 in round 1 are others")], // prettier-ignore
      [{ ...keep, roots: keep.roots.slice(1) }, failed("PARTICIPANT", "are others than its owner has signed")],
      [{ kind: "perform", instance: sentInstance(instance), ...PLACE, stop: true }, { ...failed("", ""), code: expect.stringContaining("VERDE_FORMAT") as never }], // prettier-ignore
    ];
    for (const [i, [question, expected]] of cases.entries()) expect(await ask(question), `${i}`).toMatchObject(expected); // prettier-ignore
    expect(await ask({ kind: "held", instance: sentInstance(instance), ...PLACE })).toMatchObject(failed("UNAVAILABLE", "it holds no leaf")); // prettier-ignore
  });

  test("notes that the recorder has not asked for, or for which it can't be time", async () => {
    const { ask } = await begun();
    const right = absenceOf(instance, PLACE);
    expect(await ask(right)).toMatchObject(failed("UNAVAILABLE", "no leaf of round 0 or later, so it can't be time for local-0 in round 1")); // prettier-ignore
    await ask(await keepOf(record, { round: 0, seat: 0 }));
    const cases: [Asked, ReturnType<typeof failed>][] = [
      [absenceOf(instance, PLACE, "client-1"), failed("FOREIGN", "the recorder has not signed that it asks")],
      [{ ...right, seat: 1 }, failed("FOREIGN", "the recorder has not signed that it asks")],
      [absenceOf(foreign, PLACE), failed("FOREIGN", "not the one for which")],
      [
        { ...absenceOf(foreign, PLACE), instance: sentInstance(instance) },
        failed("FOREIGN", "the recorder has not signed"),
      ],
      [absenceOf(instance, { round: 0, seat: 0 }), failed("FOREIGN", "local-0 in round 0 can't be absent")],
      [absenceOf(instance, { round: 1, seat: 3 }), failed("FOREIGN", "merge-0 in round 1 can't be absent")],
      [absenceOf(instance, { round: 9, seat: 0 }), failed("FOREIGN", "is no place of the plan")],
      [absenceOf(instance, { round: 2, seat: 0 }), failed("UNAVAILABLE", "can't be time for local-0 in round 2")],
    ];
    for (const [i, [question, expected]] of cases.entries()) expect(await ask(question), `${i}`).toMatchObject(expected); // prettier-ignore
    expect(sentenceIn(await ask(right)).run).toBeUndefined();
  });

  test.each<[string, (reply: Reply) => Reply, string]>([
    ["sends another tensor", (reply) => (reply.kind === "piece" ? { ...reply, bytes: flipped(reply.bytes) } : reply), "client-0 sent another tensor than 0x"], // prettier-ignore
    ["sends too much", (reply) => (reply.kind === "piece" ? { ...reply, bytes: new Uint8Array(2 ** 20) } : reply), "client-0 sent another number of bytes"], // prettier-ignore
    ["sends nothing", (reply) => (reply.kind === "piece" ? { ...reply, bytes: new Uint8Array() } : reply), "client-0 sent another number of bytes"], // prettier-ignore
    ["has no such entry", () => ({ kind: "failed", code: "X", message: "no" }), "client-0 has failed: no"],
  ])("a leaf whose owner %s, and signs its receipt when the owner sends it", async (_, lie, problem) => {
    let isLying = true;
    const { ask } = await begun({}, (__, reply) => (isLying ? lie(reply) : reply));
    expect(await ask(await keepOf(record, PLACE))).toMatchObject(failed("PARTICIPANT", problem));
    isLying = false;
    expect(sentenceIn(await ask(await keepOf(record, PLACE))).run).toEqual(run);
  });

  test("to be a store that the plan does not have", async () => {
    for (const participant of ["client-0", "store-3"])
      await expect(joinedStore({ transport: new InProcess(), plan, participant, out: path("none"), state: path("none-keys") }, instance)).rejects.toThrow(`members has no store ${participant}`); // prettier-ignore
  });
});

describe("a store that is killed", () => {
  test("and comes back signs no other sentence than before, and finishes what it had begun", async () => {
    const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
    closing.push(() => hub.close());
    const network: Transport = new Http(hub.url);
    let hold: Promise<void> | undefined;
    let [asked, tell] = [0, (): void => {}];
    const isHeld = new Promise<void>((resolve) => (tell = resolve));
    await serveOwners(network, record, OWNERS, async (_, reply) => {
      if (++asked === 2) tell();
      if (asked > 1) await hold;
      return reply;
    });
    let child: ChildProcess | undefined;
    const begin = async (): Promise<void> => {
      child = spawn(process.execPath, [PROGRAM, hub.url, "store-1", path("killed"), path("killed-keys")], { stdio: ["ignore", "pipe", "inherit"] }); // prettier-ignore
      await once(child.stdout!, "data");
    };
    closing.push(() => child?.kill("SIGKILL"));
    const kill = async (): Promise<void> => {
      const ended = once(child!, "close");
      child!.kill("SIGKILL");
      await ended;
    };
    /** A question that the hub has handed to the killed process is asked again. */
    const ask = async (question: Asked): Promise<Reply> => {
      for (;;)
        try {
          return await askOf(network, plan, "store-1", question, 2_000);
        } catch (error) {
          if (!(error instanceof TransportError)) throw error;
        }
    };

    // Inside of a leaf: the second piece does not come before it is killed.
    await begin();
    let release = (): void => {};
    hold = new Promise((resolve) => (release = resolve));
    const cut = askOf(network, plan, "store-1", await keepOf(record, { round: 0, seat: 0 }), 2_000).catch(() => "cut");
    await isHeld;
    await kill();
    release();
    expect(await cut).toBe("cut");
    await begin();
    const held = { kind: "held", instance: sentInstance(instance), round: 0, seat: 0 } as const;
    expect(await ask(held)).toMatchObject(failed("UNAVAILABLE", "it holds no leaf of local-0 in round 0"));
    sentenceIn(await ask(await keepOf(record, { round: 0, seat: 0 })));

    // After a receipt and a note.
    const receipt = sentenceIn(await ask(await keepOf(record, PLACE)));
    const away = { round: 1, seat: 1 };
    const note = sentenceIn(await ask(absenceOf(instance, away)));
    await kill();
    await begin();
    expect(await ask({ ...(await keepOf(record, { round: 2, seat: 0 })), statement: other })).toMatchObject(failed("SIGNED", "another leaf")); // prettier-ignore
    expect(sentenceIn(await ask(absenceOf(instance, PLACE)))).toEqual(receipt);
    expect(await ask(await keepOf(record, away))).toMatchObject(failed("SIGNED", "it has signed that it has no leaf"));
    expect(sentenceIn(await ask(absenceOf(instance, away)))).toEqual(note);
    const { roots } = await record.note(PLACE);
    const replies = await Promise.all(roots.map((root) => ask({ kind: "blob", root, from: 0 })));
    expect(replies.every(({ kind }) => kind === "piece")).toBe(true);
  }, 120_000);
});
