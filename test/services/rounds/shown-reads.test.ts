/** What a participant has read, it keeps and sends: by that it shows that it built on what another had signed. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { signDigest } from "../../../src/claims/signature.ts";
import { fromHex } from "../../../src/encoding/bytes.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import { auditRecord, RoundsRecord, runRounds } from "../../../src/rounds/index.ts";
import { statesRead } from "../../../src/rounds/judge.ts";
import { LeafRunner } from "../../../src/rounds/leaf.ts";
import { LogWriter } from "../../../src/rounds/log.ts";
import { leafRoot, templateOf } from "../../../src/rounds/plan.ts";
import { logFile } from "../../../src/rounds/record.ts";
import { leafDigest } from "../../../src/rounds/statement.ts";
import { Joined } from "../../../src/services/rounds/join.ts";
import { messages, recorderSubject, subjectOf } from "../../../src/services/rounds/messages.ts";
import { musterOn } from "../../../src/services/rounds/muster.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { smallPlan } from "../../rounds/small-plan.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
const [LOCAL, MERGE] = [
  { round: 1, seat: 0 },
  { round: 1, seat: 3 },
];

test("an honest server shows what it has read, when the recorder lists another leaf of an accomplice", async () => {
  const plan = await smallPlan.close({ rounds: 1 });
  const network = new InProcess();
  for (const { name } of plan.participants) {
    const joined = await Joined.open({ transport: network, plan, participant: name, out: path(`own/${name}`), state: path("keys"), backend: "wasm", patience: 1_000 }); // prettier-ignore
    closing.push(() => joined.close());
  }
  const participants = await musterOn({ transport: network, plan });
  const record = await runRounds(plan, { participants, state: path("keys"), out: path("record") });
  const [instance] = readdirSync(path("own/server-0"));
  const own = path(`own/server-0/${instance}`);
  expect((await record.note(MERGE)).read).toEqual(record.sources(MERGE));
  expect(readFileSync(`${own}/rounds/0001/merge-0.leaf`)).toEqual(readFileSync(path("record/rounds/0001/merge-0.leaf"))); // prettier-ignore

  // client-0 signs a second leaf, which took one step, and the recorder lists that one.
  const runner = new LeafRunner(wasm);
  closing.push(() => runner.close());
  const made = await runner.run(plan, LOCAL, await statesRead(record, LOCAL), { fault: { kind: "steps", count: 1 } });
  await record.blobs.put(made.state, made.roots);
  const digest = leafDigest(record.instance, LOCAL, leafRoot(templateOf(plan, LOCAL), made));
  const signature = signDigest(digest, fromHex(readFileSync(path("keys/keys/rounds/client-0.key"), "utf8").trim(), 32));
  const second = { ...LOCAL, job: made.job, start: made.start, end: made.end, signature };
  await record.writeNote(LOCAL, { roots: made.roots, metrics: [] });
  const log = await LogWriter.open(logFile(record.folder));
  for (const each of record.all) await log.statement(each.round === 1 && each.seat === 0 ? second : each);

  const judged = async (...evidence: string[]) => {
    const { liars } = await auditRecord(await RoundsRecord.open(record.folder, evidence), { backend: wasm });
    return liars.filter(({ name }) => name === "merge-0").map(({ participant, reason }) => ({ participant, reason }));
  };
  const acquitted = [{ participant: "client-0", reason: "equivocation" }];
  expect(await judged()).toEqual(acquitted);
  // A recorder that keeps nothing of it leaves the server the files of its own.
  const { read: _, ...note } = await record.note(MERGE);
  await record.writeNote(MERGE, note);
  expect(await judged()).toEqual([{ participant: "server-0", reason: "inputs" }]);
  expect(await judged(path("own/client-1/" + instance), own)).toEqual(acquitted);
  await expect(judged(path("own"))).rejects.toThrow("has no leaves, so it shows nothing");

  // Asked again with the second leaf, it still knows the first one, and signs what it has signed.
  const before = readFileSync(`${own}/rounds/0001/merge-0.leaf`);
  await closing[3]();
  const again = await Joined.open({ transport: network, plan, participant: "server-0", out: path("own/server-0"), state: path("keys"), backend: "wasm", patience: 1_000 }); // prettier-ignore
  closing.push(() => again.close());
  const listed = await RoundsRecord.open(record.folder);
  const end = await network.answer(recorderSubject(listed.instance.id), async (message) => {
    const asked = messages.askedOfRecorder(message);
    if (asked.kind === "blob") return messages.reply({ kind: "piece", bytes: (await listed.blobs.part(asked.root, asked.from, 2 ** 20))! }); // prettier-ignore
    if (asked.kind !== "leaf") throw new Error("no turn of this plan has rolls, and its seeds follow from it");
    const statement = listed.at(asked)!;
    return messages.reply({ kind: "leaf", statement, roots: [...(await listed.note(asked)).roots] });
  });
  closing.push(end);
  const { id: __, ...named } = listed.instance;
  const question = messages.ask({ kind: "perform", instance: { ...named, owners: [...named.owners] }, ...MERGE, stop: true }); // prettier-ignore
  const reply = messages.replied(await network.ask(subjectOf(plan.id, "server-0"), { message: question, most: 2 ** 22, timeout: 20_000 })); // prettier-ignore
  expect(reply).toMatchObject({ kind: "performed", statement: { signature: listed.at(MERGE)!.signature } });
  expect(readFileSync(`${own}/rounds/0001/merge-0.leaf`)).toEqual(before);
});
