/** A record is fetched from its recorder: over each transport, while it is made, and again after an interruption. */
import { existsSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { TransportError } from "../../../src/errors/index.ts";
import { keepEvidence } from "../../../src/rounds/evidence-log.ts";
import { auditRecord, disputeRecords, parseAway, RoundsRecord, runRounds } from "../../../src/rounds/index.ts";
import type { Ending, Transport } from "../../../src/services/transport/transport.ts";
import { followRecord } from "../../../src/services/rounds/follow.ts";
import { messages } from "../../../src/services/rounds/messages.ts";
import { serveRecord } from "../../../src/services/rounds/record-server.ts";
import { Http } from "../../../src/services/transport/http.ts";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { Nats } from "../../../src/services/transport/nats.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { hasNats, startNats } from "../../fixtures/nats.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";
import { smallPlan } from "../../rounds/small-plan.ts";
import { contentOf, fetched, servedFrom } from "./fetched.ts";

const SLOWLY = { timeout: 30_000 };
const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

const NETWORKS: Readonly<Record<string, () => Promise<() => Promise<Transport>>>> = {
  "over HTTP": async () => {
    const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
    closing.push(() => hub.close());
    return async () => new Http(hub.url);
  },
  ...(hasNats && {
    "over NATS": async () => {
      const server = await startNats();
      closing.push(() => server.close());
      return () => Nats.open(server.url);
    },
  }),
};

describe("a record that is whole", () => {
  test.each(Object.entries(NETWORKS))("is fetched %s, to the byte", async (name, begin) => {
    const record = await runRounds(await smallPlan.close(), { state: path("keys"), out: path("whole"), force: true });
    const open = await begin();
    const [server, client] = [await open(), await open()];
    closing.push(() => server.close(), () => client.close()); // prettier-ignore
    await serveRecord(server, record);
    const out = path(`whole-${name.replaceAll(" ", "-")}`);
    const rounds: number[] = [];
    const found = await fetched({ transport: client, instance: record.instance.id, out, onRound: (round) => rounds.push(round) }); // prettier-ignore
    expect(found).toMatchObject({ rounds: 3, isWhole: true, lacking: [] });
    expect(rounds).toEqual([0, 1, 2]);
    expect(contentOf(out)).toEqual(contentOf(record.folder));
    const own = await RoundsRecord.open(out);
    expect(await auditRecord(own)).toMatchObject({ liars: [], unavailable: [] });
    expect(await disputeRecords(own, await RoundsRecord.open(record.folder))).toMatchObject({ outcome: "agree" });
  });

  test("over which another plan is run leaves nothing of it behind, nor its evidence", async () => {
    const record = await runRounds(await smallPlan.close(), { state: path("keys"), out: path("under") });
    const out = path("over");
    await fetched({ transport: await servedFrom(record.folder), instance: record.instance.id, out });
    const mark = { ...record.marks[0], root: record.marks[1].root };
    await keepEvidence(await RoundsRecord.open(out), { statements: [], rolls: [], marks: [mark] });
    await runRounds(await membershipPlan.close({ rounds: 1 }), { state: path("keys"), out, force: true });
    expect((await RoundsRecord.open(out)).marks).toHaveLength(2);
    expect(existsSync(path("over/evidence.log"))).toBe(false);
  });

  test("has its rolls, and none of the leaves of those who were away", async () => {
    const plan = await membershipPlan.close();
    const record = await runRounds(plan, { state: path("keys"), out: path("rolls"), away: [parseAway(plan, "client-1=2")] }); // prettier-ignore
    const transport = await servedFrom(record.folder);
    const out = path("rolls-fetched");
    expect(await fetched({ transport, instance: record.instance.id, out })).toMatchObject({ isWhole: true, lacking: [] }); // prettier-ignore
    expect(contentOf(out)).toEqual(contentOf(record.folder));
    expect((await RoundsRecord.open(out)).isAbsent({ round: 2, seat: 1 })).toBe(true);
  });

  test("is not fetched into a folder that has something else", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const record = await runRounds(plan, { state: path("keys"), out: path("one") });
    const other = await runRounds(plan, { state: path("keys"), out: path("two") });
    const transport = await servedFrom(record.folder);
    const { id: instance } = record.instance;
    await expect(fetched({ transport, instance, out: other.folder })).rejects.toThrow("was not fetched");
    const network = await servedFrom(other.folder);
    await fetched({ transport: network, instance: other.instance.id, out: path("two-fetched") });
    await expect(fetched({ transport, instance, out: path("two-fetched") })).rejects.toThrow("the record of another instance"); // prettier-ignore
    await expect(fetched({ transport: network, instance, out: path("nobody") })).rejects.toMatchObject({ code: "VERDE_ROUNDS_SERVER", message: expect.stringContaining("can't be asked") as string }); // prettier-ignore
  });

  test("is refused beyond a limit, before the disk is full", async () => {
    const record = await runRounds(await smallPlan.close(), { state: path("keys"), out: path("large") });
    const transport = await servedFrom(record.folder);
    const options = { transport, instance: record.instance.id, out: path("limited") };
    await expect(fetched({ ...options, limit: 9_000 })).rejects.toMatchObject({ code: "VERDE_ROUNDS_LIMIT" });
    expect(await fetched(options)).toMatchObject({ isWhole: true, lacking: [] });
    expect(contentOf(options.out)).toEqual(contentOf(record.folder));
  });
});

describe("a record that is made", () => {
  test("is followed: each round is there when it is closed, while its server goes and comes back", async () => {
    const plan = await smallPlan.close({ rounds: 4 });
    const network = new InProcess();
    const begun = Promise.withResolvers<RoundsRecord>();
    const out = path("followed");
    const [troubles, rounds] = [[] as string[], [] as number[]];
    let end: Ending = async () => {};
    let following: Promise<unknown> = Promise.resolve();
    let recorded = 0;
    const running = runRounds(plan, {
      state: path("keys"),
      out: path("growing"),
      onBegin: async (record) => {
        end = await serveRecord(network, record);
        const options = { transport: network, instance: record.instance.id, out, patience: 100, everyMillis: 5 };
        following = followRecord({ ...options, onTrouble: (text) => troubles.push(text), onRound: (round) => {
          // No round is there before its recorder has closed it.
          expect(round).toBeLessThanOrEqual(recorded);
          rounds.push(round);
        } }); // prettier-ignore
        begun.resolve(record);
      },
      onLeaf: ({ round }) => void (recorded = round),
    });
    const record = await begun.promise;
    await expect.poll(() => rounds.length, SLOWLY).toBeGreaterThan(0);
    await end();
    await running;
    await expect.poll(() => troubles.join(), SLOWLY).toContain("can't be asked");
    await serveRecord(network, record);
    expect(await following).toMatchObject({ rounds: 5, isWhole: true, lacking: [] });
    expect(rounds).toEqual([0, 1, 2, 3, 4]);
    expect(contentOf(out)).toEqual(contentOf(record.folder));
  });

  test("has the rounds that are closed, and no more", async () => {
    const plan = await smallPlan.close({ rounds: 4 });
    const network = new InProcess();
    const stop = new AbortController();
    const running = runRounds(plan, { state: path("keys"), out: path("open"), signal: stop.signal, onBegin: async (record) => void (await serveRecord(network, record)), onLeaf: ({ round, name }) => void (round === 2 && name === "local-1" && stop.abort()) }); // prettier-ignore
    await expect(running).rejects.toMatchObject({ code: "VERDE_RUN_STOPPED" });
    const record = await RoundsRecord.open(path("open"));
    const options = { transport: network, instance: record.instance.id, out: path("part") };
    expect(await fetched(options)).toMatchObject({ rounds: 2, isWhole: false, lacking: [] });
    const own = await RoundsRecord.open(path("part"));
    expect(own.size).toBe(8);
    expect(await auditRecord(own)).toMatchObject({ leaves: 8, liars: [], unavailable: [] });
    await runRounds(plan, { state: path("keys"), out: path("open"), resume: true });
    expect(await fetched(options)).toMatchObject({ rounds: 5, isWhole: true });
    expect(contentOf(path("part"))).toEqual(contentOf(path("open")));
  });
});

describe("an interruption", () => {
  test("at any question loses nothing, and what is there is not asked for again", async () => {
    const record = await runRounds(await smallPlan.close({ rounds: 1 }), { state: path("keys"), out: path("cut") });
    const network = await servedFrom(record.folder);
    const asked: string[] = [];
    let left = 0;
    const flaky: Transport = Object.assign(Object.create(network) as InProcess, {
      ask: async (subject: string, question: Parameters<Transport["ask"]>[1]) => {
        if (left-- <= 0) throw new TransportError("UNREACHABLE", "killed");
        const about = messages.askedOfServer(question.message);
        if (about.kind === "tensor") asked.push(Buffer.from(about.root).toString("hex"));
        return network.ask(subject, question);
      },
    });
    const options = { transport: flaky, instance: record.instance.id, out: path("cut-fetched"), patience: 0 };
    let interruptions = 0;
    for (let more = 1; ; more += 3) {
      left = more;
      const isDone = await fetched(options).then(() => true, (error: Error) => !error.message.includes("killed")); // prettier-ignore
      if (isDone) break;
      interruptions++;
    }
    expect(interruptions).toBeGreaterThan(5);
    expect(new Set(asked).size).toBe(asked.length);
    expect(contentOf(options.out)).toEqual(contentOf(record.folder));
  });

  test("in the middle of a round that is written is mended, and so are files that are lost", async () => {
    const record = await runRounds(await smallPlan.close(), { state: path("keys"), out: path("torn") });
    const transport = await servedFrom(record.folder);
    const options = { transport, instance: record.instance.id, out: path("torn-fetched") };
    await fetched(options);
    const log = readFileSync(path("torn/record.log"));
    // The last round is cut after two of its entries and a half, as when the machine stops while it is written.
    truncateSync(path("torn-fetched/record.log"), log.length - 134 - 2 * 202 - 100);
    const [blob] = Object.keys(contentOf(options.out)).filter((name) => name.startsWith("blobs/"));
    rmSync(path(`torn-fetched/${blob}`));
    rmSync(path("torn-fetched/rounds/0001/local-0.leaf"));
    expect(await fetched(options)).toMatchObject({ rounds: 3, isWhole: true, lacking: [] });
    expect(contentOf(options.out)).toEqual(contentOf(record.folder));
  });
});
