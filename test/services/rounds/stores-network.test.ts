/** Runs with stores on a network: receipts without the recorder, stores that are away, and a recorder that leaves a member out. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toHex } from "../../../src/encoding/bytes.ts";
import { auditRecord, parseAway, RoundsRecord, runRounds } from "../../../src/rounds/index.ts";
import { openEmpty } from "../../../src/rounds/begin-record.ts";
import { parseCensored } from "../../../src/rounds/away.ts";
import { isMissed, isStored } from "../../../src/rounds/receipt.ts";
import { runOf } from "../../../src/rounds/statement.ts";
import { Joined } from "../../../src/services/rounds/join.ts";
import { JoinedStore } from "../../../src/services/rounds/joined-store.ts";
import { messages, subjectOf } from "../../../src/services/rounds/messages.ts";
import { musterOn } from "../../../src/services/rounds/muster.ts";
import { serveRecord } from "../../../src/services/rounds/record-server.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import type { Transport } from "../../../src/services/transport/transport.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";
import { copied, fetched } from "./fetched.ts";

const path = temporaryFolder();
const plan = await membershipPlan.close({ rounds: 2, stores: 3, copies: 2 });

/** All participants of the plan, with folders of their own. */
async function gathered(network: Transport, out: string): Promise<Map<string, { close(): Promise<void> }>> {
  const joined = new Map<string, { close(): Promise<void> }>();
  for (const { name: participant, role } of plan.participants) {
    const common = { transport: network, plan, participant, out: path(`${out}/${participant}`), state: path("keys"), patience: 300 }; // prettier-ignore
    joined.set(participant, await (role === "store" ? JoinedStore.open({ ...common, notice: 0 }) : Joined.open({ ...common, backend: "wasm" }))); // prettier-ignore
  }
  return joined;
}

/** The folder that a participant has of the performance. */
const ownFolder = (out: string, name: string): string => path(`${out}/${name}/${readdirSync(path(`${out}/${name}`))[0]}`); // prettier-ignore

test("a run has the receipts of enough stores for each leaf, with one away, and each owner has its own", async () => {
  const network = new InProcess();
  const joined = await gathered(network, "away");
  const participants = await musterOn({ transport: network, plan, patience: 300 });
  await joined.get("store-2")!.close();
  const record = await runRounds(plan, { participants, state: path("keys"), out: path("away-record") });
  expect(record.complete).toBe(3);
  for (const leaf of record.all)
    expect(record.sentences.at(leaf).map(({ store }) => store), toHex(leaf.end)).toEqual([0, 1]); // prettier-ignore
  expect(await auditRecord(await RoundsRecord.open(path("away-record")))).toMatchObject({ liars: [], unavailable: [] });
  // The server of the record has lost what a leaf hands on: the stores have it.
  const leaf = record.at({ round: 1, seat: 0 })!;
  const lost = copied(path("away-record"), path("away-lost"));
  const { roots } = await record.note(leaf);
  for (const root of roots) rmSync(join(lost, "blobs", toHex(root).slice(2)));
  await serveRecord(network, await openEmpty(lost));
  const options = { transport: network, instance: record.instance.id };
  expect((await fetched({ ...options, out: path("away-fetched") })).lacking).toEqual([]);
  expect((await auditRecord(await RoundsRecord.open(path("away-fetched")))).liars).toEqual([]);
  for (const name of ["store-0", "store-1"]) await joined.get(name)!.close();
  const { lacking } = await fetched({ ...options, out: path("away-without") });
  expect(lacking.find(({ round, seat }) => round === 1 && seat === 0)!.why).toMatch(/signed by stores that do not give it: store-0 can't be asked.*store-1 can't be asked/); // prettier-ignore
  const shown = await RoundsRecord.open(path("away-record"), [ownFolder("away", "client-1")]);
  const own = shown.shownSentences.all;
  expect(own.map(({ seat }) => seat)).toEqual(own.map(() => 1));
  expect(own.length).toBe(6);
});

test("a leaf that its owner could not deliver to the recorder is taken from the stores", async () => {
  const network = new InProcess();
  await gathered(network, "taken");
  const cut: Transport = Object.assign(Object.create(network) as InProcess, {
    ask: async (subject: string, question: Parameters<Transport["ask"]>[1]) => {
      const reply = await network.ask(subject, question);
      const isCut = subject === subjectOf(plan.id, "client-1") && messages.replied(reply);
      if (isCut && isCut.kind === "performed" && isCut.statement.round === 1) return messages.reply({ kind: "failed", code: "X", message: "cut" }); // prettier-ignore
      return reply;
    },
  });
  const participants = await musterOn({ transport: cut, plan, patience: 300 });
  const absent: string[] = [];
  const record = await runRounds(plan, { participants, state: path("keys"), out: path("taken-record"), onAbsent: ({ name }) => absent.push(name) }); // prettier-ignore
  expect(absent).toEqual([]);
  const leaf = record.at({ round: 1, seat: 1 })!;
  expect(isStored(plan, record.instance, record.sentences.at(leaf), leaf, runOf(plan, leaf))).toBe(true);
  expect(await auditRecord(await RoundsRecord.open(path("taken-record")))).toMatchObject({ liars: [], unavailable: [] }); // prettier-ignore
});

test("a member that is away has the notes of enough stores", async () => {
  const network = new InProcess();
  await gathered(network, "missed");
  const participants = await musterOn({ transport: network, plan, patience: 300 });
  const away = [parseAway(plan, "client-2=1")];
  const record = await runRounds(plan, { participants, state: path("keys"), out: path("missed-record"), away });
  const place = { round: 1, seat: 2 };
  expect([record.isAbsent(place), isMissed(plan, record.instance, record.sentences.at(place), place)]).toEqual([true, true]); // prettier-ignore
  expect(await auditRecord(await RoundsRecord.open(path("missed-record")))).toMatchObject({ liars: [], unavailable: [] }); // prettier-ignore
});

test("a recorder that calls a member absent, whose leaf stores have, is named, and the member shows why", async () => {
  const network = new InProcess();
  await gathered(network, "censored");
  const participants = await musterOn({ transport: network, plan, patience: 300 });
  const censored = [parseCensored(plan, "client-0=1")];
  await runRounds(plan, { participants, state: path("keys"), out: path("censored-record"), censored });
  const own = ownFolder("censored", "client-0");
  const shown = await RoundsRecord.open(path("censored-record"), [own]);
  const place = { round: 1, seat: 0 };
  const leaf = (await RoundsRecord.open(own)).at(place)!;
  expect(shown.isAbsent(place)).toBe(true);
  expect(isStored(plan, shown.instance, shown.shownSentences.at(place), place, runOf(plan, leaf))).toBe(true);
  expect((await auditRecord(shown)).liars).toEqual([{ participant: "recorder", reason: "receipts" }].map((each) => expect.objectContaining(each) as unknown)); // prettier-ignore
});
