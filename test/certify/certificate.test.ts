/** The certificate of the functions (bench/results/functions.json): made from every input, held here on a sample. */
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { certify, unaryPrograms } from "../../bench/certificate.ts";
import { compileJavaScript } from "../../src/repops/programs/javascript.ts";
import { programKey } from "../../src/repops/programs/program.ts";
import { fromBits, MAX_BITS, MIN_BITS } from "../../src/repops/numbers/vf32.ts";

interface Entry {
  program: string;
  all: { inputs: number; sha256: string };
  sample: { stride: number; inputs: number; sha256: string };
}
const file = new URL("../../bench/results/functions.json", import.meta.url);
const { functions } = JSON.parse(readFileSync(file, "utf8")) as { functions: Record<string, Entry> };

/** +0, and every `stride`-th positive and negative vf32. */
function* inputs(stride: number): Generator<number> {
  yield 0;
  for (const sign of [0, 0x80000000])
    for (let bits = MIN_BITS; bits <= MAX_BITS; bits += stride) yield fromBits(bits | sign);
}

describe("the certificate", () => {
  test("covers every unary function and every input", () => {
    expect(Object.keys(functions)).toEqual(unaryPrograms().map(([name]) => name));
    for (const { all } of Object.values(functions)) expect(all.inputs).toBe(2 * (MAX_BITS - MIN_BITS + 1) + 1);
  });

  for (const [name, program] of unaryPrograms())
    test(`${name} has its certified bits, in WASM and in JavaScript`, async () => {
      const { program: key, sample } = functions[name];
      expect(programKey(program), "the program has changed: make the certificate again").toBe(key);
      expect((await certify(program, sample.stride)).sha256).toBe(sample.sha256);
      const outputs = Float32Array.from(inputs(sample.stride), compileJavaScript(program));
      expect(createHash("sha256").update(new Uint8Array(outputs.buffer)).digest("hex")).toBe(sample.sha256);
    });
});
