import { describe, expect, test } from "vitest";
import { Reader, toHex } from "../../../src/encoding/bytes.ts";
import { PROGRAMS } from "../../../src/repops/functions/index.ts";
import { INSTRUCTIONS, type InstructionName } from "../../../src/repops/programs/instructions.ts";
import { interpret } from "../../../src/repops/programs/interpret.ts";
import { decodeProgram, encodeProgram, type Program } from "../../../src/repops/programs/program.ts";
import { defineProgram, int } from "../../../src/repops/programs/expressions.ts";
import { bitsOf, canon, canonBits, fromBits, importFloats, MAX_VALUE } from "../../../src/repops/numbers/vf32.ts";
import { floats, integers, isVf32 } from "../inputs.ts";
import { exact, rounded } from "../rational.ts";

const SEED = 20261120;

describe("vf32 (spec 2)", () => {
  test("canon maps patterns that are no values", () => {
    const images = [0x80000000, 0x7fc00000, 0x7f800000, 0xff800000, 0x7f000001, 0x00ffffff, 0x80ffffff, 0x01000000];
    expect(images.map((bits) => canonBits(bits))).toEqual([0, 0, 0x7f000000, 0xff000000, 0x7f000000, 0, 0, 0x01000000]);
  });

  test("imports round, flush, and refuse what does not exist", () => {
    expect([...importFloats([0.1, 1e-40, -0, 1 + 2 ** -25])]).toEqual([Math.fround(0.1), 0, 0, 1]);
    expect(() => importFloats([1, Number.NaN], { name: "weights" })).toThrow("weights: element 1 is NaN");
    expect(() => importFloats([1, 2, -Infinity])).toThrow("element 2 is -Infinity (0xff800000)");
    expect(() => importFloats([1e39])).toThrow("element 0 is 1e+39");
    expect([...importFloats([1e39, -Infinity], { saturate: true })]).toEqual([MAX_VALUE, -MAX_VALUE]);
    expect(() => importFloats([Number.NaN], { saturate: true })).toThrow("NaN");
  });
});

/** A second definition of the instructions: exact rationals for arithmetic, BigInt for integers. */
const u = (x: number): bigint => BigInt(x >>> 0);
const s = (x: bigint): number => Number(BigInt.asIntN(32, x));
const INTEGER_TWINS: Partial<Record<InstructionName, (a: number, b: number) => number>> = {
  iadd: (a, b) => s(u(a) + u(b)),
  isub: (a, b) => s(u(a) - u(b)),
  imul: (a, b) => s(u(a) * u(b)),
  iand: (a, b) => s(u(a) & u(b)),
  ior: (a, b) => s(u(a) | u(b)),
  ixor: (a, b) => s(u(a) ^ u(b)),
  ishl: (a, b) => s(u(a) << u(b) % 32n),
  ishr: (a, b) => s(u(a) >> u(b) % 32n),
  isar: (a, b) => s(BigInt(a) >> u(b) % 32n),
  irotl: (a, b) => s((u(a) << u(b) % 32n) | (u(a) >> (32n - (u(b) % 32n)))),
  ieq: (a, b) => (u(a) === u(b) ? 1 : 0),
  ilt: (a, b) => (BigInt(a) < BigInt(b) ? 1 : 0),
  ult: (a, b) => (u(a) < u(b) ? 1 : 0),
};

describe("instructions (spec 3.2)", () => {
  test("integers agree with BigInt", () => {
    const next = integers(SEED);
    for (const [name, twin] of Object.entries(INTEGER_TWINS))
      for (let i = 0; i < 3000; i++) {
        const [a, b] = [next(), i % 3 === 0 ? next() % 40 : next()];
        expect(INSTRUCTIONS[name as InstructionName].evaluate(a, b, 0), `${name} ${a} ${b}`).toBe(twin!(a, b));
      }
  });

  test("add, sub, mul and div agree with exact rationals", () => {
    const next = floats(SEED);
    const run = (name: InstructionName, a: number, b: number): number => canon(INSTRUCTIONS[name].evaluate(a, b, 0));
    for (let i = 0; i < 8000; i++) {
      const a = next();
      const b = i % 5 === 0 ? Math.fround(a * (1 + (i % 3) * 2 ** -23)) : next();
      const y = isVf32(b) ? b : next();
      expect(run("fadd", a, y)).toBe(rounded(exact(a) + exact(y), 1n, -200));
      expect(run("fsub", a, y)).toBe(rounded(exact(a) - exact(y), 1n, -200));
      expect(run("fmul", a, y)).toBe(rounded(exact(a) * exact(y), 1n, -400));
      if (y !== 0) expect(run("fdiv", a, y), `${a} / ${y}`).toBe(rounded(exact(a), exact(y), 0));
    }
  });

  test("square roots are the nearest", () => {
    const next = floats(SEED + 3);
    for (let i = 0; i < 3000; i++) {
      const x = Math.abs(next());
      const root = canon(INSTRUCTIONS.fsqrt.evaluate(x, 0, 0));
      // (root ± half an ulp)² encloses x: compared as exact integers of 2^-500.
      const half = (bits: number) => (exact(fromBits(bits)) + exact(root)) ** 2n;
      if (root === 0) continue;
      const scaled = 4n * (exact(x) << 200n);
      expect(half(bitsOf(root) - 1) <= scaled && scaled <= half(bitsOf(root) + 1), `${x}`).toBe(true);
    }
  });

  test("the rest has the values that the table states", () => {
    const at = (name: InstructionName, ...args: number[]): number => {
      const value = INSTRUCTIONS[name].evaluate(args[0], args[1], args[2]);
      return INSTRUCTIONS[name].result === "f" ? canon(value) : value;
    };
    expect([at("fdiv", 1, 0), at("fdiv", -1, 0), at("fdiv", 0, 0)]).toEqual([MAX_VALUE, -MAX_VALUE, 0]);
    expect([at("fsqrt", -1), at("fneg", 0), at("ffloor", -0.5), at("ffloor", 2.7)]).toEqual([0, 0, -1, 2]);
    expect([at("fldexp", 1.5, 2 ** 30), at("fldexp", 1.5, -(2 ** 31)), at("fldexp", 1.5, 3)]).toEqual([
      MAX_VALUE,
      0,
      12,
    ]);
    expect([at("fmant", -12), at("fexp", -12), at("fmant", 0), at("fexp", 0)]).toEqual([-1.5, 3, 0, 0]);
    expect([at("f2i", 1e20), at("f2i", -1e20), at("f2i", -1.9)]).toEqual([2 ** 31 - 1, -(2 ** 31), -1]);
    expect([at("f2u", 1e20), at("f2u", -5), at("f2u", 3e9)]).toEqual([-1, 0, 3e9 | 0]);
    expect([at("i2f", 16777217), at("u2f", -1), at("i2f", -1)]).toEqual([16777216, 2 ** 32, -1]);
    expect([at("bitsf", 0x7fc00000), at("bitsf", 1), at("fbits", 1)]).toEqual([0, 0, 0x3f800000]);
  });
});

describe("encoding (spec 3.4)", () => {
  test("decodes to the same program", () => {
    for (const [name, program] of Object.entries(PROGRAMS)) {
      const reader = new Reader(encodeProgram(program), name);
      const decoded = decodeProgram(reader);
      reader.end();
      expect(toHex(encodeProgram(decoded))).toBe(toHex(encodeProgram(program)));
    }
  });

  test("refuses what is not canonical, naming the rule", () => {
    const base: Program = { inputs: ["f"], floats: [], ints: [], steps: [{ name: "fneg", args: [0] }] };
    const refused =
      (change: Partial<Program>): (() => void) =>
      () =>
        decodeProgram(new Reader(encodeProgram({ ...base, ...change }), "program"));
    expect(refused({ inputs: ["f", "f"] })).toThrow("value 1 is never used");
    expect(refused({ floats: [0x3f800000, 0x3f800000] })).toThrow("a constant is there twice");
    expect(refused({ floats: [0x80000000], steps: [{ name: "fadd", args: [0, 1] }] })).toThrow("not canonical");
    expect(refused({ steps: [{ name: "fneg", args: [1] }] })).toThrow("which is not before it");
    expect(refused({ inputs: ["i"] })).toThrow("has type i, not f");
    expect(refused({ steps: [{ name: "feq", args: [0, 0] }] })).toThrow("its output is a bool");
    expect(() => defineProgram("f", (x) => x.add(Number.NaN))).toThrow("is not a vf32");
    expect(() => defineProgram("f", (x) => x.add(1e-40))).toThrow("is not a vf32");
    expect(() => int(1.5)).toThrow("not a 32-bit integer");
  });

  test("equal expressions become one value", () => {
    const program = defineProgram("ff", (x, y) => x.add(y).mul(x.add(y)));
    expect(program.steps.length).toBe(2);
    expect(interpret(program, [2, 3])).toBe(25);
  });
});
