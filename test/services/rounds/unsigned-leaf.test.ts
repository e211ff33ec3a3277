/** A participant on a network keeps nothing of a leaf that its owner has not signed. */
import { afterAll, expect, test } from "vitest";
import { type Plan, runRounds } from "../../../src/rounds/index.ts";
import { Joined } from "../../../src/services/rounds/join.ts";
import { messages } from "../../../src/services/rounds/messages.ts";
import { musterOn } from "../../../src/services/rounds/muster.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import type { Transport } from "../../../src/services/transport/transport.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { smallPlan } from "../../rounds/small-plan.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function gathered(plan: Plan, transport: Transport, out: string): Promise<void> {
  for (const { name } of plan.participants) {
    const joined = await Joined.open({ transport, plan, participant: name, out: path(`${out}/${name}`), state: path("keys"), backend: "wasm", patience: 1_000 }); // prettier-ignore
    closing.push(() => joined.close());
  }
}

test("a leaf whose signature was altered on its way is refused, and read when it is sent again", async () => {
  const plan = await smallPlan.close({ rounds: 1 });
  const network = new InProcess();
  await gathered(plan, network, "own");
  let altered = 0;
  const front: Transport = Object.assign(Object.create(network) as InProcess, {
    answer: (subject: string, answerer: Parameters<Transport["answer"]>[1]) =>
      network.answer(subject, async (message) => {
        const bytes = await answerer(message);
        const [asked, reply] = [messages.askedOfRecorder(message), messages.replied(bytes)];
        if (asked.kind !== "leaf" || asked.round !== 1 || reply.kind !== "leaf" || altered++ > 0) return bytes;
        return messages.reply({ ...reply, statement: { ...reply.statement, signature: new Uint8Array(65) } });
      }),
  });
  const participants = await musterOn({ transport: front, plan });
  const run = () => runRounds(plan, { participants, state: path("keys"), out: path("record"), resume: true });
  await expect(run()).rejects.toThrow("a leaf of local-0 in round 1 that its owner has not signed");
  expect((await run()).complete).toBe(2);
  expect(altered).toBeGreaterThan(1);
});
