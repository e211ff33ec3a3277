/** A prover behind a server: disputes over sockets, and what neither side can do to the other. */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressOf } from "../../src/claims/signature.ts";
import { ClaimStore } from "../../src/claims/store.ts";
import { bytesEqual, toHex } from "../../src/encoding/bytes.ts";
import { encodeClaim, encodeReply, encodeRequest, MAX_REQUEST } from "../../src/referee/apart/messages.ts";
import { bracket } from "../../src/referee/bracket.ts";
import { checkVerdict } from "../../src/referee/check-verdict.ts";
import { dispute, type Divergence } from "../../src/referee/dispute.ts";
import { MEDIA_TYPE } from "../../src/formats/http.ts";
import { type ProverOptions, type ProverServer, serveProver } from "../../src/services/prover.ts";
import { RateLimit } from "../../src/services/rate-limit.ts";
import { openTrace, parseFault, run } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";
import { verdeIn } from "../fixtures/verde.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

const secrets = { a: new Uint8Array(32).fill(3), b: new Uint8Array(32).fill(4) };
/** The keys of two providers, each in a folder of its own. */
const claimsOf = (who: "a" | "b"): ClaimStore =>
  new ClaimStore(path(`keys-${who}`), [{ secret: secrets[who], address: addressOf(secrets[who]) }]);

async function prove(who: "a" | "b", options: Partial<ProverOptions> = {}): Promise<ProverServer> {
  const server = await serveProver({ trace: path(`${who}.trace`), host: "127.0.0.1", port: 0, claims: claimsOf(who), ...options }); // prettier-ignore
  closing.push(() => server.close());
  return server;
}

let a: ProverServer;
let b: ProverServer;
beforeAll(async () => {
  const job = regression({ steps: 12 });
  const options = { commitEvery: 3, checkpointEvery: 6 };
  await run(job, { ...options, out: path("a.trace") });
  await run(job, { ...options, out: path("b.trace"), fault: parseFault("flip:step=7,operator=6,element=1,bit=12") });
  for (const who of ["a", "b"] as const)
    await claimsOf(who).record((await openTrace(path(`${who}.trace`))).runRoot!, who === "a" ? "own" : "drill", addressOf(secrets[who])); // prettier-ignore
  [a, b] = await Promise.all([prove("a"), prove("b")]);
});

/** Whole numbers below a limit, from a seed. */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const place = ({ losers, step, operator, element, fold }: Divergence) => ({ losers, step, operator, element, fold });

describe("a dispute over sockets", () => {
  test("finds what the dispute of the files finds, and proves it by the loser's own key", async () => {
    const files = (await dispute(path("a.trace"), path("b.trace"))) as Divergence;
    for (const [first, second] of [[a.url, b.url], [path("a.trace"), b.url], [a.url, path("b.trace")]]) // prettier-ignore
      expect(place((await dispute(first, second)) as Divergence)).toEqual(place(files));
    const result = (await dispute(a.url, b.url)) as Divergence;
    expect(result.parties.map(({ address }) => toHex(address!))).toEqual([secrets.a, secrets.b].map((secret) => toHex(addressOf(secret)))); // prettier-ignore
    expect(result).toMatchObject({ losers: ["b"], proven: ["b"], verdict: { kind: "proof" } });
    const { runRoot, address } = result.parties[1];
    expect(checkVerdict(result.verdict, [{ run: runRoot, address: address! }])).toMatchObject({ losers: [0] });
  });

  test("runs beside others, over one executed state", async () => {
    const both = await Promise.all([dispute(a.url, b.url), dispute(b.url, a.url), dispute(a.url, b.url)]);
    expect(both.map(({ losers }) => losers.join())).toEqual(["b", "a", "b"]);
    expect([a.starts(), b.starts()]).toEqual([1, 1]);
  });

  test("of three names who stands", async () => {
    const { standing, losers } = await bracket([a.url, b.url, path("a.trace")]);
    expect([standing, losers]).toEqual([["a", "c"], ["b"]]);
  });

  test("survives the end of the process that answers", async () => {
    process.kill(b.pid()!, "SIGKILL");
    expect(((await dispute(path("a.trace"), b.url)) as Divergence).losers).toEqual(["b"]);
    expect(b.starts()).toBe(2);
  });

  test("wants the token, and works with it over HTTPS, from the command line", async () => {
    const at = (name: string): string => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
    const tls = { cert: readFileSync(at("cert"), "utf8"), key: readFileSync(at("key"), "utf8") };
    const closed = await prove("b", { tls, token: "open-sesame" });
    const verde = verdeIn(path("."));
    const args = ["dispute", "a.trace", closed.url, "--json"];
    const env = { NODE_EXTRA_CA_CERTS: at("cert") };
    expect((await verde(args, env)).stderr).toContain("answers 401");
    expect((await verde(args, { VERDE_TOKEN: "open-sesame" })).stderr).toContain("self-signed certificate");
    const ended = await verde(args, { ...env, VERDE_TOKEN: "open-sesame" });
    expect(ended.code, ended.stderr).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({ losers: ["b"] });
  });
});

describe("a server", () => {
  const post = (body: Uint8Array | string, type = MEDIA_TYPE, url = a.url): Promise<Response> =>
    fetch(`${url}party`, { method: "POST", headers: { "content-type": type }, body: body as BodyInit });

  test("refuses what is too long, of another type, or nowhere", async () => {
    const statuses = await Promise.all([
      post(new Uint8Array(MAX_REQUEST + 1)),
      post("{}", "application/json"),
      post("x", "text/plain"),
      fetch(`${a.url}party`),
      fetch(`${a.url}trace/data/..%2f..%2fb.trace`),
      fetch(`${a.url}etc/passwd`),
      fetch(`${a.url}health`),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([413, 415, 415, 404, 404, 404, 200]);
  });

  test("answers any bytes with a reply, and opens no other file", async () => {
    const next = random(11);
    const messages = [new Uint8Array(0), encodeRequest("open", new TextEncoder().encode("/etc/passwd"))];
    for (let i = 0; i < 40; i++) messages.push(Uint8Array.from({ length: 1 + next(60) }, () => next(i % 2 ? 8 : 256)));
    for (const message of messages) {
      const response = await post(message);
      expect(response.status).toBe(200);
      expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(0);
    }
    const opened = new Uint8Array(await (await post(messages[1])).arrayBuffer());
    expect(bytesEqual(opened, encodeReply(encodeClaim(a.claim)))).toBe(true);
    expect(a.starts()).toBe(1);
  });

  test("hands out no files if it was told not to, and limits each address", async () => {
    const shy = await prove("a", { files: false, perMinute: 5 });
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) statuses.push((await fetch(`${shy.url}trace`)).status);
    expect(statuses).toEqual([404, 404, 404, 404, 404, 429]);
  });

  test("forgets addresses before it fills the memory with them", () => {
    let now = 0;
    const limit = new RateLimit(2, () => now);
    expect([limit.take("x"), limit.take("x"), limit.take("x")]).toEqual([true, true, false]);
    now += 30_000;
    expect([limit.take("x"), limit.take("x")]).toEqual([true, false]);
    for (let i = 0; i < 20_000; i++) limit.take(`${i}`);
    expect(limit.take("x")).toBe(true);
  });

  test("says why it can't start", async () => {
    await expect(prove("a", { trace: path("no.trace") })).rejects.toThrow(/can't be opened/);
    const { port } = new URL(a.url);
    await expect(prove("a", { port: Number(port) })).rejects.toThrow(/it is in use/);
    await expect(prove("a", { tls: { cert: "x", key: "y" } })).rejects.toThrow(/the certificate can't be used/);
  });
});

describe("a referee", () => {
  const listen = async (answer: RequestListener): Promise<string> => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => (server.closeAllConnections(), server.close()));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  /** Shows b's claim, as b does, and then answers otherwise. */
  const liar = (after: RequestListener): Promise<string> => {
    let opened = false;
    return listen((request, response) => {
      if (opened) return after(request, response);
      opened = true;
      response.end(encodeReply(encodeClaim(b.claim)));
    });
  };
  const next = random(5);
  const CASES: Record<string, [RequestListener, "undecided" | "divergence"]> = {
    "is silent": [() => undefined, "undecided"],
    "resets each connection": [(request) => request.socket.destroy(), "undecided"],
    "is always busy": [(_, response) => response.writeHead(503).end(), "undecided"],
    "sends one byte a second": [
      (_, response) => void setInterval(() => response.write("x"), 1000).unref(),
      "undecided",
    ],
    floods: [(_, response) => flood(response), "divergence"],
    "sends noise": [(_, response) => response.end(Buffer.from(Array.from({ length: 99 }, () => next(256)))), "divergence"], // prettier-ignore
    "sends pages": [(_, response) => response.end("<html>".repeat(1000)), "divergence"],
    "says that it failed": [(_, response) => response.end(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0])), "undecided"],
  };

  test.each(Object.entries(CASES))("ends its dispute with a server that %s", async (_, [after, outcome]) => {
    // prettier-ignore
    const result = await dispute(path("a.trace"), await liar(after), { timeout: 1500 });
    expect(result.outcome).toBe(outcome);
    expect(result.losers).toEqual(outcome === "divergence" ? ["b"] : []);
  });

  test("decides nothing about a server that is away, and says so", async () => {
    const url = await listen((_, response) => response.writeHead(404).end());
    await expect(dispute(path("a.trace"), url)).rejects.toThrow(/shows no claim: .* answers 404/);
  });
});

function flood(response: import("node:http").ServerResponse): void {
  const part = Buffer.alloc(2 ** 20);
  const more = (): void => {
    while (!response.destroyed && response.write(part));
  };
  response.on("drain", more);
  more();
}
