/**
 * A second implementation of what the contracts do with bytes that are no program and no kernel (spec 3.7,
 * 5.4).
 */
import { INSTRUCTIONS, instructionByOpcode, type RegisterType } from "../../src/repops/programs/instructions.ts";
import { bitsOf, canon, fromBits } from "../../src/repops/numbers/vf32.ts";

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const wordAt = (bytes: Uint8Array, at: number): number =>
  [0, 1, 2, 3].reduce((word, i) => ((word << 8) | byteAt(bytes, at + i)) >>> 0, 0);

const asOperand = (bits: number, type: RegisterType | undefined): number =>
  type === "f" ? canon(fromBits(bits)) : type === "b" ? (bits === 0 ? 0 : 1) : bits | 0;

/** The pattern of the output. */
export function runAnyBytes(bytes: Uint8Array, inputs: readonly number[]): number {
  const [inputCount, mask, floats, ints, steps] = [0, 1, 2, 3, 4].map((i) => byteAt(bytes, i));
  const values = Array.from({ length: inputCount }, (_, i) => {
    const isInt = i < 8 && ((mask >> i) & 1) === 1;
    return isInt ? (inputs[i] ?? 0) >>> 0 : bitsOf(canon(fromBits(inputs[i] ?? 0)));
  });
  for (let i = 0; i < floats + ints; i++) values.push(wordAt(bytes, 8 + 4 * i));
  for (let i = 0; i < steps; i++) {
    const from = 8 + 4 * (floats + ints + i);
    const name = instructionByOpcode(byteAt(bytes, from));
    if (name === undefined) {
      values.push(0);
      continue;
    }
    const { args, result, evaluate } = INSTRUCTIONS[name];
    const types: readonly RegisterType[] = args;
    const [a, b, c] = [1, 2, 3].map((j) => asOperand(values[byteAt(bytes, from + j)] ?? 0, types[j - 1]));
    const value = evaluate(a, b, c);
    values.push(result === "f" ? bitsOf(canon(value)) : value >>> 0);
  }
  return values.at(-1) ?? 0;
}

export interface AnyInput {
  isRead: boolean;
  tensor: bigint;
  element: bigint;
  bits: bigint;
  clampRange: number;
}

/** What one step reads. */
export function readAnyBytes(bytes: Uint8Array, element: number, k: number) {
  let next = 0;
  const u8 = (): number => byteAt(bytes, next++);
  const u32 = (): bigint => ((next += 4) > bytes.length ? 0n : BigInt(wordAt(bytes, next - 4)));
  const i32 = (): bigint => BigInt.asIntN(32, u32());
  const isFold = u8() === 2;
  u8();
  const shape = Array.from({ length: u8() }, u32);
  const start = isFold ? u32() : 0n;
  const reduce = isFold ? Array.from({ length: u8() }, u32) : [];
  const output = coordinatesOf(BigInt(element), shape);
  const point = [...output, ...coordinatesOf(BigInt(k), reduce)];
  const length = Number(u32());
  const programFrom = Math.min(next, bytes.length);
  const programTo = Math.min(programFrom + length, bytes.length);
  const mask = byteAt(bytes, programFrom + 1);
  next = programTo;
  const inputs = Array.from({ length: u8() }, (_, i): AnyInput => {
    const kind = u8();
    const none = { isRead: false, tensor: 0n, element: 0n, clampRange: 0 };
    if (kind === 2) return { ...none, bits: output[u8()] ?? 0n };
    if (kind !== 1) return { ...none, bits: kind === 3 ? BigInt(k) : 0n };
    const tensor = u32();
    const clampRange = u8();
    const at = i + (isFold ? 1 : 0);
    const isInt = at < 8 && ((mask >> at) & 1) === 1;
    let address = i32();
    const strides = Array.from({ length: u8() }, i32);
    strides.forEach((stride, axis) => (address += stride * (point[axis] ?? 0n)));
    const bounded = u8() !== 0;
    const inside = bounded ? strides.map((_stride, axis) => isWithin(point[axis] ?? 0n, i32(), i32())) : [];
    const bits = bounded ? u32() : 0n;
    const isRead = address >= 0n && !inside.includes(false);
    return {
      isRead,
      tensor,
      element: isRead ? address : 0n,
      bits,
      clampRange: isInt || clampRange > 2 ? 0 : clampRange,
    };
  });
  return { isFold, start, programFrom: BigInt(programFrom), programTo: BigInt(programTo), inputs };
}

const isWithin = (x: bigint, from: bigint, to: bigint): boolean => x >= from && x < to;

function coordinatesOf(index: bigint, shape: readonly bigint[]): bigint[] {
  const coordinates = shape.map(() => 0n);
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    const extent = shape[axis];
    if (extent > 0n) coordinates[axis] = rest % extent;
    rest = extent > 0n ? rest / extent : 0n;
  }
  return coordinates;
}
