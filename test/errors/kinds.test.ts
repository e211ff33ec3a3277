/** Cut, altered, of another version: three failures, for every kind of file that has to be trusted. */
import { decode, encode } from "cborg";
import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { certificateOf, parseCertificate, specificationProblems } from "../../src/certify/certificate.ts";
import { certify } from "../../src/certify/certify.ts";
import { parseJson } from "../../src/encoding/json.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import { readSafetensors } from "../../src/formats/safetensors-file.ts";
import type { StepRefuted } from "../../src/referee/verdict.ts";
import { checkVerdict } from "../../src/referee/check-verdict.ts";
import { backendByName } from "../../src/repops/backends/index.ts";
import { expectComplete, openTrace, run } from "../../src/trace/index.ts";
import { readCheckpoint } from "../../src/trace/open.ts";
import { checkpointFile, dataFolder } from "../../src/trace/source.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";
import { disputeRemembered } from "../referee/remembered-dispute.ts";
import { tinyJob } from "../referee/tiny-job.ts";

const path = temporaryFolder();

function write(name: string, bytes: Uint8Array): string {
  writeFileSync(path(name), bytes);
  return path(name);
}

async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "none";
}

beforeAll(async () => {
  await run(regression(), { out: path("whole.trace"), checkpointEvery: 5 });
});

describe("a trace", () => {
  const codeOfTrace = (bytes: Uint8Array): Promise<string> =>
    codeOf(async () => expectComplete(await openTrace(write("other.trace", bytes))));

  test("that is sound has none", async () => expect(await codeOfTrace(readFileSync(path("whole.trace")))).toBe("none"));

  test("that is not there", async () =>
    expect(await codeOf(() => openTrace(path("nowhere.trace")))).toBe("VERDE_FORMAT_MISSING"));

  test("that is a folder", async () =>
    expect(await codeOf(() => openTrace(path(".")))).toBe("VERDE_FORMAT_UNREADABLE"));

  test("that is cut, at the end of a record or within its manifest", async () => {
    const whole = readFileSync(path("whole.trace"));
    for (const length of [whole.length - 1, whole.length - 69, 100])
      expect(await codeOfTrace(whole.subarray(0, length))).toBe("VERDE_FORMAT_TRUNCATED");
  });

  test("of which a byte is altered", async () => {
    const altered = readFileSync(path("whole.trace"));
    altered[altered.length - 40] ^= 1;
    expect(await codeOfTrace(altered)).toBe("VERDE_FORMAT_ALTERED");
  });

  test("to which something is appended", async () =>
    expect(await codeOfTrace(Buffer.concat([readFileSync(path("whole.trace")), Buffer.of(0)]))).toBe(
      "VERDE_FORMAT_TRAILING",
    ));

  test("of another version", async () => {
    const whole = readFileSync(path("whole.trace"));
    const content = whole.subarray(13, 13 + whole.readUInt32BE(8));
    const fields = decode(content) as Record<string, unknown>;
    const manifest = encode({ ...fields, format: (fields.format as number) + 1 });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(manifest.length);
    head[4] = 1;
    const magic = whole.subarray(0, 8);
    const hash = sha256(Buffer.concat([sha256(magic), Buffer.of(1), manifest]));
    expect(await codeOfTrace(Buffer.concat([magic, head, manifest, hash]))).toBe("VERDE_FORMAT_VERSION");
  });

  test("that is a file of another kind", async () =>
    expect(await codeOfTrace(Buffer.from("# Verde\n"))).toBe("VERDE_FORMAT_KIND"));
});

describe("a safetensors file", () => {
  const NAME = `${dataFolder("whole.trace")}/${checkpointFile(5)}`;
  const read = (bytes: Uint8Array): Promise<string> => codeOf(() => readSafetensors(write("other.safetensors", bytes)));

  test("that is sound has none", async () => expect(await read(readFileSync(path(NAME)))).toBe("none"));

  test("that is cut within its content, its header or its length", async () => {
    const whole = readFileSync(path(NAME));
    for (const length of [whole.length - 1, 20, 5])
      expect(await read(whole.subarray(0, length))).toBe("VERDE_FORMAT_TRUNCATED");
  });

  test("to which something is appended", async () =>
    expect(await read(Buffer.concat([readFileSync(path(NAME)), Buffer.of(0)]))).toBe("VERDE_FORMAT_TRAILING"));

  test("with numbers that are not read here, which is its kind of another version", async () => {
    const whole = readFileSync(path(NAME));
    const text = whole.toString("latin1").replace('"F32"', '"F99"');
    expect(await read(Buffer.from(text, "latin1"))).toBe("VERDE_FORMAT_UNSUPPORTED");
  });

  test("of which a number is altered, which only the trace can tell", async () => {
    const whole = readFileSync(path(NAME));
    const altered = Buffer.from(whole);
    altered[altered.length - 4] ^= 1;
    writeFileSync(path(NAME), altered);
    const trace = await openTrace(path("whole.trace"));
    expect(await codeOf(() => readCheckpoint(trace, 5))).toBe("VERDE_FORMAT_ALTERED");
    writeFileSync(path(NAME), whole);
    expect(await codeOf(() => readCheckpoint(trace, 5))).toBe("none");
  });
});

describe("a verdict", () => {
  let text: string;
  let codeOfVerdict: (changed: string) => Promise<string>;

  beforeAll(async () => {
    const faults = [[], [{ step: 1, at: { kernel: 0 }, element: 5, flip: 1 }]] as const;
    const { verdict, claims } = await disputeRemembered({ job: tinyJob(2), faults });
    text = JSON.stringify(verdict);
    codeOfVerdict = (changed) => codeOf(() => checkVerdict(parseJson(changed, "a verdict"), claims));
  });

  const changed = (change: (verdict: { refuted: StepRefuted[]; schemaVersion: number }) => void): string => {
    const verdict = JSON.parse(text);
    change(verdict);
    return JSON.stringify(verdict);
  };

  test("that is sound has none", async () => expect(await codeOfVerdict(text)).toBe("none"));

  test("that is cut, wherever", async () => {
    for (let length = 0; length < text.length; length += 97)
      expect(await codeOfVerdict(text.slice(0, length)), `${length}`).toBe("VERDE_FORMAT_TRUNCATED");
    expect(await codeOfVerdict(text.slice(0, -1))).toBe("VERDE_FORMAT_TRUNCATED");
  });

  test("that is no JSON", async () => {
    expect(await codeOfVerdict(text.replace(":", "="))).toBe("VERDE_FORMAT_MALFORMED");
    expect(await codeOfVerdict(`${text}}`)).toBe("VERDE_FORMAT_MALFORMED");
  });

  test("that says something else than its evidence", async () =>
    expect(
      await codeOfVerdict(changed(({ refuted: [first] }) => (first.decision = { ...first.decision, step: 7 }))),
    ).toBe("VERDE_DISPUTE_VERDICT_ALTERED"));

  test("of which the evidence is altered", async () =>
    expect(
      await codeOfVerdict(
        changed(({ refuted: [{ levels }] }) => {
          const [top] = levels;
          top.payload = `${top.payload.slice(0, -1)}${top.payload.endsWith("0") ? 1 : 0}`;
        }),
      ),
    ).toBe("VERDE_DISPUTE_VERDICT_ALTERED"));

  test("without a field, without a level, of another version, about other roots", async () => {
    expect(await codeOfVerdict("{}")).toBe("VERDE_DISPUTE_VERDICT_VERSION");
    expect(await codeOfVerdict('{"schemaVersion":3}')).toBe("VERDE_DISPUTE_VERDICT_MALFORMED");
    expect(await codeOfVerdict(changed(({ refuted: [first] }) => first.levels.pop()))).toBe(
      "VERDE_DISPUTE_VERDICT_INCOMPLETE",
    );
    expect(await codeOfVerdict(changed((verdict) => (verdict.schemaVersion = 2)))).toBe(
      "VERDE_DISPUTE_VERDICT_VERSION",
    );
    expect(await codeOfVerdict(changed(({ refuted: [first] }) => (first.run = `0x${"00".repeat(32)}`)))).toBe(
      "VERDE_DISPUTE_VERDICT_FOREIGN",
    );
  });
});

describe("a certificate", () => {
  let text: string;

  beforeAll(async () => {
    const backend = backendByName("reference");
    const results = await certify(backend, []);
    text = JSON.stringify(certificateOf(backend, "full", undefined, results, []));
  });

  const parsed = (given: string): Promise<string> => codeOf(() => parseCertificate(given, "a.json"));

  test("that is sound has none", async () => expect(await parsed(text)).toBe("none"));

  test("that is cut", async () => {
    for (const length of [0, 1, 30, text.length - 1])
      expect(await parsed(text.slice(0, length))).toBe("VERDE_FORMAT_TRUNCATED");
  });

  test("of another version", async () =>
    expect(await parsed(JSON.stringify({ ...JSON.parse(text), schemaVersion: 3 }))).toBe("VERDE_FORMAT_VERSION"));

  test("that lacks a field, or is something else", async () => {
    expect(await parsed(JSON.stringify({ ...JSON.parse(text), operators: undefined }))).toBe("VERDE_FORMAT_MALFORMED");
    for (const other of ["null", "[]", "7", "no"]) expect(await parsed(other)).toBe("VERDE_FORMAT_MALFORMED");
  });

  test("with an altered digest, is read, and found not to be the specification's", () => {
    const certificate = JSON.parse(text);
    certificate.operators = { matmul: `0x${"00".repeat(32)}` };
    expect(specificationProblems(parseCertificate(JSON.stringify(certificate), "a.json"))).not.toEqual([]);
  });
});
