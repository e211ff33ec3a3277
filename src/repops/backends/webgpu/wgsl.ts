/**
 * Scalar programs as WGSL (spec 3.3). The language fixes little of binary32: no rounding of conversions, 2.5
 * units in the last place for a division, subnormals flushed or not, contraction of a·b + c allowed, and
 * infinities assumed absent. So:
 *
 * - every product passes through its bits and a zero that is only known at run time, which keeps it from
 *   being fused;
 * - a sum or product that could overflow is computed on scaled operands, and its exponent is put together as
 *   an integer;
 * - division and square root are digit recurrences on integers, conversions are built from exact halves;
 * - canon works on bits, and is left out where the analysis proves it idle.
 */
import { INSTRUCTIONS, type InstructionName } from "../../programs/instructions.ts";
import { layout, type Program } from "../../programs/program.ts";
import type { Analysis, StepPlan } from "../../ranges/analysis.ts";
import type { Dialect, Lowering } from "./dialect.ts";
import { INTEGERS } from "./integers.ts";
import { INTEGER_LOWERINGS, signed, unsigned } from "./lowerings.ts";

const LIBRARY = `${INTEGERS}
fn canon(v: u32) -> f32 { return bitcast<f32>(canonBits(v)); }
fn bits(x: f32) -> u32 { return bitcast<u32>(x) ^ Z; }
fn biased(x: f32) -> i32 { return biasedOf(bitcast<u32>(x)); }
fn scaled(x: f32, n: i32) -> f32 { return bitcast<f32>(scaleBits(bitcast<u32>(x), n)); }
fn mantissa(x: f32) -> f32 { return bitcast<f32>(mantissaBits(bitcast<u32>(x))); }
fn exponent(x: f32) -> i32 { return exponentBits(bitcast<u32>(x)); }
fn quotient(x: f32, y: f32) -> f32 { return bitcast<f32>(quotientBits(bitcast<u32>(x), bitcast<u32>(y))); }
fn root(x: f32) -> f32 { return bitcast<f32>(rootBits(bitcast<u32>(x))); }
fn product(x: f32, y: f32) -> f32 {
  if ((bitcast<u32>(x) & 0x7fffffffu) == 0u || (bitcast<u32>(y) & 0x7fffffffu) == 0u) { return 0.0; }
  let p = bitcast<f32>(bits(mantissa(x) * mantissa(y)));
  return scaled(p, exponent(x) + exponent(y));
}
fn total(x: f32, y: f32) -> f32 {
  if (max(biased(x), biased(y)) < 252) { return canon(bits(x + y)); }
  /* Next to such an operand, what a scaling by 2^-4 flushes is far below half a unit in the last place. */
  let p = bitcast<f32>(bits(scaled(x, -4) + scaled(y, -4)));
  return scaled(p, 4);
}
/* The upper half is exact and could be fused; it is guarded all the same, so that nothing at all is fused. */
fn halves(high: f32, low: f32) -> f32 { return bitcast<f32>(bits(bitcast<f32>(bits(high * 65536.0)) + low)); }
fn fromI32(i: i32) -> f32 { return halves(f32(i >> 16u), f32(i & 65535)); }
fn fromU32(i: u32) -> f32 { return halves(f32(i >> 16u), f32(i & 65535u)); }
fn toI32(x: f32) -> i32 {
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return -2147483647 - 1; }
  return i32(x);
}
fn toU32(x: f32) -> i32 {
  if (x >= 4294967296.0) { return -1; }
  if (x <= 0.0) { return 0; }
  return bitcast<i32>(u32(x));
}
fn ranged(v: u32, least: u32, most: u32) -> f32 { return bitcast<f32>(rangedBits(v, least, most)); }
`;

const guarded = (plan: StepPlan): boolean => plan.flush || plan.saturateAbove || plan.saturateBelow;
const plain = (expression: string): string => `bitcast<f32>(bits(${expression}))`;

const LOWERINGS = {
  ...INTEGER_LOWERINGS,
  fadd: (a, b, _, plan) => (guarded(plan) ? `total(${a}, ${b})` : plain(`${a} + ${b}`)),
  fsub: (a, b, _, plan) => (guarded(plan) ? `total(${a}, -(${b}))` : plain(`${a} - ${b}`)),
  fmul: (a, b, _, plan) => (guarded(plan) ? `product(${a}, ${b})` : plain(`${a} * ${b}`)),
  fdiv: (a, b) => `quotient(${a}, ${b})`,
  fsqrt: (a) => `root(${a})`,
  fneg: (a) => `canon(${unsigned(a)} ^ 0x80000000u)`,
  fabs: (a) => `bitcast<f32>(${unsigned(a)} & 0x7fffffffu)`,
  fmin: (a, b) => `select(${a}, ${b}, ${b} < ${a})`,
  fmax: (a, b) => `select(${a}, ${b}, ${a} < ${b})`,
  ffloor: (a) => `canon(bits(floor(${a})))`,
  fldexp: (a, b) => `scaled(${a}, ${b})`,
  fmant: (a) => `mantissa(${a})`,
  fexp: (a) => `exponent(${a})`,
  feq: (a, b) => `(${a} == ${b})`,
  flt: (a, b) => `(${a} < ${b})`,
  i2f: (a) => `fromI32(${a})`,
  u2f: (a) => `fromU32(${unsigned(a)})`,
  f2i: (a) => `toI32(${a})`,
  f2u: (a) => `toU32(${a})`,
  fbits: (a, _b, _c, plan) => signed(plan.fix.length > 0 ? `canon(bits(${a}))` : a),
  bitsf: (a) => `canon(${unsigned(a)})`,
} as const satisfies Record<InstructionName, Lowering>;

/** Floats as WGSL's f32, guarded where the language leaves something open. */
export const GUARDED: Dialect = {
  library: LIBRARY,
  types: { f: "f32", i: "i32", b: "bool" },
  lowerings: LOWERINGS,
  float: (word) => `bitcast<f32>(${word})`,
  word: (register) => unsigned(register),
  unsignedZero: (register) => `canon(bits(${register}))`,
  ranged: (word, least, most) => `ranged(${word}, ${least}, ${most})`,
};

/**
 * A program as statements over `inputs`, names of values, and the names of all its values.
 * @param prefix makes the names of the statements' values
 */
export function programStatements(
  dialect: Dialect,
  program: Program,
  analysis: Analysis,
  inputs: readonly string[],
  prefix: string,
): { statements: string[]; values: string[] } {
  const at = layout(program);
  // Constants are combined with the run-time zero too, so that nothing is evaluated when the shader is
  // compiled.
  const values = [
    ...inputs,
    ...program.floats.map((bits) => dialect.float(`(${bits >>> 0}u ^ Z)`)),
    ...program.ints.map((value) => `bitcast<i32>(${value >>> 0}u ^ Z)`),
  ];
  const statements = program.steps.map(({ name, args }, i) => {
    const [a, b, c] = [0, 1, 2].map((j) => values[args[j]] ?? "");
    const lower = dialect.lowerings[name];
    values.push(`${prefix}${at.steps + i}`);
    const type = dialect.types[INSTRUCTIONS[name].result];
    return `let ${prefix}${at.steps + i}: ${type} = ${lower(a, b, c, analysis.steps[i])};`;
  });
  return { statements, values };
}
