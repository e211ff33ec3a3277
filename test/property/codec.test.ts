/** Messages of a dispute: what is sent comes back the same, and whatever else is received is refused as what it is. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytesEqual } from "../../src/encoding/bytes.ts";
import { FormatError } from "../../src/errors/index.ts";
import {
  decodeAnswer,
  decodePlace,
  decodeQuestion,
  encodeAnswer,
  encodePlace,
  encodeQuestion,
  MAX_QUESTION_BYTES,
} from "../../src/game/codec.ts";
import { byteLength } from "../../src/game/play.ts";
import type { Question } from "../../src/game/question.ts";
import { outlineOf } from "../../src/job/closed.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { decodeOutput } from "../../src/referee/tensor-codec.ts";
import { decodeWitness, encodeWitness, type WitnessBound } from "../../src/referee/witness-codec.ts";
import type { Witness } from "../../src/referee/witness.ts";
import { disputeRemembered } from "../referee/remembered-dispute.ts";
import type { Fault } from "../referee/remembered-run.ts";
import { type Sent, sentProver } from "../referee/sent-prover.ts";
import { tinyCheckpointJob, tinyJob } from "../referee/tiny-job.ts";

const SEED = { seed: 20261128 };

const index = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const name = fc.stringMatching(/^[!-~]{1,32}$/);
const place = fc.array(fc.record({ level: name, index, part: index }), { maxLength: 16 });
const question: fc.Arbitrary<Question> = fc.record({
  kind: fc.constantFrom("opening", "children", "payload"),
  at: place,
  height: fc.nat(255),
  position: index,
});
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }) as fc.Arbitrary<Bytes>;
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }) as fc.Arbitrary<Bytes>;
const proof = fc.array(exactly(32), { maxLength: 4 });
const leaf = (length: number) => fc.record({ payload: exactly(length), proof });
const BOUND: WitnessBound = { operands: 3, leaves: ["before", "accumulator", "entry"], bytes: 20_000 };
const witness = fc.record(
  {
    before: leaf(32),
    accumulator: leaf(4),
    entry: leaf(32),
    operands: fc.array(
      fc.record({
        type: fc.record({ dtype: fc.constantFrom("f32", "i32"), shape: fc.array(index, { maxLength: 8 }) }),
        chunk: bytes(256),
        chunkProof: proof,
        proof,
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ["operands"] },
) as fc.Arbitrary<Witness>;

/** What a decoder makes of any bytes: a message that encodes to these bytes and no larger than they are, or a `FormatError`. */
function expectDecoded(received: Bytes, { decode, encode }: Pick<Sent, "decode" | "encode">): boolean {
  let message: unknown;
  try {
    message = decode(received);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
  if (!bytesEqual(encode(message as never), received)) throw new Error("two encodings of one message");
  if (byteLength(message) > 8 * received.length) throw new Error("a message far larger than its bytes");
  return true;
}

const job = tinyJob(6);
const at = (kernel: number, element: number, step = 4): Fault => ({ step, at: { kernel }, element, flip: 0x3f000001 });
const DISPUTES: Record<string, Parameters<typeof disputeRemembered>[0]> = {
  "a dot product": { job, commitEvery: 3, faults: [[], [at(2, 5)]] },
  "a gathered element": { job, faults: [[at(1, 20)], []] },
  "a map of three operands": { job, commitEvery: 2, faults: [[], [at(5, 71)]] },
  "an empty fold": { job, faults: [[], [at(8, 3)]] },
  "an element of the init graph": { job, faults: [[at(0, 64, 0)], []] },
  "an entry of the new state": { job, faults: [[{ step: 4, at: { entry: 2 }, element: 1, flip: 1 }], []] },
  "a wrong checkpoint": {
    job: tinyCheckpointJob(3),
    faults: [[{ step: 0, at: { entry: 1 }, element: 3, flip: 1 }], []],
  },
  "two liars": { job, faults: [[at(2, 5)], [at(6, 9)]] },
  "a whole operator": { job, commitEvery: 2, faults: [[], [at(2, 5)]], options: { depth: "operator" } },
};

describe("a dispute that is sent as bytes", () => {
  const messages: Sent[] = [];
  const known = new Set<string>();
  beforeAll(async () => {
    for (const setting of Object.values(DISPUTES)) {
      const facts = jobFacts(outlineOf(setting.job), setting.commitEvery ?? 1);
      const sent: Sent[] = [];
      await disputeRemembered({
        ...setting,
        replace: ([a, b]) => [sentProver(facts, a, sent), sentProver(facts, b, sent)],
      });
      // Each kind and size of message once.
      for (const message of sent) {
        const key = `${message.bytes[1]} ${message.bytes[2]} ${message.bytes.length}`;
        if (!known.has(key)) messages.push(message);
        known.add(key);
      }
    }
  });

  for (const [what, setting] of Object.entries(DISPUTES))
    it(`about ${what} comes to the same verdict as without`, async () => {
      const facts = jobFacts(outlineOf(setting.job), setting.commitEvery ?? 1);
      const direct = await disputeRemembered(setting);
      const sent: Sent[] = [];
      const wired = await disputeRemembered({
        ...setting,
        replace: ([a, b]) => [sentProver(facts, a, sent), sentProver(facts, b, sent)],
      });
      expect(direct.decision.kind).not.toBe("forfeit");
      expect(wired.verdict).toEqual(direct.verdict);
      const { millis: _, ...figures } = direct.figures;
      expect(wired.figures).toMatchObject(figures);
      expect(sent.length).toBeGreaterThan(2);
      for (const message of sent) expect(expectDecoded(message.bytes, message)).toBe(true);
    });

  it("has messages of each kind", () =>
    expect([...new Set(messages.map(({ bytes: [, kind] }) => kind))].sort()).toEqual([1, 2, 3, 4, 5, 6]));

  it("is refused, or well-formed, with any byte changed", () => {
    let [accepted, refused] = [0, 0];
    for (const message of messages)
      for (let i = 0; i < message.bytes.length; i++)
        for (const flip of [0x01, 0x80, 0xff, (37 * i) & 0xff || 2]) {
          const altered = message.bytes.slice();
          altered[i] ^= flip;
          if (expectDecoded(altered, message)) accepted++;
          else refused++;
        }
    expect(Math.min(accepted, refused)).toBeGreaterThan(100);
  });

  it("is refused when it is cut, or has more to it", () => {
    for (const message of messages) {
      for (let length = 0; length < message.bytes.length; length++)
        expect(expectDecoded(message.bytes.subarray(0, length), message)).toBe(false);
      for (const more of [1, 32, 100_000]) {
        const longer = new Uint8Array(message.bytes.length + more);
        longer.set(message.bytes);
        expect(expectDecoded(longer, message)).toBe(false);
      }
    }
  });

  it("is not taken for another kind of message", () => {
    for (const message of messages)
      for (const other of messages)
        if (message.bytes[1] !== other.bytes[1]) expect(expectDecoded(message.bytes, other)).toBe(false);
  });

  it("is refused, or well-formed, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), bytes(400), fc.nat(), (which, headed, received, at) => {
        const message = messages[which % messages.length];
        expectDecoded(received, message);
        // Bytes that begin as a message does, up to any place.
        const head = message.bytes.subarray(0, headed ? 2 : at % message.bytes.length);
        expectDecoded(Uint8Array.from([...head, ...received]), message);
      }),
      { ...SEED, numRuns: 20_000 },
    );
  });
});

describe("a message", () => {
  it("that is sent comes back the same", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const encoded = encodeQuestion(asked);
        expect(encoded.length).toBeLessThanOrEqual(MAX_QUESTION_BYTES);
        expect(decodeQuestion(encoded)).toEqual(asked);
        expect(decodePlace(encodePlace(asked.at))).toEqual(asked.at);
      }),
      { ...SEED, numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.array(bytes(64), { maxLength: 9 }), (answer) => {
        const lengths = answer.map(({ length }) => length);
        expect(decodeAnswer(encodeAnswer(answer, lengths), lengths)).toEqual(answer);
        expect(decodeAnswer(encodeAnswer(undefined, lengths), lengths)).toBeUndefined();
      }),
      { ...SEED, numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.option(witness, { nil: undefined }), (shown) => {
        expect(decodeWitness(encodeWitness(shown), BOUND)).toEqual(shown);
      }),
      { ...SEED, numRuns: 500 },
    );
  });

  it("does not change when the bytes do that it was read from", () => {
    const encoded = encodeAnswer([new Uint8Array(4)], [4]).slice();
    const [part] = decodeAnswer(encoded, [4])!;
    encoded.fill(9);
    expect(part).toEqual(new Uint8Array(4));
  });

  it("that can't be decoded is not encoded", () => {
    const asked: Question = { kind: "payload", at: [], height: 0, position: 0 };
    const leafAt = { level: "operator", index: 0, part: 0 };
    for (const wrong of [
      { ...asked, kind: "all" as Question["kind"] },
      { ...asked, height: 256 },
      { ...asked, position: -1 },
      { ...asked, position: 2 ** 32 },
      { ...asked, position: 0.5 },
      { ...asked, at: Array.from({ length: 17 }, () => leafAt) },
      ...["", "a b", "ö", "x".repeat(33)].map((level) => ({ ...asked, at: [{ ...leafAt, level }] })),
      { ...asked, at: [{ ...leafAt, index: NaN }] },
      { ...asked, at: [{ ...leafAt, part: 2 ** 32 }] },
    ])
      expect(() => encodeQuestion(wrong)).toThrow(FormatError);
    for (const answer of [[], [new Uint8Array(31)], [new Uint8Array(32), new Uint8Array(32)]])
      expect(() => encodeAnswer(answer, [32])).toThrow(FormatError);
    const hash = new Uint8Array(32);
    const operand = { type: { dtype: "f32", shape: [] }, chunk: hash, chunkProof: [], proof: [] } as const;
    for (const wrong of [
      { operands: [], before: { payload: hash.subarray(1), proof: [] } },
      { operands: [], entry: { payload: hash, proof: [hash.subarray(1)] } },
      { operands: [], entry: { payload: hash, proof: Array.from({ length: 33 }, () => hash) } },
      { operands: [{ ...operand, chunk: new Uint8Array(257) }] },
      { operands: Array.from({ length: 65_536 }, () => operand) },
    ] as Witness[])
      expect(() => encodeWitness(wrong)).toThrow(FormatError);
  });

  it("that says it is large is refused before anything is allocated for it", () => {
    const shown = encodeWitness({ operands: [] }).slice();
    shown.set([0xff, 0xff], shown.length - 2);
    expect(() => decodeWitness(shown, { ...BOUND, operands: 65_535 })).toThrow("is cut");
    expect(() => decodeWitness(shown, BOUND)).toThrow("65535 operands");
    const large = { inputs: [], output: { dtype: "f32", shape: [2 ** 30] } } as const;
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decodeOutput(Uint8Array.of(1, 6, 1, 0, 0, 0, 0), large)).toThrow("is cut");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    const leaves = encodeWitness({ operands: [], entry: { payload: new Uint8Array(32), proof: [] } });
    expect(() => decodeWitness(leaves, { ...BOUND, leaves: ["before"] })).toThrow("does not need");
  });
});
