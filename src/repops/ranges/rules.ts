/** The range of an instruction's result from the ranges of its operands: one rule for each instruction. */
import type { InstructionName } from "../programs/instructions.ts";
import {
  ANY_QUANTUM,
  type BoolRange,
  exponentOf,
  type FloatRange,
  FULL_INT,
  type IntRange,
  type Range,
} from "./values.ts";
import { bitsOf, fromBits, MAX_BITS } from "../numbers/vf32.ts";

interface Outcome {
  /** The range of the result. For a float: before `canon`. */
  range: Range;
  /** Operands in which -0 would not act like +0. */
  fix?: readonly number[];
  /** The operand that the result always equals. */
  same?: number;
}

/** `args` are the operands' value numbers. Equal numbers mean equal values. */
export type Rule = (operands: readonly Range[], args: readonly number[]) => Outcome;

const { fround, max, min } = Math;
const INFINITY_BITS = 0x7f800000;
/** Below the quantum of every float. */
const NO_QUANTUM = -1100;

const float =
  (rule: (a: FloatRange, b: FloatRange, args: readonly number[]) => FloatRange): Rule =>
  ([a, b], args) => ({ range: rule(a as FloatRange, b as FloatRange, args) });
const int =
  (rule: (a: IntRange, b: IntRange) => IntRange): Rule =>
  ([a, b]) => ({ range: rule(a as IntRange, b as IntRange) });
const bool =
  (rule: (a: BoolRange, b: BoolRange) => BoolRange): Rule =>
  ([a, b]) => ({ range: rule(a as BoolRange, b as BoolRange) });

const hull = (...xs: number[]): { low: number; high: number } => ({ low: min(...xs), high: max(...xs) });
const single = ({ low, high }: IntRange): boolean => low === high;
/** A result outside of 32 bits wraps, and then it can be any integer. */
const wrapped = (low: number, high: number): IntRange =>
  low >= FULL_INT.low && high <= FULL_INT.high ? { low, high } : FULL_INT;
/** A positive number rounded to binary32, but not to 0, so that it is still known to be too small. */
const rounded = (x: number): number => fround(x) || x;

function add(a: FloatRange, b: FloatRange): FloatRange {
  const sameSign = (a.low >= 0 && b.low >= 0) || (a.high <= 0 && b.high <= 0);
  const quantum = min(a.quantum, b.quantum);
  const low = fround(a.low + b.low);
  const high = fround(a.high + b.high);
  const least = sameSign
    ? min(a.zero ? b.least : Infinity, b.zero ? a.least : Infinity, fround(a.least + b.least))
    : quantum === ANY_QUANTUM
      ? Infinity
      : 2 ** quantum;
  const zero = sameSign ? a.zero && b.zero : low <= 0 && high >= 0;
  return { low, high, least, quantum, zero, negativeZero: a.negativeZero && b.negativeZero };
}

function negated(a: FloatRange): FloatRange {
  return { ...a, low: -a.high, high: -a.low };
}

function multiply(a: FloatRange, b: FloatRange, args: readonly number[]): FloatRange {
  const least = rounded(a.least * b.least);
  const quantum = min(a.quantum + b.quantum, ANY_QUANTUM);
  const zero = a.zero || b.zero;
  if (args[0] === args[1]) {
    const top = max(-a.low, a.high);
    return { low: a.zero ? 0 : least, high: fround(top * top), least, quantum, zero, negativeZero: false };
  }
  const ends = hull(...[a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high].map(fround));
  const signedZero = (x: FloatRange, y: FloatRange): boolean =>
    (x.zero && (y.low < 0 || y.negativeZero)) || (x.negativeZero && (y.high > 0 || y.zero));
  return { ...ends, least, quantum, zero, negativeZero: signedZero(a, b) || signedZero(b, a) };
}

function divide(a: FloatRange, b: FloatRange): FloatRange {
  const least = rounded(a.least / max(-b.low, b.high));
  const top = b.zero ? Infinity : fround(max(-a.low, a.high) / b.least);
  const positive = b.high > 0 || b.zero;
  const negative = b.low < 0;
  let ends = {
    low: (a.low < 0 && positive) || (a.high > 0 && negative) ? -top : 0,
    high: (a.high > 0 && positive) || (a.low < 0 && negative) ? top : 0,
  };
  if (b.low > 0 || b.high < 0)
    ends = hull(...[a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high].map(fround));
  return {
    ...ends,
    least: b.low === 0 && b.high === 0 ? (a.least === Infinity ? Infinity : 1) : least,
    quantum: NO_QUANTUM,
    zero: a.zero,
    negativeZero: (a.zero && negative) || a.negativeZero,
    nan: a.zero && b.zero,
  };
}

/** The range of either of two values. */
function either(a: FloatRange, b: FloatRange): FloatRange {
  return {
    ...hull(a.low, b.low, a.high, b.high),
    least: min(a.least, b.least),
    quantum: min(a.quantum, b.quantum),
    zero: a.zero || b.zero,
    negativeZero: a.negativeZero || b.negativeZero,
  };
}

const smaller: Rule = ([x, y]) => {
  const [a, b] = [x as FloatRange, y as FloatRange];
  const range = { ...either(a, b), low: min(a.low, b.low), high: min(a.high, b.high) };
  return { range, same: a.high <= b.low ? 0 : b.high <= a.low ? 1 : undefined };
};

const larger: Rule = ([x, y]) => {
  const [a, b] = [x as FloatRange, y as FloatRange];
  const range = { ...either(a, b), low: max(a.low, b.low), high: max(a.high, b.high) };
  return { range, same: a.low >= b.high ? 0 : b.low >= a.high ? 1 : undefined };
};

function absolute(a: FloatRange): FloatRange {
  const low = a.low >= 0 ? a.low : a.high <= 0 ? -a.high : 0;
  return { ...a, low, high: max(-a.low, a.high), negativeZero: false };
}

function squareRoot(a: FloatRange): FloatRange {
  return {
    low: a.low > 0 ? fround(Math.sqrt(a.low)) : 0,
    high: fround(Math.sqrt(max(a.high, 0))),
    least: a.high > 0 ? fround(Math.sqrt(a.least)) : Infinity,
    quantum: a.high > 0 ? NO_QUANTUM : ANY_QUANTUM,
    zero: a.zero,
    negativeZero: a.negativeZero,
    nan: a.low < 0,
  };
}

function scaled(a: FloatRange, n: IntRange): FloatRange {
  const small = 2 ** max(-600, min(600, n.low));
  const large = 2 ** max(-600, min(600, n.high));
  return {
    low: min(a.low * small, a.low * large),
    high: max(a.high * small, a.high * large),
    least: a.least * small,
    quantum: min(a.quantum + max(-600, min(600, n.low)), ANY_QUANTUM),
    zero: a.zero,
    negativeZero: a.negativeZero,
  };
}

function mantissa(a: FloatRange): FloatRange {
  const below2 = 2 - 2 ** -23;
  return {
    low: a.low < 0 ? -below2 : a.zero ? 0 : 1,
    high: a.high > 0 ? below2 : a.zero ? 0 : -1,
    least: a.least === Infinity ? Infinity : 1,
    quantum: a.least === Infinity ? ANY_QUANTUM : -23,
    zero: a.zero,
    negativeZero: false,
  };
}

function exponents(a: FloatRange): IntRange {
  if (a.least === Infinity) return { low: 0, high: 0 };
  const low = exponentOf(a.least);
  const high = exponentOf(max(-a.low, a.high));
  return a.zero ? { low: min(low, 0), high: max(high, 0) } : { low, high };
}

function fromInt(low: number, high: number): FloatRange {
  const zero = low <= 0 && high >= 0;
  const least = low === 0 && high === 0 ? Infinity : 1;
  return { low: fround(low), high: fround(high), least, quantum: 0, zero, negativeZero: false };
}

function toUnsigned(a: FloatRange): IntRange {
  const low = max(0, Math.trunc(a.low));
  return a.high < 2 ** 31 ? { low, high: max(0, Math.trunc(a.high)) } : FULL_INT;
}

function reinterpret(a: IntRange): FloatRange {
  if (a.low >= 0 && a.high <= INFINITY_BITS) {
    const low = fromBits(a.low);
    const least = a.high === 0 ? Infinity : fromBits(max(a.low, 1));
    return { low, high: fromBits(a.high), least, quantum: -149, zero: a.low === 0, negativeZero: false };
  }
  const low = a.low >= 0 ? 0 : -Infinity;
  return { low, high: Infinity, least: 2 ** -149, quantum: -149, zero: true, negativeZero: a.low < 0, nan: true };
}

/** All ones up to the highest bit that is set. */
const filled = (x: number): number => (x <= 0 ? 0 : 2 ** (32 - Math.clz32(x)) - 1);

function bitwiseOr(a: IntRange, b: IntRange): IntRange {
  if (a.low < 0 || b.low < 0) return FULL_INT;
  const high = (single(a) ? a.high : filled(a.high)) | (single(b) ? b.high : filled(b.high));
  return { low: max(a.low, b.low), high };
}

function shiftRight(a: IntRange, b: IntRange): IntRange {
  const count = b.low & 31;
  if (!single(b)) return a.low >= 0 ? { low: 0, high: a.high } : FULL_INT;
  if (count === 0) return a;
  return a.low >= 0 ? { low: a.low >>> count, high: a.high >>> count } : { low: 0, high: 2 ** (32 - count) - 1 };
}

function arithmeticShiftRight(a: IntRange, b: IntRange): IntRange {
  if (single(b)) return { low: a.low >> b.low, high: a.high >> b.low };
  return { low: min(a.low, 0), high: max(a.high, -1) };
}

function product(a: IntRange, b: IntRange): IntRange {
  const ends = hull(a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high);
  return wrapped(ends.low, ends.high);
}

const select: Rule = ([, x, y]) => {
  if ("least" in x) return { range: either(x, y as FloatRange) };
  const [a, b] = [x as IntRange, y as IntRange];
  return { range: hull(a.low, b.low, a.high, b.high) };
};

/** For a relation that holds everywhere (`always`), or nowhere (`never`). */
const relation = (always: boolean, never: boolean): Outcome => ({ range: { canBeTrue: !never, canBeFalse: !always } });
const lessThan: Rule = ([x, y]) => {
  const [a, b] = [x as IntRange, y as IntRange];
  return relation(a.high < b.low, a.low >= b.high);
};
const equal: Rule = ([x, y]) => {
  const [a, b] = [x as IntRange, y as IntRange];
  return relation(single(a) && single(b) && a.low === b.low, a.high < b.low || b.high < a.low);
};

export const RULES = {
  fadd: float(add),
  // x - y is -0 only for (-0) - (+0).
  fsub: float((a, b) => ({ ...add(a, negated(b)), negativeZero: a.negativeZero && b.zero })),
  fmul: float(multiply),
  fdiv: ([a, b]) => ({
    range: divide(a as FloatRange, b as FloatRange),
    fix: (b as FloatRange).negativeZero ? [1] : [],
  }),
  fsqrt: float(squareRoot),
  // Written as 0 - x, which is never -0.
  fneg: float((a) => ({ ...negated(a), negativeZero: false })),
  fabs: float(absolute),
  fmin: smaller,
  fmax: larger,
  ffloor: float((a) => ({
    low: Math.floor(a.low),
    high: Math.floor(a.high),
    least: 1,
    quantum: 0,
    zero: a.low < 1 && a.high >= 0,
    negativeZero: a.negativeZero,
  })),
  fldexp: ([a, n]) => ({ range: scaled(a as FloatRange, n as IntRange) }),
  fmant: float(mantissa),
  fexp: ([a]) => ({ range: exponents(a as FloatRange) }),
  fsel: select,
  feq: ([x, y]) => {
    const [a, b] = [x as FloatRange, y as FloatRange];
    const apart =
      a.high < b.low || b.high < a.low || (a.least === Infinity && !b.zero) || (b.least === Infinity && !a.zero);
    return relation(a.low === a.high && b.low === b.high && a.low === b.low, apart);
  },
  flt: lessThan,
  iadd: int((a, b) => wrapped(a.low + b.low, a.high + b.high)),
  isub: int((a, b) => wrapped(a.low - b.high, a.high - b.low)),
  imul: int(product),
  iand: int((a, b) => {
    if (a.low < 0 && b.low < 0) return FULL_INT;
    return { low: 0, high: min(a.low >= 0 ? a.high : Infinity, b.low >= 0 ? b.high : Infinity) };
  }),
  ior: int(bitwiseOr),
  ixor: int((a, b) => (a.low < 0 || b.low < 0 ? FULL_INT : { low: 0, high: filled(a.high) | filled(b.high) })),
  ishl: int((a, b) => (single(b) ? wrapped(a.low * 2 ** (b.low & 31), a.high * 2 ** (b.low & 31)) : FULL_INT)),
  ishr: int(shiftRight),
  isar: int(arithmeticShiftRight),
  irotl: int(() => FULL_INT),
  isel: select,
  ieq: equal,
  ilt: lessThan,
  ult: ([x, y]) => {
    const [a, b] = [x as IntRange, y as IntRange];
    return a.low >= 0 && b.low >= 0 ? lessThan([a, b], []) : relation(false, false);
  },
  i2f: ([a]) => ({ range: fromInt((a as IntRange).low, (a as IntRange).high) }),
  u2f: ([a]) => {
    const { low, high } = a as IntRange;
    return { range: low >= 0 ? fromInt(low, high) : fromInt(0, 2 ** 32) };
  },
  f2i: ([a]) => {
    const cut = (x: number): number => Math.trunc(max(FULL_INT.low, min(FULL_INT.high, x)));
    return { range: { low: cut((a as FloatRange).low), high: cut((a as FloatRange).high) } };
  },
  f2u: ([a]) => ({ range: toUnsigned(a as FloatRange) }),
  fbits: ([x]) => {
    const a = x as FloatRange;
    const range = a.low >= 0 ? { low: bitsOf(a.low + 0), high: min(bitsOf(a.high), MAX_BITS) } : FULL_INT;
    return { range, fix: a.negativeZero ? [0] : [] };
  },
  bitsf: ([a]) => ({ range: reinterpret(a as IntRange) }),
  band: bool((a, b) => ({ canBeTrue: a.canBeTrue && b.canBeTrue, canBeFalse: a.canBeFalse || b.canBeFalse })),
  bor: bool((a, b) => ({ canBeTrue: a.canBeTrue || b.canBeTrue, canBeFalse: a.canBeFalse && b.canBeFalse })),
  bnot: bool((a) => ({ canBeTrue: a.canBeFalse, canBeFalse: a.canBeTrue })),
} as const satisfies Record<InstructionName, Rule>;
