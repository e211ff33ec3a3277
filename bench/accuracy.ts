/**
 * How far is each unary function from the exact result, and which bits does it give?
 *
 *     node bench/accuracy.ts [--stride N] [--program NAME]
 *
 * Runs the generated JavaScript over every canonical input (4,227,858,435 of them, which takes minutes for
 * each program) or over every N-th, in the order of their bits. Prints the largest errors and the SHA-256
 * over all outputs, little-endian, as JSON.
 */
import { createHash } from "node:crypto";
import { arch, cpus, platform } from "node:os";
import { parseArgs } from "node:util";
import { PROGRAMS, type ProgramName } from "../src/repops/functions/index.ts";
import { compileJavaScript } from "../src/repops/programs/javascript.ts";
import { fromBits, MAX_BITS, MAX_VALUE, MIN_BITS, MIN_VALUE } from "../src/repops/numbers/vf32.ts";

/** What a function is held against. */
export interface Claim {
  /** The exact value, in double precision. */
  reference: (x: number) => number;
  /** The largest error in units of the last place of the exact value. */
  ulp: number;
  /** Where the claim in ULP begins; below it, only the absolute error counts. */
  from?: number;
  /** The largest absolute error below `from`. */
  absolute?: number;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const A = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** By a series of positive terms: 2/√π · e^(-x²) · Σ 2^n x^(2n+1) / (1·3·…·(2n+1)) */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -56; n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function geluDerivative(x: number): number {
  // Beyond 12, the sigmoid's derivative is below 2^-125.
  const h = Math.max(-12, Math.min(12, x));
  const u = A * (h + CUBIC * h ** 3);
  return logistic(u) + h * logistic(u) * logistic(-u) * A * (1 + 3 * CUBIC * h * h);
}

function siluDerivative(x: number): number {
  const h = Math.max(-100, Math.min(100, x));
  return logistic(h) * (1 + h * logistic(-h));
}

/** Sine and cosine take an argument beyond 8192 as 8192. */
const inside = (x: number): number => Math.max(-8192, Math.min(8192, x));

export const CLAIMS = {
  exp: { reference: Math.exp, ulp: 1 },
  log: { reference: (x) => (x > 0 ? Math.log(x) : -MAX_VALUE), ulp: 0.87 },
  tanh: { reference: Math.tanh, ulp: 1.34 },
  sigmoid: { reference: logistic, ulp: 1.75 },
  erf: { reference: erf, ulp: 1.28 },
  gelu: { reference: (x) => x * logistic(A * (x + CUBIC * x ** 3)), ulp: 2.75, from: -1, absolute: 2 ** -24.2 },
  geluDerivative: { reference: geluDerivative, ulp: 3.8, from: -0.5, absolute: 2 ** -23.4 },
  silu: { reference: (x) => x * logistic(x), ulp: 2.35, from: -86.6, absolute: 2 ** -118 },
  siluDerivative: { reference: siluDerivative, ulp: 3.95, from: -1, absolute: 2 ** -24 },
  sin: { reference: (x) => Math.sin(inside(x)), ulp: 1.27 },
  cos: { reference: (x) => Math.cos(inside(x)), ulp: 1.27 },
  rsqrt: { reference: (x) => (x > 0 ? 1 / Math.sqrt(x) : MAX_VALUE), ulp: 0.85 },
} satisfies Partial<Record<ProgramName, Claim>>;

export type UnaryName = keyof typeof CLAIMS;

/** |y - exact| in units of the last place of `exact`; 0 where `exact` is too small and y is 0. */
export function errorInUlp(y: number, exact: number): number {
  const target = Math.max(-MAX_VALUE, Math.min(MAX_VALUE, exact));
  if (Math.abs(target) < MIN_VALUE && y === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(target), MIN_VALUE)));
  return Math.abs(y - target) * 2 ** (23 - exponent);
}

const POSITIVE = MAX_BITS - MIN_BITS + 1;
export const CANONICAL_COUNT = 1 + 2 * POSITIVE;

/** The canonical float number `index`, in the order of their bits. */
export function canonicalAt(index: number): number {
  if (index === 0) return 0;
  return index <= POSITIVE ? fromBits(MIN_BITS + index - 1) : -fromBits(MIN_BITS + index - 1 - POSITIVE);
}

export interface Accuracy {
  inputs: number;
  /** Where the claim is one in ULP. */
  maxUlp: number;
  maxUlpAt: number;
  /** Elsewhere. */
  maxAbsolute: number;
  maxAbsoluteAt: number;
  sha256: string;
}

/** Runs a unary program on every `stride`-th canonical input. */
export function measure(name: UnaryName, stride: number): Accuracy {
  const { reference, from = -Infinity }: Claim = CLAIMS[name];
  const run = compileJavaScript(PROGRAMS[name]);
  const hash = createHash("sha256");
  const block = new DataView(new ArrayBuffer(1 << 22));
  const result: Accuracy = { inputs: 0, maxUlp: 0, maxUlpAt: 0, maxAbsolute: 0, maxAbsoluteAt: 0, sha256: "" };
  let filled = 0;
  for (let index = 0; index < CANONICAL_COUNT; index += stride) {
    const x = canonicalAt(index);
    const y = run(x);
    const exact = reference(x);
    if (x >= from) {
      const error = errorInUlp(y, exact);
      if (error > result.maxUlp) Object.assign(result, { maxUlp: error, maxUlpAt: x });
    } else {
      const error = Math.abs(y - exact);
      if (error > result.maxAbsolute) Object.assign(result, { maxAbsolute: error, maxAbsoluteAt: x });
    }
    block.setFloat32(filled, y, true);
    filled += 4;
    if (filled === block.byteLength) {
      hash.update(block);
      filled = 0;
    }
    result.inputs++;
  }
  hash.update(new Uint8Array(block.buffer, 0, filled));
  return { ...result, sha256: hash.digest("hex") };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { stride: { type: "string", default: "1" }, program: { type: "string" } } });
  const stride = Number(values.stride);
  if (!Number.isInteger(stride) || stride < 1)
    throw new RangeError(`--stride ${values.stride}: give a positive integer`);
  const all = Object.keys(CLAIMS) as UnaryName[];
  const names = values.program === undefined ? all : all.filter((name) => name === values.program);
  if (names.length === 0) throw new RangeError(`--program ${values.program}: give one of ${all.join(", ")}`);
  const programs: Record<string, Accuracy> = {};
  for (const name of names) {
    if (process.stderr.isTTY) process.stderr.write(`${name}\n`);
    programs[name] = measure(name, stride);
  }
  const machine = { node: process.version, platform: platform(), arch: arch(), cpu: cpus()[0]?.model };
  process.stdout.write(`${JSON.stringify({ machine, stride, programs }, undefined, 2)}\n`);
}
