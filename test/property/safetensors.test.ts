import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/trace/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { SEED } from "./seed.ts";

const path = temporaryFolder();
const tensors = [
  { name: "a.weight", dtype: "f32" as const, shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 5, 2 ** 127) },
  { name: "empty", dtype: "f32" as const, shape: [0, 4], data: new Float32Array() },
  { name: "step", dtype: "i32" as const, shape: [], data: Int32Array.of(-7) },
];

test("altered bytes never crash the reader", async () => {
  await writeSafetensors(path("whole.safetensors"), tensors);
  const whole = readFileSync(path("whole.safetensors"));
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const bytes = Buffer.from(whole);
      bytes[at] ^= change;
      writeFileSync(path("altered.safetensors"), bytes);
      const result = await readSafetensors(path("altered.safetensors")).catch((error: { family?: string }) => error);
      if (!Array.isArray(result)) expect((result as { family?: string }).family).toMatch(/^VERDE_(FORMAT|VALUE)$/);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

/** Header entries as other programs write them, some with a type that Verde does not read. */
function composed(): Buffer {
  const entries = {
    __metadata__: { format: "pt" },
    half: { dtype: "F16", shape: [2], data_offsets: [0, 4] },
    mask: { dtype: "BOOL", shape: [3, 1], data_offsets: [4, 7] },
    long: { dtype: "I64", shape: [1], data_offsets: [7, 15] },
  };
  const text = Buffer.from(JSON.stringify(entries));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, Buffer.alloc(15, 1)]);
}

const cut = fc.record({ kind: fc.constant("cut"), at: fc.nat(), count: fc.integer({ min: 1, max: 40 }) });
const put = fc.record({ kind: fc.constant("put"), at: fc.nat(), bytes: fc.uint8Array({ maxLength: 12 }) });
const copy = fc.record({ kind: fc.constant("copy"), at: fc.nat(), from: fc.nat(), count: fc.nat(60) });
/** What stands in headers, so that changes reach deeper than the parser of JSON. */
const word = fc.record({
  kind: fc.constant("word"),
  at: fc.nat(),
  word: fc.constantFrom(
    "-1",
    "1e99",
    "null",
    "[]",
    "{}",
    '"F32"',
    "\ufeff",
    "9007199254740993",
    '"__proto__":',
    ",",
    "0",
  ),
});

test("files with pieces cut, added, repeated and replaced give tensors, or an error of Verde", async () => {
  await writeSafetensors(path("valid.safetensors"), tensors);
  const files = [readFileSync(path("valid.safetensors")), composed()];
  let [taken, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(fc.oneof(cut, put, copy, word), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (valid, changes, all) => {
        let bytes: Buffer = valid;
        for (const change of changes) {
          const at = change.at % (bytes.length + 1);
          const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
          if ("word" in change) {
            const added = Buffer.from(change.word);
            bytes = Buffer.concat([before, added, after.subarray(added.length)]);
          } else if ("bytes" in change) bytes = Buffer.concat([before, change.bytes, after]);
          else if ("from" in change) {
            const from = change.from % (bytes.length + 1);
            bytes = Buffer.concat([before, bytes.subarray(from, from + change.count), after]);
          } else bytes = Buffer.concat([before, after.subarray(change.count)]);
        }
        writeFileSync(path("changed.safetensors"), bytes);
        const choose = (found: readonly { name: string; type: string }[]): Set<string> =>
          new Set(found.filter(({ type }) => type !== "BOOL").map(({ name }) => name));
        const result = await readSafetensors(path("changed.safetensors"), all ? {} : { choose }).catch(
          (error: { family?: string }) => error,
        );
        if (Array.isArray(result)) taken++;
        else expect((result as { family?: string }).family).toMatch(/^VERDE_(FORMAT|VALUE)$/);
        if (!Array.isArray(result)) refused++;
      },
    ),
    { seed: SEED, numRuns: 2_000 },
  );
  // Both ways out are taken, so the changes are neither all harmless nor all fatal.
  expect(taken).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(500);
});
