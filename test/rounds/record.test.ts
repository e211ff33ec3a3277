/** Records: performed here or in processes, continued after a crash, and signed once for each place. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { decode, encode } from "cborg";
import { describe, expect, test, vi } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { fs } from "../../src/encoding/node.ts";
import { Blobs } from "../../src/rounds/blobs.ts";
import { auditRecord, RoundsRecord, runRounds } from "../../src/rounds/index.ts";
import { beginRecord } from "../../src/rounds/begin-record.ts";
import { Signer } from "../../src/rounds/signer.ts";
import { runOf } from "../../src/rounds/statement.ts";
import type { RunRoot } from "../../src/trace/commitments.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { testInstance } from "./liars.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
const SALT = new Uint8Array(32).fill(5);
const runsOf = (record: RoundsRecord) => record.all.map((each) => toHex(runOf(record.plan, each))).sort();

describe("a record", () => {
  test("is the same to the byte from participants here and in processes", async () => {
    const plan = await smallPlan.close();
    const state = path("keys");
    const options = { state, salt: SALT };
    const local = await runRounds(plan, { ...options, out: path("local") });
    const apart = await runRounds(plan, { ...options, out: path("apart"), participants: "processes" });
    expect(readFileSync(path("apart/record.log"))).toEqual(readFileSync(path("local/record.log")));
    expect(readFileSync(path("apart/plan.cbor"))).toEqual(readFileSync(path("local/plan.cbor")));
    expect((await readdir(path("apart/blobs"))).sort()).toEqual((await readdir(path("local/blobs"))).sort());
    const leaves = readdirSync(path("local/rounds"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".leaf")); // prettier-ignore
    expect(leaves).toHaveLength(12);
    for (const name of leaves) expect(readFileSync(path(`apart/rounds/${name}`))).toEqual(readFileSync(path(`local/rounds/${name}`))); // prettier-ignore
    const read = await RoundsRecord.open(path("local"));
    expect(toHex(read.plan.id)).toBe(toHex(plan.id));
    expect(runsOf(read)).toEqual(runsOf(local));
    expect(read.complete).toBe(3);
    expect(apart.marks.map(({ root }) => toHex(root))).toEqual(read.marks.map(({ root }) => toHex(root)));
  });

  test("is continued from every place at which its log may be cut", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const options = { state: path("keys"), salt: SALT };
    await runRounds(plan, { ...options, out: path("cut") });
    const log = readFileSync(path("cut/record.log"));
    for (const length of [0, 3, 8, 9, 150, 214, 700, log.length - 1]) {
      truncateSync(path("cut/record.log"), 0);
      writeFileSync(path("cut/record.log"), log.subarray(0, length));
      await runRounds(plan, { ...options, out: path("cut"), resume: true });
      expect(readFileSync(path("cut/record.log")), `cut at byte ${length}`).toEqual(log);
    }
    await expect(runRounds(plan, { ...options, out: path("cut") })).rejects.toThrow("holds a record");
    const other = await smallPlan.close({ rounds: 1, rate: 0.1 });
    await expect(runRounds(other, { ...options, out: path("cut"), resume: true })).rejects.toMatchObject({ code: "VERDE_ROUNDS_FOREIGN" }); // prettier-ignore
    await expect(runRounds(plan, { state: path("others"), out: path("cut"), resume: true })).rejects.toThrow(
      "another key",
    );
  });

  test("computes again what a machine that stopped has lost", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const options = { state: path("keys"), salt: SALT, out: path("lost") };
    await runRounds(plan, options);
    const [log, blobs] = [readFileSync(path("lost/record.log")), readdirSync(path("lost/blobs")).sort()];
    rmSync(path("lost/rounds/0000/local-1.leaf"));
    for (const [i, name] of blobs.entries()) if (i % 2 === 0) truncateSync(path(`lost/blobs/${name}`), 3);
    // The plan's own data can't be computed.
    const kept = new Blobs(path("lost/blobs"));
    for (const { shard, shardRoots } of plan.seats) await kept.put(shard, shardRoots);
    await runRounds(plan, { ...options, resume: true });
    expect(readFileSync(path("lost/record.log"))).toEqual(log);
    expect(readdirSync(path("lost/blobs")).sort()).toEqual(blobs);
    expect(await auditRecord(await RoundsRecord.open(path("lost")))).toMatchObject({ liars: [], unavailable: [] });
  });

  test("is refused before its plan's members are counted out, when it names more than it has seats for", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const record = await beginRecord(path("crowd"), plan, testInstance(plan));
    const file = `${record.folder}/plan.cbor`;
    const data = decode(new Uint8Array(readFileSync(file))) as { turns: { members: number }[] };
    for (const [members, problem] of [
      [2 ** 31, "has 2147483648 members"],
      [2 ** 20 - 1, "it has 4 seats, not 1048576"],
      [0.5, "has 0.5 members"],
    ] as const) {
      data.turns[0].members = members;
      writeFileSync(file, encode(data));
      await expect(RoundsRecord.open(record.folder)).rejects.toThrow(problem);
    }
  });

  test("says where it was altered", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    await runRounds(plan, { state: path("keys"), salt: SALT, out: path("altered"), force: true });
    const file = path("altered/record.log");
    const log = readFileSync(file);
    log[300] ^= 1;
    writeFileSync(file, log);
    await expect(RoundsRecord.open(path("altered"))).rejects.toThrow("was altered at byte");
    rmSync(file);
    await expect(RoundsRecord.open(path("altered"))).rejects.toMatchObject({ code: "VERDE_ROUNDS_RECORD" });
    await expect(RoundsRecord.open(path("nothing"))).rejects.toMatchObject({ code: "VERDE_ROUNDS_RECORD" });
  });

  test("stops when it is told to, and is continued to the same bytes", async () => {
    const plan = await smallPlan.close();
    const stopping = new AbortController();
    const options = { state: path("keys"), salt: SALT, out: path("stopped") };
    const stopped = runRounds(plan, { ...options, signal: stopping.signal, onLeaf: ({ round }) => void (round === 1 && stopping.abort()) }); // prettier-ignore
    await expect(stopped).rejects.toMatchObject({ code: "VERDE_RUN_STOPPED" });
    await runRounds(plan, { ...options, resume: true });
    await runRounds(plan, { ...options, out: path("unstopped") });
    expect(readFileSync(path("stopped/record.log"))).toEqual(readFileSync(path("unstopped/record.log")));
  });

  test("survives kill -9 of its process, wherever that comes", async () => {
    const plan = await smallPlan.close({ rounds: 12 });
    const program = fileURLToPath(new URL("./run-small.ts", import.meta.url));
    for (const leaves of [1, 6]) {
      const out = path(`killed-${leaves}`);
      const child = spawn(process.execPath, [program, out, path("keys")], { stdio: ["ignore", "pipe", "inherit"] });
      let seen = 0;
      for await (const piece of child.stdout) {
        seen += String(piece).split("\n").length - 1;
        if (seen >= leaves) break;
      }
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      expect(existsSync(`${out}/record.log`)).toBe(true);
      const record = await runRounds(plan, { state: path("keys"), out, resume: true });
      expect(record.complete).toBe(13);
      expect(record.second).toEqual([]);
    }
  });
});

describe("a signer", () => {
  test("signs the same root again, and no second one for a place", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const record = await runRounds(plan, { state: path("keys"), salt: SALT, out: path("signed") });
    const signer = await Signer.open(path("keys"), "client-0");
    const place = { round: 1, seat: 0 };
    const statement = record.at(place)!;
    const right = runOf(plan, statement);
    expect(await signer.leaf(record.instance, place, right)).toEqual(statement.signature);
    const wrong = Uint8Array.from(right) as Uint8Array as RunRoot;
    wrong[0] ^= 1;
    await expect(signer.leaf(record.instance, place, wrong)).rejects.toMatchObject({ code: "VERDE_ROUNDS_SIGNED" });
    await expect(signer.record(record.instance, 1, right)).resolves.toHaveLength(65);
    await expect(signer.record(record.instance, 1, wrong)).rejects.toMatchObject({ code: "VERDE_ROUNDS_SIGNED" });
    // Another performance of the plan is another place, and a drill has another key.
    expect(toHex((await Signer.open(path("keys"), "client-0", true)).address)).not.toBe(toHex(signer.address));
    const again = await runRounds(plan, { state: path("keys"), out: path("signed-again") });
    expect(toHex(again.at(place)!.signature)).not.toBe(toHex(statement.signature));
    expect(runsOf(again)).toEqual(runsOf(record));
  });

  test("signs nothing while its journal can't be read", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const signer = await Signer.open(path("unread-keys"), "client-0");
    const [instance, place] = [testInstance(plan), { round: 1, seat: 0 }];
    const [first, second] = [1, 2].map((i) => new Uint8Array(32).fill(i) as Uint8Array as RunRoot);
    await signer.leaf(instance, place, first);
    const failed = Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    const failing = vi.spyOn(fs, "readFile").mockRejectedValueOnce(failed);
    await expect(signer.leaf(instance, place, second)).rejects.toThrow("nothing is signed without it");
    failing.mockRestore();
    await expect(signer.leaf(instance, place, second)).rejects.toMatchObject({ code: "VERDE_ROUNDS_SIGNED" });
  });
});
