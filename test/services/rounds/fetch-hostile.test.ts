/** What a hostile server of a record can't do: each lie has a clear error, and nothing of it is kept. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { decode, encode } from "cborg";
import { beforeAll, describe, expect, test } from "vitest";
import type { Bytes } from "../../../src/encoding/bytes.ts";
import type { StateRoot } from "../../../src/encoding/tensor.ts";
import { auditRecord, parseRoundFault, type RoundsRecord } from "../../../src/rounds/index.ts";
import { LogWriter, readLog } from "../../../src/rounds/log.ts";
import { roundBytes } from "../../../src/rounds/log-entry.ts";
import { planIdOf } from "../../../src/rounds/plan.ts";
import { logFile, RoundsRecord as Records } from "../../../src/rounds/record.ts";
import { instanceOf } from "../../../src/rounds/statement.ts";
import { RecordFetch } from "../../../src/services/rounds/fetch.ts";
import { PIECE, type Reply } from "../../../src/services/rounds/messages.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { marked, performedRecord, stated } from "../../rounds/liars.ts";
import { smallPlan } from "../../rounds/small-plan.ts";
import { contentOf, copied, fetched, type Lie, lyingOn, servedFrom, writeRounds } from "./fetched.ts";

const path = temporaryFolder();
let record: RoundsRecord;
let folders = 0;
/** A folder that nothing else uses. */
const fresh = (): string => path(`folder-${folders++}`);

beforeAll(async () => {
  record = await performedRecord(await smallPlan.close({ rounds: 2 }), path("honest"));
  await writeRounds(record);
});

/** Fetches from the honest record with a lie on the way, into a new folder or an old one. */
async function with_(lie: Lie, out = fresh(), from = record.folder) {
  const transport = lyingOn(await servedFrom(from), lie);
  return fetched({ transport, instance: record.instance.id, out });
}

type Part = Extract<Reply, { kind: "part" }>;
const part = (kind: string, change: (part: Part) => Part): Lie => (reply, asked) => (reply.kind === "part" && asked.kind === kind ? change(reply) : reply); // prettier-ignore
const flipped = (bytes: Bytes, at: number): Bytes => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)) as Bytes;

/** A copy of the honest folder with another log. */
async function withLog(write: (log: LogWriter, own: RoundsRecord) => Promise<void>): Promise<string> {
  const folder = copied(record.folder, fresh());
  await write(await LogWriter.open(logFile(folder)), record);
  return folder;
}

describe("a plan", () => {
  const salt: Bytes = new Uint8Array(32).fill(9);
  test.each<[string, Lie, RegExp]>([
    ["of another instance", (reply) => (reply.kind === "record" ? { kind: "record", instance: { ...reply.instance, salt } } : reply), /serves the instance 0x/], // prettier-ignore
    ["that is too large", part("plan", (each) => ({ ...each, size: 2 ** 31 })), /has the plan with 2147483648 bytes, and it may have/], // prettier-ignore
    ["that never ends", part("plan", (each) => ({ ...each, bytes: each.bytes.subarray(0, 0) })), /another number of bytes of the plan/], // prettier-ignore
    ["in parts of a byte", part("plan", (each) => ({ ...each, bytes: each.bytes.subarray(0, 1) })), /another number of bytes of the plan/], // prettier-ignore
    ["that grows", part("plan", (each) => ({ kind: "part", bytes: new Uint8Array(PIECE), size: each.size + PIECE + 1 })), /another number of bytes of the plan/], // prettier-ignore
    ["that is no CBOR", part("plan", (each) => ({ ...each, bytes: each.bytes.map(() => 0xff) as Bytes })), /the plan that the server of the record sends can't be used/], // prettier-ignore
    ["whose graph is another", part("graph", (each) => ({ ...each, bytes: flipped(each.bytes, each.bytes.length - 1) })), /no graph|another graph/], // prettier-ignore
    ["whose graph is too large", part("graph", (each) => ({ ...each, size: 2 ** 30 })), /has the graph 0x\w+ with 1073741824 bytes/], // prettier-ignore
    ["whose data is other", part("tensor", (each) => ({ ...each, bytes: flipped(each.bytes, each.bytes.length - 1) })), /sent another tensor than 0x/], // prettier-ignore
    ["and answers another question", (reply, asked) => (asked.kind === "plan" ? { kind: "noted" } : reply), /replied "noted" to "plan"/], // prettier-ignore
    ["and says that it has none", () => ({ kind: "failed", code: "\u001b[2JX", message: "no\nnever" }), /has failed: no never/], // prettier-ignore
  ])("%s is refused", async (_, lie, problem) => {
    const out = fresh();
    await expect(with_(lie, out)).rejects.toThrow(problem);
    expect(Object.keys(contentOf(out)).filter((name) => !name.startsWith("blobs/"))).toEqual([]);
    // An honest server finishes what the other one has begun.
    expect(await with_((reply) => reply, out)).toMatchObject({ isWhole: true, lacking: [] });
    expect(contentOf(out)).toEqual(contentOf(record.folder));
  });

  test("whose parts are those of another plan is refused before a graph of it is asked for", async () => {
    const other = await performedRecord(await smallPlan.close({ rounds: 3 }), path("other"));
    const kinds: string[] = [];
    const bytes = new Uint8Array(readFileSync(path("other/plan.cbor")));
    const lie: Lie = (reply, asked) => {
      kinds.push(asked.kind);
      return asked.kind === "plan" ? { kind: "part", bytes, size: bytes.length } : reply;
    };
    await expect(with_(lie)).rejects.toThrow("its parts are not those of its id");
    expect(kinds).toEqual(["record", "plan"]);
    expect(other.plan.rounds).toBe(3);
  });

  test("with the names of paths is refused, also if its id is the one that is asked for", async () => {
    const { plan, instance } = record;
    const turns = plan.turns.map((turn) => ({ ...turn, name: `../../../${turn.name}` }));
    const named = { ...plan, turns };
    const id = planIdOf(named);
    const bytes = encode({ ...(decode(new Uint8Array(readFileSync(path("honest/plan.cbor")))) as object), id: new Uint8Array(id), turns }) as Bytes; // prettier-ignore
    const parts = { plan: id, salt: instance.salt, owners: [...instance.owners], recorder: instance.recorder };
    const transport = lyingOn(await servedFrom(record.folder), (reply, asked) => {
      if (asked.kind === "record") return { kind: "record", instance: parts };
      return asked.kind === "plan" ? { kind: "part", bytes, size: bytes.length } : reply;
    });
    // Whoever answers has the subject of the instance that is asked for.
    const anywhere = Object.assign(Object.create(transport) as typeof transport, { ask: (_: string, question: Parameters<typeof transport.ask>[1]) => transport.ask(`rounds.${Buffer.from(instance.id).toString("hex").slice(0, 32)}.record`, question) }); // prettier-ignore
    await expect(fetched({ transport: anywhere, instance: instanceOf(parts).id, out: path("paths") })).rejects.toThrow("a turn or role has no name"); // prettier-ignore
  });
});

describe("a log", () => {
  const MARK = 134;
  test.each<[string, Lie, RegExp]>([
    [
      "with another byte",
      part("log", (each) => ({ ...each, bytes: flipped(each.bytes, 300) })),
      /hashes do not follow/,
    ],
    ["of another form", part("log", (each) => ({ ...each, bytes: flipped(each.bytes, 3) })), /no log of a record/],
    ["in parts of a byte", part("log", (each) => ({ ...each, bytes: each.bytes.subarray(0, 20) })), /another number of bytes of its log/], // prettier-ignore
    ["with a kind of entry that there is not", part("log", (each) => ({ ...each, bytes: each.bytes.map((byte, i) => (i === 8 ? 9 : byte)) as Bytes })), /hashes do not follow/], // prettier-ignore
  ])("%s is refused", async (_, lie, problem) => {
    const out = fresh();
    await expect(with_(lie, out)).rejects.toThrow(problem);
    expect((await Records.open(out)).size).toBe(0);
    expect(await with_((reply) => reply, out)).toMatchObject({ isWhole: true });
    expect(contentOf(out)).toEqual(contentOf(record.folder));
  });

  test("that never ends is refused after the bytes of a round", async () => {
    let asked = 0;
    const endless: Lie = async (reply, question) => {
      if (question.kind !== "log" || reply.kind !== "part") return reply;
      asked++;
      const bytes = new Uint8Array(PIECE);
      const own = new Uint8Array(readFileSync(logFile(record.folder)));
      if (question.from < own.length) bytes.set(own.subarray(question.from, 8 + 3 * 202));
      // What follows is as if an entry were cut, for ever: a roll of very many members.
      return { kind: "part", bytes, size: 2 ** 32 - 1 };
    };
    await expect(with_(endless)).rejects.toThrow(/hashes do not follow|and it has no more than/);
    expect(asked).toBeLessThan(4);
    expect(roundBytes(record.plan)).toBe(4 * 202 + MARK);
  });

  test.each<[string, (log: LogWriter, own: RoundsRecord) => Promise<void>, RegExp]>([
    ["that repeats a leaf", async (log, { all }) => { for (const each of [all[0], all[0], ...all.slice(1, 4)]) await log.statement(each); await log.mark(record.marks[0]); }, /seat 0 in round 0 where round 0 has no place/], // prettier-ignore
    ["that has a leaf of a later round", async (log, { all }) => { for (const each of all.slice(1, 5)) await log.statement(each); await log.mark(record.marks[0]); }, /seat 0 in round 1 where round 0 has no place/], // prettier-ignore
    ["that has a leaf of no seat", async (log, { all }) => { await log.statement({ ...all[0], seat: 2 ** 31 }); await log.mark(record.marks[0]); }, /seat 2147483648 in round 0/], // prettier-ignore
    ["that lacks a leaf", async (log, { all }) => { for (const each of all.slice(0, 3)) await log.statement(each); await log.mark(record.marks[0]); }, /round 0 without a leaf of merge-0/], // prettier-ignore
    ["whose mark somebody else has signed", async (log, { all, marks }) => { for (const each of all.slice(0, 4)) await log.statement(each); await log.mark({ ...marks[0], signature: marks[1].signature }); }, /round 0 without the recorder's signature/], // prettier-ignore
    ["whose mark is of another round", async (log, { all, marks }) => { for (const each of all.slice(0, 4)) await log.statement(each); await log.mark(marks[1]); }, /round 0 without the recorder's signature/], // prettier-ignore
    ["that lists another leaf than was signed", async (log, { plan, instance, all, marks }) => { for (const each of all.slice(0, 3)) await log.statement(each); await log.statement(stated(plan, instance, all[3], { ...all[3], end: all[0].end })); await log.mark(marks[0]); }, /another list of round 0 than the recorder has signed/], // prettier-ignore
  ])("%s is refused", async (_, write, problem) => {
    const from = await withLog(write);
    const out = fresh();
    await expect(with_((reply) => reply, out, from)).rejects.toThrow(problem);
    expect((await Records.open(out)).size).toBe(0);
    expect(await with_((reply) => reply, out)).toMatchObject({ isWhole: true });
  });
});

describe("the files of a leaf", () => {
  const note =
    (change: object): Lie =>
    (reply, asked) => {
      if (asked.kind !== "note") return reply;
      const bytes = encode({ roots: [], metrics: [], ...change }) as Bytes;
      return { kind: "part", bytes: bytes.slice(asked.from, asked.from + PIECE), size: bytes.length };
    };
  test.each<[string, Lie, RegExp]>([
    ["that are not there", (reply, asked) => (asked.kind === "note" ? { kind: "failed", code: "X", message: "gone" } : reply), /has failed: gone/], // prettier-ignore
    ["that are no CBOR", part("note", () => ({ kind: "part", bytes: new Uint8Array([0xff]), size: 1 })), /no file of a leaf/], // prettier-ignore
    ["with other entries", note({ roots: [new Uint8Array(32)] }), /other entries of \w+-\d in round \d than were signed/], // prettier-ignore
    ["with a path for a root", note({ roots: ["../../etc/passwd"] }), /no file of a leaf/],
    ["with very many entries", note({ roots: Array.from({ length: 2 ** 16 + 1 }, () => new Uint8Array(32)) }), /no file of a leaf/], // prettier-ignore
    ["with what was read as text", note({ read: "all" }), /no file of a leaf/],
    ["that are too large", part("note", (each) => ({ ...each, size: 2 ** 31 })), /with 2147483648 bytes/],
    ["whose tensor is too large", part("tensor", (each) => ({ ...each, size: each.size + 1 })), /bytes, and it may have/], // prettier-ignore
    ["whose tensor is another", part("tensor", (each) => ({ ...each, bytes: flipped(each.bytes, each.bytes.length - 1) })), /another tensor than 0x/], // prettier-ignore
    ["whose tensor is of another type", part("tensor", (each) => ({ ...each, bytes: flipped(each.bytes, 0) })), /another tensor than 0x/], // prettier-ignore
  ])("%s are lacking, and fetched later", async (_, lie, problem) => {
    // The plan is there already, since its data is tensors too.
    const out = fresh();
    await with_((reply) => reply, out, await withLog(async () => {}));
    const found = await with_(lie, out);
    expect(found).toMatchObject({ rounds: 3, isWhole: true });
    expect(found.lacking.map(({ name, round }) => `${round} ${name}`)).toContain("0 local-0");
    for (const { why } of found.lacking) expect(why).toMatch(problem);
    expect((await auditRecord(await Records.open(out))).unavailable).not.toEqual([]);
    expect(await with_((reply) => reply, out)).toMatchObject({ lacking: [] });
    expect(contentOf(out)).toEqual(contentOf(record.folder));
  });

  test("that are wrong as often as they are asked for take nothing of the folder's limit", async () => {
    const out = fresh();
    await with_((reply) => reply, out, await withLog(async () => {}));
    const lie = part("tensor", (each) => ({ ...each, bytes: flipped(each.bytes, each.bytes.length - 1) }));
    const fetch = await RecordFetch.open({ transport: lyingOn(await servedFrom(record.folder), lie), instance: record.instance.id, out, patience: 300 }); // prettier-ignore
    const { bytes } = await fetch.pass();
    for (let again = 0; again < 3; again++) expect((await fetch.pass()).bytes).toBe(bytes);
    fetch.close();
  });

  test("with a fault that no leaf has are kept without it", async () => {
    const honest = await record.note({ round: 1, seat: 0 });
    const bytes = encode({ ...honest, roots: honest.roots.map((root) => new Uint8Array(root)), fault: { kind: "flip", step: 10 ** 9, operator: 0, element: 0, bit: 0, more: [[]] }, extra: "x" }) as Bytes; // prettier-ignore
    const lie: Lie = (reply, asked) => (asked.kind === "note" && asked.round === 1 && asked.seat === 0 ? { kind: "part", bytes, size: bytes.length } : reply); // prettier-ignore
    const { record: own } = await with_(lie);
    expect(await own.note({ round: 1, seat: 0 })).toEqual({ roots: honest.roots, metrics: honest.metrics });
  });
});

describe("another history", () => {
  const log = (folder: string): Bytes => new Uint8Array(readFileSync(logFile(folder)));

  test("that is cut is refused, and what was fetched stays", async () => {
    const out = fresh();
    await with_((reply) => reply, out);
    const before = log(out);
    const from = copied(record.folder, fresh());
    writeFileSync(logFile(from), before.subarray(0, before.length - 400));
    await expect(with_((reply) => reply, out, from)).rejects.toMatchObject({ code: "VERDE_ROUNDS_HISTORY", message: expect.stringContaining("a record that is cut: it ends before the 3 rounds") as string }); // prettier-ignore
    expect(log(out)).toEqual(before);
  });

  test("that the recorder has signed too is evidence against it, and against who has signed two leaves", async () => {
    const { plan, instance } = record;
    const fault = parseRoundFault(plan, "participant=client-1,round=1,message:entry=0");
    const second = await performedRecord(plan, fresh(), [fault], { instance });
    await writeRounds(second);
    const out = fresh();
    await with_((reply) => reply, out);
    const before = log(out);
    const failed = await with_((reply) => reply, out, second.folder).catch((error: Error) => error);
    expect(failed).toMatchObject({ code: "VERDE_ROUNDS_HISTORY", message: expect.stringMatching(/the recorder has signed two records of 2 rounds;.*client-1 has signed two leaves of local-1 in round 1.*in evidence.log/) as string }); // prettier-ignore
    expect(log(out)).toEqual(before);
    const found = await auditRecord(await Records.open(out));
    expect(found.liars.map(({ participant, reason }) => `${participant} ${reason}`)).toEqual(expect.arrayContaining(["client-1 equivocation", "recorder record"])); // prettier-ignore
    // What is known is not kept twice, and the honest server goes on.
    const evidence = readFileSync(`${out}/evidence.log`);
    await expect(with_((reply) => reply, out, second.folder)).rejects.toThrow("another history, as was found before");
    expect(readFileSync(`${out}/evidence.log`)).toEqual(evidence);
    expect(await with_((reply) => reply, out)).toMatchObject({ isWhole: true });
  });

  test("of which there are many more adds no evidence, and what is there stays when the log is removed", async () => {
    const { plan, instance } = record;
    const fault = parseRoundFault(plan, "participant=client-1,round=1,message:entry=0");
    const second = await performedRecord(plan, fresh(), [fault], { instance });
    await writeRounds(second);
    const out = fresh();
    await with_((reply) => reply, out);
    await expect(with_((reply) => reply, out, second.folder)).rejects.toThrow("has another history");
    const evidence = readFileSync(`${out}/evidence.log`);
    // The liar and the recorder sign as many leaves and marks as they like.
    const third = copied(record.folder, fresh());
    const log = await LogWriter.open(logFile(third));
    const place = { round: 1, seat: 1 };
    for (const each of record.all) if (each.round === 0) await log.statement(each);
    for (let count = 0; count < 5; count++) {
      const end = new Uint8Array(32).fill(count + 1) as Uint8Array as StateRoot;
      await log.statement(stated(plan, instance, place, { ...record.at(place)!, end }));
      await log.mark(marked(instance, 1, end));
    }
    await expect(with_((reply) => reply, out, third)).rejects.toThrow();
    const found = await Records.open(out);
    expect(found.second.filter(({ round, seat }) => round === 1 && seat === 1)).toHaveLength(1);
    for (const rounds of [1, 2, 3]) expect(found.marks.filter((mark) => mark.rounds === rounds).length).toBeLessThan(3);
    const kept = readFileSync(`${out}/evidence.log`);
    expect(kept.subarray(0, evidence.length)).toEqual(evidence);
    rmSync(logFile(out));
    expect(await with_((reply) => reply, out)).toMatchObject({ isWhole: true });
    expect(readFileSync(`${out}/evidence.log`)).toEqual(kept);
    expect((await auditRecord(await Records.open(out))).liars.map(({ participant }) => participant)).toContain("client-1"); // prettier-ignore
  });

  test("whose signatures were spoiled on the way is replaced by the better one, and never the other way round", async () => {
    const { all, marks } = record;
    const spoiled = await withLog(async (writer) => {
      for (let round = 0; round <= 2; round++) {
        for (const each of all) if (each.round === round) await writer.statement(round === 1 && each.seat === 2 ? { ...each, signature: all[0].signature } : each); // prettier-ignore
        await writer.mark(marks[round]);
      }
    });
    const out = fresh();
    const unsigned: string[] = [];
    const transport = await servedFrom(spoiled);
    await fetched({ transport, instance: record.instance.id, out, onRound: (round, _, names) => unsigned.push(...names.map((name) => `${round} ${name}`)) }); // prettier-ignore
    expect(unsigned).toEqual(["1 local-2"]);
    expect((await auditRecord(await Records.open(out))).liars).toMatchObject([{ participant: "recorder", reason: "unsigned" }]); // prettier-ignore
    expect(await with_((reply) => reply, out)).toMatchObject({ isWhole: true });
    expect(contentOf(out)).toEqual(contentOf(record.folder));
    await expect(with_((reply) => reply, out, spoiled)).rejects.toThrow("which is no better");
    expect(contentOf(out)).toEqual(contentOf(record.folder));
    expect((await readLog(logFile(out), record.plan.turns)).marks).toHaveLength(3);
  });

  test("with rounds that were marked by nobody adds nothing", async () => {
    const from = await withLog(async (writer, { all }) => {
      for (const each of all.slice(0, 4)) await writer.statement(each);
    });
    expect(await with_((reply) => reply, fresh(), from)).toMatchObject({ rounds: 0, isWhole: false });
  });
});
