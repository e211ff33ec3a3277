/** A referee among hostile parties: whatever they answer and post, it signs no false ruling, and ends its work. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Hex } from "viem";
import { addressOf as keyAddress } from "../../../src/claims/signature.ts";
import { ClaimStore } from "../../../src/claims/store.ts";
import { type Bytes, fromHex, toHex } from "../../../src/encoding/bytes.ts";
import { VerdeError } from "../../../src/errors/index.ts";
import { encodeFailure, encodeReply } from "../../../src/referee/apart/messages.ts";
import { HostedParty } from "../../../src/services/hosted-party.ts";
import { NetworkKey } from "../../../src/services/network/key.ts";
import { BOARDS, type Board } from "../../../src/services/network/messages.ts";
import { Notes } from "../../../src/services/network/notes.ts";
import { Networks } from "../../../src/services/network/open.ts";
import { answerFor } from "../../../src/services/network/party.ts";
import { answerSigned } from "../../../src/services/network/signed.ts";
import { Bench } from "../../../src/services/referee/bench.ts";
import { judge } from "../../../src/services/referee/referee.ts";
import { type Hub, serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import { MOST_NOTE } from "../../../src/services/transport/transport.ts";
import { commitmentOf, taskIdOf } from "../../../src/settlement/commitment.ts";
import { signIdentity } from "../../../src/settlement/identity.ts";
import { publicPrivateKey } from "../../../src/settlement/local/chain.ts";
import { localAccount } from "../../../src/settlement/local/settlement.ts";
import { readTask, type TaskView } from "../../../src/settlement/task.ts";
import { Caller } from "../../../src/settlement/transactions/caller.ts";
import { parseFault, run } from "../../../src/trace/index.ts";
import { damaged, FUZZ_SEED, nested, ODD_VALUES, randomFrom } from "../../fixtures/fuzz.ts";
import line from "../../fixtures/line.ts";
import { addressOf, PEOPLE, Scene } from "../../fixtures/scene.ts";

/** Milliseconds that a hostile party's answer may take. */
const PATIENCE = 800;
const scene = new Scene();
const network = new InProcess();
const referees = new Networks();
const keys = { ada: NetworkKey.make(), ben: NetworkKey.make() };
const parties = new Map<"ada" | "ben", HostedParty>();
const random = randomFrom(FUZZ_SEED);
let hub: Hub;
let view: TaskView;
afterAll(async () => {
  await referees.close();
  await hub.close();
  for (const party of parties.values()) await party.close();
});

beforeAll(async () => {
  hub = await serveHub(network, { host: "127.0.0.1", port: 0, perMinute: 1e6 });
  const { runRoot } = await run(await line.close(), { commitEvery: 4, out: scene.at("false.trace"), fault: parseFault("flip:step=7,operator=20,element=0,bit=12") }); // prettier-ignore
  const roots = { ada: scene.root, ben: toHex(runRoot) as Hex };
  const terms = { ...scene.terms, game: `0x${"0".repeat(40)}` as const, salt: `0x${"77".repeat(32)}` as const };
  const { deployment } = scene.session;
  await scene.call("client", "manager", "post", terms);
  const task = taskIdOf(deployment, terms);
  const salt: Hex = `0x${"05".repeat(32)}`;
  const both = ["ada", "ben"] as const;
  for (const who of both) await scene.call(who, "manager", "accept", task);
  for (const [seat, who] of both.entries())
    await scene.call(who, "manager", "commit", task, BigInt(seat), commitmentOf(deployment, task, addressOf(who), roots[who], salt)); // prettier-ignore
  for (const [seat, who] of both.entries())
    await scene.call(who, "manager", "reveal", task, BigInt(seat), roots[who], salt);
  await scene.call("ada", "manager", "compare", task);
  view = await readTask(scene.session.source, task);
  expect(view).toMatchObject({ state: "Disputed", phase: "Judging" });
  for (const who of both) {
    const secret = fromHex(publicPrivateKey(PEOPLE[who]), 32);
    const claims = new ClaimStore(scene.at(`claims-${who}`), [{ secret, address: keyAddress(secret) }]);
    const trace = scene.at(who === "ada" ? "honest.trace" : "false.trace");
    await claims.record(fromHex(roots[who], 32), who === "ada" ? "own" : "drill", keyAddress(secret));
    const party = new HostedParty({ trace, claims });
    parties.set(who, party);
    await tell(who, keys[who]);
  }
  await answerFor(network, keys.ada, parties.get("ada")!, task);
});

/** Says on the board who answers for a seat. */
async function tell(who: "ada" | "ben", key: NetworkKey): Promise<void> {
  const statement = await signIdentity(localAccount(PEOPLE[who]), scene.session.deployment, {
    nkey: key.publicKey,
    operator: addressOf(who),
    nonce: 1,
    expiry: Math.floor(Date.now() / 1000) + 86_400,
  });
  const { root } = view.seats.find(({ owner }) => owner.toLowerCase() === addressOf(who).toLowerCase())!;
  await new Notes(network, key).post("provers", view.id, { statement, task: view.id, root: root! }, 3_600);
}

const benchWith = (timeout: number): Bench =>
  new Bench({
    session: scene.session,
    network: hub.url,
    reach: referees.reach,
    claims: new ClaimStore(scene.at("claims-referee")),
    forfeitSilent: false,
    timeout,
  });
const asReferee = async (): Promise<Notes> => new Notes(await referees.at(hub.url), NetworkKey.make());

/** What a hostile party makes of an honest answer. */
const LIES: Record<string, (answer: Bytes, asked: number) => Promise<Bytes>> = {
  "is silent": () => new Promise(() => undefined),
  "fails without a reason": () => Promise.reject(new Error("\u001b[2J/a/secret")),
  "sends nothing": async () => new Uint8Array(0),
  "sends a nested text": async () => encodeReply(new TextEncoder().encode(nested(40_000))),
  "sends far more than was asked for": async () => encodeReply(new Uint8Array(2 ** 23)),
  "opens its claim with nothing": async (answer, asked) => (asked % 3 === 2 ? encodeReply(new Uint8Array(3)) : answer),
  "cuts its answers": async (answer) => answer.subarray(0, random(answer.length)),
  "damages its answers": async (answer) => damaged(random, answer),
  "damages every second answer": async (answer, asked) => (asked % 2 === 0 ? damaged(random, answer) : answer),
  "sends great lengths": async () => encodeReply(new Uint8Array(400).fill(255)),
  "answers another question": async () => encodeReply(new Uint8Array(64).fill(1)),
  "gives a reason of odd characters": async () => encodeFailure({ code: "A".repeat(64), message: "\u202e\u0000".repeat(4_000) }), // prettier-ignore
};

describe("asked over HTTP, a party that", () => {
  // It shows its claim as it is, so that the dispute begins, and lies afterwards, or from the start.
  test.each(Object.entries(LIES))("%s convicts nobody but itself", async (_, lie) => {
    for (const honestly of [6, 0]) {
      let asked = 0;
      const end = await answerSigned(network, keys.ben, view.id, async (message) => {
        const answer = await parties.get("ben")!.replyTo(message);
        return asked++ < honestly ? answer : lie(answer, asked);
      });
      const bench = benchWith(PATIENCE);
      const what = `seed ${FUZZ_SEED}, honestly ${honestly}`;
      try {
        const { files } = await bench.judge(view, await asReferee());
        const ruling = bench.rulingFrom(view, files);
        if (ruling)
          expect(ruling.losers, what).toBe(1n << BigInt(view.claims.findIndex((root) => root !== scene.root)));
      } catch (error) {
        expect(error, what).toBeInstanceOf(VerdeError);
      } finally {
        await end();
      }
    }
  });
});

/** Notes of strangers, signed and not, that no honest process would post. */
async function flood(board: Board): Promise<number> {
  const stranger = NetworkKey.make();
  const notes = new Notes(network, stranger);
  const bodies: unknown[] = [...ODD_VALUES];
  const texts = [nested(20_000), nested(20_000, false), '{"schemaVersion":1e999}', `{"schemaVersion":${nested(9_000)}}`, `{"kind":"proof","schemaVersion":${"9".repeat(999)}}`, "\u0000", "[".repeat(100_000)]; // prettier-ignore
  for (const text of texts) bodies.push({ task: view.id, dispute: view.dispute, files: [text] }, { task: view.id, signature: text.slice(0, 20_000) }); // prettier-ignore
  for (const name of Object.keys(BOARDS[board].shape))
    for (const value of ODD_VALUES)
      bodies.push({ task: view.id, dispute: view.dispute, files: ["{}"], signature: "{}", [name]: value });
  let posted = 0;
  for (const body of bodies) await notes.post(board, `t${posted++}`, body as never, 3_600);
  for (let i = 0; i < 30; i++)
    await network.post(board, `${stranger.publicKey}.n${i}`, Uint8Array.from({ length: random(300) }, () => random(i % 2 ? 4 : 256))); // prettier-ignore
  await network.post(board, `${stranger.publicKey}.long`, new Uint8Array(MOST_NOTE).fill(1));
  return posted + 31;
}

describe("a referee, or its boards,", () => {
  test("boards may be full of anything, and what holds is read", async () => {
    for (const board of ["provers", "verdicts", "rulings"] as const) expect(await flood(board)).toBeGreaterThan(80);
    const provers = await (await asReferee()).read("provers");
    expect(provers.map(({ author }) => author).sort()).toEqual([keys.ada.publicKey, keys.ben.publicKey].sort());
  });

  test("a dispute from which no ruling follows is not played again at every look", async () => {
    let judged = 0;
    /** Its verdict is a word that this referee does not sign. */
    class Unsure extends Bench {
      override async judge(): ReturnType<Bench["judge"]> {
        judged++;
        return { files: ["{}"], missing: "", met: true };
      }
    }
    const ended = new AbortController();
    const { client } = scene.session;
    let reads = 0;
    const source = Object.defineProperty({ ...scene.session.source }, "client", {
      get: () => {
        if (++reads === 300) ended.abort();
        return client;
      },
    });
    const said: string[] = [];
    await judge({
      session: { ...scene.session, source },
      account: localAccount(PEOPLE.referee),
      send: async () => undefined,
      open: async () => new InProcess(),
      key: NetworkKey.make(),
      bench: new Unsure({
        session: scene.session,
        network: hub.url,
        reach: referees.reach,
        claims: new ClaimStore(scene.at("claims-unsure")),
        forfeitSilent: false,
        timeout: PATIENCE,
      }),
      everyMillis: 1,
      signal: ended.signal,
      say: (sentence) => void said.push(sentence),
    });
    // A look reads the chain at most three times.
    expect(judged).toBeGreaterThan(0);
    expect(judged).toBeLessThan(300 / 3 / 3);
    expect(said.filter((sentence) => sentence.includes("rests on this referee's word"))).toHaveLength(1);
  });

  test("boards full of anything keep no referee from signing and submitting what is right", async () => {
    await answerFor(network, keys.ben, parties.get("ben")!, view.id);
    const ended = new AbortController();
    const said: string[] = [];
    const account = localAccount(PEOPLE.referee);
    const caller = Caller.shortLived(scene.session, account);
    const judging = judge({
      session: scene.session,
      account,
      send: (call) => caller.call(call),
      open: () => referees.at(hub.url),
      key: NetworkKey.make(),
      bench: benchWith(120_000),
      everyMillis: 100,
      signal: ended.signal,
      say: (sentence) => void said.push(sentence),
    });
    let after = view;
    for (let looks = 0; looks < 1_000 && after.phase === "Judging"; looks++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      after = await readTask(scene.session.source, view.id);
    }
    ended.abort();
    await judging;
    expect(after.phase, said.join("\n")).not.toBe("Judging");
    expect(
      after.seats.map(({ out }) => out),
      said.join("\n"),
    ).toEqual([false, true]);
  });
});
