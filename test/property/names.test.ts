/**
 * Names of every kind (spec 5.5): those that the rule allows are run, recorded, opened, resumed and disputed like
 * plain ones, in the order in which the job made them; the others are refused where they are made.
 */
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { toHex, Writer } from "../../src/encoding/bytes.ts";
import { checkName, checkNewName, MAX_NAME_BYTES } from "../../src/encoding/name.ts";
import { VerdeError } from "../../src/errors/index.ts";
import { readTensors } from "../../src/formats/safetensors.ts";
import { decodeGraph, encodeGraph } from "../../src/graph/codec.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { type ClosedJob, jobId } from "../../src/job/closed.ts";
import { Context } from "../../src/job/context.ts";
import { add, defineJob, mean, mul, reshape, sgd, sum, tensor, zeros } from "../../src/job/index.ts";
import { dispute } from "../../src/referee/index.ts";
import { parseFault } from "../../src/trace/fault.ts";
import { openTrace, readCheckpoint, readSafetensors, run, writeSafetensors } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { SEED } from "./seed.ts";

const path = temporaryFolder();

/** A job whose every name is given. The first parameter has no elements, as far as its loss can tell. */
const jobOf = async (names: readonly string[], own = "job"): Promise<ClosedJob> =>
  defineJob({
    name: own,
    steps: 3,
    data: () => Object.fromEntries(names.map((name, i) => [name, tensor([2], [i, 1])])),
    unit: () => ({ name: names[0], perStep: 1 }),
    loss: (job) => {
      const terms = names.map((name) =>
        job.scope(name, () => {
          job.state(`empty/${name}`, { dtype: "f32", shape: [0] }, zeros);
          return sum(mul(job.parameter(name, [2], zeros), job.data[name]));
        }),
      );
      names.forEach((name, i) => job.metric(`of/${name}`, reshape(terms[i], [])));
      return mean(terms.reduce((a, b) => add(a, b)));
    },
    optimizer: () => sgd({ learningRate: 0.1, momentum: 0.9 }),
  }).close();

/** Names that trip programs: members of every object, numbers as text, other scripts, marks that belong to letters. */
const ODD = [
  ["b", "1", "0", "10", "a"],
  ["__proto__", "constructor", "toString", "hasOwnProperty", "length"],
  ["ÿ", "ß", "𝒳", "名前", "नाम", "می\u200cخواهم", "👩\u200d🔬"],
  ['"', "\\", "{}", "a:b", " ", "a/b", "..", "%00", "<b>"],
  ["x".repeat(400), "é".repeat(240)],
];

describe("names that the rule allows", () => {
  test.each(ODD.map((names) => [names.join(" ").slice(0, 60), names]))("%s", async (_, names) => {
    const job = await jobOf(names, names[0]);
    expect(job.step.outputs.map(({ name }) => name).slice(0, names.length)).toEqual(
      names.map((name) => `${name.replaceAll("/", ".")}.${name.replaceAll("/", ".")}`),
    );
    const out = path("odd.trace");
    const { runRoot, metrics } = await run(job, { out, force: true, checkpointEvery: 1 });
    expect(Object.keys(metrics[3]).length).toBe(names.length + 2);
    const trace = await openTrace(out);
    expect(toHex(trace.manifest.jobId)).toBe(toHex(jobId(job)));
    expect(trace.manifest.outline.name).toBe(names[0]);
    const state = await readCheckpoint(trace, 3);
    expect(state.map(({ name }) => name)).toEqual(job.step.outputs.map(({ name }) => name));
    const again = await run(job, { out: path("odd-again.trace"), force: true, backend: "reference" });
    expect(toHex(again.runRoot)).toBe(toHex(runRoot));
    const lie = path("odd-lie.trace");
    await run(job, { out: lie, force: true, fault: parseFault("lr:from=2,factor=2") });
    const result = await dispute(out, lie);
    expect(result.outcome).toBe("divergence");
  });

  test("keep their order in a file of tensors without elements", async () => {
    const file = path("order.safetensors");
    const tensors = ["b", "1", "a", "0"].map((name) => ({ name, ...tensor([0, 2], []) }));
    await writeSafetensors(file, tensors);
    expect((await readSafetensors(file)).map(({ name }) => name)).toEqual(["b", "1", "a", "0"]);
  });

  test("come back from bytes as they were, whatever they are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (name) => {
        let refused = false;
        try {
          checkNewName(name, "a name");
        } catch (error) {
          expect(error).toBeInstanceOf(VerdeError);
          refused = true;
        }
        const builder = new GraphBuilder();
        const build = () => {
          const x = builder.input(name, { dtype: "f32", shape: [1] });
          return builder.finish([{ name, value: builder.scope(name, () => mul(x, x)) }]);
        };
        if (refused) return void expect(build).toThrow(VerdeError);
        const graph = build();
        expect(decodeGraph(encodeGraph(graph))).toEqual(graph);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });
});

/** One name of each kind that is refused, with a word of the reason. */
const REFUSED: readonly [string, unknown, RegExp][] = [
  ["a mark at its beginning", "\ufeffweight", /U\+FEFF at position 0/],
  ["half of a character", "a\ud800", /U\+D800/],
  ["the other half", "\udc00a", /U\+DC00/],
  ["a control", "a\u0000", /U\+0000/],
  ["a line break", "a\nb", /U\+000A/],
  ["a code that moves the cursor", "\u001b[2J", /U\+001B/],
  ["a mark that reverses letters", "a\u202eb", /U\+202E/],
  ["a space without width", "a\u200bb", /U\+200B/],
  ["no character", "\uffff", /U\+FFFF/],
  ["a tag", "a\u{e0041}", /U\+E0041/],
  ["the key of a file's notes", "__metadata__", /notes/],
  ["nothing", "", /is empty/],
  ["too many bytes", "é".repeat(513), /1024 are allowed/],
  ["a very long text", "x".repeat(10_000_000), /1024 are allowed/],
  ["a number", 3, /of type number/],
  ["null", null, /null/],
  ["another normal form", "e\u0301", /normal form C/],
];

describe("names that are refused", () => {
  const failure = (made: Promise<unknown>): Promise<unknown> =>
    made.then(
      () => undefined,
      (error: unknown) => error,
    );
  const isWord = (thrown: unknown, reason: RegExp): void => {
    expect(thrown).toBeInstanceOf(VerdeError);
    expect((thrown as VerdeError).code).toBe("VERDE_FORMAT_NAME");
    expect((thrown as VerdeError).message).toMatch(reason);
    expect((thrown as VerdeError).message.length).toBeLessThan(600);
  };

  test.each(REFUSED)("%s", async (_, name, reason) => {
    const text = name as string;
    isWord(await failure(jobOf(["a"], text)), reason);
    const sites: ((job: Context) => unknown)[] = [
      (job) => job.parameter(text, [1], zeros),
      (job) => job.state(text, { dtype: "f32", shape: [1] }, zeros),
      (job) => job.metric(text, sum(job.parameter("w", [1], zeros))),
      (job) => job.scope(text, () => job),
      (job) => job.builder.input(text, { dtype: "f32", shape: [] }),
      (job) => job.builder.finish([{ name: text, value: job.step }]),
    ];
    for (const site of sites) {
      const job = new Context([], 0);
      isWord(await failure(Promise.resolve().then(() => site(job))), reason);
    }
    // The keys of an object are texts.
    if (typeof name === "string") isWord(await failure(jobOf([text])), reason);
  });

  test("a name of as many bytes as are allowed is a name", () => {
    checkName("x".repeat(MAX_NAME_BYTES), "a name");
    expect(() => checkName("x".repeat(MAX_NAME_BYTES + 1), "a name")).toThrow("1024 are allowed");
  });

  test("bytes of a graph with such a name, input, output or label", () => {
    const builder = new GraphBuilder();
    const x = builder.input("QQQ", { dtype: "f32", shape: [1] });
    const graph = builder.finish([{ name: "RRR", value: builder.scope("SSS", () => mul(x, x)) }]);
    const bytes = encodeGraph(graph);
    for (const [where, letter] of ["QQQ", "RRR", "SSS"].entries()) {
      const at = Buffer.from(bytes).indexOf(letter);
      expect(at, `${where}`).toBeGreaterThan(0);
      for (const wrong of ["\ufeff", "\u2028", "\0aa"]) {
        const damaged = Uint8Array.from(bytes);
        damaged.set(new TextEncoder().encode(wrong), at);
        expect(() => decodeGraph(damaged)).toThrow(expect.objectContaining({ code: "VERDE_FORMAT_NAME" }));
      }
    }
  });

  test("half of a character is not encoded as another one", () => {
    expect(() => new Writer().text("\ud800")).toThrow(expect.objectContaining({ code: "VERDE_FORMAT_MALFORMED" }));
  });

  test("a file of tensors still says what it holds", async () => {
    const header = new TextEncoder().encode('{"1":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"__metadata__":{}}');
    const bytes = new Uint8Array(8 + header.length);
    bytes[0] = header.length;
    bytes.set(header, 8);
    const source = { size: bytes.length, read: async (at: number, n: number) => bytes.slice(at, at + n) };
    expect((await readTensors(source as never, "a")).map(({ name }) => name)).toEqual(["1"]);
  });
});
