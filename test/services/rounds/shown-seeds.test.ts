/** A participant on a network keeps the signature from which it has drawn: by that it shows that the recorder has signed two. */
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { signDigest } from "../../../src/claims/signature.ts";
import { fromHex } from "../../../src/encoding/bytes.ts";
import { auditRecord, RoundsRecord, runRounds } from "../../../src/rounds/index.ts";
import type { RecordMark } from "../../../src/rounds/log-entry.ts";
import { recordDigest } from "../../../src/rounds/statement.ts";
import { Joined } from "../../../src/services/rounds/join.ts";
import { messages, recorderSubject, subjectOf } from "../../../src/services/rounds/messages.ts";
import { musterOn } from "../../../src/services/rounds/muster.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { seedsPlan } from "../../rounds/seeds-plan.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
const LOCAL = { round: 1, seat: 0 };
const OTHER = new Uint8Array(32).fill(9);

test("what the recorder has shown it, it keeps, and no seeds follow from what another has signed", async () => {
  const plan = await seedsPlan.close({ rounds: 1 });
  const network = new InProcess();
  const joined = await Promise.all(plan.participants.map(({ name }) => Joined.open({ transport: network, plan, participant: name, out: path(`own/${name}`), state: path("keys"), backend: "wasm", patience: 1_000 }))); // prettier-ignore
  const record = await runRounds(plan, { participants: await musterOn({ transport: network, plan }), state: path("keys"), out: path("record") }); // prettier-ignore
  const [instance] = readdirSync(path("own/client-0"));
  expect((await (await RoundsRecord.open(path(`own/client-0/${instance}`))).note(LOCAL)).mark).toEqual(
    (await RoundsRecord.open(record.folder)).marks[0],
  );
  for (const one of joined) await one.close();

  // The recorder shows another signature to client-0, whose journal is empty, and lists the right one.
  cpSync(path("keys/keys"), path("again/keys"), { recursive: true });
  const again = await Joined.open({ transport: network, plan, participant: "client-0", out: path("again/own"), state: path("again"), backend: "wasm", patience: 1_000 }); // prettier-ignore
  closing.push(() => again.close());
  const secretOf = (name: string) => fromHex(readFileSync(path(`keys/keys/rounds/${name}.key`), "utf8").trim(), 32);
  const signed = (root: Uint8Array<ArrayBuffer>, by: string): RecordMark => ({ rounds: 1, root, signature: signDigest(recordDigest(record.instance, 1, root), secretOf(by)) }); // prettier-ignore
  let shown = signed(OTHER, "client-1");
  const end = await network.answer(recorderSubject(record.instance.id), async (message) => {
    const asked = messages.askedOfRecorder(message);
    if (asked.kind === "mark") return messages.reply({ kind: "mark", mark: shown });
    if (asked.kind === "blob") return messages.reply({ kind: "piece", bytes: (await record.blobs.part(asked.root, asked.from, 2 ** 20))! }); // prettier-ignore
    if (asked.kind === "roll") throw new Error("round 0 has no rolls");
    return messages.reply({ kind: "leaf", statement: record.at(asked)!, roots: [...(await record.note(asked)).roots] });
  });
  closing.push(end);
  const { id: _, ...named } = record.instance;
  const ask = async () => {
    const message = messages.ask({ kind: "perform", instance: { ...named, owners: [...named.owners] }, ...LOCAL, stop: true }); // prettier-ignore
    return messages.replied(
      await network.ask(subjectOf(plan.id, "client-0"), { message, most: 2 ** 22, timeout: 20_000 }),
    );
  };
  expect(await ask()).toMatchObject({ kind: "failed", code: "VERDE_ROUNDS_RECORD", message: expect.stringContaining("no signature of its own over the rounds before round 1") as string }); // prettier-ignore
  shown = { ...record.marks[0], rounds: 0 };
  expect(await ask()).toMatchObject({ kind: "failed", code: "VERDE_ROUNDS_RECORD" });
  shown = signed(OTHER, "recorder");
  const reply = await ask();
  if (reply.kind !== "performed") throw new Error(reply.kind);
  const statements = record.all.map((each) => (each.round === 1 && each.seat === 0 ? reply.statement : each));
  const audited = async (...evidence: string[]) => {
    const listed = new RoundsRecord(record.folder, plan, record.instance, record.blobs, { statements, rolls: record.rolls.all, marks: record.marks.slice(0, 1) }); // prettier-ignore
    listed.evidence.push(...evidence);
    const { liars } = await auditRecord(listed);
    return liars.filter(({ name }) => name === "local-0").map(({ participant, reason }) => `${participant} ${reason}`);
  };
  expect(await audited()).toEqual(["client-0 inputs"]);
  expect(await audited(path(`again/own/${instance}`))).toEqual(["recorder equivocation"]);
});
