/** Instructions as SIMD code: one lane for each element. */
import type { InstructionName } from "../../programs/instructions.ts";
import type { FloatRange, IntRange, Range } from "../../ranges/values.ts";
import { bitsOf } from "../../numbers/vf32.ts";
import type { FunctionBuilder, Local } from "./emitter.ts";
import { type Code, f32x4, i32, i32x4, v128, ValueType } from "./opcodes.ts";

/** Gives a local that holds a constant in all four lanes; it is loaded before any loop. */
export type Constants = (bits: number) => Code;

/** One instruction at one vector. */
export class Site {
  readonly f: FunctionBuilder;
  readonly constants: Constants;
  /** The known ranges of the operands. */
  readonly ranges: readonly Range[];
  /** The bits of the operands that are constants. */
  readonly known: readonly (number | undefined)[];

  constructor(
    f: FunctionBuilder,
    constants: Constants,
    ranges: readonly Range[],
    known: readonly (number | undefined)[],
  ) {
    this.f = f;
    this.constants = constants;
    this.ranges = ranges;
    this.known = known;
  }

  float(value: number): Code {
    return this.constants(bitsOf(value));
  }

  int(value: number): Code {
    return this.constants(value >>> 0);
  }

  keep(value: Code): Local {
    return this.f.local(ValueType.v128, value);
  }

  floatRange(operand: number): FloatRange {
    return this.ranges[operand] as FloatRange;
  }

  intRange(operand: number): IntRange {
    return this.ranges[operand] as IntRange;
  }
}

export type Lowering = (site: Site, a: Code, b: Code, c: Code) => Code;

const binary =
  (op: (a: Code, b: Code) => Code): Lowering =>
  (_, a, b) =>
    op(a, b);

/** 2^n for -126 ≤ n ≤ 127, and 0 for n = -127. */
const powerOfTwo = (site: Site, n: Code): Code => i32x4.shl(i32x4.add(n, site.int(127)), i32.const(23));

/**
 * x·2^n in one or two exact multiplications. If an intermediate value underflows, the result is below 2^-125
 * too. At n = -253 every vf32 has become 0 (the second factor is 0), and at n = 254 every other vf32 is
 * saturated.
 */
const scale: Lowering = (site, x, n) => {
  const { low, high } = site.intRange(1);
  const count = site.known[1];
  if (count !== undefined && low >= -126 && high <= 127) return f32x4.mul(x, site.float(2 ** count));
  if (low >= -126 && high <= 127) return f32x4.mul(x, powerOfTwo(site, n));
  let clamped = n;
  if (low < -253) clamped = i32x4.maxS(clamped, site.int(-253));
  if (high > 254) clamped = i32x4.minS(clamped, site.int(254));
  const all = site.keep(clamped);
  const half = site.keep(i32x4.shrS(all, i32.const(1)));
  return f32x4.mul(f32x4.mul(x, powerOfTwo(site, half)), powerOfTwo(site, i32x4.sub(all, half)));
};

const unlessZero = (site: Site, x: Code, value: Code): Code =>
  site.floatRange(0).zero ? v128.and(value, f32x4.ne(x, site.float(0))) : value;

const mantissa: Lowering = (site, x) =>
  unlessZero(site, x, v128.or(v128.and(x, site.int(0x807fffff)), site.int(0x3f800000)));

const exponent: Lowering = (site, x) =>
  unlessZero(site, x, i32x4.sub(v128.and(i32x4.shrU(x, i32.const(23)), site.int(255)), site.int(127)));

const select: Lowering = (site, mask, x, y) => {
  if (site.known[1] === 0) return v128.andNot(y, mask);
  if (site.known[2] === 0) return v128.and(x, mask);
  return v128.select(x, y, mask);
};

/** A shift: in one instruction if all lanes have the same count, else one lane after the other. */
const shift =
  (vector: (a: Code, count: number) => Code, scalar: (a: Code, count: Code) => Code): Lowering =>
  (site, a, b) => {
    const count = site.known[1];
    if (count !== undefined) return (count & 31) === 0 ? a : vector(a, count & 31);
    return [0, 1, 2, 3].reduce<Code>(
      (vectors, lane) => i32x4.replace(vectors, lane, scalar(i32x4.extract(a, lane), i32x4.extract(b, lane))),
      a,
    );
  };

const shiftLeft = shift((a, count) => i32x4.shl(a, i32.const(count)), i32.shl);
const shiftRight = shift((a, count) => i32x4.shrU(a, i32.const(count)), i32.shrU);
const shiftRightSigned = shift((a, count) => i32x4.shrS(a, i32.const(count)), i32.shrS);
const rotate = shift(
  (a, count) => v128.or(i32x4.shl(a, i32.const(count)), i32x4.shrU(a, i32.const(32 - count))),
  i32.rotl,
);

/** 1.5·2^23: adding it to an integer of at most 2^22 puts that integer into the low bits of the sum. */
const MAGIC = 12582912;
const isSmallInteger = ({ low, high, quantum }: FloatRange): boolean =>
  quantum >= 0 && low >= -(2 ** 22) && high <= 2 ** 22;
const fromMagic = (site: Site, x: Code): Code => i32x4.sub(f32x4.add(x, site.float(MAGIC)), site.int(bitsOf(MAGIC)));

export const LOWERINGS = {
  fadd: binary(f32x4.add),
  fsub: binary(f32x4.sub),
  fmul: binary(f32x4.mul),
  fdiv: binary(f32x4.div),
  fsqrt: (_, a) => f32x4.sqrt(a),
  fneg: (site, a) => f32x4.sub(site.float(0), a),
  fabs: (_, a) => f32x4.abs(a),
  fmin: binary(f32x4.pmin),
  fmax: binary(f32x4.pmax),
  ffloor: (_, a) => f32x4.floor(a),
  fldexp: scale,
  fmant: mantissa,
  fexp: exponent,
  fsel: select,
  feq: binary(f32x4.eq),
  flt: binary(f32x4.lt),
  iadd: binary(i32x4.add),
  isub: binary(i32x4.sub),
  imul: binary(i32x4.mul),
  iand: binary(v128.and),
  ior: binary(v128.or),
  ixor: binary(v128.xor),
  ishl: shiftLeft,
  ishr: shiftRight,
  isar: shiftRightSigned,
  irotl: rotate,
  isel: select,
  ieq: binary(i32x4.eq),
  ilt: binary(i32x4.ltS),
  ult: (site, a, b) => (site.intRange(0).low >= 0 && site.intRange(1).low >= 0 ? i32x4.ltS(a, b) : i32x4.ltU(a, b)),
  i2f: (_, a) => f32x4.fromI32(a),
  u2f: (site, a) => (site.intRange(0).low >= 0 ? f32x4.fromI32(a) : f32x4.fromU32(a)),
  f2i: (site, a) => (isSmallInteger(site.floatRange(0)) ? fromMagic(site, a) : i32x4.truncSatS(a)),
  f2u: (site, a) => {
    const range = site.floatRange(0);
    if (range.low >= 0 && isSmallInteger(range)) return fromMagic(site, a);
    return range.low >= 0 && range.high < 2 ** 31 ? i32x4.truncSatS(a) : i32x4.truncSatU(a);
  },
  fbits: (_, a) => a,
  bitsf: (_, a) => a,
  band: binary(v128.and),
  bor: binary(v128.or),
  bnot: (_, a) => v128.not(a),
} as const satisfies Record<InstructionName, Lowering>;
