import { createHash } from "node:crypto";
import { existsSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { decode, encode } from "cborg";
import { beforeAll, describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { tensorRoot } from "../../src/encoding/tensor.ts";
import { encodeGraph } from "../../src/graph/codec.ts";
import { VerdeError } from "../../src/errors/index.ts";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { defineJob, mean, mul, normal, sgd, square } from "../../src/job/index.ts";
import { readJobFile, run, startFrom, writeJobFile } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import line from "../fixtures/line.ts";

const path = temporaryFolder();
let job: ClosedJob;
let bytes: Buffer;

beforeAll(async () => {
  job = await line.close();
  await writeJobFile(path("line.verde"), job);
  bytes = readFileSync(path("line.verde"));
});

/** A job of no data, whose state is one number. */
const bare = defineJob({
  name: "bare",
  steps: 3,
  data: () => ({}),
  loss: (context) => mean(square(mul(context.parameter("w", [3], normal(1)), 2))),
  optimizer: () => sgd({ learningRate: 0.1 }),
});

const sha256 = (data: Uint8Array): Buffer => createHash("sha256").update(data).digest();

/** The parts of a file by docs/trace-format.md, not by our reader. */
function parts(file: Buffer): { outline: Buffer; tensors: Buffer } {
  const length = file.readUInt32BE(8);
  const outline = file.subarray(12, 12 + length);
  expect(file.subarray(12 + length, 44 + length).equals(sha256(file.subarray(0, 12 + length)))).toBe(true);
  return { outline, tensors: file.subarray(44 + length) };
}

/** A file with these parts, whose hash fits. */
function assembled(outline: Uint8Array, tensors: Uint8Array): string {
  const head = Buffer.concat([Buffer.from("VERDEJB1"), Buffer.alloc(4), outline]);
  head.writeUInt32BE(outline.length, 8);
  writeFileSync(path("made.verde"), Buffer.concat([head, sha256(head), tensors]));
  return path("made.verde");
}

const refusal = (file: string): Promise<unknown> => readJobFile(file).catch((error: unknown) => error);

describe("a job file", () => {
  test("is the same job, with the same run", async () => {
    const { job: given } = await startFrom(job, [], { partial: true });
    for (const closed of [job, given, await bare.close()]) {
      await writeJobFile(path("one.verde"), closed);
      const read = await readJobFile(path("one.verde"));
      expect(read).toEqual(closed);
      expect(toHex(jobId(read))).toBe(toHex(jobId(closed)));
      expect(toHex((await run(read)).runRoot)).toBe(toHex((await run(closed)).runRoot));
    }
  });

  test("is what its format says, and the same bytes each time", async () => {
    await writeJobFile(path("again.verde"), job);
    expect(readFileSync(path("again.verde")).equals(bytes)).toBe(true);
    expect(bytes.toString("latin1", 0, 8)).toBe("VERDEJB1");
    const { outline, tensors } = parts(bytes);
    expect(decode(outline)).toMatchObject({
      format: 3,
      name: "line",
      unit: "samples",
      perStep: 4,
      steps: 12,
      initKind: "graph",
      step: expect.any(Uint8Array),
      init: expect.any(Uint8Array),
      dataset: [expect.any(Uint8Array), expect.any(Uint8Array)],
    });
    const length = Number(tensors.readBigUInt64LE());
    expect(JSON.parse(tensors.toString("utf8", 8, 8 + length))).toEqual({
      "data/x": { dtype: "F32", shape: [9, 2], data_offsets: [0, 72] },
      "data/y": { dtype: "F32", shape: [9, 1], data_offsets: [72, 108] },
    });
    expect(new Uint8Array(tensors.subarray(8 + length, 80 + length))).toEqual(
      new Uint8Array(job.dataset[0].data.buffer),
    );
  });

  test("is never written through a link, nor left in pieces", async () => {
    writeFileSync(path("victim"), "precious");
    symlinkSync(path("victim"), path("linked.verde"));
    await writeJobFile(path("linked.verde"), job);
    expect(readFileSync(path("victim"), "utf8")).toBe("precious");
    expect(readFileSync(path("linked.verde")).equals(bytes)).toBe(true);
    const broken = { ...job, dataset: job.dataset.slice(1) };
    await expect(writeJobFile(path("broken.verde"), broken)).rejects.toThrow(
      "takes 2 tensors of data, but the job has 1",
    );
    const long = { ...job, unit: { name: "rows", perStep: -1 } };
    await expect(writeJobFile(path("broken.verde"), long)).rejects.toThrow("its perStep is out of range");
    expect(existsSync(path("broken.verde"))).toBe(false);
  });
});

describe("a damaged or hostile job file", () => {
  test("that is cut or altered anywhere is refused, or is the same job", async () => {
    const own = toHex(jobId(job));
    let refused = 0;
    const results = new Set<string>();
    const look = async (file: Buffer): Promise<void> => {
      writeFileSync(path("damaged.verde"), file);
      const result = await refusal(path("damaged.verde"));
      if (result instanceof VerdeError) {
        refused++;
        results.add(result.code);
      } else expect(toHex(jobId(result as ClosedJob))).toBe(own);
    };
    for (let at = 0; at < bytes.length; at += at < 60 || at > bytes.length - 400 ? 1 : 97) {
      const altered = Buffer.from(bytes);
      altered[at] ^= 1 << at % 8;
      await look(altered);
      await look(bytes.subarray(0, at));
    }
    await look(Buffer.concat([bytes, Buffer.of(0)]));
    expect(refused).toBeGreaterThan(900);
    expect([...results].sort()).toEqual(
      expect.arrayContaining([
        "VERDE_FORMAT_ALTERED",
        "VERDE_FORMAT_KIND",
        "VERDE_FORMAT_MALFORMED",
        "VERDE_FORMAT_TRAILING",
        "VERDE_FORMAT_TRUNCATED",
        "VERDE_GRAPH_TYPES",
      ]),
    );
  });

  test("whose hash fits is checked all the same", async () => {
    const { outline, tensors } = parts(bytes);
    const fields = decode(outline) as Record<string, unknown>;
    const made = (changes: object): Promise<unknown> => refusal(assembled(encode({ ...fields, ...changes }), tensors));
    expect(await made({})).toEqual(job);
    expect(await made({ format: 1 })).toMatchObject({ code: "VERDE_FORMAT_VERSION" });
    expect(await made({ extra: 1 })).toMatchObject({ code: "VERDE_FORMAT_NOT_CANONICAL" });
    expect(await made({ steps: -1 })).toMatchObject({ code: "VERDE_FORMAT_MALFORMED" });
    expect(await made({ steps: 2 ** 31 })).toMatchObject({ code: "VERDE_JOB_STEPS" });
    expect(await made({ perStep: -1 })).toMatchObject({ code: "VERDE_FORMAT_MALFORMED" });
    expect(await made({ name: "x".repeat(5000) })).toMatchObject({ code: "VERDE_FORMAT_MALFORMED" });
    expect(await made({ dataset: [] })).toMatchObject({ code: "VERDE_JOB_DATA" });
    expect(await made({ initKind: "checkpoint" })).toMatchObject({ code: "VERDE_FORMAT_MALFORMED" });
    expect(await made({ initKind: "checkpoint", init: new Uint8Array(32) })).toMatchObject({
      code: "VERDE_GRAPH_TYPES",
    });
    expect(await made({ init: fields["step"] })).toMatchObject({ code: "VERDE_JOB_INIT" });
    const step = Uint8Array.from(fields["step"] as Uint8Array);
    expect(await made({ step: step.subarray(0, -1) })).toMatchObject({ code: "VERDE_FORMAT_TRUNCATED" });
    const roots = fields["dataset"] as Uint8Array[];
    expect(await made({ dataset: roots.toReversed() })).toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
    // CBOR that is not deterministic: a length in a longer form.
    const loose = Buffer.concat([Buffer.of(0xb9, 0, outline[0] & 31), outline.subarray(1)]);
    expect(await refusal(assembled(loose, tensors))).toMatchObject({ code: "VERDE_FORMAT_NOT_CANONICAL" });
    expect(await refusal(assembled(encode([]), tensors))).toMatchObject({ code: "VERDE_FORMAT_MALFORMED" });
  });

  test("whose data are no vf32 is refused, although the roots fit", async () => {
    const { outline, tensors } = parts(bytes);
    const changed = Buffer.from(tensors);
    changed.writeUInt32LE(0x7fc00000, changed.length - 4);
    const y = { ...job.dataset[1], data: job.dataset[1].data.slice() };
    new Uint32Array(y.data.buffer)[8] = 0x7fc00000;
    const dataset = [job.dataset[0], y].map((tensor) => new Uint8Array(tensorRoot(tensor)));
    const fields = { ...(decode(outline) as object), dataset };
    expect(await refusal(assembled(encode(fields), changed))).toMatchObject({ code: "VERDE_VALUE_NOT_CANONICAL" });
    expect(await refusal(assembled(encode(fields), tensors))).toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
    expect(await refusal(assembled(outline, changed))).toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
  });

  test("takes no memory for what it only claims", async () => {
    const head = Buffer.concat([Buffer.from("VERDEJB1"), Buffer.alloc(4)]);
    head.writeUInt32BE(2 ** 32 - 1, 8);
    writeFileSync(path("claims.verde"), head);
    truncateSync(path("claims.verde"), 8 * 2 ** 30);
    expect(await refusal(path("claims.verde"))).toMatchObject({ code: "VERDE_FORMAT_TOO_LARGE" });
    const { outline, tensors } = parts(bytes);
    const file = assembled(outline, Buffer.concat([Buffer.from([0, 0, 0, 4, 0, 0, 0, 0]), tensors.subarray(8)]));
    truncateSync(file, 2 ** 30);
    const error = await refusal(file);
    expect((error as Error).message).toMatch(/its header claims 67108864 bytes; at most \d{5} are read/);
    for (const [name, what] of [
      ["VERDETR1\0\0", "is a Verde trace"],
      ["hello", "is something else"],
      ["", "is something else"],
    ]) {
      writeFileSync(path("other.verde"), name);
      expect(await refusal(path("other.verde"))).toMatchObject({
        code: "VERDE_FORMAT_KIND",
        message: expect.stringContaining(`${what}, not a Verde job file`),
      });
    }
    const scalar = { dtype: "f32" as const, shape: [] };
    const large = Array.from({ length: 4096 }, (_, i) => ({
      name: `data/${i}`,
      dtype: "f32" as const,
      shape: [2 ** 31 - 1],
    }));
    const step = {
      inputs: [{ name: "s", ...scalar }, ...large],
      kernels: [],
      labels: [],
      outputs: [{ name: "s", tensor: 0 }],
    };
    const fields = { ...(decode(outline) as object), initKind: "checkpoint", init: new Uint8Array(32) };
    const huge = { ...fields, step: new Uint8Array(encodeGraph(step)), dataset: large.map(() => new Uint8Array(32)) };
    expect(await refusal(assembled(encode(huge), tensors))).toMatchObject({ code: "VERDE_JOB_TOO_LARGE" });
    expect(await refusal(path("missing.verde"))).toMatchObject({ code: "VERDE_FORMAT_MISSING" });
    expect(await refusal(path("."))).toMatchObject({ code: "VERDE_FORMAT_UNREADABLE" });
  });
});
