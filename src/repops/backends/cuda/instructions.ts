/**
 * Instructions of scalar programs as PTX. All float instructions round to nearest even by their own
 * definition (`.rn`), keep subnormals (no `.ftz`) and are never fused: PTX ISA, 9.7.3. So floats need no
 * guard here.
 */
import { bitsOf } from "../../numbers/vf32.ts";
import type { InstructionName } from "../../programs/instructions.ts";
import type { FloatRange, IntRange, Range } from "../../ranges/values.ts";
import type { Bank, Body } from "./ptx.ts";

/** What is known of an instruction's operands. */
export interface Site {
  body: Body;
  ranges: readonly Range[];
  /** The bits of the operands that are constants. */
  known: readonly (number | undefined)[];
}

/** Emits an instruction on these registers, and gives that of its result. */
export type Lowering = (site: Site, a: string, b: string, c: string) => string;

const floatRange = ({ ranges }: Site, operand: number): FloatRange => ranges[operand] as FloatRange;
const intRange = ({ ranges }: Site, operand: number): IntRange => ranges[operand] as IntRange;

const one =
  (bank: Bank, name: string): Lowering =>
  ({ body }, a) =>
    body.value(bank, name, a);
const two =
  (bank: Bank, name: string): Lowering =>
  ({ body }, a, b) =>
    body.value(bank, name, a, b);

/** 2^n for -126 ≤ n ≤ 127, and 0 for n = -127. */
function powerOfTwo(body: Body, n: string): string {
  const biased = body.value("r", "add.s32", n, "127");
  return body.value("f", "mov.b32", body.value("r", "shl.b32", biased, "23"));
}

/** x·2^n in one or two exact multiplications; see the WASM backend's `scale` for the ends. */
const scale: Lowering = (site, x, n) => {
  const { body, known } = site;
  const { low, high } = intRange(site, 1);
  const product = (y: string, by: string): string => body.value("f", "mul.rn.f32", y, by);
  if (low >= -126 && high <= 127) {
    const count = known[1];
    return product(x, count === undefined ? powerOfTwo(body, n) : body.float(bitsOf(2 ** count)));
  }
  let clamped = n;
  if (low < -253) clamped = body.value("r", "max.s32", clamped, "-253");
  if (high > 254) clamped = body.value("r", "min.s32", clamped, "254");
  const half = body.value("r", "shr.s32", clamped, "1");
  const rest = body.value("r", "sub.s32", clamped, half);
  return product(product(x, powerOfTwo(body, half)), powerOfTwo(body, rest));
};

/** The value of a magnitude that is not 0; 0 of 0. */
function unlessZero(site: Site, x: string, bank: "f" | "r", value: string): string {
  if (!floatRange(site, 0).zero) return value;
  const { body } = site;
  const zero = body.float(0);
  const isZero = body.value("p", "setp.eq.f32", x, zero);
  return bank === "f"
    ? body.value("f", "selp.f32", zero, value, isZero)
    : body.value("r", "selp.b32", "0", value, isZero);
}

const wordOf = (body: Body, x: string): string => body.value("r", "mov.b32", x);

/** PTX's own shifts take counts from 32 on for 32. */
const shift =
  (name: string): Lowering =>
  ({ body, known }, a, b) => {
    const count = known[1];
    return body.value("r", name, a, count === undefined ? body.value("r", "and.b32", b, "31") : String(count & 31));
  };

export const LOWERINGS = {
  fadd: two("f", "add.rn.f32"),
  fsub: two("f", "sub.rn.f32"),
  fmul: two("f", "mul.rn.f32"),
  fdiv: two("f", "div.rn.f32"),
  fsqrt: one("f", "sqrt.rn.f32"),
  fneg: ({ body }, a) => body.value("f", "sub.rn.f32", body.float(0), a),
  fabs: one("f", "abs.f32"),
  fmin: two("f", "min.f32"),
  fmax: two("f", "max.f32"),
  ffloor: one("f", "cvt.rmi.f32.f32"),
  fldexp: scale,
  fmant: (site, x) => {
    const { body } = site;
    const fraction = body.value("r", "and.b32", wordOf(body, x), String(0x807fffff | 0));
    const word = body.value("r", "or.b32", fraction, String(0x3f800000));
    return unlessZero(site, x, "f", body.value("f", "mov.b32", word));
  },
  fexp: (site, x) => {
    const { body } = site;
    const biased = body.value("r", "and.b32", body.value("r", "shr.u32", wordOf(body, x), "23"), "255");
    return unlessZero(site, x, "r", body.value("r", "sub.s32", biased, "127"));
  },
  fsel: ({ body }, a, b, c) => body.value("f", "selp.f32", b, c, a),
  feq: two("p", "setp.eq.f32"),
  flt: two("p", "setp.lt.f32"),
  iadd: two("r", "add.s32"),
  isub: two("r", "sub.s32"),
  imul: two("r", "mul.lo.s32"),
  iand: two("r", "and.b32"),
  ior: two("r", "or.b32"),
  ixor: two("r", "xor.b32"),
  ishl: shift("shl.b32"),
  ishr: shift("shr.u32"),
  isar: shift("shr.s32"),
  // In this mode the count is taken modulo 32.
  irotl: ({ body }, a, b) => body.value("r", "shf.l.wrap.b32", a, a, b),
  isel: ({ body }, a, b, c) => body.value("r", "selp.b32", b, c, a),
  ieq: two("p", "setp.eq.s32"),
  ilt: two("p", "setp.lt.s32"),
  ult: two("p", "setp.lt.u32"),
  i2f: one("f", "cvt.rn.f32.s32"),
  u2f: one("f", "cvt.rn.f32.u32"),
  // Conversions to integers saturate.
  f2i: one("r", "cvt.rzi.s32.f32"),
  f2u: one("r", "cvt.rzi.u32.f32"),
  fbits: one("r", "mov.b32"),
  bitsf: one("f", "mov.b32"),
  band: two("p", "and.pred"),
  bor: two("p", "or.pred"),
  bnot: one("p", "not.pred"),
} as const satisfies Record<InstructionName, Lowering>;
