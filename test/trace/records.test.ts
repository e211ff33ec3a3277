/** Traces whose hashes hold and whose content does not: what only a reader that checks the content refuses. */
import { decode, encode } from "cborg";
import { createHash } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../src/encoding/hash.ts";
import { toHex } from "../../src/encoding/bytes.ts";
import { tensorRoot } from "../../src/encoding/tensor.ts";
import { encodeGraph } from "../../src/graph/codec.ts";
import { expectComplete, openTrace, run, type StepRecord } from "../../src/trace/index.ts";
import { TraceWriter } from "../../src/trace/writer.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { regression } from "../fixtures/regression.ts";

const path = temporaryFolder();
const MAGIC = Buffer.from("VERDETR1");
const KINDS = ["nothing", "manifest", "step", "end"];
interface Record {
  kind: number;
  content: Buffer;
}
/** SHA-256 of four whole traces: a change of any byte is a change of the format. */
const DIGESTS = [
  "0xe85a681afab1012539a11c8f38bad0ccea2075f6ca086153ae4f7dce1803b9a1",
  "0xf29db98fd2471321d156e7e6d77a11740e0ddab6ec2a2745c3f2f967cb9517d5",
  "0xdc319d2954187231c1a33dcaa2d2907490ead93da9a4a84f0e5d4c56ac61925a",
  "0x6c8d83ad9bfd862b9fc15df6c492a981aeac5ed9e058003317e5890d0087ba3d",
];
let whole: Buffer;
let records: Record[];
let starts: number[];

/** A file by the format's description, not by our writer. */
function forge(list: readonly Record[]): string {
  const parts: Buffer[] = [MAGIC];
  let hash = Buffer.from(sha256(MAGIC));
  for (const { kind, content } of list) {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(content.length);
    head[4] = kind;
    hash = Buffer.from(sha256(Buffer.concat([hash, Buffer.of(kind), content])));
    parts.push(head, content, hash);
  }
  writeFileSync(path("forged.trace"), Buffer.concat(parts));
  return path("forged.trace");
}

function split(bytes: Buffer): void {
  records = [];
  starts = [];
  for (let at = MAGIC.length; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    starts.push(at);
    records.push({ kind: bytes[at + 4], content: bytes.subarray(at + 5, at + 5 + length) });
    at += 5 + length + 32;
  }
}

beforeAll(async () => {
  await run(regression(), { out: path("whole.trace") });
  whole = readFileSync(path("whole.trace"));
  split(whole);
});

describe("a trace file", () => {
  test("is what its description says", () => {
    expect(records.map(({ kind }) => KINDS[kind])).toEqual(["manifest", ...Array(11).fill("step"), "end"]);
    expect(readFileSync(forge(records)).equals(whole)).toBe(true);
  });

  test("names the record in which a byte was altered, and where it begins", async () => {
    for (const [number, { kind, content }] of records.entries())
      for (const at of [4, 5, 5 + content.length - 1, 5 + content.length, 5 + content.length + 31]) {
        const bytes = Buffer.from(whole);
        bytes[starts[number] + at] ^= 0x10;
        writeFileSync(path("altered.trace"), bytes);
        const name = at === 4 ? `kind ${kind ^ 0x10}` : KINDS[kind];
        await expect(openTrace(path("altered.trace"))).rejects.toThrow(
          `altered.trace, record ${number} at byte ${starts[number]}: its hash does not match its content (${name})`,
        );
      }
  });

  test("is not believed whatever length a record claims", async () => {
    for (const [number, start] of starts.entries()) {
      for (const at of [1, 2, 3]) {
        const bytes = Buffer.from(whole);
        bytes[start + at] ^= 0x20;
        writeFileSync(path("altered.trace"), bytes);
        // A manifest that reaches beyond the file's end looks like one that was cut. The others have known lengths.
        const opened = openTrace(path("altered.trace")).then(expectComplete);
        await expect(opened).rejects.toThrow(
          number === 0 ? /hash does not match|is cut|it claims/ : `record ${number} at byte ${start}: it claims`,
        );
      }
      const bytes = Buffer.from(whole);
      bytes[start] ^= 0x80;
      writeFileSync(path("altered.trace"), bytes);
      await expect(openTrace(path("altered.trace"))).rejects.toThrow(`record ${number} at byte ${start}: it claims`);
    }
  });

  test("opens as a prefix behind every record", async () => {
    for (const [number, start] of starts.entries()) {
      writeFileSync(path("cut.trace"), whole);
      truncateSync(path("cut.trace"), start + 7);
      if (number === 0) await expect(openTrace(path("cut.trace"))).rejects.toThrow("cut before its manifest ends");
      else {
        const trace = await openTrace(path("cut.trace"));
        const { complete, runRoot, tail, recorded } = trace;
        expect({ complete, runRoot, offset: tail.offset, recorded }).toEqual({
          complete: false,
          runRoot: undefined,
          offset: start,
          recorded: number - 1,
        });
        for (let step = 0; step < recorded; step++) {
          const { content } = records[step + 1];
          expect(await trace.record(step)).toEqual({
            step,
            root: new Uint8Array(content.subarray(5, 37)),
            metrics: [content.readUInt32BE(41)],
            metricsProof: [49, 81, 113].map((at) => new Uint8Array(content.subarray(at, at + 32))),
          });
          expect((await trace.tailOf(step)).offset).toBe(starts[step + 2]);
        }
        await expect(trace.record(recorded)).rejects.toThrow(`has no record of step ${recorded}`);
      }
    }
  });

  test("is refused with records that hold by their hashes alone", async () => {
    const changed = (number: number, change: (content: Buffer) => Buffer, kind = records[number].kind): Record[] =>
      records.map((record, i) => (i === number ? { kind, content: change(Buffer.from(record.content)) } : record));
    const set = (at: number, value: number) => (content: Buffer) => {
      content[at] = value;
      return content;
    };
    const same = (content: Buffer): Buffer => content;
    const zeros = (count: number) => (content: Buffer) => Buffer.concat([content, Buffer.alloc(count)]);
    const { length } = records[4].content;
    const foreign = "its metrics are not those of the state that it commits to";
    const cases: [Record[], string][] = [
      [records.slice(1), "record 0 (step) at byte 8: it does not belong here"],
      [[records[0], ...records], `it claims ${records[0].content.length} bytes, and this one takes ${length} or 32`],
      [changed(4, same, 9), "record 4 (kind 9)"],
      [changed(4, same, 1), "record 4 (manifest)"],
      [changed(4, () => Buffer.alloc(32)), "record 4 (step) at byte"],
      [changed(4, set(3, 7)), "step 7 does not follow here"],
      [changed(4, set(4, 2)), "a flag is neither 0 nor 1"],
      [changed(4, zeros(1)), `it claims ${length + 1} bytes`],
      [changed(4, (content) => content.subarray(0, 20)), "it claims 20 bytes"],
      [changed(4, set(4, 0)), "a root too many or too few"],
      [changed(4, set(37, 0xff)), "it has 4278190081 metrics, not 1"],
      [changed(4, set(48, 2)), "it has 2 hashes that prove its metrics, not 3"],
      [changed(4, set(148, 1)), "it has 1 roots of operators, not 0"],
      [changed(4, set(152, 1)), "it has 1 roots of the entries of its state, not 0"],
      [changed(4, set(10, 1)), foreign],
      ...[41, 44, 49, 81, 144].map((at): [Record[], string] => [
        changed(4, (content) => set(at, content[at] ^ 1)(content)),
        `record 4 (step) at byte ${starts[4]}: ${foreign}`,
      ]),
      // The whole report of another step: its root, metric and proof fit together, and not into this run.
      [
        changed(4, (content) => Buffer.concat([content.subarray(0, 4), records[5].content.subarray(4)])),
        "the run root does not follow",
      ],
      // The metric and the proof of another step, under the root of this one.
      [changed(4, (content) => Buffer.concat([content.subarray(0, 37), records[5].content.subarray(37)])), foreign],
      [changed(12, set(0, 1)), "the run root does not follow"],
      [changed(12, zeros(1)), "it claims 33 bytes"],
      [[...records.slice(0, 11), records[12]], "the run root does not follow"],
      [[...records, records[12]], "bytes after its end record"],
    ];
    for (const [list, sentence] of cases) await expect(openTrace(forge(list))).rejects.toThrow(sentence);
  });
});

describe("the bytes of a trace", () => {
  const digest = (file: string): string => toHex(sha256(readFileSync(file)));

  test("are these, for a job from an init graph and from a checkpoint, with and without operators", async () => {
    const found: string[] = [];
    for (const checkpoint of [false, true])
      for (const detail of ["steps", "operators"] as const) {
        const options = { detail, commitEvery: 3, out: path(`${checkpoint}-${detail}.trace`) };
        await run(regression({ checkpoint }), options);
        found.push(digest(options.out));
      }
    expect(found).toEqual(DIGESTS);
  });

  test("prove a metric as the description says, by hand", () => {
    // The state has five entries, and the loss is entry 2: its sibling, then the pair on its left, then entry 4.
    const hash = (tag: number, ...parts: Uint8Array[]): Buffer =>
      createHash("sha256")
        .update(Buffer.concat([Buffer.of(tag), ...parts]))
        .digest();
    for (const { content } of records.slice(1, -1)) {
      const at = (from: number): Buffer => content.subarray(from, from + 32);
      expect([content[4], content.readUInt32BE(37), content.readUInt32BE(45)]).toEqual([1, 1, 3]);
      const [root, sibling, left, last] = [at(5), at(49), at(81), at(113)];
      const bits = Buffer.from(content.subarray(41, 45)).reverse();
      const tensor = hash(3, Buffer.of(1, 0), hash(2, bits));
      const tree = hash(1, hash(1, left, hash(1, hash(4, tensor), sibling)), last);
      expect(hash(5, Buffer.of(0, 0, 0, 5), tree).toString("hex")).toBe(root.toString("hex"));
    }
  });

  test("hold the roots of a given initial state, in record 0 alone", async () => {
    await run(regression({ checkpoint: true }), { commitEvery: 3, detail: "operators", out: path("given.trace") });
    const { manifest } = await openTrace(path("given.trace"));
    const job = regression({ checkpoint: true });
    if (job.init.kind !== "checkpoint" || manifest.outline.init.kind !== "checkpoint") throw new Error("no checkpoint");
    const entries = job.init.state.map(tensorRoot);
    split(readFileSync(path("given.trace")));
    const { content } = records[1];
    // Step, root, one metric, its proof, no operators; then the entries.
    const at = 4 + 33 + 8 + 4 + 3 * 32 + 4 + 4;
    expect(content.readUInt32BE(at - 4)).toBe(5);
    expect(content.subarray(at).toString("hex")).toBe(Buffer.concat(entries).toString("hex"));
    const opened = await openTrace(path("given.trace"));
    for (let step = 0; step <= 10; step++) {
      const { entryRoots, opRoots } = await opened.record(step);
      expect(entryRoots?.map(toHex)).toEqual(step === 0 ? entries.map(toHex) : undefined);
      expect(opRoots?.length).toBe(step === 0 ? undefined : 10);
    }
    for (let entry = 0; entry < 5; entry++) {
      const altered = Buffer.from(content);
      altered[at + 32 * entry + 7] ^= 4;
      const list = records.map((record, i) => (i === 1 ? { ...record, content: altered } : record));
      await expect(openTrace(forge(list))).rejects.toThrow(
        `record 1 (step) at byte ${starts[1]}: the roots of its entries are not those of the job's initial state`,
      );
    }
    split(whole);
  });

  test("are refused by the writer where a reader would refuse them", async () => {
    const trace = await openTrace(path("whole.trace"));
    const writer = await TraceWriter.create(path("wild.trace"), trace.manifest);
    const record = await trace.record(4);
    for (const [wrong, sentence] of [
      [{ step: 11 }, "the job has no such step"],
      [{ step: -1 }, "the job has no such step"],
      [{ step: 1.5 }, "the job has no such step"],
      [{ root: undefined }, "it has a root too many or too few"],
      [{ metrics: [] }, "it has 0 metrics, not 1"],
      [{ metrics: [-1] }, "is not a pattern of 32 bits"],
      [{ metrics: [2 ** 32] }, "is not a pattern of 32 bits"],
      [{ metrics: [0.5] }, "is not a pattern of 32 bits"],
      [{ metricsProof: [] }, "it has 0 proof, not 3"],
      [{ opRoots: record.metricsProof }, "it has 3 operators, not 0"],
      [{ entryRoots: record.metricsProof }, "it has 3 entries, not 0"],
    ] as [Partial<StepRecord>, string][])
      await expect(writer.step({ ...record, ...wrong } as StepRecord)).rejects.toThrow(sentence);
    await writer.close();
    for (const wrong of [
      { commitEvery: 0 },
      { commitEvery: 2 ** 31 },
      { checkpointEvery: 2 ** 31 },
      { checkpointEvery: -1 },
      { backend: "x".repeat(5000) },
    ])
      await expect(TraceWriter.create(path("wild.trace"), { ...trace.manifest, ...wrong })).rejects.toThrow(
        `the ${Object.keys(wrong)[0]} of its manifest is out of range`,
      );
    await expect(run({ ...regression(), name: "n".repeat(5000) }, { out: path("named.trace") })).rejects.toThrow(
      "the name of its manifest is out of range",
    );
    await expect(run(regression(), { checkpointEvery: 2 ** 31 })).rejects.toMatchObject({ code: "VERDE_USAGE_VALUE" });
  });
});

describe("a manifest", () => {
  type Fields = { [name: string]: unknown };
  const manifest = (): Fields => decode(records[0].content) as Fields;
  const opened = (content: Uint8Array): Promise<unknown> =>
    openTrace(forge([{ kind: 1, content: Buffer.from(content) }, ...records.slice(1)]));
  const withField = (name: string, value: unknown): Promise<unknown> =>
    opened(encode({ ...manifest(), [name]: value }));

  test("is canonical CBOR and nothing else", async () => {
    expect(await opened(encode(manifest()))).toMatchObject({ complete: true });
    const map = Buffer.from(encode(manifest()));
    const { backend: _, ...rest } = manifest();
    const cases: [Uint8Array, string][] = [
      [Buffer.alloc(0), "not canonical CBOR"],
      [encode([1, 2]), "format is missing"],
      [encode(null), "it is not a map"],
      // The same map with an indefinite length, with a tag before it, and with its length on two bytes.
      [Buffer.concat([Buffer.of(0xbf), map.subarray(1), Buffer.of(0xff)]), "not canonical CBOR"],
      [Buffer.concat([Buffer.of(0xc1), map]), "not canonical CBOR"],
      [Buffer.concat([Buffer.of(0xb8, map[0] & 31), map.subarray(1)]), "canonical"],
      [Buffer.concat([map, Buffer.of(0)]), "not canonical CBOR"],
      [Buffer.concat([Buffer.of(0x5b, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)]), "not canonical CBOR"],
      [encode({ ...manifest(), colour: 1 }), "not in canonical form"],
      [encode(rest), "its field backend is missing"],
    ];
    for (const [content, sentence] of cases) await expect(opened(content)).rejects.toThrow(sentence);
  });

  test("has fields of the right kind and range", async () => {
    for (const [name, values] of Object.entries({
      format: ["1", null],
      name: [1, "x".repeat(5000)],
      perStep: [-1, 1.5, "4"],
      steps: [-3, 2.5],
      step: ["graph", null],
      initKind: ["none", 1],
      dataset: [{}, [new Uint8Array(31)], ["x"]],
      commitEvery: [0, 2 ** 31],
      checkpointEvery: [-1, 0.5, 2 ** 31],
      detail: ["all", "ops"],
      backend: [7],
      fault: [3],
    }))
      for (const value of values) await expect(withField(name, value)).rejects.toThrow(`field ${name} is missing or`);
    for (const format of [0, 1, 2, 3, 4, 6])
      await expect(withField("format", format)).rejects.toThrow(`it has format version ${format}, and this reads`);
    await expect(withField("format", 2)).rejects.toThrow(
      "run the job again, or use the version of Verde that wrote it",
    );
    await expect(withField("commitEvery", 3)).rejects.toThrow("a checkpoint every 1 steps, and a root every 3");
    await expect(withField("fault", "skip:step=x")).rejects.toThrow("the fault");
    await expect(withField("fault", "skip:step=01")).rejects.toThrow("not in canonical form");
    await expect(withField("steps", 2 ** 31)).rejects.toMatchObject({ code: "VERDE_JOB_STEPS" });
  });

  test("holds a job that fits together", async () => {
    const { step, init } = manifest() as { step: Uint8Array; init: Uint8Array };
    await expect(withField("step", step.subarray(0, step.length - 1))).rejects.toThrow("step graph is cut");
    await expect(withField("init", step)).rejects.toThrow("take all of them, or none");
    await expect(withField("step", init)).rejects.toMatchObject({
      family: expect.stringMatching(/^VERDE_(JOB|GRAPH)$/),
    });
    await expect(withField("dataset", [])).rejects.toMatchObject({ code: "VERDE_JOB_DATA" });
    const altered = encodeGraph(regression({ rate: 0.5 }).step);
    await expect(withField("step", new Uint8Array(altered))).rejects.toThrow("the run root does not follow");
    const bare = { ...manifest(), initKind: "checkpoint" };
    for (const length of [0, 31, 33])
      await expect(opened(encode({ ...bare, init: new Uint8Array(length) }))).rejects.toThrow("no root of 32 bytes");
  });
});
