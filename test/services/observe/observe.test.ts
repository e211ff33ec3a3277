/** What machines that watch a service are told: metrics, readiness, lines of a log, and spans. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test, vi } from "vitest";
import { serveBlobs } from "../../../src/services/blob-server.ts";
import { FolderStore } from "../../../src/blobs/folder-store.ts";
import { serveWatch } from "../../../src/services/observe/endpoint.ts";
import { openLog } from "../../../src/services/observe/log.ts";
import { providerMetrics, requestMetrics } from "../../../src/services/observe/metrics.ts";
import { startTracing, traced } from "../../../src/services/observe/tracing.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const close of closing) await close();
});

/** The samples of a page of metrics, by name and labels. */
async function samples(url: string): Promise<Map<string, number>> {
  const lines = (await (await fetch(`${url}metrics`)).text()).split("\n").filter((line) => line !== "" && !line.startsWith("#")); // prettier-ignore
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))])); // prettier-ignore
}

describe("a service that is watched", () => {
  test("says what it counts, and whether it is ready", async () => {
    const metrics = await requestMetrics({ verde_waiting_requests: { help: "waiting", value: () => 3 } });
    let why: string | undefined = "it is starting";
    const watch = await serveWatch({ host: "127.0.0.1", port: 0, registry: metrics.registry, unready: () => why });
    closing.push(() => watch.close());
    const blobs = await serveBlobs({ host: "127.0.0.1", port: 0, store: new FolderStore(path("s")), onAnswer: metrics.answered }); // prettier-ignore
    closing.push(() => blobs.close());
    const ready = await fetch(`${watch.url}ready`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, why }]);
    why = undefined;
    expect([(await fetch(`${watch.url}ready`)).status, (await fetch(`${watch.url}health`)).status]).toEqual([200, 200]);
    await fetch(`${blobs.url}blob/sha256/${"0".repeat(64)}`);
    await fetch(`${blobs.url}nowhere`);
    let found = await samples(watch.url);
    // An answer is counted when it has ended, which may be after the client has it.
    for (let looks = 0; looks < 400 && (found.get('verde_request_seconds_count{route="none"}') ?? 0) < 1; looks++) found = await samples(watch.url); // prettier-ignore
    expect(found.get("verde_waiting_requests")).toBe(3);
    expect(found.get('verde_requests_total{route="/blob/sha256/*",method="GET",status="404"}')).toBe(1);
    expect(found.get('verde_requests_total{route="none",method="GET",status="404"}')).toBe(1);
    expect(found.get("process_resident_memory_bytes")).toBeGreaterThan(0);
  });

  test("counts a provider's tasks by stage, outcome and trouble", async () => {
    const metrics = await providerMetrics();
    metrics.tasks([{ stage: "run", trouble: "no memory" }, { stage: "done", outcome: "paid" }, { stage: "done", outcome: "lost" }]); // prettier-ignore
    metrics.tasks([{ stage: "done", outcome: "paid" }, { stage: "done", outcome: "paid" }]); // prettier-ignore
    metrics.sent("commit");
    metrics.looked(false);
    const text = await metrics.registry.metrics();
    for (const line of ['verde_tasks{stage="done"} 2', 'verde_tasks_over{outcome="paid"} 2', "verde_tasks_in_trouble 0", 'verde_transactions_total{function="commit"} 1', 'verde_looks_total{result="failed"} 1']) // prettier-ignore
      expect(text).toContain(line);
    expect(text).not.toContain('stage="run"');
  });
});

describe("a log", () => {
  test("has one object a line, with what it is about, and never a token", async () => {
    const logger = openLog({ to: path("log"), about: { store: "s" } });
    logger.info({ task: "0x12" }, "a task is taken");
    logger.debug("not shown");
    const blobs = await serveBlobs({ host: "127.0.0.1", port: 0, store: new FolderStore(path("s")), token: "open-sesame", logger }); // prettier-ignore
    await fetch(`${blobs.url}blob/sha256`, { headers: { authorization: "Bearer open-sesame" } });
    await blobs.close();
    const text = readFileSync(path("log"), "utf8");
    const lines = text.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    expect(lines[0]).toMatchObject({ level: "info", message: "a task is taken", task: "0x12", store: "s" });
    expect(new Date(lines[0].time as string).getTime()).not.toBeNaN();
    expect(lines.some(({ message }) => message === "request completed")).toBe(true);
    expect(text).not.toContain("open-sesame");
    expect(() => openLog({ to: path("no/such/folder") })).toThrow(/no\/such\/folder can't be written/);
  });
});

describe("spans", () => {
  test("cost nothing where they are sent nowhere", async () => {
    const stop = await startTracing("test");
    expect(await traced("a", {}, async (span) => span.isRecording())).toBe(false);
    await stop();
  });

  test("reach a collector, with their parents, their failures and the caller's trace", async () => {
    interface Sent { name: string; traceId: string; spanId: string; parentSpanId?: string; status: { code?: number; message?: string } } // prettier-ignore
    const sent: Sent[] = [];
    let service = "";
    const collector = createServer((request, response) => {
      let body = "";
      request.on("data", (piece) => (body += String(piece)));
      request.on("end", () => {
        const { resourceSpans } = JSON.parse(body);
        for (const { resource, scopeSpans } of resourceSpans) {
          service = resource.attributes.find(({ key }: { key: string }) => key === "service.name").value.stringValue;
          for (const { spans } of scopeSpans) sent.push(...spans);
        }
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
    closing.push(() => collector.close());
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
    const stop = await startTracing("verde-test");
    const caller = "0af7651916cd43dd8448eb211c80319c";
    const work = traced("outer", { task: "0x12" }, () => traced("inner", {}, () => Promise.reject(new Error("no memory"))), { traceparent: `00-${caller}-b7ad6b7169203331-01` }); // prettier-ignore
    await expect(work).rejects.toThrow("no memory");
    await stop();
    const [inner, outer] = ["inner", "outer"].map((name) => sent.find((span) => span.name === name)!);
    expect(service).toBe("verde-test");
    expect([inner.traceId, outer.traceId, outer.parentSpanId]).toEqual([caller, caller, "b7ad6b7169203331"]);
    expect(inner.parentSpanId).toBe(outer.spanId);
    expect(inner.status).toMatchObject({ code: 2, message: "no memory" });
  });
});
