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
