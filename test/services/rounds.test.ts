/** Participants of a plan on a network: the same record over each transport, and what a hostile one can't do. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { addressOf } from "../../src/claims/signature.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import type { TensorRoot } from "../../src/encoding/tensor.ts";
import { auditRecord, parseAway, type Plan, RoundsRecord, runRounds } from "../../src/rounds/index.ts";
import { openEmpty } from "../../src/rounds/begin-record.ts";
import { isRecorders } from "../../src/rounds/roll.ts";
import { Signer } from "../../src/rounds/signer.ts";
import { instanceOf } from "../../src/rounds/statement.ts";
import { Joined } from "../../src/services/rounds/join.ts";
import { messages, MOST_REPLY, recorderSubject, type Reply, subjectOf } from "../../src/services/rounds/messages.ts";
import { musterOn } from "../../src/services/rounds/muster.ts";
import { Http } from "../../src/services/transport/http.ts";
import { serveHub } from "../../src/services/transport/hub.ts";
import { InProcess } from "../../src/services/transport/in-process.ts";
import { Nats } from "../../src/services/transport/nats.ts";
import type { Transport } from "../../src/services/transport/transport.ts";
import { instanceOn, roundTermsOf } from "../../src/settlement/rounds/terms.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { hasNats, startNats } from "../fixtures/nats.ts";
import { membershipPlan } from "../rounds/membership-plan.ts";
import { smallPlan } from "../rounds/small-plan.ts";

const path = temporaryFolder();
const SALT = new Uint8Array(32).fill(5);
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** A network, and how a process reaches it. */
const NETWORKS: Readonly<Record<string, () => Promise<() => Promise<Transport>>>> = {
  "in one process": async () => {
    const one = new InProcess();
    return async () => one;
  },
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

const join = (transport: Transport, plan: Plan, participant: string, out: string): Promise<Joined> =>
  Joined.open({ transport, plan, participant, out: path(`${out}/${participant}`), state: path("keys"), backend: "wasm", patience: 1_000 }); // prettier-ignore

async function gathered(open: () => Promise<Transport>, plan: Plan, out: string): Promise<Joined[]> {
  const joined: Joined[] = [];
  for (const { name } of plan.participants) {
    const transport = await open();
    joined.push(await join(transport, plan, name, out));
    closing.push(() => transport.close());
  }
  return joined;
}

const filesOf = (folder: string) => readdirSync(path(`${folder}/blobs`)).sort();
const leavesOf = (folder: string) =>
  readdirSync(path(`${folder}/rounds`), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".leaf"))
    .sort()
    .map((name) => [name, readFileSync(path(`${folder}/rounds/${name}`)).toString("hex")]);

describe("participants on a network", () => {
  test.each(Object.entries(NETWORKS))("make the same record %s as in one process, to the byte", async (name, begin) => {
    const plan = await smallPlan.close();
    const folder = name.replaceAll(" ", "-");
    const open = await begin();
    await gathered(open, plan, `${folder}-own`);
    const transport = await open();
    closing.push(() => transport.close());
    const participants = await musterOn({ transport, plan });
    await runRounds(plan, { participants, state: path("keys"), salt: SALT, out: path(folder) });
    await runRounds(plan, { state: path("keys"), salt: SALT, out: path("local"), force: true });
    expect(readFileSync(path(`${folder}/record.log`))).toEqual(readFileSync(path("local/record.log")));
    expect(filesOf(folder)).toEqual(filesOf("local"));
    expect(leavesOf(folder)).toEqual(leavesOf("local"));
    expect(await auditRecord(await RoundsRecord.open(path(folder)))).toMatchObject({ liars: [], unavailable: [] });
  });

  test("may go and come back, with what they have lost computed or fetched again", async () => {
    const plan = await smallPlan.close({ rounds: 4 });
    const network = new InProcess();
    const joined = await gathered(async () => network, plan, "back-own");
    const participants = await musterOn({ transport: network, plan, patience: 20_000 });
    let again: Promise<unknown> | undefined;
    const record = await runRounds(plan, {
      participants,
      state: path("keys"),
      out: path("back"),
      onLeaf: ({ round, name }) => {
        if (round !== 2 || name !== "local-0") return;
        // One is replaced by a process with an empty folder, which has the same key.
        again = joined[1].close().then(() => join(network, plan, "client-1", "back-new"));
      },
    });
    await again;
    expect(record.complete).toBe(5);
    expect(record.second).toEqual([]);
    expect(await auditRecord(await RoundsRecord.open(path("back")))).toMatchObject({ liars: [], unavailable: [] });
  });

  test("that stay away are named", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const network = new InProcess();
    await expect(musterOn({ transport: network, plan, patience: 200 })).rejects.toMatchObject({ code: "VERDE_ROUNDS_PARTICIPANT", message: expect.stringContaining("client-0 can't be asked") as string }); // prettier-ignore
    await expect(join(network, plan, "client-9", "nobody")).rejects.toThrow(
      "it has client-0, client-1, client-2, server-0",
    );
  });
});

describe("a turn that may miss members", () => {
  const NETWORK = Object.entries(NETWORKS).filter(([name]) => name !== "in one process");
  test.each(NETWORK)("misses one that stays away %s for a round, and has it again", async (name, begin) => {
    const plan = await membershipPlan.close({ rounds: 4 });
    const folder = `missed-${name.replaceAll(" ", "-")}`;
    const open = await begin();
    const joined = await gathered(open, plan, `${folder}-own`);
    const transport = await open();
    closing.push(() => transport.close());
    const participants = await musterOn({ transport, plan, patience: 500 });
    const absent: string[] = [];
    let coming: Promise<unknown> | undefined;
    const record = await runRounds(plan, {
      participants,
      state: path("keys"),
      salt: SALT,
      out: path(folder),
      onLeaf({ round, name: leaf }) {
        if (round === 1 && leaf === "merge-0") coming = joined[1].close();
      },
      onAbsent({ round, name: leaf, why }) {
        absent.push(`${round} ${leaf}: ${why}`);
        // It comes back with an empty folder, and learns from the rolls that its leaf of round 1 stands.
        coming = coming!.then(async () => join(await open(), plan, "client-1", `${folder}-back`));
      },
    });
    await coming;
    expect(absent.map((each) => each.slice(0, 34))).toEqual(["2 local-1: client-1 can't be asked"]);
    expect(record.reads({ round: 3, seat: 1 }).places).toContainEqual({ round: 1, seat: 1 });
    // The server keeps the roll that it has read, with the recorder's signature.
    const [kept] = readdirSync(path(`${folder}-own/server-0`));
    const server = await openEmpty(path(`${folder}-own/server-0/${kept}`));
    const { rolls, read } = await server.note({ round: 2, seat: 3 });
    expect(rolls).toMatchObject([
      { round: 2, turn: 0, present: [true, false, true] },
      { round: 1, turn: 0 },
    ]);
    expect(isRecorders(server.instance, rolls![0])).toBe(true);
    expect(read!.map(({ round }) => round)).toEqual([2, 1, 2]);
    // The same plan with the same absence, in one process.
    await runRounds(plan, { state: path("keys"), salt: SALT, out: path("missed-local"), force: true, away: [parseAway(plan, "client-1=2")] }); // prettier-ignore
    expect(readFileSync(path(`${folder}/record.log`))).toEqual(readFileSync(path("missed-local/record.log")));
    expect(await auditRecord(await RoundsRecord.open(path(folder)))).toMatchObject({ liars: [], unavailable: [] });
  });

  test("tells one that computes for too long that its turn is closed, and refuses its leaf", async () => {
    const plan = await membershipPlan.close();
    const network = new InProcess();
    const closed: string[] = [];
    for (const { name: participant } of plan.participants)
      await Joined.open({ transport: network, plan, participant, out: path(`late/${participant}`), state: path("keys"), backend: "wasm", onClosed: ({ round }, leaf) => closed.push(`${round} ${leaf}`) }); // prettier-ignore
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow: Transport = Object.assign(Object.create(network) as InProcess, {
      ask: async (subject: string, question: Parameters<Transport["ask"]>[1]) => {
        const asked = subject === subjectOf(plan.id, "client-2") && messages.askedOfParticipant(question.message);
        const isHeld = asked && asked.kind === "perform" && asked.round === 2;
        if (isHeld) await held;
        const reply = await network.ask(subject, question);
        if (isHeld) refused.push(messages.replied(reply));
        return reply;
      },
    });
    const refused: Reply[] = [];
    const participants = await musterOn({ transport: slow, plan });
    const record = await runRounds(plan, {
      participants,
      patience: 100,
      state: path("keys"),
      out: path("late-record"),
      onLeaf: ({ round, name }) => void (round === 2 && name === "merge-0" && release()),
    });
    await expect.poll(() => refused.length).toBe(1);
    expect(refused[0]).toMatchObject({ kind: "failed", code: "VERDE_ROUNDS_LATE", message: expect.stringContaining("local-2 in round 2 is too late") as string }); // prettier-ignore
    expect(closed).toEqual(["2 local-2"]);
    expect(record.rolls.all.map(({ present }) => present.map(Number).join(""))).toEqual(["111", "110", "111"]);
    expect(await auditRecord(record)).toMatchObject({ liars: [], unavailable: [] });
  });

  test("takes no leaf of who sends what it has not signed, and no roll that the recorder has not signed", async () => {
    const plan = await membershipPlan.close({ rounds: 1 });
    const network = new InProcess();
    await gathered(async () => network, plan, "rolls-own");
    let lie: (subject: string, reply: Reply) => Reply = (_, reply) => reply;
    const front: Transport = Object.assign(Object.create(network) as InProcess, {
      ask: async (subject: string, question: Parameters<Transport["ask"]>[1]) =>
        messages.reply(lie(subject, messages.replied(await network.ask(subject, question)))),
      answer: (subject: string, reply: Parameters<Transport["answer"]>[1]) =>
        network.answer(subject, async (message) =>
          messages.reply(lie(subject, messages.replied(await reply(message)))),
        ),
    });
    const participants = await musterOn({ transport: front, plan, patience: 200 });
    const options = { participants, state: path("keys") };
    lie = (subject, reply) =>
      subject === subjectOf(plan.id, "client-1") && reply.kind === "performed" && reply.statement.round === 1
        ? { ...reply, statement: { ...reply.statement, signature: new Uint8Array(65) } }
        : reply;
    const absent: string[] = [];
    await runRounds(plan, { ...options, out: path("rolls-leaf"), onAbsent: ({ why }) => absent.push(why) });
    expect(absent).toEqual([expect.stringContaining("client-1 sent a statement of local-1 in round 1 that it has not signed")]); // prettier-ignore
    const rolls: [(reply: Extract<Reply, { kind: "roll" }>["roll"]) => object, RegExp][] = [
      [(roll) => ({ ...roll, signature: new Uint8Array(65) }), /not signed by the recorder/],
      [(roll) => ({ ...roll, present: [true, true, false] }), /not signed by the recorder/],
      [(roll) => ({ ...roll, present: [true, true] }), /another roll than that of turn 0 in round 1/],
      [(roll) => ({ ...roll, turn: 1 }), /another roll than that of turn 0 in round 1/],
    ];
    for (const [i, [alter, problem]] of rolls.entries()) {
      lie = (_, reply) =>
        reply.kind === "roll" ? { kind: "roll", roll: alter(reply.roll) as typeof reply.roll } : reply;
      await expect(runRounds(plan, { ...options, out: path(`rolls-${i}`) })).rejects.toThrow(problem);
    }
  });
});

describe("with a stake on a chain", () => {
  const at = { chainId: 31_337, manager: `0x${"ab".repeat(20)}` } as const;
  const signerOf = (name: string): Signer => {
    const secret = sha256(new TextEncoder().encode(`staked ${name}`));
    return Signer.of(path("staked-keys"), { address: addressOf(secret), secret });
  };

  async function staked() {
    const plan = await smallPlan.close();
    const hex = (bytes: Uint8Array): `0x${string}` => `0x${Buffer.from(bytes).toString("hex")}`;
    const participants = plan.participants.map(({ name }) => hex(signerOf(name).address));
    const recorder = signerOf("recorder");
    const amounts = { stake: 10n, bond: 5n, reward: 1n, price: 1n, periods: { toJoin: 60, toRecord: 60, toChallenge: 60, toAnswer: 60 } }; // prettier-ignore
    const terms = roundTermsOf(plan, { client: participants[0], salt: `0x${"01".repeat(32)}`, participants, recorder: hex(recorder.address), ...amounts }); // prettier-ignore
    const instance = instanceOn(plan, terms, at);
    const network = new InProcess();
    const begin = (participant: string, signer = signerOf(participant)): Promise<Joined> =>
      Joined.open({ transport: network, plan, participant, out: path(`staked-own/${participant}`), state: path("keys"), backend: "wasm", patience: 1_000, staked: { instance, signer } }); // prettier-ignore
    return { plan, instance, recorder, network, begin };
  }

  test("they sign for the chain's instance alone, and keep what they have read as a record", async () => {
    const { plan, instance, recorder, network, begin } = await staked();
    const joined: Joined[] = [];
    for (const { name } of plan.participants) joined.push(await begin(name));
    const participants = await musterOn({ transport: network, plan });
    const record = await runRounds(plan, { participants, out: path("staked"), state: path("keys"), staked: { instance, recorder, participants: [] } }); // prettier-ignore
    expect(toHex(record.instance.id)).toBe(toHex(instance.id));
    expect(await auditRecord(await RoundsRecord.open(path("staked")))).toMatchObject({ liars: [], unavailable: [] });
    const [folder] = readdirSync(path("staked-own/server-0"));
    const own = await RoundsRecord.open(path(`staked-own/server-0/${folder}`));
    const place = { round: 2, seat: 3 };
    expect(toHex(own.instance.id)).toBe(toHex(instance.id));
    expect([own.at(place), ...own.sources(place)]).toEqual([record.at(place), ...record.sources(place)]);
    // Another instance is not theirs, also with the same keys.
    const other = runRounds(plan, { participants, out: path("staked-other"), state: path("keys") });
    await expect(other).rejects.toThrow("the instance is not the one for which this participant has a stake");
    for (const each of joined) await each.close();
  });

  test("a participant whose key is not that of its account is refused before anything is computed", async () => {
    const { plan, instance, recorder, network, begin } = await staked();
    for (const { name } of plan.participants) await begin(name, name === "client-1" ? signerOf("somebody") : undefined);
    const participants = await musterOn({ transport: network, plan });
    const run = runRounds(plan, { participants, out: path("staked-wrong"), state: path("keys"), staked: { instance, recorder, participants: [] } }); // prettier-ignore
    await expect(run).rejects.toMatchObject({ code: "VERDE_ROUNDS_PARTICIPANT", message: expect.stringContaining("client-1 signs as") as string }); // prettier-ignore
  });
});

describe("a hostile participant", () => {
  /** Alters what `client-1` replies, and has the plan run. */
  async function against(
    name: string,
    alter: (reply: Reply, question: string) => Reply | Uint8Array,
  ): Promise<unknown> {
    const plan = await smallPlan.close({ rounds: 1 });
    const network = new InProcess();
    await gathered(async () => network, plan, `${name}-own`);
    const subject = subjectOf(plan.id, "client-1");
    const front: Transport = Object.assign(Object.create(network) as InProcess, {
      ask: async (asked: string, question: Parameters<Transport["ask"]>[1]) => {
        const bytes = await network.ask(asked, question);
        if (asked !== subject) return bytes;
        const altered = alter(messages.replied(bytes), messages.askedOfParticipant(question.message).kind);
        return altered instanceof Uint8Array ? altered : messages.reply(altered);
      },
    });
    const participants = await musterOn({ transport: front, plan, patience: 200 });
    return runRounds(plan, { participants, state: path("keys"), out: path(name) });
  }
  const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));

  test.each<[string, (reply: Reply) => Reply | Uint8Array, RegExp]>([
    ["says noise", () => Uint8Array.of(255, 1, 2), /client-1 a reply is no CBOR/],
    ["speaks another version", () => Uint8Array.of(0x82, 9, 0xa0), /another version/],
    ["replies something else", (reply) => (reply.kind === "performed" ? { kind: "piece", bytes: new Uint8Array(3) } : reply), /replied "piece" to "perform"/], // prettier-ignore
    ["sends other entries", (reply) => (reply.kind === "performed" ? { ...reply, roots: reply.roots.map((root) => flipped(root) as TensorRoot) } : reply), /other entries of local-1 in round 0 than it has signed/], // prettier-ignore
    ["sends another blob", (reply) => (reply.kind === "piece" ? { ...reply, bytes: flipped(reply.bytes) } : reply), /sent another tensor than 0x/], // prettier-ignore
    ["sends too much of a blob", (reply) => (reply.kind === "piece" ? { ...reply, bytes: new Uint8Array(2 ** 20) } : reply), /another number of bytes/], // prettier-ignore
    ["sends nothing of a blob", (reply) => (reply.kind === "piece" ? { ...reply, bytes: new Uint8Array(0) } : reply), /another number of bytes/], // prettier-ignore
    ["signs another state", (reply) => (reply.kind === "performed" ? { ...reply, statement: { ...reply.statement, job: flipped(reply.statement.job) as typeof reply.statement.job } } : reply), /a statement of local-1 in round 0 that it has not signed/], // prettier-ignore
    ["gives an essay as its reason", (reply) => (reply.kind === "performed" ? { kind: "failed", code: "X\u001b[31m", message: "no\u0007" } : reply), /client-1 has failed: no/], // prettier-ignore
  ])("is refused, and named: it %s", async (name, alter, pattern) => {
    await expect(against(name.replaceAll(" ", "-"), alter)).rejects.toThrow(pattern);
  });

  test("has no leaf computed in the name of another, or for another plan", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const network = new InProcess();
    const [own] = await gathered(async () => network, plan, "foreign-own");
    const others = plan.participants.map(({ name }) => (name === "client-0" ? own.address : new Uint8Array(20)));
    const ask = async (
      instance: { plan: Plan["id"]; salt: Uint8Array; owners: Uint8Array[]; recorder: Uint8Array },
      seat: number,
    ) => {
      const message = messages.ask({ kind: "perform", instance, round: 0, seat, stop: true });
      return messages.replied(
        await network.ask(subjectOf(plan.id, "client-0"), { message, most: MOST_REPLY, timeout: 60_000 }),
      );
    };
    const right = { plan: plan.id, salt: SALT, owners: others, recorder: new Uint8Array(20) };
    const foreign = { kind: "failed", code: "VERDE_ROUNDS_FOREIGN" };
    expect(await ask({ ...right, owners: others.map(() => new Uint8Array(20)) }, 0)).toMatchObject(foreign);
    expect(await ask({ ...right, owners: others.slice(1) }, 0)).toMatchObject(foreign);
    expect(await ask({ ...right, plan: flipped(plan.id) as Plan["id"] }, 0)).toMatchObject(foreign);
    expect(await ask(right, 1)).toMatchObject(foreign);
    expect(await ask(right, 99)).toMatchObject(foreign);
    expect(await ask(right, 0)).toMatchObject({ kind: "performed" });
    expect(toHex(instanceOf(right).id)).toMatch(/^0x/);
    expect(recorderSubject(instanceOf(right).id)).toMatch(/^rounds\.[0-9a-f]{32}\.recorder$/);
  });
});
