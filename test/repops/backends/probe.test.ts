/** The probes detect devices that differ from this one. */
import { describe, expect, test } from "vitest";
import { reference } from "../../../src/repops/backends/reference.ts";
import { wasm } from "../../../src/repops/backends/wasm/backend.ts";
import { javascriptArithmetic, probeArithmetic, type RawArithmetic } from "../../../src/repops/backends/probe.ts";
import { bitsOf, fromBits } from "../../../src/repops/numbers/vf32.ts";

const findings = async (raw: RawArithmetic): Promise<Record<string, string>> =>
  Object.fromEntries((await probeArithmetic(raw)).map(({ name, finding }) => [name, finding]));

const IEEE = {
  "fuses unguarded a·b + c": "no",
  "fuses guarded a·b + c": "no",
  "rounds sums": "to nearest even",
  "rounds products": "to nearest even",
  "rounds integers": "to nearest even",
  division: "correctly rounded",
  "square root": "correctly rounded",
  "subnormal results": "kept",
  "subnormal operands": "kept",
  "sign of zero": "kept",
  overflow: "infinity",
  "0 times infinity": "NaN",
};

/** This engine's arithmetic with some operations changed; the operations take and return numbers. */
function changed(operations: Partial<Record<string, (a: number, b: number, c: number) => number>>): RawArithmetic {
  return async (operation, rows) => {
    const change = operations[operation];
    if (!change) return javascriptArithmetic(operation, rows);
    return Uint32Array.from(rows, ([a, b, c]) => bitsOf(change(fromBits(a), fromBits(b ?? 0), fromBits(c ?? 0))));
  };
}

/** Binary64 to binary32, toward zero. */
const cut = (x: number): number => {
  const near = Math.fround(x);
  return Math.abs(near) > Math.abs(x) ? fromBits(bitsOf(near) - 1) : near;
};
const TINY = 2 ** -126;

describe("the probes", () => {
  for (const backend of [reference, wasm])
    test(`find the arithmetic of IEEE 754 in ${backend.name}`, async () => {
      expect(Object.fromEntries((await backend.probe!()).map(({ name, finding }) => [name, finding]))).toEqual(IEEE);
    });

  test("see a device that fuses, guarded or not", async () => {
    const fused = (a: number, b: number, c: number): number => Math.fround(a * b + c);
    expect(await findings(changed({ "a * b + c": fused }))).toEqual({ ...IEEE, "fuses unguarded a·b + c": "yes" });
    expect((await findings(changed({ "guarded a * b + c": fused })))["fuses guarded a·b + c"]).toBe("yes");
  });

  test("report an operation that a device does not have", async () => {
    const without: RawArithmetic = async (operation, rows) =>
      operation === "float of int a" ? undefined : javascriptArithmetic(operation, rows);
    expect(await findings(without)).toEqual({ ...IEEE, "rounds integers": "there is no such operation" });
  });

  test("see how a device rounds", async () => {
    const found = await findings(
      changed({ "a + b": (a, b) => cut(a + b), "a / b": (a, b) => cut(a / b), "a * b": (a, b) => cut(a * b) }),
    );
    expect(found).toMatchObject({
      "rounds sums": "toward zero",
      "rounds products": "toward zero",
      division: "up to 1 units in the last place off",
    });
    const away = changed({
      "a + b": (a, b) => {
        const [near, exact] = [Math.fround(a + b), a + b];
        const tie = Math.abs(near) < Math.abs(exact) && fromBits(bitsOf(near) + 1) - exact === exact - near;
        return tie ? fromBits(bitsOf(near) + 1) : near;
      },
    });
    expect((await findings(away))["rounds sums"]).toBe("to nearest, ties away from zero");
  });

  test("see when a device flushes", async () => {
    const flushing = (tiny: (exact: number) => boolean): RawArithmetic =>
      changed({ "a * b": (a, b) => (tiny(a * b) ? 0 : Math.fround(a * b)) });
    const results = async (raw: RawArithmetic): Promise<string> => (await findings(raw))["subnormal results"];
    expect(await results(flushing((x) => Math.abs(x) < TINY))).toBe("flushed, before rounding");
    // Rounded to 24 bits with an unbounded exponent.
    expect(await results(flushing((x) => Math.abs(Math.fround(x * 2 ** 60)) < TINY * 2 ** 60))).toBe(
      "flushed, after rounding to 24 bits",
    );
    expect(await results(flushing((x) => Math.abs(Math.fround(x)) < TINY))).toBe(
      "flushed, after rounding to their own precision",
    );
  });

  test("see lost signs, flushed operands and an overflow that stops", async () => {
    const raw = changed({
      "a * b": (a, b) => {
        const flushed = (x: number): number => (Math.abs(x) < TINY ? 0 : x);
        const product = Math.fround(flushed(a) * flushed(b));
        if (Number.isNaN(product)) return 0;
        return Math.abs(product) === Infinity ? Math.sign(product) * fromBits(0x7f7fffff) : product + 0;
      },
    });
    expect(await findings(raw)).toMatchObject({
      "subnormal operands": "flushed",
      overflow: "the largest number",
      "0 times infinity": "0",
    });
    expect((await findings(changed({ "a * b": (a, b) => Math.fround(a * b) + 0 })))["sign of zero"]).toBe("lost");
  });
});
