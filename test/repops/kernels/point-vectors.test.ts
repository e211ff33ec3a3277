/**
 * The vectors of scalar programs and single steps, which the contracts are tested with as well
 * (test/solidity).
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kernelVectors, programVectors } from "../../../scripts/point-vectors.ts";
import { fromHex, Reader } from "../../../src/encoding/bytes.ts";
import { decodeKernel } from "../../../src/graph/codec.ts";
import { compileJavaScript } from "../../../src/repops/programs/javascript.ts";
import { decodeProgram, outputType } from "../../../src/repops/programs/program.ts";
import { bitsOf, canon, fromBits } from "../../../src/repops/numbers/vf32.ts";

const fileOf = (name: string): string => readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8");
type Lists = Readonly<Record<string, readonly string[]>>;

function wordsOf(hex: string): number[] {
  const reader = new Reader(fromHex(hex), "a vector");
  return Array.from({ length: (hex.length - 2) / 8 }, () => reader.u32());
}

test("the files hold what the code makes (npm run contracts)", async () => {
  expect(fileOf("programs") === (await programVectors())).toBe(true);
  expect(fileOf("kernels") === (await kernelVectors())).toBe(true);
});

test("generated JavaScript gives the outputs of the programs", () => {
  const { programs, inputs, outputs } = JSON.parse(fileOf("programs")) as Lists;
  for (const [i, code] of programs.entries()) {
    const program = decodeProgram(new Reader(fromHex(code), "a program"));
    const [run, words, arity] = [compileJavaScript(program), wordsOf(inputs[i]), program.inputs.length];
    for (const [j, output] of wordsOf(outputs[i]).entries()) {
      const row = words.slice(arity * j, arity * (j + 1));
      const value = run(...row.map((word, k) => (program.inputs[k] === "f" ? canon(fromBits(word)) : word | 0)));
      expect(outputType(program) === "f" ? bitsOf(value) : value >>> 0).toBe(output);
    }
  }
});

test("a decoder accepts every kernel of the vectors", () => {
  const { kernels, gathers } = JSON.parse(fileOf("kernels")) as Lists;
  for (const code of [...kernels, ...gathers]) {
    const reader = new Reader(fromHex(code), "a kernel");
    decodeKernel(reader);
    reader.end();
  }
});
