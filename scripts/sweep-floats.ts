/**
 * Compares every operation of Float32.sol in the EVM bit for bit with the definition, and operations that
 * round also with exact rationals, on random and adversarial operands: `node scripts/sweep-floats.ts [cases
 * for each operation, 1000000] [seed, 1] [names, all]`. The gate runs a sample.
 */
import { canon, fromBits } from "../src/repops/numbers/vf32.ts";
import { exact, rounded, roundedRoot } from "../test/repops/rational.ts";
import { floatCases, OPERATIONS, type Operation } from "../test/sweep/cases.ts";
import { type CaseFile, runSweep } from "../test/sweep/run.ts";

const CASES_IN_A_FILE = 50_000;
/** The disk holds the files of this many cases at a time. */
const CASES_IN_A_RUN = 1_000_000;

/** Operations that round, in exact integers of any length. */
const EXACT: Readonly<Record<string, (a: number, b: number) => number>> = {
  fadd: (a, b) => rounded(exact(a) + exact(b), 1n, -200),
  fsub: (a, b) => rounded(exact(a) - exact(b), 1n, -200),
  fmul: (a, b) => rounded(exact(a) * exact(b), 1n, -400),
  fdiv: (a, b) => (b === 0 ? Math.sign(a) * 2 ** 127 : rounded(exact(a), exact(b), 0)),
  fsqrt: (a) => roundedRoot(a),
};

/**
 * In how many cases, in the form of `floatCases`, the definition gives other bits than exact arithmetic.
 * @returns undefined for an operation that does not round
 */
export function exactMismatches({ name }: Operation, cases: Uint8Array): number | undefined {
  const compute = EXACT[name];
  if (!compute) return undefined;
  const words = new DataView(cases.buffer, cases.byteOffset, cases.length);
  let mismatches = 0;
  for (let at = 0; at < cases.length; at += 12) {
    const [a, b] = [canon(fromBits(words.getUint32(at))), canon(fromBits(words.getUint32(at + 4)))];
    if (!Object.is(fromBits(words.getUint32(at + 8)), compute(a, b))) mismatches++;
  }
  return mismatches;
}

function sweep(operation: Operation, count: number, seed: number): void {
  let wrong: number | undefined;
  for (let from = 0; from < count; from += CASES_IN_A_RUN) {
    const files: CaseFile[] = [];
    for (let at = from; at < Math.min(count, from + CASES_IN_A_RUN); at += CASES_IN_A_FILE) {
      const cases = floatCases(operation, Math.min(CASES_IN_A_FILE, count - at), seed + at + operation.code);
      const own = exactMismatches(operation, cases);
      if (own !== undefined) wrong = (wrong ?? 0) + own;
      files.push({ kind: operation.code, cases });
    }
    runSweep("Float32Sweep", files);
  }
  const rationals = wrong === undefined ? "" : `; the definition against exact rationals: ${wrong} mismatches`;
  console.log(`${operation.name}: ${count} cases, 0 mismatches${rationals}`);
  if (wrong) process.exitCode = 1;
}

if (import.meta.main) {
  const [count = 1_000_000, seed = 1] = process.argv.slice(2, 4).map(Number);
  const names = process.argv.slice(4);
  for (const operation of OPERATIONS)
    if (names.length === 0 || names.includes(operation.name)) sweep(operation, count, seed);
}
