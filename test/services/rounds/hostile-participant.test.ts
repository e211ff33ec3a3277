/** What a participant does to the others: a turn misses one that sends what nobody could read, and they go on. */
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { signDigest } from "../../../src/claims/signature.ts";
import { type Bytes, fromHex } from "../../../src/encoding/bytes.ts";
import { sha256 } from "../../../src/encoding/hash.ts";
import { stateRoot, type Tensor, tensorRoot, type TensorRoot } from "../../../src/encoding/tensor.ts";
import { Blobs } from "../../../src/rounds/blobs.ts";
import { auditRecord, type Plan, type RoundsRecord, runRounds } from "../../../src/rounds/index.ts";
import { leafRoot, templateOf } from "../../../src/rounds/plan.ts";
import { type Instance, instanceOf, leafDigest } from "../../../src/rounds/statement.ts";
import { stateOf } from "../../../src/rounds/template.ts";
import { Joined } from "../../../src/services/rounds/join.ts";
import { messages, PIECE, type Reply, subjectOf } from "../../../src/services/rounds/messages.ts";
import { musterOn } from "../../../src/services/rounds/muster.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import type { Transport } from "../../../src/services/transport/transport.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
const LIAR = "client-1";
const HOLD = "client-2";
let runs = 0;

type Performed = Extract<Reply, { kind: "performed" }>;
/** What the liar has beside its own blobs. */
const lies = new Blobs(path("lies"));

/** The reply with other entries of the state, which the liar has signed. */
function resigned(plan: Plan, instance: Instance, reply: Performed, roots: TensorRoot[]): Performed {
  const statement = { ...reply.statement, end: stateRoot(roots) };
  const digest = leafDigest(instance, statement, leafRoot(templateOf(plan, statement), statement));
  const secret = fromHex(readFileSync(path(`keys/keys/rounds/${LIAR}.key`), "utf8").trim(), 32);
  return { ...reply, roots, statement: { ...statement, signature: signDigest(digest, secret) } };
}

/** Has a plan performed in which the liar's leaf of round 1 is changed on its way. */
async function performedWith(
  change: (plan: Plan, instance: Instance, reply: Performed) => Performed | Promise<Performed>,
  patience?: number,
): Promise<{ record: RoundsRecord; absent: string[] }> {
  const plan = await membershipPlan.close({ rounds: 2 });
  const network = new InProcess();
  const name = `run-${runs++}`;
  for (const { name: participant } of plan.participants) {
    const joined = await Joined.open({ transport: network, plan, participant, out: path(`${name}/own/${participant}`), state: path("keys"), backend: "wasm" }); // prettier-ignore
    closing.push(() => joined.close());
  }
  const front: Transport = Object.assign(Object.create(network) as InProcess, {
    ask: async (subject: string, question: Parameters<Transport["ask"]>[1]) => {
      const asked = messages.askedOfParticipant(question.message);
      if (subject === subjectOf(plan.id, LIAR) && asked.kind === "blob") {
        const bytes = await lies.part(asked.root, asked.from, PIECE);
        if (bytes) return messages.reply({ kind: "piece", bytes });
      }
      const reply = messages.replied(await network.ask(subject, question));
      if (reply.kind !== "performed" || reply.statement.round !== 1 || asked.kind !== "perform") return messages.reply(reply); // prettier-ignore
      // One that is honest takes longer than the recorder waits for after the quorum.
      if (subject === subjectOf(plan.id, HOLD) && patience !== undefined) await new Promise((resolve) => setTimeout(resolve, 10 * patience)); // prettier-ignore
      return messages.reply(subject === subjectOf(plan.id, LIAR) ? await change(plan, instanceOf(asked.instance), reply) : reply); // prettier-ignore
    },
  });
  const participants = await musterOn({ transport: front, plan });
  const absent: string[] = [];
  const onAbsent = ({ round, name: leaf, why }: { round: number; name: string; why: string }) => absent.push(`${round} ${leaf}: ${why}`); // prettier-ignore
  const record = await runRounds(plan, { participants, state: path("keys"), out: path(`${name}/record`), onAbsent, ...(patience !== undefined && { patience }) }); // prettier-ignore
  return { record, absent };
}

test.each<[string, Parameters<typeof performedWith>[0], RegExp]>([
  [
    "more entries than its state has",
    (plan, instance, reply) => resigned(plan, instance, reply, [...reply.roots, sha256(new Uint8Array(1)) as Uint8Array as TensorRoot]),
    /client-1 sent \d+ entries of a state, and it has \d+/,
  ],
  [
    "fewer entries than its state has",
    (plan, instance, reply) => resigned(plan, instance, reply, reply.roots.slice(0, -1)),
    /client-1 sent \d+ entries of a state, and it has \d+/,
  ],
  [
    "an entry of another type",
    async (plan, instance, reply) => {
      const [type] = stateOf(plan.templates[plan.seats[reply.statement.seat].template]);
      const size = type.shape.reduce((count, extent) => count * extent, 1);
      const other: Tensor = { dtype: "i32", shape: [...type.shape], data: new Int32Array(size) };
      expect(type.dtype).toBe("f32");
      await lies.put([other], [tensorRoot(other)]);
      return resigned(plan, instance, reply, [tensorRoot(other), ...reply.roots.slice(1)]);
    },
    /client-1 sent another tensor than 0x\w+, or one of another type/,
  ],
])("%s", async (_, change, why) => {
  const { record, absent } = await performedWith(change);
  expect(absent).toMatchObject([expect.stringMatching(why)]);
  expect(record.rolls.all.map(({ present }) => present.map(Number).join(""))).toEqual(["101", "111"]);
  expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
}); // prettier-ignore

test("a fault has its own fields in the record, whatever was sent beside them", async () => {
  const fault = { kind: "flip", step: 0, operator: 0, element: 0, bit: 0 };
  const { record, absent } = await performedWith((_, __, reply) => ({ ...reply, fault: { ...fault, more: [[[0]]] } }));
  expect(absent).toEqual([]);
  expect((await record.note({ round: 1, seat: 1 })).fault).toEqual(fault);
});

test("a leaf that is not signed is no delivery: those that compute for longer are waited for", async () => {
  const unsigned: Bytes = new Uint8Array(65);
  const { record, absent } = await performedWith((_, __, reply) => ({ ...reply, statement: { ...reply.statement, signature: unsigned } }), 50); // prettier-ignore
  expect(absent).toMatchObject([expect.stringContaining("1 local-1: client-1 sent a statement of local-1 in round 1 that it has not signed")]); // prettier-ignore
  expect(record.rolls.all.map(({ present }) => present.map(Number).join(""))).toEqual(["101", "111"]);
});

test("two participants never write to one folder, and a folder is free when its participant is gone", async () => {
  const plan = await membershipPlan.close({ rounds: 1 });
  const network = new InProcess();
  const opened = (participant: string): Promise<Joined> => Joined.open({ transport: network, plan, participant, out: path("shared"), state: path("keys"), backend: "wasm" }); // prettier-ignore
  const first = await opened("client-0");
  await expect(opened("client-1")).rejects.toMatchObject({ code: "VERDE_FILE_LOCKED", message: expect.stringContaining("where another participant keeps what it computes") as string }); // prettier-ignore
  await first.close();
  const again = await opened("client-0");
  await again.close();
  const unreachable = Object.assign(Object.create(network) as InProcess, { answer: () => Promise.reject(new Error("nobody is there")) }); // prettier-ignore
  await expect(Joined.open({ transport: unreachable, plan, participant: "client-0", out: path("shared"), state: path("keys"), backend: "wasm" })).rejects.toThrow("nobody is there"); // prettier-ignore
  await (await opened("client-1")).close();
});
