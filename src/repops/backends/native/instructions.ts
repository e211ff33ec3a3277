/** Instructions as C on vectors; the words are those of core/vector.h. */
import type { InstructionName } from "../../programs/instructions.ts";
import type { FloatRange, IntRange, Range } from "../../ranges/values.ts";
import { bitsOf } from "../../numbers/vf32.ts";

/** What is known of an instruction's operands. */
export interface Site {
  ranges: readonly Range[];
  /** The bits of the operands that are constants. */
  known: readonly (number | undefined)[];
}

export type Lowering = (site: Site, a: string, b: string, c: string) => string;

export const hex = (bits: number): string => `0x${(bits >>> 0).toString(16)}`;
export const float = (value: number): string => `FBITS(${hex(bitsOf(value))})`;
export const int = (value: number): string => `IBITS(${hex(value)})`;
const floatRange = ({ ranges }: Site, operand: number): FloatRange => ranges[operand] as FloatRange;
const intRange = ({ ranges }: Site, operand: number): IntRange => ranges[operand] as IntRange;

const infix =
  (operator: string): Lowering =>
  (_, a, b) =>
    `${a} ${operator} ${b}`;

/** 2^n for -126 ≤ n ≤ 127, and 0 for n = -127. */
const powerOfTwo = (n: string): string => `(vf)((${n} + ${int(127)}) << 23)`;

/** x·2^n in one or two exact multiplications; see the WASM backend's `scale` for the ends. */
const scale: Lowering = (site, x, n) => {
  const { low, high } = intRange(site, 1);
  const count = site.known[1];
  const inside = low >= -126 && high <= 127;
  if (inside && count !== undefined) return `${x} * ${float(2 ** count)}`;
  if (inside) return `${x} * ${powerOfTwo(n)}`;
  let clamped = n;
  if (low < -253) clamped = `larger_int(${clamped}, ${int(-253)})`;
  if (high > 254) clamped = `smaller_int(${clamped}, ${int(254)})`;
  return `({ vi n_ = ${clamped}, h_ = n_ >> 1; ${x} * ${powerOfTwo("h_")} * ${powerOfTwo("(n_ - h_)")}; })`;
};

const unlessZero = (site: Site, x: string, value: string): string =>
  floatRange(site, 0).zero ? `((${value}) & (${x} != ${float(0)}))` : `(${value})`;

const select: Lowering = (site, mask, x, y) => {
  if (site.known[1] === 0) return `(__typeof__(${y}))(~${mask} & (vi)${y})`;
  if (site.known[2] === 0) return `(__typeof__(${x}))(${mask} & (vi)${x})`;
  return `SELECT(${mask}, ${x}, ${y})`;
};

/** C leaves counts from 32 on undefined. */
const shift =
  (code: (a: string, count: string) => string): Lowering =>
  (site, a, b) => {
    const count = site.known[1];
    if (count === undefined) return code(a, `(${b} & ${int(31)})`);
    return (count & 31) === 0 ? a : code(a, int(count & 31));
  };

/** 1.5·2^23: adding it to an integer of at most 2^22 puts that integer into the low bits of the sum. */
const MAGIC = 12582912;
const isSmallInteger = ({ low, high, quantum }: FloatRange): boolean =>
  quantum >= 0 && low >= -(2 ** 22) && high <= 2 ** 22;
const fromMagic = (x: string): string => `(vi)(${x} + ${float(MAGIC)}) - ${int(bitsOf(MAGIC))}`;

export const LOWERINGS = {
  fadd: infix("+"),
  fsub: infix("-"),
  fmul: infix("*"),
  fdiv: infix("/"),
  fsqrt: (_, a) => `square_root(${a})`,
  fneg: (_, a) => `${float(0)} - ${a}`,
  fabs: (_, a) => `magnitude(${a})`,
  fmin: (_, a, b) => `smaller(${a}, ${b})`,
  fmax: (_, a, b) => `larger(${a}, ${b})`,
  ffloor: (_, a) => `floor_of(${a})`,
  fldexp: scale,
  fmant: (site, x) => `(vf)${unlessZero(site, x, `((vi)${x} & ${int(0x807fffff)}) | ${int(0x3f800000)}`)}`,
  fexp: (site, x) => unlessZero(site, x, `(((vi)${x} >> 23) & ${int(255)}) - ${int(127)}`),
  fsel: select,
  feq: infix("=="),
  flt: infix("<"),
  iadd: infix("+"),
  isub: infix("-"),
  imul: infix("*"),
  iand: infix("&"),
  ior: infix("|"),
  ixor: infix("^"),
  ishl: shift((a, count) => `${a} << ${count}`),
  ishr: shift((a, count) => `shifted_right(${a}, ${count})`),
  isar: shift((a, count) => `${a} >> ${count}`),
  irotl: shift((a, count) => `rotated_left(${a}, ${count})`),
  isel: select,
  ieq: infix("=="),
  ilt: infix("<"),
  ult: (_, a, b) => `(vi)((vu)${a} < (vu)${b})`,
  i2f: (_, a) => `float_of_int(${a})`,
  u2f: (site, a) => (intRange(site, 0).low >= 0 ? `float_of_int(${a})` : `float_of_unsigned(${a})`),
  f2i: (site, a) => (isSmallInteger(floatRange(site, 0)) ? fromMagic(a) : `int_of_float(${a})`),
  f2u: (site, a) => {
    const range = floatRange(site, 0);
    return range.low >= 0 && isSmallInteger(range) ? fromMagic(a) : `unsigned_of_float(${a})`;
  },
  fbits: (_, a) => `(vi)${a}`,
  bitsf: (_, a) => `(vf)${a}`,
  band: infix("&"),
  bor: infix("|"),
  bnot: (_, a) => `~${a}`,
} as const satisfies Record<InstructionName, Lowering>;
