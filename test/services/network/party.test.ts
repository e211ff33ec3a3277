/** Disputes over networks: the same result over each, and nobody can answer in another's name. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressOf } from "../../../src/claims/signature.ts";
import { ClaimStore } from "../../../src/claims/store.ts";
import { encodeReply } from "../../../src/referee/apart/messages.ts";
import { bracket } from "../../../src/referee/bracket.ts";
import { checkVerdict } from "../../../src/referee/check-verdict.ts";
import { dispute, type Divergence } from "../../../src/referee/dispute.ts";
import type { Reach } from "../../../src/referee/remote/present.ts";
import { HostedParty } from "../../../src/services/hosted-party.ts";
import { NetworkKey } from "../../../src/services/network/key.ts";
import { Networks } from "../../../src/services/network/open.ts";
import {
  answerFor,
  formatPartyAddress,
  NetworkChannel,
  parsePartyAddress,
} from "../../../src/services/network/party.ts";
import { subjectOf } from "../../../src/services/network/signed.ts";
import { serveHub } from "../../../src/services/transport/hub.ts";
import { InProcess } from "../../../src/services/transport/in-process.ts";
import type { Transport } from "../../../src/services/transport/transport.ts";
import { openTrace, parseFault, run } from "../../../src/trace/index.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { hasNats, startNats } from "../../fixtures/nats.ts";
import { regression } from "../../fixtures/regression.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
const secrets = { a: new Uint8Array(32).fill(3), b: new Uint8Array(32).fill(4) };
const keys = { a: NetworkKey.make(), b: NetworkKey.make() };
const parties = new Map<string, HostedParty>();
/** Whole numbers below a limit, from a seed. */
const SEED = 20261129;
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

beforeAll(async () => {
  const options = { commitEvery: 3, checkpointEvery: 6 };
  await run(regression({ steps: 12 }), { ...options, out: path("a.trace") });
  await run(regression({ steps: 12 }), { ...options, out: path("b.trace"), fault: parseFault("flip:step=7,operator=6,element=1,bit=12") }); // prettier-ignore
  for (const who of ["a", "b"] as const) {
    const address = addressOf(secrets[who]);
    const claims = new ClaimStore(path(`keys-${who}`), [{ secret: secrets[who], address }]);
    const trace = path(`${who}.trace`);
    await claims.record((await openTrace(trace)).runRoot!, who === "a" ? "own" : "drill", address);
    const party = new HostedParty({ trace, claims });
    parties.set(who, party);
    closing.push(() => party.close());
  }
});

/** Where the parties answer, and how a referee elsewhere reaches them. */
async function stage(network: string, transport: Transport, reach: Reach) {
  for (const who of ["a", "b"] as const) await answerFor(transport, keys[who], parties.get(who)!, "run");
  const at = (who: "a" | "b") => formatPartyAddress({ network, publicKey: keys[who].publicKey, topic: "run" });
  return { a: at("a"), b: at("b"), reach };
}

async function elsewhere(network: string) {
  const [own, referee] = [new Networks(), new Networks()];
  closing.push(() => own.close(), () => referee.close()); // prettier-ignore
  return stage(network, await own.at(network), referee.reach);
}

const NETWORKS: Record<string, () => ReturnType<typeof stage>> = {
  "in-process": () => {
    const transport = new InProcess();
    const reach: Reach = async (address, timeout = 60_000) =>
      new NetworkChannel(transport, parsePartyAddress(address)!, timeout);
    return stage("nats://here", transport, reach);
  },
  http: async () => {
    const hub = await serveHub(new InProcess(), { host: "127.0.0.1", port: 0 });
    closing.push(() => hub.close());
    return elsewhere(hub.url);
  },
  ...(hasNats && {
    nats: async () => {
      const server = await startNats();
      closing.push(() => server.close());
      return elsewhere(server.url);
    },
  }),
};

describe.each(Object.entries(NETWORKS))("a dispute over %s", (_, open) => {
  test("finds what the dispute of the files finds, and proves it by the loser's own key", async () => {
    const { a, b, reach } = await open();
    const place = ({ losers, step, operator, element, fold }: Divergence) => ({
      losers,
      step,
      operator,
      element,
      fold,
    });
    const files = (await dispute(path("a.trace"), path("b.trace"))) as Divergence;
    const result = (await dispute(a, b, { reach })) as Divergence;
    expect(place(result)).toEqual(place(files));
    expect(result).toMatchObject({ losers: ["b"], proven: ["b"], verdict: { kind: "proof" } });
    const { runRoot, address } = result.parties[1];
    expect(checkVerdict(result.verdict, [{ run: runRoot, address: address! }])).toMatchObject({ losers: [0] });
    expect((await bracket([a, path("b.trace")], { reach })).losers).toEqual(["b"]);
  });
});

describe("on a shared network", () => {
  const open = async (answerer: (transport: Transport) => Promise<unknown>) => {
    const transport = new InProcess();
    await answerer(transport);
    const reach: Reach = async (address, timeout = 60_000) =>
      new NetworkChannel(transport, parsePartyAddress(address)!, timeout);
    return { b: formatPartyAddress({ network: "nats://here", publicKey: keys.b.publicKey }), reach };
  };

  test("what another says in a party's name is no answer, and nobody loses by it", async () => {
    const genuine = new InProcess();
    await answerFor(genuine, keys.b, parties.get("b")!);
    const subject = subjectOf(keys.b.publicKey);
    let asked = 0;
    // It passes the first answers on, so that the dispute begins, and then says something else.
    const { b, reach } = await open((transport) =>
      transport.answer(subject, async (message) => {
        const answer = await genuine.ask(subject, { message, most: 2 ** 26, timeout: 60_000 });
        if (asked++ < 6) return answer;
        return Buffer.concat([answer.subarray(0, 65), encodeReply(new Uint8Array(9))]);
      }),
    );
    const result = await dispute(path("a.trace"), b, { reach });
    expect(result).toMatchObject({ outcome: "undecided", losers: [] });
    expect(asked).toBeGreaterThan(6);
  });

  test("an answer that was recorded answers no later question", async () => {
    const genuine = new InProcess();
    await answerFor(genuine, keys.b, parties.get("b")!);
    const subject = subjectOf(keys.b.publicKey);
    let first: Uint8Array | undefined;
    const { b, reach } = await open(
      (transport) =>
      transport.answer(subject, async (message) => (first ??= await genuine.ask(subject, { message, most: 2 ** 26, timeout: 60_000 }))), // prettier-ignore
    );
    const result = await dispute(path("a.trace"), b, { reach });
    expect(result).toMatchObject({ outcome: "undecided", losers: [], silent: [{ id: "b", reason: expect.stringContaining("not signed by its key") }] }); // prettier-ignore
  });

  test("a party answers any bytes, and opens nothing else", async () => {
    const next = random(SEED);
    const transport = new InProcess();
    await answerFor(transport, keys.a, parties.get("a")!);
    const before = parties.get("a")!.starts;
    for (let i = 0; i < 150; i++) {
      const message = Uint8Array.from({ length: next(80) }, () => next(i % 2 ? 8 : 256));
      if (i % 3 === 0) message[0] = 1;
      const answer = transport.ask(subjectOf(keys.a.publicKey), { message, most: 2 ** 26, timeout: 60_000 });
      await answer.catch((error: Error) => expect(error.message, `seed ${SEED}`).toMatch(/refuses/));
    }
    expect(parties.get("a")!.starts).toBe(before);
  });

  test("addresses name a network, a key and a topic, and nothing else is one", () => {
    const key = keys.a.publicKey;
    for (const text of [`nats://127.0.0.1:4222/${key}`, `nats://a:1,b:2/${key}/x`, `http://h:1/${key}/run-1`])
      expect(formatPartyAddress(parsePartyAddress(text)!)).toBe(text);
    for (const text of ["nats://h", "http://h:1/", `http://h/${key}/a/b`, `http://h/${key}/..`, `/tmp/${key}`, key])
      expect(parsePartyAddress(text), text).toBeUndefined();
  });
});
