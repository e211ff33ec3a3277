/** Every server bears whatever is sent to it, refuses it clearly, and still answers an honest question. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { afterAll, describe, expect, test } from "vitest";
import { FolderStore } from "../../src/blobs/folder-store.ts";
import { blobIdOf, putIntoStore } from "../../src/blobs/upload.ts";
import { bytesEqual, toHex } from "../../src/encoding/bytes.ts";
import { ask, MEDIA_TYPE } from "../../src/formats/http.ts";
import { jobId } from "../../src/job/closed.ts";
import { encodeClaim, encodeReply, encodeRequest, MAX_REQUEST } from "../../src/referee/apart/messages.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { serveBlobs } from "../../src/services/blob-server.ts";
import { serveWatch } from "../../src/services/observe/endpoint.ts";
import { serveProver } from "../../src/services/prover.ts";
import { Http } from "../../src/services/transport/http.ts";
import { serveHub } from "../../src/services/transport/hub.ts";
import { InProcess } from "../../src/services/transport/in-process.ts";
import { MOST_ASKED } from "../../src/services/transport/transport.ts";
import { serveWorker } from "../../src/services/worker-server.ts";
import { decodeReply as decodeShards, encodeRequest as encodeShards } from "../../src/shards/messages.ts";
import { run } from "../../src/trace/index.ts";
import { jobToBytes } from "../../src/trace/job-file.ts";
import { bytesOf, sourceOf } from "../blobs/bytes.ts";
import cut from "../fixtures/cut.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { fuzz, type Fuzzed } from "../fixtures/fuzz.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});
const here = { host: "127.0.0.1", port: 0 };

/** Refusals are told by their statuses, and most of what is sent is refused. */
function expectRefusals({ sent, statuses }: Fuzzed): void {
  const count = (low: number, high: number): number =>
    [...statuses].reduce((sum, [status, times]) => (status >= low && status < high ? sum + times : sum), 0);
  expect(count(400, 500), JSON.stringify([...statuses])).toBeGreaterThan(sent / 3);
  for (const status of [400, 404, 431]) expect(statuses.get(status) ?? 0, `${status}`).toBeGreaterThan(0);
}

describe("bears anything that is sent:", () => {
  test("the hub, its boards and its questions", async () => {
    const hub = await serveHub(new InProcess(), here);
    closing.push(() => hub.close());
    const [one, other] = [new Http(hub.url), new Http(hub.url)];
    closing.push(() => one.close(), () => other.close()); // prettier-ignore
    await one.answer("party.x", async (message) => message);
    await one.post("board", "a.b", bytesOf(2, 99));
    const honest = async (): Promise<void> => {
      expect(await other.ask("party.x", { message: bytesOf(3, 50), most: 99, timeout: 60_000 })).toHaveLength(50);
      expect((await other.notes("board")).get("a.b")).toHaveLength(99);
    };
    const own = { type: MEDIA_TYPE, most: MOST_ASKED, messages: [bytesOf(1, 200)], headers: ["verde-timeout"] };
    const fuzzed = await fuzz(
      hub.url,
      [
        { ...own, method: "POST", path: "/v1/ask?subject=party.x" },
        { ...own, method: "PUT", path: "/v1/boards/other?key=c" },
        { ...own, method: "GET", path: "/v1/boards/board" },
      ],
      { rounds: 4, honest },
    );
    expectRefusals(fuzzed);
    expect((await other.notes("board")).size).toBe(1);
  });

  test("a prover and its files", async () => {
    await run(regression({ steps: 4 }), { commitEvery: 2, out: path("a.trace") });
    const server = await serveProver({ trace: path("a.trace"), ...here });
    closing.push(() => server.close());
    const claim = encodeReply(encodeClaim(server.claim));
    const honest = async (): Promise<void> => {
      const body = new Uint8Array(encodeRequest("open"));
      const answer = await fetch(`${server.url}party`, {
        method: "POST",
        headers: { "content-type": MEDIA_TYPE },
        body,
      });
      expect(bytesEqual(new Uint8Array(await answer.arrayBuffer()), claim)).toBe(true);
    };
    const messages = [encodeRequest("open"), encodeRequest("prepare"), claim];
    const fuzzed = await fuzz(
      server.url,
      [
        { method: "POST", path: "/party", type: MEDIA_TYPE, most: MAX_REQUEST, messages },
        { method: "GET", path: "/trace/trace" },
        { method: "GET", path: `/blob/sha256/${"0".repeat(64)}` },
      ],
      { rounds: 3, honest },
    );
    expectRefusals(fuzzed);
    // Nothing that was sent has ended the process that answers.
    expect(server.starts()).toBe(1);
  });

  test("a server of blobs that takes uploads", async () => {
    const store = new FolderStore(path("store"), { quota: 2 ** 22 });
    const data = bytesOf(1, 70_000);
    const id = await blobIdOf(sourceOf(data));
    await putIntoStore(store, id, sourceOf(data));
    const server = await serveBlobs({ ...here, store });
    closing.push(() => server.close());
    const honest = async (): Promise<void> => {
      const answer = await fetch(`${server.url}blob/sha256/${id}`);
      expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), data)).toBe(0);
    };
    const other = `/blob/sha256/${"ab".repeat(32)}`;
    const fuzzed = await fuzz(
      server.url,
      [
        { method: "PUT", path: other, most: 2 ** 22, messages: [data.subarray(0, 900)], headers: ["content-range"] },
        { method: "GET", path: `/blob/sha256/${id}`, headers: ["range"] },
        { method: "GET", path: `/blob/sha256/${id}/tree/0/0/0-9` },
      ],
      { rounds: 3, honest },
    );
    expectRefusals(fuzzed);
    // What was sent under a false digest is not there.
    expect((await fetch(`${server.url}${other.slice(1)}`)).status).toBe(404);
  });

  test("a worker that computes shards", async () => {
    const server = await serveWorker({ ...here, most: 2 ** 20, backendFor: async () => wasm });
    closing.push(() => server.close());
    const job = await cut.close();
    const open = encodeShards({ kind: "open", job: jobToBytes(job) });
    const honest = async (): Promise<void> => {
      const answer = await ask(`${server.url}shards`, { method: "POST", headers: { "content-type": MEDIA_TYPE }, body: open }); // prettier-ignore
      const reply = decodeShards(new Uint8Array(await answer.arrayBuffer()));
      expect(reply.kind === "done" && toHex(reply.content)).toBe(toHex(jobId(job)));
    };
    const task = new Uint8Array([...jobId(job), ...bytesOf(4, 90)]);
    const messages = [open, encodeShards({ kind: "execute", content: task })];
    const route = { method: "POST", path: "/shards", type: MEDIA_TYPE, most: 2 ** 20, messages };
    const fuzzed = await fuzz(server.url, [route, { method: "GET", path: "/shards" }], { rounds: 6, honest });
    expectRefusals(fuzzed);
  });

  test("the page of metrics", async () => {
    const server = await serveWatch({ ...here, registry: new Registry(), unready: () => undefined });
    closing.push(() => server.close());
    const honest = async (): Promise<void> => {
      for (const name of ["health", "ready", "metrics"]) expect((await fetch(server.url + name)).status).toBe(200);
    };
    const routes = ["/health", "/ready", "/metrics"].map((at) => ({ method: "GET", path: at, most: 1024 }));
    expectRefusals(await fuzz(server.url, routes, { rounds: 3, honest }));
  });
});

test("a server that tells where it fails does not pass", async () => {
  const server = createServer((request, response) => {
    const isNested = request.headers["content-type"] === "application/json";
    response.writeHead(isNested ? 400 : 404).end(isNested ? new Error("no").stack : "");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => (server.closeAllConnections(), server.close()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const honest = async (): Promise<void> => expect((await fetch(url)).status).toBe(404);
  await expect(fuzz(url, [{ method: "POST", path: "/" }], { rounds: 9, honest })).rejects.toThrow(/seed 20261130/);
});
