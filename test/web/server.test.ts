/** The server of `verde serve`: what it gives, and what nobody gets from it. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { get, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { moduleAssets } from "../../src/web/modules.ts";
import { type PageServer, startServer } from "../../src/web/server.ts";
import { traceFiles } from "../../src/services/trace-files.ts";
import { run } from "../../src/trace/index.ts";
import { closeLater } from "../fixtures/browser.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const SECRET = "nobody's business";

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Unlike `fetch`, this sends a path as it stands. */
function ask(server: PageServer, target: string, options: { method?: string; host?: string } = {}): Promise<Answer> {
  const { port, host } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const request = { port, path: target, method: options.method, headers: { host: options.host ?? host } };
    get({ ...request, host: "127.0.0.1" }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    }).on("error", reject);
  });
}

async function serve(options: { trace?: string; host?: string } = {}): Promise<PageServer> {
  const { trace, host = "127.0.0.1" } = options;
  const files = trace === undefined ? {} : { trace: await traceFiles(trace) };
  return closeLater(await startServer({ host, port: 0, assets: moduleAssets(), ...files }));
}

let server: PageServer;
beforeAll(async () => {
  await run(regression({ steps: 4 }), { checkpointEvery: 2, out: path("a.trace") });
  writeFileSync(path("secret.txt"), SECRET);
  writeFileSync(path("a.data/notes.txt"), SECRET);
  mkdirSync(path("a.data/step-00000099.safetensors"));
  server = await serve({ trace: path("a.trace") });
});

describe("the page's server", () => {
  test("gives the page, and every module that can be reached from it, in JavaScript", async () => {
    const page = await ask(server, "/");
    expect(page.status).toBe(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    const waiting = [...page.body.toString().matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target);
    waiting.push("/src/web/page/worker.ts");
    const seen = new Set<string>();
    for (let target = waiting.pop(); target !== undefined; target = waiting.pop()) {
      if (seen.has(target)) continue;
      seen.add(target);
      const { status, headers, body } = await ask(server, target);
      expect(status, target).toBe(200);
      if (!/javascript/.test(headers["content-type"] ?? "")) continue;
      for (const [, name] of body.toString().matchAll(/^(?:import|export)\s(?:[^;"']*\sfrom\s)?\s*["']([^"']+)["']/gm))
        waiting.push(new URL(name, new URL(target, server.url)).pathname);
    }
    expect(seen).toContain("/src/trace/reexecute.ts");
    expect(seen).toContain("/node_modules/@noble/hashes/sha2.js");
    expect(seen).toContain("/node_modules/cborg/cborg.js");
    expect([...seen].filter((target) => target.startsWith("/src/cli"))).toEqual([]);
  });

  test("gives the trace and the files that belong to it", async () => {
    const files = ["dataset", "step-00000000", "step-00000002", "step-00000004"].map((name) => `${name}.safetensors`);
    const listing = JSON.parse((await ask(server, "/trace")).body.toString());
    expect(listing).toEqual({ path: "a.trace", files });
    expect((await ask(server, "/trace/trace")).body.subarray(0, 8).toString()).toBe("VERDETR1");
    for (const file of files) expect((await ask(server, `/trace/data/${file}`)).status, file).toBe(200);
    const { headers, body } = await ask(server, "/trace/trace", { method: "HEAD" });
    expect([Number(headers["content-length"]) > 1000, body.length]).toEqual([true, 0]);
    expect((await ask(await serve(), "/trace")).body.toString()).toBe("null");
    expect((await ask(await serve(), "/trace/trace")).status).toBe(404);
  });

  test("gives nothing else, however it is asked", async () => {
    const up = ["..", "%2e%2e", "%2E.", "..%2f..", "..%5c..", "....//", "..\\.."];
    const targets = [
      "/secret.txt",
      "/package.json",
      "/src",
      "/src/",
      "/src/web/page/",
      "/test/web/server.test.ts",
      "/node_modules/vitest/package.json",
      "/node_modules/cborg/package.json",
      "/node_modules/@noble/hashes/package.json",
      "/trace/data/notes.txt",
      "/trace/data/step-00000099.safetensors",
      "/trace/data/step-1.safetensors/../../../secret.txt",
      "/trace/data/step-.safetensors",
      "/trace/data/",
      "/trace/trace/",
      "//etc/passwd",
      "/src//errors/index.ts",
      "/constructor",
      "/__proto__",
      ...up.flatMap((dots) => [
        `/${dots}/package.json`,
        `/src/${dots}/package.json`,
        `/src/web/page/${dots}/${dots}/${dots}/package.json`,
        `/trace/data/${dots}/secret.txt`,
        `/trace/data/${dots}/a.data/notes.txt`,
        `/trace/${dots}/secret.txt`,
        `/node_modules/cborg/${dots}/vitest/package.json`,
      ]),
    ];
    // What stands beside them is served, so that they are refused for what they are.
    for (const served of ["/src/errors/index.ts", "/src/web/page/main.ts", "/trace/data/dataset.safetensors"])
      expect((await ask(server, served)).status, served).toBe(200);
    for (const target of targets) {
      const { status, body } = await ask(server, target);
      expect(status, target).toBe(404);
      expect(body.toString(), target).not.toContain(SECRET);
    }
  });

  test("answers to its own names alone, so that no other site can pose as it", async () => {
    const { port } = new URL(server.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "127.0.0.1"])
      expect((await ask(server, "/", { host })).status, host).toBe(200);
    for (const host of [
      "attacker.example",
      `attacker.example:${port}`,
      "localhost.attacker.example",
      "127.0.0.1.example",
      "[attacker]",
    ])
      for (const target of ["/", "/trace", "/trace/trace"])
        expect((await ask(server, target, { host })).status, `${host} ${target}`).toBe(421);
  });

  test("only reads", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      expect((await ask(server, "/trace/trace", { method })).status, method).toBe(405);
  });

  test("keeps other sites out, and the page to itself", async () => {
    for (const target of ["/", "/trace", "/trace/trace", "/src/errors/index.ts", "/nothing"]) {
      const { headers } = await ask(server, target);
      expect(headers["content-security-policy"], target).toContain("default-src 'none'");
      expect(headers["content-security-policy"], target).not.toContain("'unsafe-");
      expect(headers["cross-origin-resource-policy"], target).toBe("same-origin");
      expect(headers["x-content-type-options"], target).toBe("nosniff");
      expect(headers["access-control-allow-origin"], target).toBeUndefined();
    }
  });

  test("survives nonsense", async () => {
    const { port } = new URL(server.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.end("GET \0 nonsense\r\n\r\n"));
      socket.on("data", () => undefined).on("close", () => resolve());
    });
    expect((await ask(server, "/")).status).toBe(200);
  });

  test("says when it can't listen, and what is no trace", async () => {
    const { port } = new URL(server.url);
    await expect(startServer({ host: "127.0.0.1", port: Number(port), assets: moduleAssets() })).rejects.toThrow(
      `port ${port} of 127.0.0.1 can't be opened: it is in use`,
    );
    await expect(traceFiles(path("nowhere.trace"))).rejects.toMatchObject({ code: "VERDE_FORMAT_MISSING" });
    await expect(traceFiles(path("a.data"))).rejects.toThrow("is not a file");
  });

  test("follows a link that its owner made", async () => {
    await run(regression({ steps: 1 }), { out: path("b.trace") });
    symlinkSync(path("b.trace"), path("link.trace"));
    expect((await ask(await serve({ trace: path("link.trace") }), "/trace/trace")).status).toBe(200);
  });
});
