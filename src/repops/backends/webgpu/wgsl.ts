/**
 * Scalar programs as WGSL (spec 3.3). The language fixes little of binary32: no rounding of conversions, 2.5 units in the
 * last place for a division, subnormals flushed or not, contraction of a·b + c allowed, and infinities assumed absent. So:
 *
 * - every product passes through its bits and a zero that is only known at run time, which keeps it from being fused;
 * - a sum or product that could overflow is computed on scaled operands, and its exponent is put together as an integer;
 * - division and square root are digit recurrences on integers, conversions are built from exact halves;
 * - canon works on bits, and is left out where the analysis proves it idle.
 */
import { INSTRUCTIONS, type InstructionName } from "../../instructions.ts";
import { layout, type Program } from "../../program.ts";
import type { Analysis, StepPlan } from "../../ranges.ts";

/** Functions that every shader has; `Z` is a zero read from a buffer. */
export const LIBRARY = `
fn canon(v: u32) -> f32 {
  let a = v & 0x7fffffffu;
  if (a < 0x01000000u || a > 0x7f800000u) { return 0.0; }
  if (a > 0x7f000000u) { return bitcast<f32>(0x7f000000u | (v & 0x80000000u)); }
  return bitcast<f32>(v);
}
/* Sign s, biased exponent e, and a 24-bit significand m (or 2^24 after rounding up): packed, flushed, saturated. */
fn pack(s: u32, e: i32, m: u32) -> f32 {
  if (m == 0u || e < 1) { return 0.0; }
  if (e > 254) { return bitcast<f32>(s | 0x7f000000u); }
  return canon(s | ((u32(e - 1) << 23u) + m));
}
fn bits(x: f32) -> u32 { return bitcast<u32>(x) ^ Z; }
fn biased(x: f32) -> i32 { return i32((bitcast<u32>(x) >> 23u) & 255u); }
fn scaled(x: f32, n: i32) -> f32 {
  let a = bitcast<u32>(x);
  if ((a & 0x7fffffffu) == 0u) { return 0.0; }
  return pack(a & 0x80000000u, biased(x) + clamp(n, -600, 600), (a & 0x7fffffu) | 0x800000u);
}
fn mantissa(x: f32) -> f32 {
  let a = bitcast<u32>(x);
  return select(bitcast<f32>((a & 0x807fffffu) | 0x3f800000u), 0.0, (a & 0x7fffffffu) == 0u);
}
fn exponent(x: f32) -> i32 { return select(biased(x) - 127, 0, (bitcast<u32>(x) & 0x7fffffffu) == 0u); }
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
fn quotient(x: f32, y: f32) -> f32 {
  let a = bitcast<u32>(x); let b = bitcast<u32>(y); let s = (a ^ b) & 0x80000000u;
  if ((a & 0x7fffffffu) == 0u) { return 0.0; }
  if ((b & 0x7fffffffu) == 0u) { return bitcast<f32>((a & 0x80000000u) | 0x7f000000u); }
  var m = (a & 0x7fffffu) | 0x800000u; let d = (b & 0x7fffffu) | 0x800000u;
  var e = biased(x) - biased(y) + 127;
  if (m < d) { m = m << 1u; e = e - 1; }
  var q = 0u;
  for (var i = 0u; i < 25u; i++) { q = q << 1u; if (m >= d) { m = m - d; q = q | 1u; } m = m << 1u; }
  return pack(s, e, (q + 1u) >> 1u);
}
fn root(x: f32) -> f32 {
  let a = bitcast<u32>(x);
  if (a == 0u || a > 0x7fffffffu) { return 0.0; }
  let e = biased(x) - 127;
  var m = (a & 0x7fffffu) | 0x800000u;
  if ((e & 1) != 0) { m = m << 1u; }
  var q = 0u; var r = 0u; m = m << 7u;
  for (var i = 0u; i < 25u; i++) {
    r = (r << 2u) | (m >> 30u); m = m << 2u;
    let t = (q << 2u) | 1u; q = q << 1u;
    if (r >= t) { r = r - t; q = q | 1u; }
  }
  return pack(0u, (e >> 1u) + 127, (q + 1u) >> 1u);
}
fn fromI32(i: i32) -> f32 { let h = f32(i >> 16u) * 65536.0; return bitcast<f32>(bits(h + f32(i & 65535))); }
fn fromU32(i: u32) -> f32 { let h = f32(i >> 16u) * 65536.0; return bitcast<f32>(bits(h + f32(i & 65535u))); }
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
fn ranged(v: u32, least: u32, most: u32) -> f32 {
  let a = v & 0x7fffffffu;
  if (a < least) { return 0.0; }
  return bitcast<f32>(select(v, (v & 0x80000000u) | most, a > most));
}
`;

type Lowering = (a: string, b: string, c: string, plan: StepPlan) => string;
const unsigned = (x: string): string => `bitcast<u32>(${x})`;
const signed = (x: string): string => `bitcast<i32>(${x})`;
const guarded = (plan: StepPlan): boolean => plan.flush || plan.saturateAbove || plan.saturateBelow;
const plain = (expression: string): string => `bitcast<f32>(bits(${expression}))`;
const count = (x: string): string => `(${unsigned(x)} & 31u)`;

const LOWERINGS = {
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
  fsel: (a, b, c) => `select(${c}, ${b}, ${a})`,
  feq: (a, b) => `(${a} == ${b})`,
  flt: (a, b) => `(${a} < ${b})`,
  iadd: (a, b) => `(${a} + ${b})`,
  isub: (a, b) => `(${a} - ${b})`,
  imul: (a, b) => `(${a} * ${b})`,
  iand: (a, b) => `(${a} & ${b})`,
  ior: (a, b) => `(${a} | ${b})`,
  ixor: (a, b) => `(${a} ^ ${b})`,
  ishl: (a, b) => `(${a} << ${count(b)})`,
  ishr: (a, b) => signed(`(${unsigned(a)} >> ${count(b)})`),
  isar: (a, b) => `(${a} >> ${count(b)})`,
  irotl: (a, b) => signed(`((${unsigned(a)} << ${count(b)}) | (${unsigned(a)} >> ((32u - ${count(b)}) & 31u)))`),
  isel: (a, b, c) => `select(${c}, ${b}, ${a})`,
  ieq: (a, b) => `(${a} == ${b})`,
  ilt: (a, b) => `(${a} < ${b})`,
  ult: (a, b) => `(${unsigned(a)} < ${unsigned(b)})`,
  i2f: (a) => `fromI32(${a})`,
  u2f: (a) => `fromU32(${unsigned(a)})`,
  f2i: (a) => `toI32(${a})`,
  f2u: (a) => `toU32(${a})`,
  fbits: (a, _b, _c, plan) => signed(plan.fix.length > 0 ? `canon(bits(${a}))` : a),
  bitsf: (a) => `canon(${unsigned(a)})`,
  band: (a, b) => `(${a} && ${b})`,
  bor: (a, b) => `(${a} || ${b})`,
  bnot: (a) => `(!${a})`,
} as const satisfies Record<InstructionName, Lowering>;

/** Register types of WGSL. */
const TYPES = { f: "f32", i: "i32", b: "bool" } as const;

/**
 * A program as statements over `inputs`, names of values, and the name of its result.
 * @param prefix makes the names of the statements' values
 */
export function programStatements(
  program: Program,
  analysis: Analysis,
  inputs: readonly string[],
  prefix: string,
): { statements: string[]; result: string } {
  const at = layout(program);
  // Constants pass the run-time zero as well, so that nothing is evaluated while the shader is compiled.
  const values = [
    ...inputs,
    ...program.floats.map((bits) => `bitcast<f32>(${bits >>> 0}u ^ Z)`),
    ...program.ints.map((value) => `bitcast<i32>(${value >>> 0}u ^ Z)`),
  ];
  const statements = program.steps.map(({ name, args }, i) => {
    const [a, b, c] = [0, 1, 2].map((j) => values[args[j]] ?? "");
    const lower: Lowering = LOWERINGS[name];
    values.push(`${prefix}${at.steps + i}`);
    const type = TYPES[INSTRUCTIONS[name].result];
    return `let ${prefix}${at.steps + i}: ${type} = ${lower(a, b, c, analysis.steps[i])};`;
  });
  return { statements, result: values[values.length - 1] };
}
