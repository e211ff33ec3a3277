/**
 * Facts about a device's own arithmetic, without Verde's guards: what it fuses, how it rounds, what it
 * flushes. They explain a certificate, but only the vectors decide whether a device conforms.
 */
import type { Probe } from "./backend.ts";
import { INSTRUCTIONS } from "../programs/instructions.ts";
import { bitsOf, fromBits } from "../numbers/vf32.ts";
import { type Words, words } from "../conformance/data.ts";

/**
 * Operations on bit patterns as the device does them. `guarded` prevents fusing a·b as a backend's kernels
 * do.
 */
export const RAW_OPERATIONS = {
  "a + b": 2,
  "a * b": 2,
  "a / b": 2,
  "sqrt(a)": 1,
  "a * b + c": 3,
  "guarded a * b + c": 3,
  "float of int a": 1,
} as const satisfies Record<string, number>;

export type RawOperation = keyof typeof RAW_OPERATIONS;

/**
 * The bit patterns of the results, or `undefined` where the device has no such operation.
 * @param rows the operands' bit patterns, one row for each result
 */
export type RawArithmetic = (
  operation: RawOperation,
  rows: readonly (readonly number[])[],
) => Promise<Uint32Array | undefined>;

const SAMPLES = 512;
const { fround } = Math;

const JAVASCRIPT: Readonly<Record<RawOperation, (a: number, b: number, c: number) => number>> = {
  "a + b": (a, b) => fround(a + b),
  "a * b": (a, b) => fround(a * b),
  "a / b": (a, b) => fround(a / b),
  "sqrt(a)": (a) => INSTRUCTIONS.fsqrt.evaluate(a, 0, 0),
  "a * b + c": (a, b, c) => fround(fround(a * b) + c),
  "guarded a * b + c": (a, b, c) => fround(fround(a * b) + c),
  "float of int a": (a) => fround(a | 0),
};

/** The arithmetic of this engine, with which the reference defines the correct bits. */
export const javascriptArithmetic = async (
  operation: RawOperation,
  rows: readonly (readonly number[])[],
): Promise<Uint32Array> =>
  Uint32Array.from(rows, (row) => {
    const [a, b, c] = operation === "float of int a" ? row : row.map(fromBits);
    return bitsOf(JAVASCRIPT[operation](a, b, c));
  });

/** Magnitudes from 2^-8 to 2, with either sign. */
const moderate = (next: Words): number => fromBits(((119 + (next() % 9)) << 23) | (next() & 0x807fffff));

/**
 * The two binary32 numbers around an exact value, toward zero and away from zero; both equal a value that is
 * binary32.
 */
function neighbours(exact: number): { inner: number; outer: number } {
  const near = fround(exact);
  if (near === exact) return { inner: near, outer: near };
  const isInner = Math.abs(near) < Math.abs(exact);
  const other = fromBits(bitsOf(near) + (isInner ? 1 : -1));
  return isInner ? { inner: near, outer: other } : { inner: other, outer: near };
}

const ROUNDINGS: readonly [name: string, round: (exact: number) => number][] = [
  ["to nearest even", fround],
  [
    "to nearest, ties away from zero",
    (exact) => {
      const { inner, outer } = neighbours(exact);
      return Math.abs(exact - inner) < Math.abs(outer - exact) ? inner : outer;
    },
  ],
  ["toward zero", (exact) => neighbours(exact).inner],
  ["up", (exact) => (exact > 0 ? neighbours(exact).outer : neighbours(exact).inner)],
  ["down", (exact) => (exact > 0 ? neighbours(exact).inner : neighbours(exact).outer)],
];

/** How results that binary64 holds exactly were rounded. */
function roundingOf(exact: readonly number[], results: Uint32Array | undefined): string {
  if (!results) return "there is no such operation";
  const found = ROUNDINGS.find(([, round]) => exact.every((value, i) => bitsOf(round(value)) === results[i]));
  return found?.[0] ?? "in no one way";
}

/** The largest distance from the correctly rounded value. */
function unitsOff(wanted: readonly number[], results: Uint32Array | undefined): string {
  if (!results) return "there is no such operation";
  const most = wanted.reduce((far, value, i) => Math.max(far, Math.abs(bitsOf(value) - results[i])), 0);
  return most === 0 ? "correctly rounded" : `up to ${most} units in the last place off`;
}

const yes = (condition: boolean): string => (condition ? "yes" : "no");

async function fusing(raw: RawArithmetic): Promise<Probe[]> {
  const next = words(1);
  const rows = Array.from({ length: SAMPLES }, () => {
    const [a, b] = [moderate(next), moderate(next)];
    return [a, b, -fround(a * b)];
  });
  const patterns = rows.map((row) => row.map(bitsOf));
  // The product is rounded to -c, so that the sum is 0 unless the product was not rounded.
  const fused = async (operation: RawOperation): Promise<string> => {
    const results = await raw(operation, patterns);
    return results ? yes(results.some((bits) => (bits & 0x7fffffff) !== 0)) : "there is no such operation";
  };
  return [
    { name: "fuses unguarded a·b + c", finding: await fused("a * b + c") },
    { name: "fuses guarded a·b + c", finding: await fused("guarded a * b + c") },
  ];
}

async function rounding(raw: RawArithmetic): Promise<Probe[]> {
  const next = words(2);
  const pairs = Array.from({ length: SAMPLES }, (_, i) => {
    const a = moderate(next);
    // Every other sum is a tie: half a unit in the last place of a; and every other product: 13 bits times
    // 12.
    const half = fromBits((bitsOf(a) & 0xff800000) - (24 << 23));
    const tie = [fromBits((bitsOf(a) & 0xfffff800) | 0x800), fromBits((bitsOf(moderate(next)) & 0xfffff000) | 0x1000)];
    return i & 1 ? { sum: [a, half], product: tie } : { sum: [a, moderate(next)], product: [a, moderate(next)] };
  });
  const sums = pairs.map(({ sum }) => sum);
  const products = pairs.map(({ product }) => product);
  const ints = Array.from({ length: SAMPLES }, (_, i) => (i & 1 ? next() | 0 : 2 ** 25 + 2 + 4 * (next() & 0xffff)));
  const patterns = (rows: readonly number[][]) => rows.map((row) => row.map(bitsOf));
  const results = {
    sums: await raw("a + b", patterns(sums)),
    products: await raw("a * b", patterns(products)),
    ints: await raw(
      "float of int a",
      ints.map((value) => [value >>> 0]),
    ),
    quotients: await raw("a / b", patterns(products)),
    roots: await raw(
      "sqrt(a)",
      products.map(([a]) => [bitsOf(Math.abs(a))]),
    ),
  };
  const finding = (name: string, found: string): Probe => ({ name, finding: found });
  return [
    finding(
      "rounds sums",
      roundingOf(
        sums.map(([a, b]) => a + b),
        results.sums,
      ),
    ),
    finding(
      "rounds products",
      roundingOf(
        products.map(([a, b]) => a * b),
        results.products,
      ),
    ),
    finding("rounds integers", roundingOf(ints, results.ints)),
    finding(
      "division",
      unitsOff(
        products.map(([a, b]) => fround(a / b)),
        results.quotients,
      ),
    ),
    finding(
      "square root",
      unitsOff(
        products.map(([a]) => INSTRUCTIONS.fsqrt.evaluate(Math.abs(a), 0, 0)),
        results.roots,
      ),
    ),
  ];
}

const TINY = 0x00800000;
const named = (bits: number, names: Readonly<Record<number, string>>): string =>
  names[bits] ?? `0x${bits.toString(16).padStart(8, "0")}`;

async function ends(raw: RawArithmetic): Promise<Probe[]> {
  const [half, subnormal, minusZero, huge, one] = [0x3f000000, 0x00400000, 0x80000000, 0x7f000000, 0x3f800000];
  const results = await raw("a * b", [
    [TINY, half],
    // (1 - 2^-24) 2^-126 has 24 bits, and is a tie that becomes 2^-126 among the subnormals.
    [TINY, 0x3f7fffff],
    // (1 - 2^-46) 2^-126 becomes 2^-126 when rounded to 24 bits.
    [TINY + 1, 0x3f7ffffe],
    [subnormal, bitsOf(2 ** 24)],
    [minusZero, one],
    [huge, bitsOf(2)],
    [0, 0x7f800000],
  ]);
  if (!results) return [];
  const [kept, brink, close, operand, signed, over, invalid] = results;
  const after = brink === TINY ? "after rounding to their own precision" : "after rounding to 24 bits";
  const flushes = `flushed, ${close === TINY ? after : "before rounding"}`;
  const isNaN = (invalid & 0x7fffffff) > 0x7f800000;
  return [
    { name: "subnormal results", finding: named(kept, { [subnormal]: "kept", 0: flushes }) },
    { name: "subnormal operands", finding: named(operand, { [bitsOf(2 ** -103)]: "kept", 0: "flushed" }) },
    { name: "sign of zero", finding: named(signed, { [minusZero]: "kept", 0: "lost" }) },
    { name: "overflow", finding: named(over, { 0x7f800000: "infinity", 0x7f7fffff: "the largest number" }) },
    { name: "0 times infinity", finding: isNaN ? "NaN" : named(invalid, { 0: "0", 0x7f800000: "infinity" }) },
  ];
}

export async function probeArithmetic(raw: RawArithmetic): Promise<Probe[]> {
  return [...(await fusing(raw)), ...(await rounding(raw)), ...(await ends(raw))];
}
