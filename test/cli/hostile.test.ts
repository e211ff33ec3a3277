/**
 * Files and nodes that somebody else wrote, with codes that control a terminal in every text of theirs: no command
 * lets one of them through, and no error grows with the file that it is about.
 */
import fc from "fast-check";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { encodeAbiParameters } from "viem";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as certify from "../../src/cli/certify.ts";
import * as check from "../../src/cli/check.ts";
import * as dispute from "../../src/cli/dispute.ts";
import { chainFailure, exitCodeOf, reportFailure } from "../../src/cli/exit.ts";
import * as inspect from "../../src/cli/inspect.ts";
import * as key from "../../src/cli/key.ts";
import * as run from "../../src/cli/run.ts";
import * as stake from "../../src/cli/stake.ts";
import * as task from "../../src/cli/task.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { FormatError } from "../../src/errors/index.ts";
import { escapeJson, escapeText, quote } from "../../src/errors/text.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { run as train } from "../../src/trace/run.ts";
import { sealKey } from "../../src/settlement/keystore.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";
import { type Ended, verdeIn } from "../fixtures/verde.ts";

const JOB = fileURLToPath(new URL("../fixtures/line.ts", import.meta.url));
/** Colours, a window's title, a C1 control, marks of direction, nothing to see, ends of lines, half a character. */
const HOSTILE =
  "a\u001b[31mb\u001b]0;title\u0007c\u009b2Jd\u202ee\u2066f\u200eg\u061ch\u200bi\ufeffj\u2028k\u2029l\u007fm\r\nFORGED\tn\u0000";
/** The marks without a shape that a name may have: some languages are not written without them (spec 5.5). */
const MARKS = "a\u200cb\u200dc[31md";
/** What may not be in an output, except line ends. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const path = temporaryFolder();
const verde = verdeIn(path("."));
const cleanEnv = { VERDE_CACHE: path("cache"), XDG_STATE_HOME: path("state") };

/** Whether an output holds nothing that a terminal obeys. Our own colours are allowed where they are asked for. */
function expectTame({ stdout, stderr }: Ended, coloured = false): void {
  for (const text of [stdout, stderr]) {
    // eslint-disable-next-line no-control-regex
    const shown = coloured ? text.replace(/\u001b\[(1|2|22|3[1-6]|39)m/g, "") : text;
    expect(UNSEEN.exec(shown.replaceAll("\n", ""))?.[0].codePointAt(0)?.toString(16)).toBeUndefined();
    expect(shown).not.toMatch(/^FORGED/m);
  }
}

async function hostileJob(): Promise<ClosedJob> {
  const job = await line.close();
  const name = (text: string) => `${text}${MARKS}`;
  const graphOf = <T extends ClosedJob["step"]>(graph: T): T => ({
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, name: name(input.name) })),
    outputs: graph.outputs.map((output) => ({ ...output, name: name(output.name) })),
    labels: graph.labels.map(name),
  });
  return {
    ...job,
    name: name(job.name),
    unit: { ...job.unit, name: name(job.unit.name) },
    step: graphOf(job.step),
    init: job.init.kind === "graph" ? { kind: "graph", graph: graphOf(job.init.graph) } : job.init,
    dataset: job.dataset.map((tensor) => ({ ...tensor, name: name(tensor.name) })),
  };
}

/** Copies of a JSON value, each with one text replaced. Texts with the same name in lists count once. */
function planted(value: any, text = HOSTILE): any[] {
  const made = new Map<string, any>();
  const walk = (inner: any, at: string, put: (other: unknown) => unknown): void => {
    if (typeof inner === "string" || typeof inner === "number") made.set(at, put(text));
    else if (Array.isArray(inner)) inner.slice(0, 2).forEach((one, i) => walk(one, at, (o) => put(inner.with(i, o))));
    else if (typeof inner === "object" && inner !== null)
      for (const key of Object.keys(inner)) {
        walk(inner[key], `${at}.${key}`, (other) => put({ ...inner, [key]: other }));
        made.set(`${at}.${key} as a key`, put({ ...inner, [text]: inner[key] }));
      }
  };
  walk(value, "", (other) => other);
  return [...made.values()];
}

let server: Server;
let rpc = "";
beforeAll(async () => {
  // A node that answers the first questions about a deployment, with a hostile token, and refuses all others.
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const { id, method, params } = JSON.parse(body);
      const isSymbol = method === "eth_call" && params[0].data?.startsWith("0x95d89b41");
      const isDecimals = method === "eth_call" && params[0].data?.startsWith("0x313ce567");
      const result = isSymbol
        ? encodeAbiParameters([{ type: "string" }], [HOSTILE])
        : isDecimals
          ? `0x${"12".padStart(64, "0")}`
          : ({ eth_chainId: "0x7a69", eth_getCode: "0x01" } as Record<string, string>)[method];
      const answer = result ? { result } : { error: { code: -32000, message: HOSTILE, data: HOSTILE } };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  rpc = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** The command in this process, since there are hundreds: with the report of its failure, as main.ts gives it. */
async function here(args: readonly string[]): Promise<Ended> {
  const seen = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => ((seen[stream] += String(text)), true)),
  );
  const program = new Command("verde").exitOverride();
  for (const command of [certify, check, dispute, inspect, key, run, stake, task]) command.register(program);
  let code = 0;
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (thrown) {
    const error = await chainFailure(thrown);
    reportFailure(error, args.includes("--json"));
    code = exitCodeOf(error);
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = undefined;
  }
  return { ...seen, code };
}

async function everyHere(commands: readonly (readonly string[])[]): Promise<void> {
  const codes = new Set<number>();
  for (const args of commands) {
    const ended = await here(args);
    expectTame(ended);
    expect(ended.stdout.length + ended.stderr.length, args.join(" ").slice(0, 200)).toBeGreaterThan(0);
    if (args.includes("--json")) for (const row of ended.stdout.trim().split("\n")) JSON.parse(row);
    codes.add(ended.code);
  }
  expect(codes.has(2)).toBe(true);
}

async function every(commands: readonly (readonly string[])[], env: Record<string, string> = {}): Promise<Ended[]> {
  const ended: Ended[] = [];
  const queue = [...commands];
  const work = async (): Promise<void> => {
    for (let args = queue.shift(); args; args = queue.shift()) {
      const one = await verde(args, { ...cleanEnv, ...env });
      expectTame(one, env.FORCE_COLOR !== undefined);
      expect(one.stdout.length + one.stderr.length, args.join(" ").slice(0, 200)).toBeGreaterThan(0);
      if (args.includes("--json")) for (const row of one.stdout.trim().split("\n")) JSON.parse(row);
      ended.push(one);
    }
  };
  await Promise.all([work(), work()]);
  return ended;
}

describe("a hostile text", () => {
  it("in a trace and its verdict reaches no terminal", async () => {
    const job = await hostileJob();
    const honest = await train(job, { out: path("a.trace") });
    const operator = job.step.labels.findIndex((label) => label.includes("matmul"));
    const lie = await train(job, {
      out: path("b.trace"),
      fault: { kind: "flip", step: 2, operator, element: 1, bit: 20 },
    });
    const roots = ["--a", toHex(honest.runRoot), "--b", toHex(lie.runRoot)];
    await every([["dispute", "a.trace", "b.trace", "--verdict", "v.json"]]);
    const disputes = [
      ["inspect", "a.trace"],
      ["dispute", "a.trace", "b.trace"],
      ["check", "v.json", ...roots],
    ];
    const seen = await every([...disputes, ...disputes.map((command) => [...command, "--json"])]);
    expect(seen.some(({ stdout }) => stdout.includes("\\u200c"))).toBe(true);
    await every(disputes, { FORCE_COLOR: "1", NO_COLOR: "" });
    await every([["run", JOB, "--out", "a.trace", "--resume"]]);

    // Names with codes for a terminal are refused. What wrote them did not have our checks.
    const bytes = readFileSync(path("a.trace"));
    const forged = Buffer.from(
      bytes.toString("latin1").replaceAll(Buffer.from(MARKS).toString("latin1"), "\u001b[2J\u001b]0;the\u0007\r\n"),
      "latin1",
    );
    expect(forged.length).toBe(bytes.length);
    writeFileSync(path("forged.trace"), forged);
    for (const ended of await every([
      ["inspect", "forged.trace"],
      ["inspect", "forged.trace", "--json"],
      ["dispute", "forged.trace", "b.trace"],
    ]))
      expect(ended.code).not.toBe(0);

    const files = planted(JSON.parse(readFileSync(path("v.json"), "utf8"))).map((verdict, i) => {
      writeFileSync(path(`v${i}.json`), JSON.stringify(verdict));
      return `v${i}.json`;
    });
    expect(files.length).toBeGreaterThan(40);
    await everyHere(files.map((file) => ["check", path(file), ...roots, ...(file.includes("3") ? ["--json"] : [])]));
  });

  it("in tensors, certificates, deployments, keystores and the answers of nodes reaches no terminal", async () => {
    const commands: string[][] = [];
    const files = (name: string, value: unknown, command: (file: string) => string[]): void =>
      planted(value).forEach((copy, i) => {
        writeFileSync(path(`${name}${i}`), JSON.stringify(copy));
        commands.push(
          command(path(`${name}${i}`)),
          ...(i % 4 === 0 ? [[...command(path(`${name}${i}`)), "--json"]] : []),
        );
      });
    const weights = { "hidden.weight": { dtype: "F32", shape: [1], data_offsets: [0, 4] } };
    planted(weights).forEach((header, i) => {
      const text = Buffer.from(JSON.stringify(header));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      writeFileSync(path(`w${i}.safetensors`), Buffer.concat([length, text, Buffer.alloc(4)]));
      commands.push(["run", JOB, "--from", path(`w${i}.safetensors`)]);
    });
    const certificate = {
      schemaVersion: 1,
      specification: 2,
      conforms: true,
      backend: "wasm",
      form: "short",
      device: { name: "a device", software: true, driver: { version: "1" } },
      machine: { engine: "node 24", arch: "x64", platform: "linux", processor: "one" },
      operators: { "map: add": "0x00" },
      probes: [{ name: "a probe", finding: "nothing" }],
      differences: [],
    };
    files("c.json", certificate, (file) => ["certify", "--check", file]);
    const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
    const places = { token: address, manager: address, vault: address, committee: address, gasBond: "1" };
    const deployment = { schemaVersion: 2, chainId: 31_337, block: 0, ...places };
    files("d.json", deployment, (file) => ["task", "list", "--rpc", rpc, "--deployment", file]);
    const key = JSON.parse(sealKey(`0x${"11".repeat(32)}`, "secret", 2));
    files("k.json", key, (file) => ["key", "address", file]);
    writeFileSync(path("deployment.json"), JSON.stringify(deployment));
    for (const command of [
      ["stake", "show", address],
      ["task", "list"],
      ["task", "show", `0x${"00".repeat(32)}`],
    ])
      for (const more of [[], ["--json"]])
        commands.push([...command, "--rpc", rpc, "--deployment", path("deployment.json"), ...more]);
    vi.stubEnv("VERDE_PASSWORD", "secret");
    await everyHere(commands);
    vi.unstubAllEnvs();
    const word = HOSTILE.replaceAll(/[\0\n]/g, "");
    await every([["inspect", `${word}.trace`], [word], ["run", JOB, `--${word}`]]);
  });

  it("of a million characters is cut in messages and in their evidence", async () => {
    const long = "x\u001b".repeat(500_000);
    const verdict = JSON.stringify({ schemaVersion: long, runRoots: [long, long], job: { initKind: long } });
    writeFileSync(path("long.json"), verdict);
    const entry = {
      run: long,
      address: long,
      ground: long,
      levels: [{ level: long, opening: [long] }],
      graph: { header: long },
    };
    for (const kind of ["proof", "ruling", long]) {
      const job = { info: long, initKind: long, steps: long };
      const file = { schemaVersion: 3, kind, job, commitEvery: long, refuted: [entry], claims: [entry, entry] };
      writeFileSync(path(`long-${kind.slice(0, 6)}.json`.replace(/[^\w.-]/g, "x")), JSON.stringify(file));
    }
    const header = Buffer.from(JSON.stringify({ [long]: { dtype: long, shape: [1], data_offsets: [0, 4] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path("long.safetensors"), Buffer.concat([length, header, Buffer.alloc(4)]));
    const root = `0x${"00".repeat(32)}`;
    const ended = await every([
      ["check", "long.json", "--a", root, "--json"],
      ["check", "long-proof.json", "--a", root, "--json"],
      ["check", "long-ruling.json", "--a", root, "--json"],
      ["check", "long-xxxxxx.json", "--a", root, "--json"],
      ["run", JOB, "--from", "long.safetensors", "--json"],
      ["certify", "--check", "long.json", "--json"],
    ]);
    for (const { code, stdout, stderr } of ended) {
      expect(code).toBe(2);
      expect(stdout.length).toBeLessThan(20_000);
      expect(stderr.length).toBeLessThan(14_000);
    }
  });

  it("is not written by any other way than the one that escapes it", () => {
    const files = readdirSync("src/cli", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    const writing = files.filter((file) =>
      /process\.std(out|err)\.write|\bwriteSync\(|\bconsole\.|\bprintf\b/.test(readFileSync(`src/cli/${file}`, "utf8")),
    );
    // Progress escapes what it shows, and the guard bounds and escapes what it says.
    expect(writing.sort()).toEqual(["guard.ts", "output.ts", "program.ts", "progress-lines.ts", "progress.ts"]);
    expect(
      readFileSync("src/cli/program.ts", "utf8").match(/process\.std(out|err)\.write\((?!terminalText\()/g),
    ).toBeNull();
  });
});

describe("escaped text", () => {
  const anything = fc.string({ unit: "binary", maxLength: 40 });

  it("holds nothing unseen, and stays the same when it is escaped again", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const escaped = escapeText(`${text}${HOSTILE}`);
        expect(UNSEEN.test(escaped)).toBe(false);
        expect(escapeText(escaped)).toBe(escaped);
      }),
    );
    expect(escapeText("naïve – 数 ✓ ⠹ e\u0301")).toBe("naïve – 数 ✓ ⠹ e\u0301");
    expect(escapeText("\u001b[31m\n\u202e\u{e0041}")).toBe("\\u001b[31m\\n\\u202e\\udb40\\udc41");
  });

  it("as JSON is the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), anything, (value, text) => {
        const json = escapeJson(JSON.stringify({ value, text: `${text}${HOSTILE}` }));
        expect(UNSEEN.test(json)).toBe(false);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text: `${text}${HOSTILE}` })));
      }),
    );
  });

  it("is bounded, whatever is quoted", () => {
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    for (const value of [
      HOSTILE,
      "x".repeat(1e6),
      "\u0000".repeat(1e6),
      1n,
      NaN,
      null,
      undefined,
      {},
      [[1]],
      loop,
      Symbol("s"),
    ])
      expect(quote(value).length).toBeLessThan(230);
    expect(quote({ toString: 1 })).toBe('{"toString":1}');
    const error = new FormatError("KIND", `${"\u0000".repeat(1e6)}; write it again`);
    expect(error.message.length).toBeLessThan(13_000);
    expect(error.message).toMatch(/write it again$/);
  });
});
