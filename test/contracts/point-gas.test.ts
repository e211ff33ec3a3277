/**
 * What scalar programs and single steps cost in the EVM, in gas, without the transaction around them: equal
 * to `point-gas.json`. `VERDE_WRITE_GAS=1 npx vitest run test/contracts/point-gas.test.ts` writes the file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { bytesToHex, type Hex } from "viem";
import { describe, expect, test } from "vitest";
import { elementCount } from "../../src/encoding/tensor.ts";
import { encodeKernel } from "../../src/graph/codec.ts";
import { pointInputs, pointLength } from "../../src/repops/kernels/point.ts";
import { encodeProgram, type Program, programKey } from "../../src/repops/programs/program.ts";
import { bitsOf } from "../../src/repops/numbers/vf32.ts";
import { everyProgram, gptKernels, type NamedKernel } from "./every-program.ts";
import { openPoints, type Points } from "./points.ts";

const FILE = new URL("point-gas.json", import.meta.url);
/**
 * The most expensive program, and a step with its decoding. Both stay below the floor that calldata sets
 * (EIP-7623).
 */
const CEILINGS = { program: 80_000, step: 85_000 };

/** Ordinary operands: every rounding happens, and nothing is at an end of the range. */
const ordinary = (type: "f" | "i", i: number): number => (type === "f" ? bitsOf(0.7 + 0.31 * i) : 3 + 5 * i);

async function gasOfProgram(points: Points, program: Program): Promise<number> {
  const args = [bytesToHex(encodeProgram(program)), program.inputs.map(ordinary)];
  return Number((await points.ask<[bigint, bigint]>("gasOf", args))[1]);
}

/** For the middle element, and the middle of its fold. */
async function gasOfStep(points: Points, { kernel }: NamedKernel): Promise<{ decoding: number; step: number }> {
  if (kernel.kind === "gather") throw new Error("a gather has no step");
  const element = Math.floor(elementCount(kernel.type.shape) / 2);
  const k = Math.floor(pointLength(kernel) / 2);
  const types = kernel.program.inputs;
  const reads = pointInputs(kernel, element, k).flatMap(({ kind }, i) =>
    kind === "read" ? [ordinary(types[i], i)] : [],
  );
  const args = [bytesToHex(encodeKernel(kernel)), element, k, ordinary(types[0], 9), reads];
  const [, decoding, step] = await points.ask<bigint[]>("step", args);
  return { decoding: Number(decoding), step: Number(step) };
}

async function measure() {
  const points = await openPoints();
  const programs: Record<string, number> = {};
  for (const { name, program } of await everyProgram())
    programs[`${name} (${program.steps.length})`] = await gasOfProgram(points, program);
  const steps: Record<string, { decoding: number; step: number }> = {};
  const seen = new Set<string>();
  for (const named of await gptKernels()) {
    if (named.kernel.kind === "gather") continue;
    const key = `${named.kernel.kind} ${programKey(named.kernel.program)}`;
    if (!seen.has(key)) steps[named.name] = await gasOfStep(points, named);
    seen.add(key);
  }
  return { programs, steps };
}

test("gas of programs and steps stays below the ceilings and unchanged", async () => {
  const gas = await measure();
  if (process.env.VERDE_WRITE_GAS) writeFileSync(FILE, `${JSON.stringify(gas, null, 2)}\n`);
  for (const [name, used] of Object.entries(gas.programs)) expect(used, name).toBeLessThan(CEILINGS.program);
  for (const [name, { decoding, step }] of Object.entries(gas.steps))
    expect(decoding + step, name).toBeLessThan(CEILINGS.step);
  expect(gas).toEqual(JSON.parse(readFileSync(FILE, "utf8")));
});

describe("whatever a hostile author writes", () => {
  const zeros = (count: number): string => "00".repeat(count);

  test("255 instructions of the most expensive kind stay far below the 2^24 gas that a transaction may use", async () => {
    const points = await openPoints();
    const operands = [0x0123abcd, 0x7eedcba9];
    for (let code = 0; code < 64; code++) {
      // The third operand is the last value that an instruction can name.
      const program = `0x02000000ff000000${`${code.toString(16).padStart(2, "0")}0001ff`.repeat(255)}`;
      const [, gas] = await points.ask<[bigint, bigint]>("gasOf", [program, operands]);
      expect(gas, `code ${code}`).toBeLessThan(500_000n);
    }
  });

  test("counts cost little without the counted bytes", async () => {
    const points = await openPoints();
    const gasOf = async (kernel: Hex): Promise<bigint> => {
      const [result, decoding, step] = await points.ask<[bigint, bigint, bigint]>("step", [kernel, 1, 1, 0, []]);
      expect(result).toBe(0n);
      return decoding + step;
    };
    const shapes = `0x0201ff${zeros(1020)}3f800000ff${zeros(1020)}` as const;
    expect(await gasOf(`${shapes}00000008ffffffffff000000ff01000000000100000000ff`)).toBeLessThan(750_000n);
    expect(await gasOf("0x02ffff")).toBeLessThan(50_000n);
    expect(await gasOf("0x")).toBeLessThan(5_000n);
  });
});
