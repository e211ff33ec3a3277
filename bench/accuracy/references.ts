/**
 * The functions in double precision, with relative errors below 2^-40, and what each scalar program claims. A
 * binary32 function that is wrong by a thousandth of an ULP more or less is not told apart, and that is fine
 * enough.
 */
import type { ProgramName } from "../../src/repops/functions/index.ts";
import { MAX_VALUE } from "../../src/repops/numbers/vf32.ts";

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
  /** Whether the exact function rises or falls everywhere. */
  monotonic?: "rising" | "falling";
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

/** Φ(-a) for a ≥ 0: from erf, and for large a by the continued fraction of erfc. */
function share(a: number): number {
  const z = a / Math.SQRT2;
  if (z < 1.5) return 0.5 * (1 - erf(z));
  let fraction = 0;
  for (let k = z < 3 ? 120 : 40; k >= 1; k--) fraction = k / 2 / (z + fraction);
  return Math.exp(-z * z) / (2 * Math.sqrt(Math.PI) * (z + fraction));
}

function gelu(x: number): number {
  const a = Math.abs(x);
  if (a > 14) return Math.max(x, 0);
  return Math.max(x, 0) - a * share(a);
}

function geluDerivative(x: number): number {
  const a = Math.min(Math.abs(x), 14);
  const below = share(a) - (a * Math.exp((-a * a) / 2)) / Math.sqrt(2 * Math.PI);
  return x > 0 ? 1 - below : below;
}

function geluTanhDerivative(x: number): number {
  // Beyond 12, the sigmoid's derivative is below 2^-125.
  const h = Math.max(-12, Math.min(12, x));
  const u = A * (h + CUBIC * h ** 3);
  return logistic(u) + h * logistic(u) * logistic(-u) * A * (1 + 3 * CUBIC * h * h);
}

function siluDerivative(x: number): number {
  const h = Math.max(-100, Math.min(100, x));
  return logistic(h) * (1 + h * logistic(-h));
}

const logOr = (log: (x: number) => number, least: number) => (x: number) => (x > least ? log(x) : -MAX_VALUE);
const rising = "rising" as const;

export const CLAIMS = {
  exp: { reference: Math.exp, ulp: 1, monotonic: rising },
  log: { reference: logOr(Math.log, 0), ulp: 0.87, monotonic: rising },
  tanh: { reference: Math.tanh, ulp: 1, monotonic: rising },
  sigmoid: { reference: logistic, ulp: 1, monotonic: rising },
  erf: { reference: erf, ulp: 1.25, monotonic: rising },
  geluTanh: { reference: (x) => x * logistic(A * (x + CUBIC * x ** 3)), ulp: 2 },
  geluTanhDerivative: { reference: geluTanhDerivative, ulp: 2, from: 0, absolute: 2 ** -23.7 },
  silu: { reference: (x) => x * logistic(x), ulp: 2 },
  siluDerivative: { reference: siluDerivative, ulp: 3.95, from: -1, absolute: 2 ** -24 },
  rsqrt: { reference: (x) => (x > 0 ? 1 / Math.sqrt(x) : MAX_VALUE), ulp: 0.86, monotonic: "falling" },
  sin: { reference: Math.sin, ulp: 1 },
  cos: { reference: Math.cos, ulp: 1 },
  gelu: { reference: gelu, ulp: 2 },
  geluDerivative: { reference: geluDerivative, ulp: 2, from: 0, absolute: 2 ** -23.8 },
  expm1: { reference: Math.expm1, ulp: 1, monotonic: rising },
  exp2: { reference: (x) => 2 ** x, ulp: 1, monotonic: rising },
  log1p: { reference: logOr(Math.log1p, -1), ulp: 1, monotonic: rising },
  log2: { reference: logOr(Math.log2, 0), ulp: 1, monotonic: rising },
  softplus: { reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), ulp: 1.2, monotonic: rising },
  atan: { reference: Math.atan, ulp: 1, monotonic: rising },
} satisfies Partial<Record<ProgramName, Claim>>;

export type UnaryName = keyof typeof CLAIMS;
