/**
 * Every integer that is encoded or hashed: a number that its field does not hold is refused by name, and is never
 * cut to the field's bits. If it were, "step 12884901891" would be step 3.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytesEqual, Reader, Writer } from "../../src/encoding/bytes.ts";
import { heightOf, merkleRoot, proofSteps, widthAt } from "../../src/encoding/merkle.ts";
import { encodeType, stateRootOf } from "../../src/encoding/tensor.ts";
import { openingDigest } from "../../src/claims/opening.ts";
import { VerdeError } from "../../src/errors/index.ts";
import { decodePlace, decodeQuestion, encodePlace, encodeQuestion } from "../../src/game/codec.ts";
import { openingLengths } from "../../src/game/level.ts";
import { topOf } from "../../src/game/question.ts";
import {
  decodeGraph,
  decodeHeader,
  decodeKernel,
  decodeType,
  encodeGraph,
  encodeKernel,
  graphTrees,
  outputTree,
} from "../../src/graph/codec.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { jobIdOf, outlineOf, partsOf } from "../../src/job/closed.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { trainingMachine } from "../../src/referee/machine.ts";
import { decodeWitness, encodeWitness } from "../../src/referee/witness-codec.ts";
import { decodeProgram, encodeProgram } from "../../src/repops/programs/program.ts";
import { type ChunkPlace, layoutRoot, runRootFromChunk } from "../../src/settlement/delivery.ts";
import { packed } from "../../src/settlement/game/state.ts";
import type { JobId } from "../../src/job/closed.ts";
import { runRootOfTree } from "../../src/trace/commitments.ts";
import { StepLayout } from "../../src/trace/layout.ts";
import { manifestOf } from "../../src/trace/manifest.ts";
import { metricNames } from "../../src/trace/metrics.ts";
import { encodeStep } from "../../src/trace/records.ts";
import line from "../fixtures/line.ts";
import { tinyJob } from "../referee/tiny-job.ts";

/** Numbers that no field holds. */
const WILD = [0.5, NaN, Infinity, -Infinity, 2 ** 32, 12_884_901_891, 2 ** 53, -(2 ** 31) - 1];
/** Numbers that some fields hold. */
const EDGES = [-1, 2 ** 31, 2 ** 32 - 1];

/** A value with integers in it, and what makes bytes or a hash of it. */
interface Sample {
  value: unknown;
  encode: (value: any) => Bytes;
  /** If its bytes can be read back. */
  decode?: (bytes: Bytes) => unknown;
  /** Fields whose range is wider than 32 bits. */
  wide?: (path: readonly string[]) => boolean;
  /** The error shows the number, but not which field it is for. */
  unnamed?: true;
}

const hash = new Uint8Array(32);
const read = <T>(what: string, decode: (reader: Reader) => T) => {
  return (bytes: Bytes): T => {
    const reader = new Reader(bytes, what);
    const value = decode(reader);
    reader.end();
    return value;
  };
};

const SAMPLES: Record<string, Sample> = {
  "the type of a tensor": {
    value: { dtype: "f32", shape: [2, 3] },
    encode: encodeType,
    decode: read("a type", decodeType),
  },
  "a list of tensors": { value: { count: 3 }, encode: ({ count }) => stateRootOf(count, merkleRoot([])) },
  "a layout": { value: [{ dtype: "i32", shape: [4] }], encode: layoutRoot },
  "the outputs of a graph": { value: [{ name: "x", tensor: 1 }], encode: (outputs) => outputTree(outputs)[0][0] },
  "a place": {
    value: [{ level: "segment", index: 3, part: 0 }],
    encode: encodePlace,
    decode: decodePlace,
  },
  "a question": {
    value: { kind: "children", at: [{ level: "segment", index: 3, part: 0 }], height: 2, position: 1 },
    encode: encodeQuestion,
    decode: decodeQuestion,
  },
  "a one-step proof": {
    value: { operands: [{ type: { dtype: "f32", shape: [2, 7] }, chunk: hash, chunkProof: [hash], proof: [hash] }] },
    encode: encodeWitness,
    decode: (bytes) => decodeWitness(bytes, { operands: 2, leaves: [], bytes: 10_000 }),
  },
  "a signed opening": {
    value: { tree: "fold", segment: 1, step: 2, kernel: 3, element: 4, run: hash, root: hash },
    encode: openingDigest,
    unnamed: true,
  },
  "the commitment of a run": {
    value: { commitEvery: 2 },
    encode: ({ commitEvery }) => runRootOfTree(hash as JobId, commitEvery, merkleRoot([])),
    unnamed: true,
  },
  "a word of a match": {
    value: { since: 7, turn: 1 },
    encode: ({ since, turn }) =>
      Uint8Array.of(
        Number(
          packed([
            [32, since],
            [8, turn],
          ]) & 0xffn,
        ),
      ),
  },
};

beforeAll(async () => {
  const job = await line.close();
  const tiny = tinyJob(6);
  const outline = outlineOf(job);
  SAMPLES["the id of a job"] = { value: partsOf(outline), encode: jobIdOf };
  SAMPLES["the facts of a job"] = {
    value: outline.unit,
    encode: (unit) => partsOf({ ...outline, unit }).info,
    wide: () => true,
  };
  // Record 0 has a root. Records between commitments have only metrics.
  const layout = new StepLayout(
    manifestOf(job, { commitEvery: 7, checkpointEvery: 7, detail: "steps", backend: "wasm" }),
  );
  const metrics = metricNames(job).map(() => 0x3f800000);
  SAMPLES["a record of a training step"] = {
    value: { step: 3, metrics },
    encode: (record) => encodeStep(record, layout),
    unnamed: true,
  };
  SAMPLES["the tree of a run"] = {
    value: { commitEvery: 2 },
    encode: ({ commitEvery }) => {
      const level = topOf(trainingMachine({ ...jobFacts(outline, 2), commitEvery }));
      return level.binding.kind === "preimage" ? level.binding.commit(merkleRoot([])) : hash;
    },
  };
  SAMPLES["a graph"] = {
    value: { ...tiny.step, kernels: [], labels: [], outputs: [{ name: "w", tensor: 0 }] } satisfies Graph,
    encode: encodeGraph,
    decode: decodeGraph,
  };
  const graphs = [tiny.step, job.step].map((graph, i) => [i, graph] as const);
  for (const [which, { kernels }] of graphs)
    kernels.forEach((kernel, i) => {
      const what = `operator ${i} of graph ${which}`;
      SAMPLES[what] = { value: kernel, encode: encodeKernel, decode: read("an operator", decodeKernel) };
      if (kernel.kind !== "gather")
        SAMPLES[`the program of ${what}`] = {
          value: kernel.program,
          encode: encodeProgram,
          decode: read("a program", decodeProgram),
        };
    });
});

/** The places of all numbers in a value, except those in arrays of bytes. */
function numbersIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value === "number") return [path];
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersIn(inner, [...path, key]));
}

/** A copy with another number at one place. */
function withNumber(value: any, [key, ...rest]: readonly string[], number: number): any {
  if (key === undefined) return number;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[key] = withNumber(copy[key], rest, number);
  return copy;
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("a number that does not fit its field", () => {
  it("is refused by every encoder, which says what it is", () => {
    let walked = 0;
    for (const [what, { value, encode, wide, unnamed }] of Object.entries(SAMPLES)) {
      const places = numbersIn(value);
      expect(places.length, what).toBeGreaterThan(what.includes("operator") ? -1 : 0);
      encode(value);
      for (const path of places)
        for (const number of WILD) {
          if (wide?.(path) && Number.isSafeInteger(number) && number >= 0) continue;
          walked++;
          const error = thrownBy(() => encode(withNumber(value, path, number)));
          const where = `${what}: ${path.join(".")} = ${number}`;
          expect(error, where).toBeInstanceOf(VerdeError);
          expect((error as VerdeError).message, where).toContain(String(number));
          if (!unnamed) expect((error as VerdeError).message, where).not.toContain("a number to be encoded");
        }
    }
    expect(walked).toBeGreaterThan(5_000);
  });

  it("is refused at the edges of signed and unsigned fields, or comes back as it was", () => {
    const outcomes = { refused: 0, same: 0 };
    for (const [what, { value, encode, decode }] of Object.entries(SAMPLES))
      for (const path of decode ? numbersIn(value) : [])
        for (const number of EDGES) {
          const changed = withNumber(value, path, number);
          const where = `${what}: ${path.join(".")} = ${number}`;
          let bytes: Bytes;
          try {
            bytes = encode(changed);
          } catch (error) {
            expect(error, where).toBeInstanceOf(VerdeError);
            outcomes.refused++;
            continue;
          }
          let decoded: unknown;
          try {
            decoded = decode!(bytes);
          } catch (error) {
            expect(error, where).toBeInstanceOf(VerdeError);
            outcomes.refused++;
            continue;
          }
          expect(decoded, where).toEqual(changed);
          outcomes.same++;
        }
    expect(Math.min(outcomes.refused, outcomes.same)).toBeGreaterThan(200);
  });

  it("is refused by the fields of the writer themselves", () => {
    const fields = { u8: [0, 2 ** 8], u16: [0, 2 ** 16], u32: [0, 2 ** 32], i32: [-(2 ** 31), 2 ** 31] } as const;
    for (const [name, [least, above]] of Object.entries(fields)) {
      const write = (value: number) => new Writer()[name as keyof typeof fields](value, "the count").finish();
      for (const value of [least, above - 1]) {
        const reader = new Reader(write(value), "a field");
        expect(reader[name as keyof typeof fields]()).toBe(value);
      }
      for (const value of [least - 1, above, 0.5, NaN, -Infinity, 2 ** 53, "1" as never, undefined as never])
        expect(() => write(value)).toThrow(`the count is ${value}; it is a whole number from`);
    }
    for (const value of [-1, 0.5, NaN, 2 ** 53]) expect(() => new Writer().u64(value)).toThrow("whole number");
    expect(new Reader(new Writer().u64(2 ** 53 - 1).finish(), "a field").u64()).toBe(2 ** 53 - 1);
  });
});

describe("a decoder", () => {
  it("refuses 2^32 - 1 anywhere, or gives a value with these bytes, and does not take long", () => {
    const began = performance.now();
    let refused = 0;
    for (const [what, { value, encode, decode }] of Object.entries(SAMPLES)) {
      if (!decode) continue;
      const bytes = encode(value);
      for (let at = 0; at + 4 <= bytes.length; at++) {
        const altered = bytes.slice();
        altered.fill(0xff, at, at + 4);
        let decoded: unknown;
        try {
          decoded = decode(altered);
        } catch (error) {
          expect(error, `${what}, byte ${at}`).toBeInstanceOf(VerdeError);
          refused++;
          continue;
        }
        expect(bytesEqual(encode(decoded), altered), `${what}, byte ${at}`).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(1_000);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it("reads a header that claims the most of everything, and no tree is larger than its indices", () => {
    const { header } = graphTrees(tinyJob(6).step);
    for (let at = 0; at + 4 <= header.length; at++) {
      const altered = header.slice();
      altered.fill(0xff, at, at + 4);
      const error = thrownBy(() => decodeHeader(altered, "the header"));
      if (error !== undefined) expect(error).toBeInstanceOf(VerdeError);
    }
    for (const count of [...WILD, -1, 2 ** 31 + 1]) {
      expect(() => heightOf(count)).toThrow(VerdeError);
      expect(() => widthAt(count, 1)).toThrow(VerdeError);
      expect(proofSteps(count, 0, [])).toBeUndefined();
      const level = { name: "x", tag: 1, count, binding: { kind: "last" }, payloadBytes: () => 32, partBytes: 32 };
      expect(() => openingLengths(level as never)).toThrow(VerdeError);
    }
  });

  it("of a chunk's place refuses it, or finds no root there", () => {
    const place: ChunkPlace = { job: hash as JobId, steps: 4, commitEvery: 2, tensors: 1, tensor: 0, chunk: 0 };
    const proof = { chunk: new Uint8Array(16), chunkPath: [], statePath: [], segmentPath: [hash, hash] };
    const type = { dtype: "f32", shape: [4] } as const;
    for (const path of numbersIn({ ...place, job: null }))
      for (const number of [...WILD, -1, 2 ** 31]) {
        const wild = withNumber(place, path, number) as ChunkPlace;
        const found: unknown[] = [];
        const error = thrownBy(() => found.push(runRootFromChunk(wild, type, proof)));
        if (error === undefined) expect(found, `${path.join()} = ${number}`).toEqual([undefined]);
        else expect(error).toBeInstanceOf(VerdeError);
      }
  });
});
