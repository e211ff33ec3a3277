/** Where traces part, and whether they are whole; from a disk and from a server. */
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diffTraces } from "../../src/audit/diff.ts";
import { validateTrace } from "../../src/audit/validate.ts";
import { loadClosedJob, openTrace, parseFault, readCheckpoint, run, type RunOptions } from "../../src/trace/index.ts";
import { watchedSource } from "../../src/trace/folder.ts";
import { openTraceAt, urlSource } from "../../src/trace/url-source.ts";
import { startServer } from "../../src/web/server.ts";
import { traceFiles } from "../../src/services/trace-files.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression, type RegressionOptions } from "../fixtures/regression.ts";

const path = temporaryFolder();
const closing: (() => unknown)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

const make = (name: string, options: RunOptions = {}, job: RegressionOptions = {}) =>
  run(regression({ steps: 23, ...job }), { out: path(name), commitEvery: 3, checkpointEvery: 6, ...options });
const diff = async (a: string, b: string) => diffTraces(await openTrace(path(a)), await openTrace(path(b)));

beforeAll(async () => {
  await make("a.trace", { detail: "operators" });
  copyFileSync(path("a.trace"), path("same.trace"));
  await make("flip.trace", { detail: "operators", fault: parseFault("flip:step=13,operator=6,element=1,bit=12") });
  await make("every.trace", { commitEvery: 6 });
  await make("rate.trace", {}, { rate: 0.25 });
  await make("long.trace", {}, { steps: 24 });
});

describe("a difference", () => {
  test("is none between a trace and its copy", async () => {
    expect(await diff("a.trace", "same.trace")).toEqual({ settings: [], job: [], recorded: [23, 23], equal: true });
  });

  test("is named by its segment, operator and number", async () => {
    const found = await diff("a.trace", "flip.trace");
    expect(found).toMatchObject({ equal: false, state: { from: 13, to: 15 }, operator: { step: 13, kernel: 6 } });
    expect(found.metric!.step).toBeGreaterThanOrEqual(13);
  });

  test("of the cadence or of the job is said, and roots are not compared", async () => {
    expect(await diff("a.trace", "every.trace")).toMatchObject({ settings: ["commitEvery"], equal: false });
    expect((await diff("a.trace", "rate.trace")).job.join()).toMatch(/^step graph: from operator \d+/);
    expect((await diff("a.trace", "long.trace")).job).toEqual(["steps: 23 and 24"]);
  });
});

describe("validation", () => {
  const validate = (name: string) => validateTrace(watchedSource(path(name)));

  test("counts what is whole", async () => {
    writeFileSync(path("a.data/notes.txt"), "");
    const { problems, checkpoints, stray, ...counts } = await validate("a.trace");
    expect(counts).toMatchObject({ records: 24, roots: 9, dataset: "present", stopped: [] });
    expect([problems, checkpoints, stray]).toEqual([[], [0, 6, 12, 18, 23], ["notes.txt"]]);
  });

  test("lists everything that is damaged", async () => {
    copyFileSync(path("a.trace"), path("bad.trace"));
    cpSync(path("a.data"), path("bad.data"), { recursive: true });
    const damage = (file: string, at: number): void => {
      const bytes = readFileSync(path(file));
      bytes[(at + bytes.length) % bytes.length] ^= 4;
      writeFileSync(path(file), bytes);
    };
    damage("bad.data/step-00000012.safetensors", -1);
    damage("bad.data/dataset.safetensors", -1);
    damage("bad.trace", -40);
    rmSync(path("bad.data/step-00000023.safetensors"));
    const { problems, checkpoints } = await validate("bad.trace");
    expect(problems.map(({ file }) => file.slice(path(".").length))).toEqual([
      "/bad.trace",
      "/bad.data/dataset.safetensors",
      "/bad.data/step-00000012.safetensors",
    ].map((file) => file.slice(path(".").endsWith("/") ? 1 : 0))); // prettier-ignore
    expect(checkpoints).toEqual([0, 6, 18]);
  });
});

describe("a trace at an address", () => {
  const listen = async (answer: RequestListener): Promise<string> => {
    const server: Server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  let url = "";
  beforeAll(async () => {
    const server = await startServer({ host: "127.0.0.1", port: 0, assets: () => undefined, trace: await traceFiles(path("a.trace")) }); // prettier-ignore
    closing.push(() => server.close());
    ({ url } = server);
  });

  test("is the same trace, with its dataset and checkpoints", async () => {
    const trace = await openTraceAt(url);
    expect(await diffTraces(trace, await openTrace(path("a.trace")))).toMatchObject({ equal: true });
    expect(await loadClosedJob(trace)).toEqual(await loadClosedJob(await openTrace(path("a.trace"))));
    expect(await readCheckpoint(trace, 12)).toHaveLength(5);
    expect(await validateTrace(await urlSource(url))).toMatchObject({ problems: [], records: 24 });
  });

  test("gives one range, as HTTP has it", async () => {
    const whole = readFileSync(path("a.trace"));
    const ask = async (range: string) => {
      const response = await fetch(`${url}trace/trace`, { headers: { range } });
      return [response.status, response.headers.get("content-range"), Buffer.from(await response.arrayBuffer())];
    };
    const { length } = whole;
    expect(await ask("bytes=5-9")).toEqual([206, `bytes 5-9/${length}`, whole.subarray(5, 10)]);
    expect(await ask("bytes=-7")).toEqual([206, `bytes ${length - 7}-${length - 1}/${length}`, whole.subarray(-7)]);
    expect(await ask(`bytes=${length - 2}-${length + 9}`)).toEqual([206, `bytes ${length - 2}-${length - 1}/${length}`, whole.subarray(-2)]); // prettier-ignore
    expect((await ask(`bytes=${length}-`)).slice(0, 2)).toEqual([416, `bytes */${length}`]);
    // What is not one range of bytes has no effect (RFC 9110).
    for (const odd of ["bytes=9-5", "bytes=0-1,4-5", "lines=1-2", "bytes=-"])
      expect((await ask(odd))[2]).toEqual(whole);
  });

  test.each<[string, RequestListener, RegExp]>([
    ["nothing", (_, response) => response.writeHead(404).end(), /answers 404/],
    ["a page", (_, response) => response.end("<html>"), /does not serve a trace: its answer is no listing/],
    ["no trace", (_, response) => response.end("null"), /serves the page, and no trace/],
    ["a way out", (_, response) => response.end('{"path":"../a.trace","files":[]}'), /its listing is malformed/],
    [
      "a redirect",
      (_, response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end(),
      /can't be read/,
    ],
    ["gigabytes", (_, response) => flood(response), /sent more than 16777216 bytes at once/],
  ])("that serves %s is refused", { timeout: 30_000 }, async (_, answer, message) => {
    await expect(openTraceAt(await listen(answer))).rejects.toThrow(message);
  });

  test("whose server ignores ranges, or sends less, is refused", async () => {
    const whole = readFileSync(path("a.trace"));
    const serving =
      (body: (range: string | undefined) => [number, Buffer]): RequestListener =>
      (request, response) => {
        if (request.url === "/trace") return void response.end('{"path":"a.trace","files":[]}');
        if (request.method === "HEAD") return void response.writeHead(200, { "content-length": whole.length }).end();
        const [status, bytes] = body(request.headers.range);
        response.writeHead(status).end(bytes);
      };
    const open = async (answer: RequestListener) => openTraceAt(await listen(answer));
    await expect(open(serving(() => [200, whole]))).rejects.toThrow(/sends no parts of a file/);
    await expect(open(serving(() => [206, whole.subarray(0, 3)]))).rejects.toThrow(/sent 3 bytes, not the/);
    const altered = Buffer.from(whole);
    altered[whole.length - 50] ^= 1;
    await expect(open(serving(() => [206, altered]))).rejects.toThrow(/a.trace, record/);
  });
});

/** Sends until nobody reads any more. */
function flood(response: ServerResponse): void {
  const part = Buffer.alloc(2 ** 20);
  const more = (): void => {
    while (!response.destroyed && response.write(part));
  };
  response.on("drain", more);
  more();
}
