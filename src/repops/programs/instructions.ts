/**
 * The instructions of scalar programs (spec 3.2): Verde computes with nothing else. `evaluate` is the
 * definition. Backends generate code for an instruction, and have to agree with the definition in every bit.
 *
 * Registers hold a float (a vf32 as a number), an int (32 bits as a signed number), or a bool (0 or 1). A
 * float result passes `canon` after `evaluate`; integers wrap modulo 2^32, shift counts modulo 32.
 *
 * After a new row is added, eight tables do not compile until they have it too: `programs/javascript.ts`,
 * `ranges/rules.ts`, `backends/wasm/lower.ts`, `backends/native/lower.ts`, `backends/webgpu/strict.ts` and
 * `wgsl.ts`, `backends/gpujs/statements.ts`, `backends/cuda/instructions.ts`. The contract still compiles,
 * but it needs `npm run contracts` for the code's name (`contracts/libraries/Opcodes.sol`) and a line in
 * `contracts/libraries/MicroStep.sol`. `test/contracts/microstep.test.ts` fails until it has that line.
 */
import { bitsOf, fromBits } from "../numbers/vf32.ts";

/** f: float, i: int, b: bool */
export type RegisterType = "f" | "i" | "b";

export interface Instruction {
  opcode: number;
  args: readonly RegisterType[];
  result: RegisterType;
  evaluate(a: number, b: number, c: number): number;
}

const { fround } = Math;
const bool = (x: boolean): number => (x ? 1 : 0);

/**
 * The mantissa, in [1, 2) with the sign of x. Together with the exponent it gives the number. Both are 0 for
 * 0.
 */
const mantissa = (x: number): number => (x === 0 ? 0 : fromBits((bitsOf(x) & 0x807fffff) | 0x3f800000));
const exponent = (x: number): number => (x === 0 ? 0 : ((bitsOf(x) >>> 23) & 255) - 127);
/** Exact in double precision for every count. Larger results saturate; smaller ones are below 2^-125. */
const scale = (x: number, n: number): number => x * 2 ** Math.max(-600, Math.min(600, n));

type Types = readonly RegisterType[];
const op = (opcode: number, args: string, result: RegisterType, evaluate: Instruction["evaluate"]): Instruction => ({
  opcode,
  args: [...args] as Types as RegisterType[],
  result,
  evaluate,
});

/** The instructions of scalar programs (spec 3.2): code, types and definition. */
export const INSTRUCTIONS = {
  // Float arithmetic: rounded to nearest even, then canonical.
  fadd: op(0x01, "ff", "f", (a, b) => fround(a + b)),
  fsub: op(0x02, "ff", "f", (a, b) => fround(a - b)),
  fmul: op(0x03, "ff", "f", (a, b) => fround(a * b)),
  fdiv: op(0x04, "ff", "f", (a, b) => fround(a / b)),
  fsqrt: op(0x05, "f", "f", (a) => fround(Math.sqrt(a))),
  fneg: op(0x06, "f", "f", (a) => -a),
  fabs: op(0x07, "f", "f", (a) => Math.abs(a)),
  fmin: op(0x08, "ff", "f", (a, b) => (b < a ? b : a)),
  fmax: op(0x09, "ff", "f", (a, b) => (a < b ? b : a)),
  ffloor: op(0x0a, "f", "f", (a) => Math.floor(a)),
  fldexp: op(0x0b, "fi", "f", scale),
  fmant: op(0x0c, "f", "f", mantissa),
  fexp: op(0x0d, "f", "i", exponent),
  fsel: op(0x0e, "bff", "f", (a, b, c) => (a ? b : c)),
  feq: op(0x0f, "ff", "b", (a, b) => bool(a === b)),
  flt: op(0x10, "ff", "b", (a, b) => bool(a < b)),
  // Integers.
  iadd: op(0x20, "ii", "i", (a, b) => (a + b) | 0),
  isub: op(0x21, "ii", "i", (a, b) => (a - b) | 0),
  imul: op(0x22, "ii", "i", (a, b) => Math.imul(a, b)),
  iand: op(0x23, "ii", "i", (a, b) => a & b),
  ior: op(0x24, "ii", "i", (a, b) => a | b),
  ixor: op(0x25, "ii", "i", (a, b) => a ^ b),
  ishl: op(0x26, "ii", "i", (a, b) => a << b),
  ishr: op(0x27, "ii", "i", (a, b) => (a >>> b) | 0),
  isar: op(0x28, "ii", "i", (a, b) => a >> b),
  irotl: op(0x29, "ii", "i", (a, b) => (a << b) | (a >>> -b)),
  isel: op(0x2a, "bii", "i", (a, b, c) => (a ? b : c)),
  ieq: op(0x2b, "ii", "b", (a, b) => bool(a === b)),
  ilt: op(0x2c, "ii", "b", (a, b) => bool(a < b)),
  ult: op(0x2d, "ii", "b", (a, b) => bool(a >>> 0 < b >>> 0)),
  // Conversions: to a float rounds to nearest even; to an int cuts toward zero and saturates.
  i2f: op(0x30, "i", "f", (a) => fround(a)),
  u2f: op(0x31, "i", "f", (a) => fround(a >>> 0)),
  f2i: op(0x32, "f", "i", (a) => Math.trunc(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, a))) | 0),
  f2u: op(0x33, "f", "i", (a) => Math.trunc(Math.max(0, Math.min(2 ** 32 - 1, a))) | 0),
  fbits: op(0x34, "f", "i", (a) => bitsOf(a) | 0),
  bitsf: op(0x35, "i", "f", (a) => fromBits(a)),
  // Bools.
  band: op(0x38, "bb", "b", (a, b) => a & b),
  bor: op(0x39, "bb", "b", (a, b) => a | b),
  bnot: op(0x3a, "b", "b", (a) => 1 - a),
} as const satisfies Record<string, Instruction>;

/** The name of an instruction: `fadd`, `isel` and others. */
export type InstructionName = keyof typeof INSTRUCTIONS;

const BY_OPCODE = new Map<number, InstructionName>(
  Object.entries(INSTRUCTIONS).map(([name, { opcode }]) => [opcode, name as InstructionName]),
);

export function instructionByOpcode(opcode: number): InstructionName | undefined {
  return BY_OPCODE.get(opcode);
}
