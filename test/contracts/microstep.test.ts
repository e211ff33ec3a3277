/**
 * Scalar programs and steps of kernels in the EVM have the bits of the definition (spec 3, 4), and any bytes
 * have a result.
 */
import { bytesToHex } from "viem";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { firstMismatch } from "../../scripts/sweep-programs.ts";
import type { Bytes } from "../../src/encoding/bytes.ts";
import { elementCount } from "../../src/encoding/tensor.ts";
import { encodeKernel } from "../../src/graph/codec.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { INSTRUCTIONS, instructionByOpcode, type RegisterType } from "../../src/repops/programs/instructions.ts";
import type { FoldKernel } from "../../src/repops/kernels/kernel.ts";
import { pointInputs, pointLength, stepAt } from "../../src/repops/kernels/point.ts";
import { encodeProgram } from "../../src/repops/programs/program.ts";
import { readAnyBytes, runAnyBytes } from "./any-bytes.ts";
import { conformanceKernels, everyProgram, gptKernels, patterns } from "./every-program.ts";
import { openPoints, type Point, type Points } from "./points.ts";

const SEED = 20261120;
let points: Points;

beforeAll(async () => {
  points = await openPoints();
});

/** Rows of inputs of each program: the gate takes a part. */
const ROWS = process.env.VERDE_SWEEP === undefined ? 16 : 60;

test("every program agrees with the interpreter on adversarial inputs", async () => {
  const programs = await everyProgram();
  expect(programs.length).toBeGreaterThan(100);
  for (const [i, { name, program }] of programs.entries())
    expect(await firstMismatch(points, program, ROWS, SEED + 10 * i), name).toBeUndefined();
});

/** One instruction on three inputs, of which `mask` says which are ints. */
const single = (code: number, mask: number): Bytes => Uint8Array.of(3, mask, 0, 0, 1, 0, 0, 0, code, 0, 1, 2) as Bytes;

describe("every byte as a code", () => {
  const codes = Array.from({ length: 256 }, (_, code) => code);
  const rowsOf = (types: readonly RegisterType[], seed: number): number[][] => {
    const next = patterns(seed);
    return Array.from({ length: 48 }, (_, row) => {
      const inputs = [0, 1, 2].map((i) => (types[i] === "b" ? (row >> i) & 1 : next(types[i] === "i" ? "i" : "f")));
      // Some operands are equal.
      return row % 8 === 7 && types[0] === types[1] ? [inputs[0], inputs[0], inputs[2]] : inputs;
    });
  };

  // MicroStep.sol gives 0 for an instruction that it does not have. So each instruction needs a case with
  // another result.
  test.each(Object.entries(INSTRUCTIONS))("%s is what the definition says", async (_, { opcode, args }) => {
    const types: readonly RegisterType[] = args;
    const mask = types.reduce((bits, type, i) => (type === "f" ? bits : bits | (1 << i)), 0);
    const rows = rowsOf(types, SEED + opcode);
    const wanted = rows.map((inputs) => runAnyBytes(single(opcode, mask), inputs));
    expect(wanted.some((bits) => bits !== 0)).toBe(true);
    expect([...(await points.run(single(opcode, mask), rows))]).toEqual(wanted);
  });

  test("gives 0 if it is no code (spec 3.7)", async () => {
    const others = codes.filter((code) => instructionByOpcode(code) === undefined);
    expect(others.length).toBe(256 - Object.keys(INSTRUCTIONS).length);
    for (const code of others)
      for (const mask of [0, 7]) {
        const rows = rowsOf(mask === 0 ? ["f", "f", "f"] : ["i", "i", "i"], SEED + code).slice(0, 8);
        expect([...(await points.run(single(code, mask), rows))], `code ${code}`).toEqual(rows.map(() => 0));
      }
  });
});

test("a whole fold agrees with its steps", async () => {
  const folds = [...conformanceKernels(), ...(await gptKernels())].filter(
    (named): named is { name: string; kernel: FoldKernel } => named.kernel.kind === "fold",
  );
  const next = patterns(SEED);
  for (const { name, kernel } of folds) {
    const count = elementCount(kernel.type.shape);
    const to = Math.min(pointLength(kernel), 8);
    if (count === 0) continue;
    const element = Math.floor(count / 2);
    const operands: number[] = [];
    let accumulator = kernel.start;
    for (let k = 0; k < to; k++) {
      const inputs = pointInputs(kernel, element, k);
      const own = inputs.flatMap((input, i) => (input.kind === "read" ? [next(kernel.program.inputs[i])] : []));
      accumulator = stepAt(kernel, inputs, own, accumulator);
      operands.push(...own);
    }
    const args = [bytesToHex(encodeKernel(kernel)), element, 0, to, kernel.start, operands];
    expect(await points.ask("fold", args), name).toBe(BigInt(accumulator));
  }
});

describe("any bytes", () => {
  const opcodes = Object.values(INSTRUCTIONS).map(({ opcode }) => opcode);
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const bits = fc.oneof(word, fc.constantFrom(0, 1, 7, 0x3f800000, 0xbf800000, 0x7fc00000, 0x80000000, 0x00800000));
  const number = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 12 }) }, fc.integer({ min: 0, max: 255 }));
  const opcode = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...opcodes) }, fc.integer({ min: 0, max: 255 }));
  const instruction = fc.tuple(opcode, number, number, number);
  /** A header that need not match the bytes after it. */
  const written = fc
    .record({
      counts: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 }),
      mask: fc.integer({ min: 0, max: 255 }),
      constants: fc.array(bits, { maxLength: 8 }),
      steps: fc.array(instruction, { minLength: 1, maxLength: 12 }),
      missing: fc.integer({ min: -6, max: 6 }),
    })
    .map(({ counts: [inputs, floats, ints], mask, constants, steps, missing }) => {
      const words = constants.flatMap((constant) => [24, 16, 8, 0].map((shift) => (constant >>> shift) & 255));
      const all = [
        inputs,
        mask,
        floats,
        ints,
        steps.length + (missing > 3 ? missing : 0),
        1,
        2,
        3,
        ...words,
        ...steps.flat(),
      ];
      return Uint8Array.from(missing < 0 ? all.slice(0, missing) : all);
    });
  const changed = (codes: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
    fc
      .record({
        code: fc.constantFrom(...codes),
        changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(64)),
      })
      .map(({ code, changes, cut }) => {
        const bytes = code.slice(0, Math.max(0, code.length - cut));
        for (const [at, to] of changes) if (bytes.length > 0) bytes[at % bytes.length] = to;
        return bytes;
      });

  test("have the result of spec 3.7 as a program", async () => {
    const programs = changed(Object.values(PROGRAMS).map(encodeProgram));
    const any = fc.oneof(
      { weight: 4, arbitrary: written },
      { weight: 2, arbitrary: programs },
      fc.uint8Array({ maxLength: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(any, fc.array(bits, { maxLength: 5 }), async (bytes, inputs) => {
        const [result] = await points.ask<[bigint, bigint]>("gasOf", [bytesToHex(bytes), inputs]);
        expect(result).toBe(BigInt(runAnyBytes(bytes, inputs)));
      }),
      { seed: SEED, numRuns: 1500 },
    );
  });

  test("have the reads of spec 5.4 as a kernel", async () => {
    const kernels = [...conformanceKernels(), ...(await gptKernels())].filter(({ kernel }) => kernel.kind !== "gather");
    const any = changed(kernels.map(({ kernel }) => encodeKernel(kernel)));
    const isOrdinary = fc.nat(100);
    await fc.assert(
      fc.asyncProperty(any, fc.oneof(isOrdinary, word), fc.oneof(isOrdinary, word), async (bytes, element, k) => {
        const point = await points.ask<Point>("reads", [bytesToHex(bytes), element, k]);
        expect(point).toEqual(readAnyBytes(bytes, element, k));
      }),
      { seed: SEED, numRuns: 800 },
    );
  });
});
